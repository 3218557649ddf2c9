"""Decode every mask below some folders and do nothing with them: ``python -m benchmarks.evaluation_floor 2 A B``."""

import sys
from pathlib import Path

from maskvos.evaluation.pool import measure_all
from maskvos.storage.masks import read_mask


def decode(path: Path) -> int:
    """Read one mask; its number of pixels."""
    return read_mask(path).size


def main(processes: int, folders: list[Path]) -> int:
    """Pixels of all masks, read ``processes`` at a time as the evaluator does."""
    files = [path for folder in folders for path in sorted(folder.glob("*/*.png"))]
    return sum(measure_all(decode, files, processes))


if __name__ == "__main__":
    print(main(int(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]]))
