"""Stage pretrain_backbone: DINO on all training frames; the teacher's trunk is kept."""

import argparse
from pathlib import Path
from typing import Any

from maskvos.console import log
from maskvos.networks.files import save_network
from maskvos.parallel.collectives import is_first
from maskvos.params import read_params
from maskvos.storage.atomic import atomic_folder
from maskvos.storage.frames import FrameStore
from maskvos.storage.working_state import fingerprint
from maskvos.training.backbone_task import BackboneTask
from maskvos.training.checkpoints import CHANGES_NOTHING, Checkpoints
from maskvos.training.curves import write_curves
from maskvos.training.device import set_up_device, used_precision
from maskvos.training.distributed import run_training_stage
from maskvos.training.loop import train
from maskvos.training.multicrop import MultiCrop
from maskvos.training.order import Samples
from maskvos.training.provenance import training_record, weights_record

NAME = "pretrain_backbone"
PARAMETERS = ("seed", "precision", "networks", "backbone_pretraining", "versions.pretrain_backbone")


def main(args: argparse.Namespace) -> dict[str, Any]:
    """Train, write weights and curves; counts and the rate for the record."""
    params = read_params(args.params, PARAMETERS)
    settings = params.backbone_pretraining
    store = FrameStore(args.frames)
    device = set_up_device(params.runtime)
    precision = used_precision(device, params.precision)
    sampler = MultiCrop(store.read, settings)
    samples = Samples(sampler, len(store), settings.batch, params.seed, NAME, lambda frame: store.clip_of(frame).name)
    task = BackboneTask(params.networks, settings, params.seed, precision, samples.epoch_steps, device)
    checkpoints = Checkpoints(args.checkpoints, _belongs_to(params, precision, store))
    log.info("%s: %d frames, %d steps on %s", NAME, len(store), task.total_steps, device)
    training = train(task, samples, range(task.total_steps), checkpoints, params.runtime, settings, params.collapse)
    if not is_first():
        return training.record
    record = training_record(NAME, params, precision, store)
    with atomic_folder(args.output) as folder:
        save_network(folder, task.trunk, "backbone", params.networks, training=record)
    write_curves(args.curves, training.rows)
    checkpoints.clear()
    return {"frames": len(store), **training.record, "precision": precision, **weights_record(args.output)}


def _belongs_to(params: Any, precision: str, store: FrameStore) -> str:
    return fingerprint(
        stage=NAME,
        version=params.versions[NAME],
        seed=params.seed,
        precision=precision,
        networks=params.networks.model_dump(),
        settings=params.backbone_pretraining.model_dump(exclude=CHANGES_NOTHING),
        frames=store.fingerprint,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--frames", type=Path, required=True, help="the folder of the frame store")
    parser.add_argument("--output", type=Path, required=True, help="folder of weights")
    parser.add_argument("--curves", type=Path, required=True, help="CSV of losses")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder of the working state")
    args = parser.parse_args()
    run_training_stage(NAME, args.params, lambda: main(args))
