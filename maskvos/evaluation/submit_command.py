"""``maskvos evaluate submit davis`` and ``... youtubevos``: pack predictions for the server that scores them."""

import argparse
from pathlib import Path
from typing import TypeAlias

from maskvos.errors import UserError
from maskvos.evaluation.submission import list_entries, pack
from maskvos.progress import track

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # not subscriptable when run


def add_submit(protocols: Subparsers) -> None:
    """Add ``submit`` to ``maskvos evaluate``."""
    submit = protocols.add_parser(
        "submit",
        help="check predictions and pack them for the DAVIS or YouTube-VOS server",
        description="Every frame there, at the image's size, an indexed PNG with the ids of the first annotations: "
        "otherwise an error that names sequence and frame, and no archive.",
    )
    servers = submit.add_subparsers(dest="server", required=True)
    davis = servers.add_parser("davis", help="SEQUENCE/FRAME.png at the archive's top, every frame")
    davis.add_argument("--set", default="test-dev", help="list ROOT/ImageSets/2017/SET.txt (default: test-dev)")
    youtubevos = servers.add_parser("youtubevos", help="Annotations/SEQUENCE/FRAME.png, the frames of meta.json")
    youtubevos.set_defaults(set="valid")
    for server in (davis, youtubevos):
        server.add_argument("--predictions", type=Path, required=True, metavar="DIR", help="SEQUENCE/FRAME.png")
        server.add_argument(
            "--images",
            type=Path,
            required=True,
            metavar="ROOT",
            help="the dataset's folder (YouTube-VOS: of the split) with images and first annotations, or its manifest",
        )
        server.add_argument("--output", type=Path, required=True, metavar="ZIP", help="archive to write")
        server.set_defaults(func=submit_predictions)


def submit_predictions(arguments: argparse.Namespace) -> None:
    """Check and pack, then say what was packed.

    Raises:
        UserError: the dataset or the predictions are incomplete or do not fit, or the archive cannot be written.
    """
    if arguments.output.suffix != ".zip":
        raise UserError(f"--output {arguments.output}: the servers take ZIP archives. Name a file that ends in .zip.")
    root, split, names = _locate(arguments)
    entries = list_entries(arguments.server, root, arguments.predictions, split, names)
    sequences = {entry.sequence for entry in track(pack(entries, arguments.output), len(entries), "frames")}
    print(f"written: {arguments.output}, {len(entries)} frames of {len(sequences)} sequences")


def _locate(arguments: argparse.Namespace) -> tuple[Path, str, list[str] | None]:
    """Root, split and sequences, from a folder or from the manifest that the fetch stage wrote."""
    if arguments.images.suffix != ".json":
        return arguments.images, arguments.set, None
    from maskvos.datasets.sequences import read_manifest  # only here: it brings pydantic and the downloads

    manifest = read_manifest(arguments.images)
    if manifest["layout"] != arguments.server:
        raise UserError(
            f"{arguments.images}: a dataset in the layout {manifest['layout']}. Name one in {arguments.server}'s."
        )
    return Path(manifest["root"]), manifest["split"], [entry["name"] for entry in manifest["sequences"]]
