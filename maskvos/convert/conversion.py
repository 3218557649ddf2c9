"""A public checkpoint's tensors as a network of ours: every one is used, left out on purpose, or named in an error."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maskvos.convert.checkpoints import StandIn
from maskvos.convert.sources import SOURCES, Source, rename
from maskvos.errors import UserError
from maskvos.networks.features import FeatureNetwork
from maskvos.networks.files import check_finite
from maskvos.params.features import FeatureNetworkSettings

COUNT = "num_batches_tracked"  # a batch norm's count of steps, the only tensors that are no real numbers


@dataclass(frozen=True)
class Converted:
    """The network's settings and tensors by our names; how many tensors were left out, by the start of their name."""

    settings: FeatureNetworkSettings
    tensors: dict[str, Tensor]
    left_out: dict[str, int]


def convert(checkpoint: Any, source: Source, path: Path) -> Converted:
    """The tensors of ``checkpoint``, read from ``path``, that the authors' test uses.

    Raises:
        UserError: it is another method's, or a tensor is missing, unknown, of another shape or not finite.
    """
    found = _tensors(checkpoint, source, path)
    kept: dict[str, Tensor] = {}
    left_out: Counter[str] = Counter()
    for name, value in found.items():
        ours = rename(source, name)
        if ours is None:
            left_out[next(start for start in source.left_out if name.removeprefix("module.").startswith(start))] += 1
        else:
            kept[ours] = value if name.endswith(COUNT) else value.float()
    if source.needed not in kept:
        raise UserError(_not_this(found, source, path))
    options = checkpoint.get("args")
    try:
        settings = source.settings(kept, options if isinstance(options, StandIn) else None)
    except (IndexError, ValueError):  # tensors of the right names with too few dimensions, or none of some size
        raise UserError(_not_this(found, source, path)) from None
    expected = _shapes(settings)
    _check_names(kept, expected, source, path)
    check_finite(kept, path)
    return Converted(settings, kept, dict(left_out))


def _tensors(checkpoint: Any, source: Source, path: Path) -> dict[str, Tensor]:
    """The checkpoint's entry with the tensors, as a plain table."""
    if not isinstance(checkpoint, dict):
        raise UserError(f"{path}: holds a {type(checkpoint).__name__}, expected a table of tensors by name.")
    for entry in source.entries:
        content = checkpoint.get(entry) if entry else checkpoint
        if isinstance(content, dict):
            tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
            if tensors:
                return tensors
    wanted = " or ".join(f"the entry {entry!r}" if entry else "tensors by name" for entry in source.entries)
    raise UserError(
        f"{path}: expected {wanted} of a {source.method} checkpoint, found {_few(map(str, checkpoint))}. "
        "Name the kind of checkpoint with --from."
    )


def _not_this(found: dict[str, Tensor], source: Source, path: Path) -> str:
    """No tensor where the architecture would be read from: whose checkpoint it may be instead."""
    others = [name for name, other in SOURCES.items() if other.needed in {rename(other, given) for given in found}]
    hint = f" It looks like --from {' or '.join(others)}." if others else " Name the kind of checkpoint with --from."
    return (
        f"{path}: no tensor that becomes {source.needed}, as in every {source.method} checkpoint; "
        f"found {_few(found)}.{hint}"
    )


def _shapes(settings: FeatureNetworkSettings) -> dict[str, torch.Size]:
    with torch.device("meta"):
        return {name: value.shape for name, value in FeatureNetwork(settings).network.state_dict().items()}


def _check_names(kept: dict[str, Tensor], expected: dict[str, torch.Size], source: Source, path: Path) -> None:
    problems = []
    if missing := sorted(expected.keys() - kept.keys()):
        problems.append(f"{len(missing)} missing ({_few(missing)})")
    if unknown := sorted(kept.keys() - expected.keys()):
        problems.append(f"{len(unknown)} unknown ({_few(unknown)})")
    if wrong := sorted(name for name in kept.keys() & expected.keys() if kept[name].shape != expected[name]):
        first = wrong[0]
        shapes = f"{first} is {tuple(kept[first].shape)}, expected {tuple(expected[first])}"
        problems.append(f"{len(wrong)} of another shape ({shapes})")
    if problems:
        raise UserError(
            f"{path}: not a {source.method} checkpoint as published: of its tensors, by the names they get here, "
            f"{'; '.join(problems)}. Convert the file that {source.url} names."
        )


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more if listed else "nothing"
