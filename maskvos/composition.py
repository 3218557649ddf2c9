"""`maskvos compose`: write params.yaml from conf/."""

import argparse
import difflib
import re
from pathlib import Path
from typing import Any

import yaml
from dvc.utils.hydra import load_hydra_plugins
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maskvos.console import log
from maskvos.datasets.catalogue import find_entry
from maskvos.errors import UserError, first_line
from maskvos.params import Params, validate
from maskvos.storage.atomic import atomic_file

_HEADER = """\
# Written from conf/ by `maskvos compose` or `dvc exp run -S`; edits made here are lost at the next composition.
# conf/paper.yaml names the source of every number.
"""
_GROUPS = ("preset", "ablation")  # folders of conf/, one file of which is chosen by name
# Values that are paths may hold characters to which Hydra's grammar gives a meaning, such as spaces, commas and '='.
_PATH_KEYS = ("path", "folder", "train_annotations_for_measuring_only")


def compose(folder: Path, overrides: list[str]) -> dict[str, Any]:
    """Composed and checked parameters.

    Args:
        folder: the checkout, which holds conf/ and hydra_plugins/.
        overrides: ``preset=NAME``, ``ablation=NAME`` and ``key=value`` in Hydra's grammar.

    Raises:
        UserError: no conf/ in that folder, an unknown name or key, parameters that do not fit the schema, or a
            dataset that the catalogue does not have.
    """
    conf = (folder / "conf").resolve()
    if not (conf / "config.yaml").is_file():
        raise UserError(f"{conf}: no config.yaml there. Run this from the root of the checkout.")
    load_hydra_plugins(str(folder.resolve()))  # DVC's own way, so that both run the same resolvers
    try:
        content = _composed(conf, [_quoted(override) for override in overrides])
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_explain(error, conf, overrides)) from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{conf}: a file there cannot be read: {_one_line(error)}. Correct it.") from error
    except ValueError as error:  # a number for a group's name
        raise UserError(_explain(error, conf, overrides)) from error
    _check_catalogue(validate(content, "parameters"))
    return content


def _check_catalogue(params: Params) -> None:
    """The schema must not know the datasets; the stage `fetch` checks again, for parameters from elsewhere."""
    evaluation = {f"data.evaluation.{name}": dataset for name, dataset in params.data.evaluation.items()}
    for key, dataset in {"data.train": params.data.train, **evaluation}.items():
        if dataset.source != "catalogue":
            continue
        try:
            entry = find_entry(dataset.name)
        except UserError as error:
            raise UserError(f"{key}.name: {error}") from None
        for what, value, known in (
            ("layout", dataset.layout, [entry.layout]),
            ("split", dataset.split, list(entry.splits)),
        ):
            if value not in known:
                near = difflib.get_close_matches(value, known, n=1, cutoff=0.0)
                raise UserError(f"{key}.{what}: '{entry.name}' has no {what} '{value}'; did you mean '{near[0]}'?")


def _composed(conf: Path, overrides: list[str], resolve: bool = True) -> dict[str, Any]:
    with initialize_config_dir(str(conf), version_base=None):
        content: Any = OmegaConf.to_container(hydra_compose("config", overrides=overrides), resolve=resolve)
    return dict(content)


def write_params(content: dict[str, Any], path: Path) -> None:
    """Write parameters in the order of conf/, with numbers in a form that YAML 1.1 and 1.2 read alike."""
    with atomic_file(path) as partial:
        partial.write_text(_HEADER + OmegaConf.to_yaml(OmegaConf.create(content)))


def _quoted(override: str) -> str:
    key, separator, value = override.partition("=")
    if separator and key.rsplit(".", 1)[-1] in _PATH_KEYS and value and value[0] not in "'\"":
        escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
        return f"{key}='{escaped}'"
    return override


def _explain(error: Exception, conf: Path, overrides: list[str]) -> str:
    """One paragraph for what Hydra says in several, with the nearest known name."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, UserError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return str(cause)  # the schema's own words, which the resolver raised inside Hydra
    chosen = [override for override in overrides if override.partition("=")[0] in _GROUPS]
    for group, _, name in (override.partition("=") for override in chosen):
        names = sorted(path.stem for path in (conf / group).glob("*.yaml"))
        if name not in names:
            return f"unknown {group} '{name}'; there are {', '.join(names)}"
    try:
        known = _flat(_composed(conf, chosen, resolve=False))
    except (HydraException, OmegaConfBaseException) as fault:  # in the files of conf/ themselves
        return f"{conf}: cannot be composed with {chosen or 'nothing'}: {_one_line(fault)}"
    for key in (override.partition("=")[0] for override in overrides if "=" in override):
        if key[:1] not in ("+", "~") and key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            return f"unknown parameter '{key}'" + (f", did you mean '{near[0]}'?" if near else "; conf/ lists them all")
    return f"cannot compose the parameters from {overrides}: {first_line(error)}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _flat(content: Any, prefix: str = "") -> list[str]:
    if not isinstance(content, dict):
        return [prefix]
    inner = [name for key, value in content.items() for name in _flat(value, f"{prefix}.{key}" if prefix else key)]
    return [prefix, *inner] if prefix else inner


def add_parser(subparsers: Any) -> None:
    """Add ``maskvos compose``."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "compose", help="write params.yaml from conf/", description="Write params.yaml from conf/."
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="key=value",
        help="preset=demo|clips|generated|paper_r18|paper_r50|released_r18, ablation=NAME, then any parameter",
    )
    parser.add_argument("--output", type=Path, default=Path("params.yaml"), help="default: params.yaml")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> None:
    """``maskvos compose preset=NAME key=value ...``."""
    content = compose(Path.cwd(), args.overrides)
    write_params(content, args.output)
    log.info("wrote %s (preset %s)", args.output, content["preset"])
