"""Wrong parameters are one readable error; a stage reads only what it declared."""

import copy
import errno
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
        ("segmentation", "epochs", 0, "greater than or equal to 1"),
        ("correspondence", "regime", "crw", "'correspondence.regime' is 'crw'"),
        ("networks", "backbone", "resnet34", "'networks.backbone' is 'resnet34'"),
        ("segmentation", "objects", 5, "smaller than clustering.clusters"),
        ("prepare", "short_side", True, "'prepare.short_side' is True"),
        ("segmentation", "max_gap", [0, 3], "'segmentation.max_gap.0' is 0"),
        ("segmentation", "max_gap", [5, 2], "segmentation.max_gap: [5, 2] must be a rising pair"),
        ("backbone_pretraining", "global_scale", [1.0, 0.3], "backbone_pretraining.global_scale: [1.0, 0.3] must"),
        ("backbone_pretraining", "global_scale", [0.3, 1.5], "'backbone_pretraining.global_scale.1' is 1.5"),
        ("backbone_pretraining", "local_scale", [0.0, 0.3], "'backbone_pretraining.local_scale.0' is 0.0"),
        ("backbone_pretraining", "local_scale", [0.3, 0.1], "backbone_pretraining.local_scale: [0.3, 0.1] must"),
        ("backbone_pretraining", "warmup_epochs", 500, "backbone_pretraining: warmup_epochs 500 must not be above"),
        ("backbone_pretraining", "teacher_temperature_warmup_epochs", 9, "warmup_epochs 9 must not be above epochs 1"),
        ("backbone_pretraining", "centring", "center", "'backbone_pretraining.centring' is 'center'"),
        ("collapse", "action", "ignore", "'collapse.action' is 'ignore'"),
        ("collapse", "max_similarity", 1.5, "'collapse.max_similarity' is 1.5"),
        ("correspondence", "warmup_epochs", 500, "correspondence: warmup_epochs 500 must not be above"),
        ("segmentation", "warmup_epochs", 500, "segmentation: warmup_epochs 500 must not be above"),
        ("evaluation", "rows", ["full", "copy", "full"], "evaluation: rows names full more than once"),
        ("evaluation", "rows", ["best"], "'evaluation.rows.0' is 'best'"),
        ("data", "folder", "", "'data.folder' is ''"),
        ("clustering", "backend", "fais", "'clustering.backend' is 'fais'"),
    ],
)
def test_wrong_values_are_named(section, key, value, words):
    content = copy.deepcopy(CONTENT)
    content[section][key] = value
    with pytest.raises(UserError) as caught:
        validate(content, "params.yaml")
    assert str(caught.value).startswith("params.yaml: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("segmentation", "cropping", "zoom"), [1.0, 0.5], "segmentation.cropping.zoom: [1.0, 0.5] must be a rising"),
        (("correspondence", "cycle", "edge_dropout"), 1.0, "'correspondence.cycle.edge_dropout' is 1.0"),
        (("correspondence", "cycle", "frames"), 1, "'correspondence.cycle.frames' is 1"),
        (("correspondence", "photometric", "radius"), 0, "'correspondence.photometric.radius' is 0"),
        (("data", "evaluation", "davis", "layout"), "clips", "data: evaluation.davis.layout is 'clips'"),
    ],
)
def test_wrong_values_further_down_are_named(path, value, words):
    content = copy.deepcopy(CONTENT)
    section = content
    for name in path[:-1]:
        section = section[name]
    section[path[-1]] = value
    with pytest.raises(UserError) as caught:
        validate(content, "params.yaml")
    assert words in str(caught.value)


def test_correspondence_needs_a_loss():
    content = copy.deepcopy(CONTENT)
    content["correspondence"] |= {"short_weight": 0.0, "long_weight": 0}
    with pytest.raises(UserError, match="correspondence: short_weight and long_weight are both 0"):
        validate(content, "params.yaml")


def test_weights_of_the_contrastive_regime_matter_to_it_alone():
    content = copy.deepcopy(CONTENT)
    content["correspondence"] |= {"short_weight": 0.0, "long_weight": 0.0, "regime": "cycle"}
    validate(content, "params.yaml")


