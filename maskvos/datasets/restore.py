"""A dataset that a manifest describes and this machine lacks, obtained again.

DVC restores a manifest from its cache, or pulls it, without the dataset's folder, which is not versioned; an experiment
in a temporary copy of the repository starts without one.
"""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from maskvos.console import log
from maskvos.datasets.generator import is_generated
from maskvos.datasets.manifest import Origin
from maskvos.datasets.obtain import obtain_from, specify
from maskvos.errors import UserError
from maskvos.params.data import Dataset


def restore(manifest: Mapping[str, Any], threads: int = 0) -> None:
    """Obtain the dataset of a manifest again where its folder is absent or holds videos made from other parameters.

    Args:
        manifest: as `maskvos.datasets.obtain` made it; one without ``origin`` is left to whoever opens its root.
        threads: processes for generated videos, 0 for all the cores that this process may use.

    Raises:
        UserError: the folder that the user named is gone, the dataset cannot be fetched, or it is no longer what the
            manifest describes.
    """
    if "origin" not in manifest:
        return
    name, root, origin = _read(manifest)
    if _is_there(name, root, origin):
        return
    with _alone(Path(origin["folder"]) / f".{name}.lock"):
        if _is_there(name, root, origin):  # another process was here first
            return
        log.info("%s: %s lacks what the manifest describes; obtaining it again", name, root)
        found = obtain_from(name, origin, threads)
    if (found["root"], found["fingerprint"]) != (str(root), manifest["fingerprint"]):
        raise UserError(
            f"{found['root']}: obtained again, but not as the manifest of '{name}' describes it (in {root}); the "
            "dataset or the generator has changed since. Run the fetch stage again."
        )


def _read(manifest: Mapping[str, Any]) -> tuple[str, Path, Origin]:
    """Name, root and origin; refused where they are not what this version writes."""
    try:
        origin: Origin = manifest["origin"]
        if Dataset(**origin["dataset"]).source == "generated":
            specify(manifest["name"], origin)
        Path(origin["folder"])
        return manifest["name"], Path(manifest["root"]), origin
    except (KeyError, TypeError, ValidationError) as error:
        raise UserError(
            f"the manifest of {manifest['root']}: its 'origin' is not what this version of maskvos writes "
            f"({type(error).__name__}). Run the fetch stage again."
        ) from None


def _is_there(name: str, root: Path, origin: Origin) -> bool:
    return root.is_dir() if "generator" not in origin else is_generated(specify(name, origin), root)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time: the evaluations of several rows start together, and all of them find the folder absent."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}. Correct the permissions of that folder or data.folder."
        ) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
