"""The settings of ``maskvos segment`` and where they come from."""

import argparse
from pathlib import Path

import pytest
import yaml

from maskvos.errors import UserError
from maskvos.inference.settings import PAPER, add_settings, choose_settings, describe

ROOT = Path(__file__).resolve().parents[2]


def choose(*options, short_side=None):
    parser = argparse.ArgumentParser()
    add_settings(parser)
    return choose_settings(parser.parse_args([str(option) for option in options]), short_side)


@pytest.fixture
def params(tmp_path):
    """A parameter file whose inference differs from the paper's in every value."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content["inference"] = {
        "short_side": {"davis": 240, "youtubevos": 240},
        "references": 7,
        "top_k": 5,
        "radius": 9,
        "temperature": 0.1,
        "refinement_rounds": 1,
        "kept_mask": "coarse",
        "pad_with_first": True,
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "params.yaml"


def test_papers_settings_are_those_of_conf():
    paper = yaml.safe_load((ROOT / "conf" / "paper.yaml").read_text())["inference"]
    assert PAPER.model_dump() == {**paper, "short_side": paper["short_side"]["davis"]}
    assert choose() == PAPER


def test_a_parameter_file_gives_all_but_the_size(params):
    expected = yaml.safe_load(params.read_text())["inference"] | {"short_side": None}
    assert choose("--params", params).model_dump() == expected


def test_a_parameter_file_of_another_version_serves_by_its_section_inference(params):
    content = yaml.safe_load(params.read_text())
    params.write_text(yaml.safe_dump({"inference": content["inference"], "of_another_version": 1}))
    assert choose("--params", params).top_k == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"top": 1}, "unknown parameter 'inference.top', did you mean 'top_k'"),
        ({"references": "x"}, "'inference.references' is 'x'"),
    ],
)
def test_a_section_inference_that_is_wrong(params, content, message):
    whole = yaml.safe_load(params.read_text())
    whole["inference"] |= content
    params.write_text(yaml.safe_dump(whole))
    with pytest.raises(UserError, match=message):
        choose("--params", params)


@pytest.mark.parametrize("text", ["- 1", "inference: 3", "seed: 0", ""])
def test_a_file_without_such_a_section(params, text):
    params.write_text(text)
    with pytest.raises(UserError, match="inference"):
        choose("--params", params)


def test_options_come_before_the_file(params):
    chosen = choose("--params", params, "--kept-mask", "refined", "--rounds", 0, "--references", 0, short_side=96)
    assert (chosen.kept_mask, chosen.refinement_rounds, chosen.references) == ("refined", 0, 0)
    assert (chosen.short_side, chosen.top_k) == (96, 5)


@pytest.mark.parametrize("options", [("--rounds", 6), ("--rounds", -1), ("--references", -1)])
def test_numbers_out_of_range(options):
    with pytest.raises(UserError, match=options[0]):
        choose(*options)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no such parameter file"):
        choose("--params", tmp_path / "params.yaml")


def test_the_line_says_what_counts():
    assert describe(PAPER, model=True) == (
        "native size, 20 references, top_k 10, radius 12, temperature 0.05, 3 refinement rounds, kept mask mean"
    )
    assert "kept mask" not in describe(PAPER, model=False)
    assert "short side 96" in describe(PAPER.model_copy(update={"short_side": 96}), model=True)
