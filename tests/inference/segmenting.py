"""``maskvos segment`` on a small folder of frames, in this process or in one of its own."""

import argparse
import subprocess
import sys
from pathlib import Path

import torch
from PIL import Image

from maskvos.inference.command import add_parser
from maskvos.networks.files import save_network, untrained_encoder
from maskvos.networks.model import MaskVOS
from maskvos.storage.masks import write_mask
from tests.inference.stubs import moving_square
from tests.inference.test_features import NETWORKS


def parse(*arguments):
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    return parser.parse_args(["segment", *map(str, arguments)])


def run(*arguments):
    chosen = parse(*arguments)
    return chosen.func(chosen)


def make_clip(folder, frames=3):
    """FOLDER/frames, FOLDER/first.png (a square with id 7) and weights of both kinds in FOLDER/encoder and /model."""
    images, masks = moving_square(frames)
    (folder / "frames").mkdir()
    for name, image in images:
        Image.fromarray(image).save(folder / "frames" / f"{name}.png")
    write_mask(folder / "first.png", masks[0] * 7)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_network(folder / "encoder", untrained_encoder(NETWORKS, 3), "encoder", NETWORKS)
        save_network(folder / "model", MaskVOS(NETWORKS), "model", NETWORKS)


def run_process(prelude, *arguments):
    """The command in a process of its own, after some lines of Python."""
    program = f"{prelude}\nfrom maskvos import cli\ncli.main({[*map(str, arguments)]!r})"
    root = Path(__file__).resolve().parents[2]
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, timeout=300)


def contents(folder):
    """File name -> bytes."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
