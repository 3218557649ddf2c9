"""``maskvos segment``: track the objects of given masks through any video.

Everything that can be wrong with the arguments is found before torch is imported, which takes seconds.
"""

import argparse

from maskvos.errors import UserError
from maskvos.inference import segment_options
from maskvos.inference.given_masks import GivenMasks, read_given, split_option
from maskvos.inference.output import check_output
from maskvos.inference.overlay_video import choose_rate
from maskvos.inference.partial_run import check_place, partial_folder
from maskvos.inference.settings import choose_settings
from maskvos.inference.span import open_span


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``segment`` to the ``maskvos`` command; the parsed arguments carry the function to call as ``func``."""
    segment_options.add_parser(subparsers).set_defaults(func=segment)


def segment(arguments: argparse.Namespace) -> None:
    """Write the masks of every frame, all or nothing; what an interrupted run has done is kept beside the output.

    Raises:
        UserError: the source, a mask, the parameters or the weights cannot be used, the output would replace more than
            an earlier one, or memory does not suffice.
    """
    marked = [frame for frame, _ in map(split_option, arguments.mask) if frame is not None]
    span = open_span(arguments.source, arguments.start, arguments.end, marked)
    rate = choose_rate(span.rate, arguments.overlay_rate)
    size = span.first_image().shape[:2]
    if not arguments.weights.exists():
        raise UserError(
            f"{arguments.weights}: no such weights. Name a .safetensors file, or the weights folder of a stage."
        )
    settings = choose_settings(arguments, _short_side(size, arguments.max_size))
    given = read_given(arguments.mask, span, size)
    inputs = [marked.file for marked in given.objects] + [arguments.weights]
    inputs += [arguments.params] if arguments.params is not None else []
    check_output(arguments.output, arguments.source, inputs, arguments.overwrite)
    check_place(partial_folder(arguments.output))
    _say(given)
    from maskvos.inference.memory_limits import explain_memory  # these two import torch
    from maskvos.inference.segment_run import SegmentRun

    with explain_memory(size, settings, len(given.objects)):
        SegmentRun(span, given, size, settings, arguments).write(rate)


def _say(given: GivenMasks) -> None:
    for marked in given.objects:
        print(f"object {marked.id}: {marked.pixels} pixels of frame {marked.frame} ({marked.file})", flush=True)


def _short_side(size: tuple[int, ...], max_size: int | None) -> int | None:
    """The short side that goes with a long side of at most ``max_size``, which never enlarges; None without one."""
    if max_size is None:
        return None
    if max(size) <= max_size:
        return min(size)
    short = min(size) * max_size // max(size)
    if short < 32:
        raise UserError(f"--max-size {max_size}: the short side would be {short} pixels, at least 32 are needed.")
    return short
