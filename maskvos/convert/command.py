"""``maskvos convert``: a public checkpoint of another method as a weights file that the same harness evaluates."""

import argparse
from pathlib import Path
from typing import Any

from maskvos import __version__
from maskvos.convert.checkpoints import read_checkpoint
from maskvos.convert.conversion import Converted, convert
from maskvos.convert.sources import SOURCES, Source
from maskvos.networks.features import KIND
from maskvos.networks.files import new_file
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.storage.weights import save_weights

Subparsers = argparse._SubParsersAction


def add_parser(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``convert`` to the ``maskvos`` command; the parsed arguments carry the function to call as ``func``."""
    parser = subparsers.add_parser(
        "convert",
        help="convert a public checkpoint (CRW, VFS, DINO, DUL)",
        description="Writes the tensors that the authors' own test uses as a weights file, without executing anything "
        "in the checkpoint. `maskvos segment --weights OUTPUT` and the row `external` of the stage evaluate use it.",
    )
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="the file as its authors publish it")
    parser.add_argument("--from", dest="source", choices=sorted(SOURCES), required=True, help="whose checkpoint it is")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder for model.safetensors, or a .safetensors file"
    )
    parser.set_defaults(func=run_convert)


def run_convert(arguments: argparse.Namespace) -> None:
    """Write the weights file, whole or not at all; the same checkpoint gives the same bytes.

    Raises:
        UserError: the checkpoint cannot be used, or the output is there already.
    """
    source, target = SOURCES[arguments.source], new_file(arguments.output)
    converted = convert(read_checkpoint(arguments.checkpoint), source, arguments.checkpoint)
    save_weights(target, converted.tensors, describe(converted, source, arguments.checkpoint))
    print(f"{len(converted.tensors)} tensors of {source.method} in {target}")
    for start, count in sorted(converted.left_out.items()):
        print(f"left out: {count} {start}*")
    print(f"licence: {source.licence}")


def describe(converted: Converted, source: Source, path: Path) -> dict[str, Any]:
    """The file's description: kind, architecture, origin, training data, licence."""
    return {
        "kind": KIND,
        "networks": converted.settings.model_dump(),
        "maskvos": __version__,
        "training": {"data": source.data},
        "licence": source.licence,
        "source": {
            "method": source.method,
            "url": source.url,
            "checkpoint": path.name,
            "sha256": file_fingerprint(path),
            "left_out": converted.left_out,
        },
    }
