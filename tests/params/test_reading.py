"""Wrong parameters are one readable error; a stage reads only what it declared."""

import copy
from pathlib import Path

import pytest
import yaml

from maskvos.errors import UserError
from maskvos.params import read_all_params, read_params, validate

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"
CONTENT = yaml.safe_load(PARAMS.read_text())


@pytest.mark.parametrize(
    ("section", "key", "value", "words"),
    [
        ("correspondence", "temprature", 0.1, "'correspondence.temprature', did you mean 'temperature'"),
        ("correspondence", "epochs", "3", "'correspondence.epochs' is '3'"),
        ("correspondence", "epochs", 0, "greater than or equal to 1"),
        ("networks", "backbone", "resnet34", "'networks.backbone' is 'resnet34'"),
        ("segmentation", "objects", 5, "smaller than clustering.clusters"),
        ("prepare", "short_side", True, "'prepare.short_side' is True"),
    ],
)
def test_wrong_values_are_named(section, key, value, words):
    content = copy.deepcopy(CONTENT)
    content[section][key] = value
    with pytest.raises(UserError) as caught:
        validate(content, "params.yaml")
    assert str(caught.value).startswith("params.yaml: ")
    assert words in str(caught.value)


def test_a_missing_section_is_named():
    content = {key: value for key, value in CONTENT.items() if key != "inference"}
    with pytest.raises(UserError, match="parameter 'inference' is missing"):
        validate(content, "params.yaml")


def test_a_stage_reads_what_it_declared():
    params = read_params(PARAMS, ("seed", "versions.prepare"))
    assert params.seed == CONTENT["seed"]
    assert params.runtime.device == CONTENT["runtime"]["device"]
    with pytest.raises(AttributeError, match="PARAMETERS"):
        _ = params.inference


def test_unreadable_files(tmp_path):
    with pytest.raises(UserError, match="no such parameter file"):
        read_all_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [")
    with pytest.raises(UserError, match="not valid YAML"):
        read_all_params(tmp_path / "params.yaml")
