"""A smaller copy of a set in DAVIS layout: the first frames of each sequence, for quick answers.

    python benchmarks/first_frames.py FOLDER SMALLER --frames 20

What a setting does to the end of a long sequence it does not show: take the whole set for results.
"""

import argparse
import shutil
from pathlib import Path

from maskvos.storage.atomic import atomic_folder


def cut(source: Path, target: Path, frames: int) -> int:
    """Copy lists and the first ``frames`` images and masks of each sequence; the number of sequences."""
    sequences = sorted(path for path in (source / "JPEGImages" / "480p").iterdir() if path.is_dir())
    with atomic_folder(target) as folder:
        shutil.copytree(source / "ImageSets", folder / "ImageSets")
        for sequence in sequences:
            names = sorted(path.stem for path in sequence.iterdir())[:frames]
            for kind, suffix in (("JPEGImages", ".jpg"), ("Annotations", ".png")):
                place = folder / kind / "480p" / sequence.name
                place.mkdir(parents=True)
                for name in names:
                    shutil.copy2(source / kind / "480p" / sequence.name / f"{name}{suffix}", place)
    return len(sequences)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder that holds JPEGImages/, Annotations/ and ImageSets/")
    parser.add_argument("target", type=Path, help="folder to make")
    parser.add_argument("--frames", type=int, default=20, help="of each sequence (default: 20)")
    args = parser.parse_args()
    print(f"{cut(args.source, args.target, args.frames)} sequences in {args.target}")