def test_something_must_train_the_encoder():
    content = copy.deepcopy(CONTENT)
    content["correspondence"]["epochs"], content["segmentation"]["encoder_rate"] = 0, 0.0
    with pytest.raises(UserError, match=r"correspondence\.epochs and segmentation\.encoder_rate are both 0"):
        validate(content, "params.yaml")
    content["segmentation"]["encoder_rate"] = 1.0
    validate(content, "params.yaml")


def test_a_stage_without_epochs_needs_no_warmup_to_be_taken_back():
    content = copy.deepcopy(CONTENT)
    content["backbone_pretraining"] |= {"epochs": 0, "warmup_epochs": 1, "teacher_temperature_warmup_epochs": 1}
    content["correspondence"] |= {"epochs": 0, "warmup_epochs": 1}
    content["segmentation"]["encoder_rate"] = 1.0
    validate(content, "params.yaml")


def test_equal_ends_of_a_range_and_a_warmup_of_all_epochs_are_fine():
    content = copy.deepcopy(CONTENT)
    content["segmentation"]["max_gap"] = [1, 1]
    content["backbone_pretraining"] |= {"global_scale": [1, 1.0], "epochs": 3, "warmup_epochs": 3}
    content["correspondence"]["short_weight"] = 0
    validate(content, "params.yaml")


def test_a_missing_section_is_named():
    content = {key: value for key, value in CONTENT.items() if key != "inference"}
    with pytest.raises(UserError, match="parameter 'inference' is missing"):
        validate(content, "params.yaml")


def test_a_stage_reads_what_it_declared():
    params = read_params(PARAMS, ("seed", "versions.prepare"))
    assert params.seed == CONTENT["seed"]
    assert params.runtime.device == CONTENT["runtime"]["device"]
    assert params.collapse.action == CONTENT["collapse"]["action"]
    with pytest.raises(AttributeError, match="PARAMETERS"):
        _ = params.inference


def test_unreadable_files(tmp_path):
    with pytest.raises(UserError, match="no such parameter file"):
        read_all_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [")
    with pytest.raises(UserError, match="not valid YAML"):
        read_all_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_bytes("preset: demo".encode("utf-16"))
    with pytest.raises(UserError, match=r"params\.yaml: not valid YAML .*decode"):
        read_all_params(tmp_path / "params.yaml")


def test_a_file_that_may_not_be_read(monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(UserError, match=r"params\.yaml: cannot be read \(Permission denied\)"):
        read_all_params(PARAMS)


@pytest.mark.parametrize(("short_side", "border", "fits"), [(40, 32, True), (36, 32, False), (44, 40, False)])
def test_a_border_that_a_frame_of_whole_cells_can_mirror(short_side, border, fits):
    content = copy.deepcopy(CONTENT)
    content["clustering"] |= {"short_side": short_side, "border": border}
    if fits:
        validate(content, "params.yaml")
    else:
        with pytest.raises(UserError, match=f"border {border} must be below short_side {short_side} less half a cell"):
            validate(content, "params.yaml")


def test_what_clusters_knows_of_no_annotations():
    clustering = read_all_params(PARAMS).clustering
    method = clustering.method.model_dump()
    assert clustering.model_dump().keys() - method.keys() == {"backend", "train_annotations_for_measuring_only"}
    assert not hasattr(clustering.method, "train_annotations_for_measuring_only")
    assert method.items() <= clustering.model_dump().items()


def test_the_record_is_what_was_declared_without_how_it_was_logged():
    params = read_params(PARAMS, ("seed", "networks", "segmentation", "versions.segment"))
    segmentation = {key: value for key, value in CONTENT["segmentation"].items() if not key.endswith("_every")}
    assert len(CONTENT["segmentation"]) == len(segmentation) + 2
    expected = {"seed": CONTENT["seed"], "networks": CONTENT["networks"], "segmentation": segmentation}
    assert params.record() == expected | {"versions": {"segment": CONTENT["versions"]["segment"]}}
