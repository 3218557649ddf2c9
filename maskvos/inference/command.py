"""``maskvos segment``: track the objects of a first mask through any video."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from maskvos.datasets.clips import open_clip
from maskvos.datasets.sequence import VOID, Sequence, object_ids
from maskvos.errors import UserError
from maskvos.inference.features import converted_features, encoder_keys, trunk_features
from maskvos.inference.output import check_output
from maskvos.inference.propagate import Frames, Given, Prediction, propagate_labels, segment_sequence
from maskvos.inference.settings import add_settings, choose_settings, describe
from maskvos.networks.features import KIND, load_features
from maskvos.networks.files import load_encoder, load_model, stored_networks, weights_file
from maskvos.params.inference import Tracking
from maskvos.params.method import Runtime
from maskvos.progress import track
from maskvos.storage.atomic import atomic_folder
from maskvos.storage.masks import read_mask, write_mask
from maskvos.storage.weights import read_description
from maskvos.training.device import place, set_up_device, used_precision

Subparsers = argparse._SubParsersAction
Method = Callable[[Frames, Given], Iterator[Prediction]]


def add_parser(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add ``segment`` to the ``maskvos`` command; the parsed arguments carry the function to call as ``func``."""
    parser = subparsers.add_parser(
        "segment",
        help="track the objects of a first mask through a video",
        description="Writes OUTPUT/FRAME.png (palette PNG, pixel value = object id) for every frame of SOURCE.",
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="a video file or a folder of frames")
    parser.add_argument("--mask", type=Path, required=True, help="ids of the objects in the first frame (index PNG)")
    parser.add_argument(
        "--weights",
        type=Path,
        required=True,
        help="weights of a stage (a model, or an encoder to copy labels by) or of `maskvos convert`: folder or file",
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder for the masks; one that holds only such masks is replaced"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the output folder whatever else it holds")
    parser.add_argument("--max-size", type=int, help="work at this length of the long side at most (default: native)")
    add_settings(parser)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.set_defaults(func=segment)


def segment(arguments: argparse.Namespace) -> None:
    """Write the masks of every frame, all or nothing.

    Raises:
        UserError: the source, the mask, the parameters or the weights cannot be used, or the output would replace more
            than masks.
    """
    clip = open_clip(arguments.source) if arguments.source.exists() else None
    if clip is None:
        raise UserError(f"{arguments.source}: neither a video file nor a folder with frames. Name one of these.")
    inputs = [path for path in (arguments.mask, arguments.weights, arguments.params) if path is not None]
    check_output(arguments.output, arguments.source, inputs, arguments.overwrite)
    first = read_mask(arguments.mask)
    if not object_ids(first):
        raise UserError(f"{arguments.mask}: no object in this mask. Mark each object by an id from 1 to {VOID - 1}.")
    size = clip.image(clip.frames[0]).shape[:2]
    if first.shape != size:
        raise UserError(
            f"{arguments.mask}: the mask is {first.shape[0]}x{first.shape[1]} (height x width), the frames of "
            f"{arguments.source} are {size[0]}x{size[1]}. Draw the mask at the size of the video."
        )
    device = set_up_device(Runtime(device=arguments.device, threads=0, workers=0))
    settings = choose_settings(arguments, _short_side(size, arguments.max_size))
    method = _load_method(arguments.weights, settings, device)
    predictions = method(_frames(clip), {clip.frames[0]: first})
    with atomic_folder(arguments.output) as folder:
        for prediction in track(predictions, len(clip.frames), "frames"):
            write_mask(folder / f"{prediction.frame}.png", prediction.ids)
    print(f"{len(clip.frames)} masks in {arguments.output}")


def _frames(clip: Sequence) -> Frames:
    return ((frame, clip.image(frame)) for frame in clip.frames)


def _short_side(size: tuple[int, ...], max_size: int | None) -> int | None:
    """The short side that goes with a long side of at most ``max_size``; None where nothing has to be made smaller."""
    if max_size is None or max(size) <= max_size:
        return None
    short = round(min(size) * max_size / max(size))
    if short < 32:
        raise UserError(f"--max-size {max_size}: the short side would be {short} pixels, at least 32 are needed.")
    return short


def _load_method(weights: Path, settings: Tracking, device: torch.device) -> Method:
    """The full method for the weights of a model, label propagation for those of an encoder; says the settings."""
    precision = used_precision(device, "auto")
    if read_description(weights_file(weights)).get("kind") == KIND:
        network = place(load_features(weights), device)
        print(f"settings: {describe(settings, False)}")
        converted = converted_features(network, precision)
        return lambda frames, given: propagate_labels(frames, given, converted, settings, device, network.stride)
    kind, networks = stored_networks(weights)
    print(f"settings: {describe(settings, kind == 'model')}")
    if kind == "model":
        model = place(load_model(weights, networks), device)
        return lambda frames, given: segment_sequence(frames, given, model, settings, device, precision)
    encoder = place(load_encoder(weights, networks), device)
    features = (trunk_features if kind == "backbone" else encoder_keys)(encoder, precision)
    return lambda frames, given: propagate_labels(frames, given, features, settings, device)
