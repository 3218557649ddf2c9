"""The settings of ``maskvos segment`` and where they come from."""

import argparse
from pathlib import Path

import pytest
import torch
import yaml

from maskvos.errors import UserError
from maskvos.inference.settings import PAPER, add_settings, choose_settings, describe
from maskvos.storage.weights import save_weights

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def weights(tmp_path):
    """Of a stage, so without settings."""
    save_weights(tmp_path / "model.safetensors", {"x": torch.zeros(1)}, {"kind": "model"})
    return tmp_path


@pytest.fixture
def choose(weights):
    def chosen(*options, short_side=None, weights=weights):
        parser = argparse.ArgumentParser()
        add_settings(parser)
        arguments = parser.parse_args([str(option) for option in options])
        arguments.weights = weights
        return choose_settings(arguments, short_side)

    return chosen


OWN = PAPER.model_dump() | {"short_side": 360, "top_k": 7, "refinement_rounds": 2}


@pytest.fixture
def published(tmp_path):
    """Weights that bring settings along."""
    save_weights(tmp_path / "own.safetensors", {"x": torch.zeros(1)}, {"kind": "model", "inference": OWN})
    return tmp_path / "own.safetensors"


@pytest.fixture
def params(tmp_path):
    """A parameter file whose inference differs from the paper's in every value."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content["inference"] = {
        "short_side": {"davis": 240, "youtubevos": 360},
        "references": 7,
        "top_k": 5,
        "radius": 9,
        "temperature": 0.1,
        "refinement_rounds": 1,
        "kept_mask": "coarse",
        "pad_with_first": True,
        "first_radius": 18,
        "rescale_limit": 1.5,
        "lab_weight": 0.25,
        "layer2_weight": 0.5,
        "layer1_weight": 0.75,
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "params.yaml"


def test_papers_settings_are_those_of_conf(choose):
    paper = yaml.safe_load((ROOT / "conf" / "paper.yaml").read_text())["inference"]
    assert PAPER.model_dump() == {**paper, "short_side": paper["short_side"]["davis"]}
    assert choose() == PAPER


def test_a_parameter_file_gives_all_and_the_size_of_davis(choose, params):
    expected = yaml.safe_load(params.read_text())["inference"] | {"short_side": 240}
    assert choose("--params", params).model_dump() == expected


def test_a_parameter_file_of_another_version_serves_by_its_section_inference(choose, params):
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
def test_a_section_inference_that_is_wrong(choose, params, content, message):
    whole = yaml.safe_load(params.read_text())
    whole["inference"] |= content
    params.write_text(yaml.safe_dump(whole))
    with pytest.raises(UserError, match=message):
        choose("--params", params)


@pytest.mark.parametrize("text", ["- 1", "inference: 3", "seed: 0", ""])
def test_a_file_without_such_a_section(choose, params, text):
    params.write_text(text)
    with pytest.raises(UserError, match="inference"):
        choose("--params", params)


def test_options_come_before_the_file(choose, params):
    chosen = choose("--params", params, "--kept-mask", "refined", "--rounds", 0, "--references", 0, short_side=96)
    assert (chosen.kept_mask, chosen.refinement_rounds, chosen.references) == ("refined", 0, 0)
    assert (chosen.short_side, chosen.top_k) == (96, 5)


@pytest.mark.parametrize("options", [("--rounds", 6), ("--rounds", -1), ("--references", -1)])
def test_numbers_out_of_range(choose, options):
    with pytest.raises(UserError, match=options[0]):
        choose(*options)


def test_an_absent_file_is_named(choose, tmp_path):
    with pytest.raises(UserError, match="no such parameter file"):
        choose("--params", tmp_path / "params.yaml")


def test_the_line_says_what_counts():
    assert describe(PAPER, model=True) == (
        "native size, 20 references, top_k 10, radius 12, temperature 0.05, 3 refinement rounds, kept mask mean"
    )
    assert "kept mask" not in describe(PAPER, model=False)
    assert "short side 96" in describe(PAPER.model_copy(update={"short_side": 96}), model=True)


def test_settings_of_published_weights(choose, published):
    assert choose(weights=published).model_dump() == OWN
    assert choose("--rounds", 0, weights=published, short_side=96).model_dump() == OWN | {
        "refinement_rounds": 0,
        "short_side": 96,
    }


def test_a_parameter_file_comes_before_the_weights(choose, params, published):
    chosen = choose("--params", params, weights=published)
    assert (chosen.top_k, chosen.short_side) == (5, 240)


@pytest.mark.parametrize("own", [{"top_k": 3}, OWN | {"radius": 0}, "paper", OWN | {"of_another_version": 1}])
def test_settings_in_weights_that_cannot_be_used(choose, tmp_path, own):
    save_weights(tmp_path / "bad.safetensors", {"x": torch.zeros(1)}, {"kind": "model", "inference": own})
    with pytest.raises(UserError, match=r"bad\.safetensors: the settings in its description .*--params"):
        choose(weights=tmp_path / "bad.safetensors")
