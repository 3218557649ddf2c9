"""The options of ``maskvos segment`` and their help; importing this needs no torch."""

import argparse
from pathlib import Path

from maskvos.inference.settings import add_settings

OWN_WEIGHTS = Path(__file__).parents[1] / "weights" / "generated_r18.safetensors"  # made by `make weights`

DESCRIPTION = """\
Writes OUTPUT/FRAME.png (palette PNG, pixel value = object id) for every frame of SOURCE, OUTPUT/overlay.mp4 and, with
--json, OUTPUT/objects.json. After an interruption the same command goes on where it stopped. See docs/segment.md.
"""
MASKS = """\
masks:
  --mask FILE gives the objects of the first frame (of --start), --mask FRAME=FILE those that appear in FRAME: the name
  of a frame of the folder, or its number in the video (from 0; 40 and 00040 are the same). The option may be repeated.
  Each object is given once. A mask has the frames' size and is one of
    an index mask      a palette or 8-bit grey PNG; the value of a pixel is the id of its object, 1 to 254 (0 is
                       background, 255 is void as in DAVIS)
    black and white    a PNG of one object in white (255) on black, grey, RGB or of 1 bit; not a palette PNG
  Index masks keep their ids. Black-and-white masks are numbered in the order of the options, from one above the highest
  id of the index masks, so from 1 where there is none. Several files for one frame that use the same single value (such
  as 0/1 masks, one file an object) are numbered likewise. Where masks of a frame overlap, the later option wins.

example:
  maskvos segment clip.mp4 --mask car.png --mask man.png --mask 40=dog.png --output masks --json
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add ``segment`` with all its options to the ``maskvos`` command."""
    parser = subparsers.add_parser(
        "segment",
        help="track the objects of given masks through a video",
        description=DESCRIPTION,
        epilog=MASKS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="a video file or a folder of frames")
    parser.add_argument(
        "--mask",
        action="append",
        required=True,
        metavar="[FRAME=]FILE",
        help="where the objects are when they appear: index or black-and-white PNG; repeat it for more (see below)",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        default=OWN_WEIGHTS,
        metavar="FILE",
        help=".safetensors file or weights folder of a stage: a model, or an encoder to copy labels by (default: those "
        "that come with maskvos, trained on generated videos alone)",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder to write; one of an earlier run is replaced"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the output folder whatever else it holds")
    _add_span(parser)
    parser.add_argument(
        "--method",
        choices=("full", "propagation"),
        help="full: V and D refine the masks, for a model's weights; propagation: labels are copied along E's affinity "
        "(default: full where the weights are a model's)",
    )
    parser.add_argument(
        "--max-size",
        type=int,
        metavar="PIXELS",
        help="work at this length of the long side at most, frames that are smaller at their own; the masks keep the "
        "frames' size (default: the short side that --params or the weights' file names, else native)",
    )
    add_settings(parser)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU if there is one")
    parser.add_argument("--json", action="store_true", help="write box and area of each object in each frame")
    parser.add_argument("--no-overlay", action="store_true", help="write no overlay video")
    parser.add_argument(
        "--overlay-rate", type=float, metavar="FPS", help="its frames per second (default: the video's; a folder's: 10)"
    )
    return parser


def _add_span(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--start", metavar="FRAME", help="first frame: name, or number in the video (default: the first)"
    )
    parser.add_argument("--end", metavar="FRAME", help="last frame, which is segmented as well (default: the last)")
