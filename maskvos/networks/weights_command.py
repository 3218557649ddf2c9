"""``maskvos weights``: what a weights file says of itself, and a copy of it for others."""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maskvos.errors import UserError
from maskvos.networks.files import new_file
from maskvos.params.reading import read_inference
from maskvos.storage.descriptions import weights_file
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.storage.weights import load_weights, save_weights

Subparsers = argparse._SubParsersAction
LAST_STAGE = {"backbone": "pretrain_backbone", "encoder": "pretrain_correspondence", "model": "segment"}


def add_parser(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``weights`` to the ``maskvos`` command; the parsed arguments carry the function to call as ``func``."""
    parser = subparsers.add_parser("weights", help="show what a weights file says of itself, or publish it")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print the description as JSON, then the tensors in one line")
    show.add_argument("weights", type=Path, metavar="WEIGHTS", help="folder or file")
    show.set_defaults(func=run_show)
    export = actions.add_parser(
        "export",
        help="copy the weights of a stage into one file, with the commit and a licence",
        description="The stages write neither: the same parameters must give the same bytes at every commit.",
    )
    export.add_argument("weights", type=Path, metavar="WEIGHTS", help="folder or file, of a stage")
    export.add_argument("--output", type=Path, required=True, help="a .safetensors file, or a folder for one")
    export.add_argument("--licence", required=True, metavar="NOTE", help="under which terms others may use the weights")
    export.add_argument("--data", metavar="NOTE", help="the training videos in words; the file has their fingerprint")
    export.add_argument("--commit", help="of the code that trained them (default: from the record in --logs)")
    export.add_argument("--logs", type=Path, default=Path("logs"), help="folder of the stages' records (default: logs)")
    export.add_argument(
        "--params", type=Path, metavar="FILE", help="params.yaml whose section inference `maskvos segment` shall use"
    )
    export.add_argument("--half", action="store_true", help="half precision (float16): half the size")
    export.set_defaults(func=run_export)


def run_show(arguments: argparse.Namespace) -> None:
    """Print description and tensors.

    Raises:
        UserError: the file is absent, damaged or foreign.
    """
    tensors, description = load_weights(weights_file(arguments.weights))
    print(json.dumps(description, indent=1, sort_keys=True))
    numbers = sum(value.numel() for value in tensors.values())
    types = sorted({str(value.dtype).removeprefix("torch.") for value in tensors.values()})
    print(f"{len(tensors)} tensors, {numbers:,} numbers ({', '.join(types)})")


def run_export(arguments: argparse.Namespace) -> None:
    """Write the copy, whole or not at all; the tensors stay as they are but for ``--half``.

    Raises:
        UserError: the weights are not a stage's, the commit is not known, the parameters cannot be used, a number is
            beyond float16, or the output is there already.
    """
    source, target = weights_file(arguments.weights), new_file(arguments.output)
    tensors, description = load_weights(source)
    if description.get("kind") not in LAST_STAGE:
        raise UserError(f"{source}: holds {description.get('kind')!r}, expected backbone, encoder or model weights.")
    commit = arguments.commit or description.get("commit") or recorded_commit(source, description, arguments.logs)
    added: dict[str, Any] = {"commit": commit, "licence": arguments.licence}
    if arguments.data:
        added["data"] = arguments.data
    if arguments.params is not None:
        added["inference"] = read_inference(arguments.params).for_layout("davis").model_dump()
    if arguments.half:
        tensors = halved(tensors, source)
    save_weights(target, tensors, {name: value for name, value in description.items() if name != "format"} | added)
    print(f"{target}: commit {commit}; licence {arguments.licence}")


def halved(tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Floating-point tensors as float16, the others as they are.

    Raises:
        UserError: a number is too large for it; names the tensor.
    """
    half = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    for name, value in half.items():
        if not value.isfinite().all() and tensors[name].isfinite().all():
            raise UserError(f"{path}: {name} holds numbers beyond {torch.finfo(torch.half).max:g}. Leave --half out.")
    return half


def recorded_commit(source: Path, description: dict[str, Any], logs: Path) -> str:
    """The commit, and the state of the tree, that the stage's record in ``logs`` names.

    Raises:
        UserError: there is no such record, it names no commit, or it is of other weights than those of ``source``.
    """
    stage = LAST_STAGE[description["kind"]]
    if stage == "segment":
        stage += f"-{description.get('training', {}).get('segment', {}).get('round')}"
    record = logs / f"{stage}.json"
    try:
        content = json.loads(record.read_text())
        revision, weights = str(content["revision"]), content["weights_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{record}: no record of the stage that made these weights. Give --commit or --logs."
        ) from error
    if weights != file_fingerprint(source):
        raise UserError(f"{record}: the stage has run again since it made {source}. Give --commit.")
    if revision.startswith("unknown"):
        raise UserError(f"{record}: the stage ran outside a git checkout. Give --commit.")
    return revision
