"""What a video needs of the machine's memory: checked before it starts, explained where it runs out all the same."""

import re
import resource
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import torch

from maskvos.errors import UserError
from maskvos.inference.geometry import plan_geometry
from maskvos.inference.propagate import Tracker
from maskvos.memory import memory_explained
from maskvos.params.inference import Tracking

PROBE = 64  # pixels a side of the picture that tells how wide keys and values are
SPARE = 0.8  # of what is free goes to the references in the advice: the networks need some too
# Of the unified hierarchy of control groups, and of the one before: where this process is in it, its folder below
# /sys/fs/cgroup, the limit, and what is used and cannot be given back.
_GROUPS = (
    (r"^0::(/.*)$", "", "memory.max", r"^anon (\d+)$"),
    (r"^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(/.*)$", "memory", "memory.limit_in_bytes", r"^total_rss (\d+)$"),
)


@torch.inference_mode()
def reference_bytes(tracker: Tracker) -> int:
    """Bytes that the references of a tracker's video take, all objects known: counted on a memory without storage."""
    method, meta = tracker.method, torch.device("meta")
    picture = torch.zeros((1, 3, PROBE, PROBE), dtype=torch.uint8, device=tracker.device)
    frame = tracker.encode(picture, plan_geometry(PROBE, PROBE, None, method.stride))
    values = method.values(frame, torch.zeros((1, PROBE, PROBE), device=tracker.device))
    objects, grid, key_dim = len(tracker.objects), tracker.geometry.grid, len(frame.key)
    memory = tracker.empty_memory(key_dim, frame.fine_dim, meta)
    wide = None if values is None else torch.zeros((objects, values.shape[1], *grid), dtype=values.dtype, device=meta)
    masks = torch.zeros((objects, *(memory.side * cells for cells in grid)), device=meta)
    fine = None if frame.fine is None else torch.zeros((frame.fine_dim, *masks.shape[1:]), device=meta)
    memory.add(torch.zeros((key_dim, *grid), device=meta), masks, wide, range(objects), fine)
    return sum(value.nbytes for value in vars(memory).values() if isinstance(value, torch.Tensor))


def check_memory(tracker: Tracker) -> None:
    """Refuse what will obviously not fit: references that alone are larger than the free memory.

    Raises:
        UserError: says how much is needed and how much is free, and which settings would do.
    """
    needed, free = reference_bytes(tracker), free_bytes(tracker.device)
    if free is None or needed <= free:
        return
    where = "the GPU" if tracker.device.type == "cuda" else "this machine"
    raise UserError(
        f"{tracker.settings.references} references of {len(tracker.objects)} objects at "
        f"{tracker.geometry.working[0]}x{tracker.geometry.working[1]} take {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB "
        f"are free on {where}. Lower {_advice(tracker, needed, free)}, or give fewer objects."
    )


def _advice(tracker: Tracker, needed: int, free: int) -> str:
    """Options with values at which the references fit; bytes are linear in the references and in the frame's area."""
    count, firsts = tracker.settings.references, len(tracker.given)
    fitting = int(SPARE * free / (needed / (count + firsts))) - firsts
    longer, shorter = max(tracker.geometry.working), min(tracker.geometry.working)
    smaller = int(longer * (SPARE * free / needed) ** 0.5) // 8 * 8
    size = f"--max-size ({smaller} would do)" if smaller * shorter >= 32 * longer else "--max-size"
    return f"{size} or --references ({fitting} would do)" if 0 <= fitting < count else size


def explain_memory(size: tuple[int, ...], settings: Tracking, objects: int) -> AbstractContextManager[None]:
    """Turn any kind of running out of memory into one error that names what to lower.

    Args:
        size: (height, width) of the frames.
        settings: whose resolution and references to name.
        objects: their number.

    Raises:
        UserError: memory ran out.
    """

    def message(error: Exception) -> str:
        height, width = plan_geometry(size[0], size[1], settings.short_side).working
        where = "the GPU" if any(word in str(error) for word in ("CUDA", "CUBLAS", "CUDNN")) else "this machine"
        return (
            f"out of memory on {where}, working at {height}x{width} with {settings.references} references and "
            f"{objects} objects. Lower --max-size (now {max(height, width)}) or --references, or give fewer objects at "
            "a time, each time with an --output of its own."
        )

    return memory_explained(message)


@contextmanager
def bounded_memory(device: torch.device) -> Iterator[None]:
    """On a CPU, let allocations beyond what is free now fail, so that they can be explained.

    Linux grants them otherwise and kills the process without a word once it uses them.
    """
    free, used = free_bytes(device), _read_number(Path("/proc/self/status"), r"^VmData:\s+(\d+) kB$")
    if device.type != "cpu" or free is None or used is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = used * 1024 + free
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if soft == resource.RLIM_INFINITY else min(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def free_bytes(device: torch.device) -> int | None:
    """Free memory of a GPU, or what this process may still take of the machine's; None where nobody says."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    available = _read_number(Path("/proc/meminfo"), r"^MemAvailable:\s+(\d+) kB$")
    limits = [*_group_room(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))]
    return min([*limits, *([available * 1024] if available is not None else [])], default=None)


def _read_number(path: Path, pattern: str) -> int | None:
    """The number in a line of one of the kernel's files; None where there is no such file or line."""
    found = re.search(pattern, path.read_text(), re.MULTILINE) if path.is_file() else None
    return int(found.group(1)) if found else None


def _group_room(membership: Path, root: Path) -> Iterator[int]:
    """Room in each control group around this process (Slurm, containers): its limit less what cannot be given back."""
    text = membership.read_text() if membership.is_file() else ""
    for own, tree, name, used in _GROUPS:
        found = re.search(own, text, re.MULTILINE)
        group = root / tree / found.group(1).lstrip("/") if found else root / tree
        for folder in (group, *group.parents):
            limit, usage = folder / name, folder / "memory.stat"
            if limit.is_file() and usage.is_file() and (number := limit.read_text().strip()) != "max":
                yield max(0, int(number) - (_read_number(usage, used) or 0))
