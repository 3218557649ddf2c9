"""What a command costs: wall time, and peak memory of its process and all that it starts."""

import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

INTERVAL = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Cost:
    """``memory_mb`` is the largest sum of resident memory seen; what processes share counts in each of them."""

    wall_s: float
    memory_mb: float


def run(command: list[str], environment: dict[str, str] | None = None, folder: Path | None = None) -> Cost:
    """Run a command to its end, its output thrown away.

    Raises:
        RuntimeError: it failed; the message is what it said.
    """
    began = perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    ended, seen = threading.Event(), [0.0]
    watcher = threading.Thread(target=_watch, args=(process.pid, ended, seen))
    watcher.start()
    said = process.stdout.read() if process.stdout else b""
    process.wait()
    wall = perf_counter() - began
    ended.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(
            f"{' '.join(command)} ended with {process.returncode}: {said.decode(errors='replace')[-2000:]}"
        )
    return Cost(wall, seen[0])


def _watch(root: int, ended: threading.Event, seen: list[float]) -> None:
    while not ended.wait(INTERVAL):
        seen[0] = max(seen[0], sum(map(_resident, _family(root))))


def _family(root: int) -> list[int]:
    """A process and its descendants."""
    found = [root]
    for process in found:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue  # it has just ended
    return found


def _resident(process: int) -> float:
    """Resident memory in MB (10^6 bytes), 0 for a process that has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
