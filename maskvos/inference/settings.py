"""The settings of ``maskvos segment``: what the command line says, else a parameter file, the weights, the paper."""

import argparse
from pathlib import Path

from pydantic import ValidationError

from maskvos.errors import UserError
from maskvos.params.inference import Tracking, with_later
from maskvos.params.reading import read_inference
from maskvos.storage.descriptions import read_description, weights_file

# The one copy beside conf/paper.yaml, which names the sources: the command runs without a checkout. A test compares.
PAPER = Tracking(
    short_side=None,
    references=20,
    top_k=10,
    radius=12,
    first_radius=None,
    lab_weight=0.0,
    layer2_weight=0.0,
    layer1_weight=0.0,
    temperature=0.05,
    refinement_rounds=3,
    kept_mask="mean",
    pad_with_first=False,
    rescale_limit=1.0,
)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that `choose_settings` reads."""
    parser.add_argument(
        "--params",
        type=Path,
        metavar="FILE",
        help="params.yaml whose section inference to use, such as the one the weights were measured with; "
        "of its sizes short_side.davis (default: the settings in the weights' file, else the paper's)",
    )
    paper = "default: from --params or the weights' file, else"
    parser.add_argument("--references", type=int, help=f"frames before the query ({paper} {PAPER.references})")
    parser.add_argument("--rounds", type=int, help=f"refinement rounds, 0 to 5 ({paper} {PAPER.refinement_rounds})")
    parser.add_argument(
        "--kept-mask",
        choices=("coarse", "refined", "mean"),
        help=f"which mask of a finished frame becomes a reference ({paper} {PAPER.kept_mask})",
    )


def choose_settings(arguments: argparse.Namespace, short_side: int | None) -> Tracking:
    """The settings for a video.

    Args:
        arguments: the options of `add_settings`, and ``weights``, an existing file or folder.
        short_side: the working resolution that the command line asks for; None where it does not ask for any.

    Raises:
        UserError: the parameter file or the settings in the weights cannot be used, or a number is out of range.
    """
    if arguments.params is None:
        base = stored_settings(arguments.weights)
    else:  # the layout of DAVIS has the objects' masks in first frames, as here
        base = read_inference(arguments.params).for_layout("davis")
    given = {
        "references": arguments.references,
        "refinement_rounds": arguments.rounds,
        "kept_mask": arguments.kept_mask,
        "short_side": short_side,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    if chosen.get("references", 0) < 0 or not 0 <= chosen.get("refinement_rounds", 0) <= 5:
        raise UserError("--references must be 0 or more, and --rounds 0 to 5.")
    return base.model_copy(update=chosen)


def stored_settings(weights: Path) -> Tracking:
    """The settings that published weights bring along, else the paper's.

    Raises:
        UserError: the file or the settings in it cannot be used.
    """
    path = weights_file(weights)
    content = read_description(path).get("inference")
    if content is None:
        return PAPER
    try:
        return Tracking.model_validate(with_later(content))
    except ValidationError as error:
        raise UserError(
            f"{path}: the settings in its description cannot be used ({error.error_count()} are wrong or missing). "
            "Name others with --params."
        ) from error


def describe(settings: Tracking, model: bool) -> str:
    """One line; an encoder copies labels, so that refinement and the kept mask say nothing there."""
    size = "native size" if settings.short_side is None else f"short side {settings.short_side}"
    matching = (
        f"{size}, {settings.references} references, top_k {settings.top_k}, radius {settings.radius}, "
        f"temperature {settings.temperature:g}" + (", pad_with_first" if settings.pad_with_first else "")
    )
    if settings.first_radius is not None:
        matching += f", first_radius {settings.first_radius}"
    if settings.lab_weight > 0:
        matching += f", lab_weight {settings.lab_weight:g}"
    if settings.layer2_weight > 0:
        matching += f", layer2_weight {settings.layer2_weight:g}"
    if settings.layer1_weight > 0:
        matching += f", layer1_weight {settings.layer1_weight:g}"
    if settings.rescale_limit > 1:
        matching += f", rescale_limit {settings.rescale_limit:g}"
    if not model:
        return f"{matching} (labels copied by an encoder)"
    return f"{matching}, {settings.refinement_rounds} refinement rounds, kept mask {settings.kept_mask}"
