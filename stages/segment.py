"""Round r of mask-embedded segmentation learning: E, V and D learn from pseudo masks (paper 3.1, Eq. 16)."""

import argparse
from pathlib import Path
from typing import Any

from maskvos.errors import UserError
from maskvos.learning.pseudo_mask_files import load_pseudo_masks
from maskvos.networks.files import save_network
from maskvos.parallel.collectives import is_first
from maskvos.params import read_params
from maskvos.storage.atomic import atomic_folder
from maskvos.storage.descriptions import weights_file
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.storage.frames import FrameStore
from maskvos.storage.weights import load_weights, save_weights
from maskvos.storage.working_state import fingerprint
from maskvos.training.checkpoints import CHANGES_NOTHING, Checkpoints
from maskvos.training.curves import write_curves
from maskvos.training.device import set_up_device, used_precision
from maskvos.training.distributed import run_training_stage
from maskvos.training.loop import train
from maskvos.training.optimiser import pack_state, unpack_state
from maskvos.training.provenance import training_record, weights_record
from maskvos.training.segmentation_start import starting_model
from maskvos.training.segmentation_task import SegmentationTask, uses_correspondence
from maskvos.training.triplets import TripletSamples

NAME = "segment"
PARAMETERS = ("seed", "precision", "networks", "segmentation", "correspondence", "alternate", "versions.segment")
OPTIMISER = "optimiser.safetensors"


def main(args: argparse.Namespace) -> dict[str, Any]:
    """Train; steps, their rate and the precision for the record."""
    params = read_params(args.params, PARAMETERS)
    settings, rounds = params.segmentation, params.alternate.rounds
    if not 0 <= args.round < rounds:
        raise UserError(f"--round {args.round}: alternate.rounds is {rounds}, so rounds run from 0 to {rounds - 1}.")
    device = set_up_device(params.runtime)
    precision = used_precision(device, params.precision)
    store = FrameStore(args.frames)
    pseudo_masks, clustered = load_pseudo_masks(args.pseudo_masks, store.fingerprint)
    joint = params.correspondence if uses_correspondence(settings, params.correspondence) else None
    samples = TripletSamples(store, pseudo_masks, settings, joint, rounds, params.seed)
    weights = weights_file(args.weights)
    model = starting_model(args.weights, params.networks, settings, params.seed)
    task = SegmentationTask(model, settings, params.correspondence, precision, samples.epoch_steps, rounds, device)
    if args.round > 0:  # the rounds add up to one run: the optimiser goes on where it stopped
        unpack_state(task.optimiser, load_weights(weights.parent / OPTIMISER)[0])
    sections = [params.networks, settings, params.correspondence, params.alternate]
    belongs_to = fingerprint(
        stage=NAME,
        version=params.versions[NAME],
        round=args.round,
        parameters=[params.seed, precision, *(section.model_dump(exclude=CHANGES_NOTHING) for section in sections)],
        inputs=[store.fingerprint, file_fingerprint(weights), file_fingerprint(args.pseudo_masks)],
    )
    checkpoints = Checkpoints(args.checkpoints, belongs_to)
    length = settings.epochs * samples.epoch_steps
    steps = range(args.round * length, (args.round + 1) * length)
    training = train(task, samples, steps, checkpoints, params.runtime, settings, params.collapse)
    if not is_first():
        return training.record
    made = {"round": args.round, "clustering": clustered.get("clustering")}
    record = training_record(NAME, params, precision, store, weights, **made)
    with atomic_folder(args.output) as folder:
        save_network(folder, model, "model", params.networks, training=record)
        save_weights(folder / OPTIMISER, pack_state(task.optimiser), {"kind": "optimiser", "step": steps.stop})
    write_curves(args.curves, training.rows)
    checkpoints.clear()
    return {**training.record, "precision": precision, **weights_record(args.output)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True, help="params.yaml")
    parser.add_argument("--round", type=int, required=True, help="0 is the first")
    parser.add_argument("--frames", type=Path, required=True, help="frame store")
    parser.add_argument(
        "--weights", type=Path, required=True, help="weights of the round before (round 0: the encoder)"
    )
    parser.add_argument("--pseudo-masks", type=Path, required=True, help="pseudo masks of this round")
    parser.add_argument("--output", type=Path, required=True, help="folder for the model's weights")
    parser.add_argument("--curves", type=Path, required=True, help="CSV of the losses")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder for the working state")
    arguments = parser.parse_args()
    run_training_stage(f"{NAME}-{arguments.round}", arguments.params, lambda: main(arguments))
