"""A small, complete tree of artifacts and logs as the stages leave it, for the tests of the report."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import torch
import yaml
from PIL import Image

from maskvos.params import Params, read_all_params, validate
from maskvos.params.plan import derive_plan
from maskvos.storage.frame_writer import EncodedClip, write_store
from maskvos.storage.weights import save_weights

ROOT = Path(__file__).resolve().parents[2]
HEIGHT, WIDTH, FRAMES = 48, 64, 6
ROWS = {"copy": 0.2, "lab": 0.3, "untrained": 0.1, "correspondence": 0.5, "full": 0.6}
SEQUENCES = ("ball", "cart", "dog")


def make_params() -> Params:
    """The committed parameters with one evaluation set in the DAVIS layout and two rounds."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content["data"]["evaluation"] = {"davis": content["data"]["evaluation"]["davis"]}
    content["evaluation"]["rows"] = list(ROWS)
    content["alternate"]["rounds"] = 2
    content["plan"] = derive_plan(content)
    return validate(content, "test")


def write_params(path: Path) -> None:
    """`make_params` as a file, checked by reading it back."""
    path.write_text(yaml.safe_dump(make_params().model_dump(), sort_keys=False))
    read_all_params(path)


def frame(number: int) -> np.ndarray:
    """(48, 64, 3) uint8 RGB: a gradient."""
    ramp = np.linspace(0, 200, WIDTH)[None, :, None] + np.array([0, 20, 40]) + number
    return np.broadcast_to(ramp, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def disc(number: int, radius: int = 10) -> np.ndarray:
    """(48, 64) uint8 ids: object 1, which moves to the right from frame to frame."""
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    return ((rows - 24) ** 2 + (columns - 15 - 4 * number) ** 2 < radius**2).astype(np.uint8)


def write_frame(path: Path, number: int) -> None:
    """`frame` as JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), frame(number)[..., ::-1])


def write_mask(path: Path, ids: np.ndarray) -> None:
    """A grey PNG of ids, without the flush to disk that `maskvos.storage.masks` makes: there are hundreds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(ids).save(path)


def make_tree(root: Path) -> tuple[Path, Path]:
    """Folders ``artifacts`` and ``logs`` below ``root``."""
    artifacts, logs = root / "artifacts", root / "logs"
    write_dataset(root / "data/davis", artifacts)
    write_frames(artifacts / "frames")
    for name in ("backbone", "correspondence"):
        write_curves(artifacts / name / "curves.csv", ("learning_rate", "loss", "loss_short"))
    for number in (0, 1):
        write_round(artifacts / "rounds" / str(number), number)
    for row, score in ROWS.items():
        write_evaluation(artifacts / "evaluation/davis" / row, row, score)
    write_logs(logs)
    return artifacts, logs


def add_leftovers(artifacts: Path) -> None:
    """What an earlier experiment with one more set, row and round left there: none of it belongs to `make_params`."""
    write_evaluation(artifacts / "evaluation/davis/backbone", "backbone", 0.99)
    write_evaluation(artifacts / "evaluation/former/full", "full", 0.99)
    manifest = json.loads((artifacts / "data/davis.json").read_text())
    (artifacts / "data/former.json").write_text(json.dumps({**manifest, "name": "former"}))
    write_round(artifacts / "rounds/2", 2)


def write_dataset(folder: Path, artifacts: Path) -> None:
    """An evaluation set in the DAVIS layout and the manifests of both sets."""
    for name in SEQUENCES:
        for number in range(FRAMES):
            write_frame(folder / f"JPEGImages/480p/{name}/{number:05d}.jpg", number)
            write_mask(folder / f"Annotations/480p/{name}/{number:05d}.png", disc(number))
    (folder / "ImageSets/2017").mkdir(parents=True)
    (folder / "ImageSets/2017/val.txt").write_text("\n".join(SEQUENCES) + "\n")
    (artifacts / "data").mkdir(parents=True)
    for name, layout in (("train", "clips"), ("davis", "davis")):
        manifest = {
            "name": name,
            "layout": layout,
            "split": "val",
            "root": str(folder),
            "licence": "CC0",
            "sequences": [{"name": sequence, "frames": FRAMES} for sequence in SEQUENCES],
            "frames": FRAMES * len(SEQUENCES),
            "fingerprint": "0",
        }
        (artifacts / f"data/{name}.json").write_text(json.dumps(manifest))


def write_frames(folder: Path) -> None:
    """A frame store of two clips; one frame was damaged."""
    folder.mkdir(parents=True)
    images = [cv2.imencode(".png", frame(number))[1].tobytes() for number in range(FRAMES)]
    names = [f"{number:05d}" for number in range(FRAMES)]
    clips = [
        EncodedClip("one", HEIGHT, WIDTH, names, images),
        EncodedClip("two", HEIGHT, WIDTH, names, images, {"00009": "truncated <JPEG>"}),
    ]
    write_store(folder, clips, ".png", {})


def write_curves(path: Path, columns: tuple[str, ...], steps: int = 20) -> None:
    """A curve file whose every column falls from 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("step", "epoch", *columns))
        writer.writerows((step, step // 5, *([1 / step] * len(columns))) for step in range(1, steps + 1))


def write_round(folder: Path, number: int) -> None:
    """Pseudo masks, statistics and curves of one round."""
    write_curves(folder / "curves.csv", ("learning_rate", "loss", "segmentation", "short", "long"))
    labels = torch.from_numpy(np.stack([disc(step)[::8, ::8] * (number + 1) for step in range(FRAMES)]))
    save_weights(folder / "pseudo_masks.safetensors", {"one": labels, "two": labels}, {"kind": "pseudo_masks"})
    summary = {"clips": 2, "kept_mean": 4.0 - number, "oversized_share_mean": 0.1, "largest_share_mean": 0.3}
    clips = {name: {"sizes": [70, 30], "shares": [0.7, 0.3], "kept": 1} for name in ("one", "two")}
    content = {"round": number, "summary": summary, "clips": clips}
    (folder / "clustering.json").write_text(json.dumps(content))


def write_evaluation(folder: Path, row: str, score: float) -> None:
    """Metrics and predictions of one row; the sequences differ in the second decimal."""

    def metrics(value: float) -> dict[str, float]:
        names = ("J&F_mean", "J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay")
        return dict.fromkeys(names, value)

    folder.mkdir(parents=True)
    sequences = {name: metrics(score + 0.01 * place) for place, name in enumerate(SEQUENCES)}
    content = {
        "protocol": "DAVIS-2017 semi-supervised",
        "set": "davis",
        "row": row,
        "global": metrics(score),
        "sequences": sequences,
        "objects": {f"{name}_1": values for name, values in sequences.items()},
    }
    (folder / "metrics.json").write_text(json.dumps(content))
    for name in SEQUENCES:
        for number in range(FRAMES):
            write_mask(folder / f"predictions/{name}/{number:05d}.png", disc(number, 8))


def write_logs(folder: Path) -> None:
    """Records of two stages; the others were not recorded."""
    folder.mkdir(parents=True)
    for name, seconds in (("prepare", 12.3), ("pretrain_correspondence", 3725.0)):
        record = {
            "stage": name,
            "started": "2026-01-02T03:04:05+00:00",
            "seconds": seconds,
            "host": "secret-host",
            "processor": "Some CPU",
            "cores": 2,
            "accelerator": "none",
            "revision": "cccccccccccc, tree as committed",
            "steps": 17000,
            "steps_per_second": 4.56789,
        }
        (folder / f"{name}.json").write_text(json.dumps(record))
