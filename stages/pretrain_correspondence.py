"""Correspondence pretraining: E learns from L_short + L_long (paper 3.2) or by another regime, after the DINO stage."""

import argparse
from pathlib import Path
from typing import Any

from maskvos.networks.files import load_encoder, save_network
from maskvos.parallel.collectives import is_first
from maskvos.params import read_params
from maskvos.storage.atomic import atomic_folder
from maskvos.storage.descriptions import weights_file
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.storage.frames import FrameStore
from maskvos.storage.working_state import fingerprint
from maskvos.training.checkpoints import CHANGES_NOTHING, Checkpoints
from maskvos.training.correspondence_task import CorrespondenceTask
from maskvos.training.curves import write_curves
from maskvos.training.device import set_up_device, used_precision
from maskvos.training.distributed import run_training_stage
from maskvos.training.loop import train
from maskvos.training.order import Samples
from maskvos.training.provenance import training_record, weights_record
from maskvos.training.regimes import correspondence_sampler, report_short_clips

NAME = "pretrain_correspondence"
PARAMETERS = ("seed", "precision", "networks", "correspondence", "versions.pretrain_correspondence")


def main(args: argparse.Namespace) -> dict[str, Any]:
    """Train; steps, their rate and the precision for the record."""
    params = read_params(args.params, PARAMETERS)
    settings = params.correspondence
    device = set_up_device(params.runtime)
    precision = used_precision(device, params.precision)
    store = FrameStore(args.frames)
    report_short_clips(store, settings)
    encoder = load_encoder(args.weights, params.networks, params.seed)
    sampler = correspondence_sampler(store, settings, settings.cropping)
    clips = store.clips
    samples = Samples(sampler, len(clips), settings.batch, params.seed, NAME, lambda number: clips[number].name)
    task = CorrespondenceTask(encoder, settings, precision, samples.epoch_steps, device)
    weights = weights_file(args.weights)
    belongs_to = fingerprint(
        stage=NAME,
        version=params.versions[NAME],
        parameters=[params.seed, precision, params.networks.model_dump(), settings.model_dump(exclude=CHANGES_NOTHING)],
        inputs=[store.fingerprint, file_fingerprint(weights)],
    )
    checkpoints = Checkpoints(args.checkpoints, belongs_to)
    training = train(task, samples, range(task.total_steps), checkpoints, params.runtime, settings, params.collapse)
    if not is_first():
        return training.record
    record = training_record(NAME, params, precision, store, weights)
    with atomic_folder(args.output) as folder:
        save_network(folder, encoder, "encoder", params.networks, training=record)
    write_curves(args.curves, training.rows)
    checkpoints.clear()
    return {**training.record, "precision": precision, **weights_record(args.output)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True, help="params.yaml")
    parser.add_argument("--frames", type=Path, required=True, help="frame store")
    parser.add_argument("--weights", type=Path, required=True, help="folder of the DINO stage's weights")
    parser.add_argument("--output", type=Path, required=True, help="folder for the encoder's weights")
    parser.add_argument("--curves", type=Path, required=True, help="CSV of the losses")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder for the working state")
    arguments = parser.parse_args()
    run_training_stage(NAME, arguments.params, lambda: main(arguments))
