"""params.yaml in, typed parameters or one readable error out."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from maskvos.errors import UserError
from maskvos.params.inference import Inference, with_later
from maskvos.params.schema import Params


class StageParams:
    """The sections that one stage declared; reading another one is a bug that this class turns into an error.

    What a stage reads and what both orchestrators rerun it for are thereby the same list.
    """

    def __init__(self, params: Params, sections: tuple[str, ...]) -> None:
        self._sections = sections
        # These two never change a result, so every stage may read them.
        self._allowed = {section.split(".")[0] for section in sections} | {"runtime", "collapse"}
        self._params = params

    def __getattr__(self, name: str) -> Any:
        if name not in self._allowed:
            raise AttributeError(f"this stage did not declare the parameters '{name}'; add them to its PARAMETERS")
        return getattr(self._params, name)

    def record(self) -> dict[str, Any]:
        """What was declared as plain data, for the description of the weights that come of it.

        Without ``log_every`` and ``checkpoint_every``: they change no weight, so they must change no byte of the file.
        """
        content = self._params.model_dump()
        declared: dict[str, Any] = {}
        for section in self._sections:
            name, _, key = section.partition(".")
            value = {key: content[name][key]} if key else content[name]
            if isinstance(value, dict):
                value = {field: kept for field, kept in value.items() if field not in ("log_every", "checkpoint_every")}
            declared[name] = value
        return declared


def read_params(path: Path | str, sections: tuple[str, ...]) -> Any:
    """The declared sections of a parameter file.

    Raises:
        UserError: the file is absent, not YAML, or does not fit the schema.
    """
    return StageParams(read_all_params(path), sections)


def read_all_params(path: Path | str) -> Params:
    """The whole parameter file, for the report and for tools."""
    return validate(_load(Path(path)), str(path))


def read_inference(path: Path | str) -> Inference:
    """The section ``inference`` alone: the other sections may be those of another version of maskvos, and it may be
    older than `LATER`'s settings.

    Raises:
        UserError: the file or the section cannot be used.
    """
    content = _load(Path(path))
    try:
        return Inference.model_validate(with_later(content.get("inference") if isinstance(content, dict) else content))
    except ValidationError as error:
        raise _refusal(error, str(path), ("inference",)) from error


def _load(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f"{path}: no such parameter file. `maskvos compose preset=demo` writes one.")
    try:
        return yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML ({error}). `maskvos compose` writes it anew.") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}). Correct its permissions.") from error


def validate(content: Any, origin: str) -> Params:
    """Typed parameters from plain data.

    Raises:
        UserError: lists every unknown key (with the nearest known name), wrong type and impossible combination.
    """
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise _refusal(error, origin) from error


def _refusal(error: ValidationError, origin: str, section: tuple[str, ...] = ()) -> UserError:
    """All that is wrong, in one line; ``section`` is where in the parameters the validated part stands."""
    problems = [_describe({**detail, "loc": (*section, *detail["loc"])}) for detail in error.errors()]
    return UserError(f"{origin}: " + "; ".join(problems))


def _describe(detail: Any) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(detail["loc"][-1]), _siblings(detail["loc"]), n=1, cutoff=0.5)
        return f"unknown parameter '{where}'" + (f", did you mean '{near[0]}'?" if near else "")
    if detail["type"] == "missing":
        return f"parameter '{where}' is missing"
    if detail["type"] == "value_error":
        return f"{where}: {detail['ctx']['error']}" if where else str(detail["ctx"]["error"])
    if detail["type"] == "model_type":
        inner = ", ".join(f"{where}.{name}" for name in _siblings((*detail["loc"], "")))
        return f"parameter '{where}' is a section, not {detail['input']!r}; set {inner}"
    return f"parameter '{where}' is {detail['input']!r}: {detail['msg'].lower()}"


def _siblings(location: tuple[Any, ...]) -> list[str]:
    """The names that are known where an unknown one was found."""
    section: Any = Params
    for part in location[:-1]:
        if isinstance(section, type) and issubclass(section, BaseModel) and part in section.model_fields:
            section = section.model_fields[part].annotation
        elif getattr(section, "__origin__", None) is dict:
            section = section.__args__[1]
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []
