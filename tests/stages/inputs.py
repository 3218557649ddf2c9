"""What the stages begin with, in small."""

import json

import torch
from PIL import Image

from maskvos.networks.files import save_network, untrained_encoder
from maskvos.networks.trunk import Trunk
from maskvos.storage.frames import FrameStore
from maskvos.storage.masks import write_mask
from maskvos.storage.weights import save_weights
from tests.tiny import networks, write_frames


def write_inputs(folder, clips, frames):
    """Frames, DINO's and correspondence's weights, and pseudo masks: a band and a block, in every clip."""
    write_frames(folder / "frames", clips=clips, frames=frames)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        save_network(folder / "backbone", Trunk(networks(last_layer="layer4")), "backbone", networks())
    save_network(folder / "encoder", untrained_encoder(networks(), 1), "encoder", networks())
    labels = torch.zeros(frames, 6, 8, dtype=torch.uint8)
    labels[:, :3], labels[:, 3:, 4:] = 1, 2
    store = FrameStore(folder / "frames")
    description = {"kind": "pseudo_masks", "frames": store.fingerprint}
    save_weights(folder / "masks.safetensors", {clip.name: labels for clip in store.clips}, description)
    return folder


def write_davis(folder, names, frames, masks):
    """A set in DAVIS layout, each sequence of the same frames (name, image) and masks, and its manifest davis.json."""
    root = folder / "DAVIS"
    for name in names:
        write_sequence(root / "JPEGImages/480p" / name, root / "Annotations/480p" / name, frames, masks)
    (root / "ImageSets/2017").mkdir(parents=True)
    (root / "ImageSets/2017/val.txt").write_text("".join(f"{name}\n" for name in names))
    write_manifest(folder, "davis", "davis", root, "val", names)


def write_sequence(images, annotations, frames, masks):
    images.mkdir(parents=True)
    for (name, image), mask in zip(frames, masks, strict=True):
        Image.fromarray(image).save(images / f"{name}.png")
        if mask is not None:
            write_mask(annotations / f"{name}.png", mask)


def write_manifest(folder, name, layout, root, split, sequences):
    content = {
        "name": name,
        "layout": layout,
        "split": split,
        "root": str(root),
        "licence": "",
        "fingerprint": "0" * 64,
    }
    content |= {"sequences": [{"name": item, "frames": 5} for item in sequences], "frames": 5 * len(sequences)}
    (folder / f"{name}.json").write_text(json.dumps(content))
