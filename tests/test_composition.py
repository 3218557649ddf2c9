"""conf/ is the source of params.yaml, for `maskvos compose` and for DVC alike."""

import functools
import shutil
from pathlib import Path

import pytest
import yaml
from dvc.utils.hydra import compose_and_dump
from dvc.utils.serialize import load_yaml

from maskvos.composition import compose, write_params
from maskvos.errors import UserError
from maskvos.params import read_all_params

ROOT = Path(__file__).resolve().parent.parent
PRESETS = {
    "demo": ["preset=demo"],
    "generated": ["preset=generated", "data.evaluation.davis.path=sets/davis"],
    "clips": ["preset=clips", "data.train.path=videos", "data.evaluation.multi.path=sets/multi"],
    "paper_r18": ["preset=paper_r18"],
    "released_r18": ["preset=released_r18"],
    "paper_r50": ["preset=paper_r50", "alternate.rounds=3", "segmentation.learning_rate=2e-6"],
}
ABLATIONS = sorted(path.stem for path in (ROOT / "conf" / "ablation").glob("*.yaml"))


def test_committed_params_are_the_default_composition():
    assert yaml.safe_load((ROOT / "params.yaml").read_text()) == compose(ROOT, [])


@pytest.mark.parametrize(
    "overrides",
    [*PRESETS.values(), [*PRESETS["clips"], "ablation=losses_seg_only", "segmentation.encoder_rate=0.5"]],
    ids=[*PRESETS, "ablation"],
)
def test_dvc_composes_the_same_and_both_read_what_is_written(overrides, tmp_path):
    content = compose(ROOT, overrides)
    write_params(content, tmp_path / "ours.yaml")
    compose_and_dump(tmp_path / "dvc.yaml", str(ROOT / "conf"), None, "config", str(ROOT), overrides)
    for name in ("ours.yaml", "dvc.yaml"):
        assert yaml.safe_load((tmp_path / name).read_text()) == content  # YAML 1.1, where 1e-05 would be a string
        assert load_yaml(tmp_path / name) == content  # DVC's YAML 1.2
        read_all_params(tmp_path / name)


def test_presets_differ_in_values_only():
    def keys(content):
        return {name: keys(value) if isinstance(value, dict) else None for name, value in content.items()}

    shapes = [keys(compose(ROOT, overrides)) for overrides in PRESETS.values()]
    for shape in shapes:
        del shape["plan"], shape["data"]["evaluation"]
    assert shapes.count(shapes[0]) == len(shapes)


def test_papers_numbers():
    params = compose(ROOT, ["preset=paper_r18"])
    assert (params["networks"]["last_layer"], params["networks"]["embedding_dim"]) == ("layer4", 128)
    correspondence, segmentation = params["correspondence"], params["segmentation"]
    assert (correspondence["epochs"], correspondence["batch"], correspondence["learning_rate"]) == (300, 16, 1e-4)
    assert (correspondence["schedule"], correspondence["step_epochs"]) == ("step", 100)
    assert (correspondence["short_weight"], correspondence["long_weight"]) == (0.1, 0.5)
    assert (segmentation["epochs"], segmentation["learning_rate"], params["alternate"]["rounds"]) == (10, 1e-5, 10)
    assert (params["clustering"]["clusters"], params["clustering"]["oversize"]) == (5, 0.4)
    assert params["inference"]["short_side"] == {"davis": None, "youtubevos": 480}


def test_one_override_gives_the_test_context_of_crw():
    """videoLen, topk, radius and temperature of its README; no radius for frame 0, whose copies the override adds."""
    inference = compose(ROOT, ["preset=paper_r18", "inference.pad_with_first=true"])["inference"]
    names = (
        "references",
        "top_k",
        "radius",
        "temperature",
        "pad_with_first",
        "first_radius",
        "rescale_limit",
        "lab_weight",
        "layer2_weight",
        "layer1_weight",
    )
    assert [inference[name] for name in names] == [20, 10, 12, 0.05, True, None, 1.0, 0.0, 0.0, 0.0]
    assert inference["short_side"]["davis"] is None


def flat(content, prefix=""):
    if not isinstance(content, dict):
        return {prefix: content}
    return {name: value for key, part in content.items() for name, value in flat(part, f"{prefix}.{key}").items()}


@functools.cache
def composed(*overrides):
    return flat(compose(ROOT, list(overrides)))


def changes(preset, ablation):
    """What an ablation sets in a preset, with the old value and the new; the plan left out because it follows."""
    before, after = composed(*PRESETS[preset]), composed(*PRESETS[preset], f"ablation={ablation}")
    return {
        name.removeprefix("."): (before.get(name), after.get(name))
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name) and not name.startswith(".plan.")
    }


@pytest.mark.parametrize("ablation", ABLATIONS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_ablation_fits_every_preset_and_is_named_as_its_file(preset, ablation):
    found = changes(preset, ablation)  # composing checks against the schema
    assert found.pop("ablation", ("none", "none")) == ("none", ablation)
    assert ablation != "none" or not found


ROWS = ["copy", "lab", "untrained", "correspondence", "full"]


@pytest.mark.parametrize(
    ("ablation", "expected", "rows"),
    [
        ("losses_short_only", {"correspondence.long_weight": (0.5, 0.0)}, ["correspondence"]),
        ("losses_long_only", {"correspondence.short_weight": (0.5, 0.0)}, ["correspondence"]),
        ("losses_both", {}, ["correspondence"]),
        (
            "losses_seg_only",
            {
                "correspondence.epochs": (80, 0),
                "segmentation.encoder_rate": (0.0, 1.0),
                "segmentation.short_weight": (0.1, 0.0),
                "segmentation.long_weight": (0.5, 0.0),
            },
            ["full"],
        ),
        ("losses_all", {"segmentation.encoder_rate": (0.0, 1.0)}, ["correspondence", "full"]),
        ("regime_contrastive", {"segmentation.encoder_rate": (0.0, 1.0)}, ["correspondence", "full"]),
        (
            "regime_photometric",
            {"correspondence.regime": ("contrastive", "photometric"), "segmentation.encoder_rate": (0.0, 1.0)},
            ["correspondence", "full"],
        ),
        (
            "regime_cycle",
            {"correspondence.regime": ("contrastive", "cycle"), "segmentation.encoder_rate": (0.0, 1.0)},
            ["correspondence", "full"],
        ),
    ],
)
def test_tables_4a_and_4f(ablation, expected, rows):
    assert changes("demo", ablation) == {
        "ablation": ("none", ablation),
        "evaluation.rows": (ROWS, rows),
        **expected,
    }


TABLES_4B_TO_4E = {
    **{f"references_{n}": {"inference.references": n} for n in (0, 15, 20, 25, 30)},
    **{f"clusters_{n}": {"clustering.clusters": n} for n in (3, 5, 8, 10)},
    "clusters_2": {"clustering.clusters": 2, "segmentation.objects": 1},
    **{f"refinement_{n}": {"inference.refinement_rounds": n} for n in range(6)},
    "update_never": {"segmentation.epochs": 100, "alternate.rounds": 1},
    **{f"update_{n}": {"segmentation.epochs": n, "alternate.rounds": -(-100 // n)} for n in (20, 15, 10, 5, 1)},
}


@pytest.mark.parametrize("ablation", TABLES_4B_TO_4E)
def test_tables_4b_to_4e(ablation):
    after = composed("preset=demo", f"ablation={ablation}")
    for name, value in TABLES_4B_TO_4E[ablation].items():
        assert after[f".{name}"] == value
    assert set(changes("demo", ablation)) <= {"ablation", "evaluation.rows", *TABLES_4B_TO_4E[ablation]}
    assert after[".evaluation.rows"] == ["full"]


@pytest.mark.parametrize(
    ("overrides", "davis", "youtubevos"),
    [
        (["preset=demo"], None, None),
        (["preset=clips", "data.train.path=videos"], 480, 480),
        (["preset=demo", "inference.short_side.davis=480"], 480, None),
        (["preset=paper_r50", "inference.short_side.youtubevos=null"], None, None),
    ],
)
def test_resolutions_by_layout(overrides, davis, youtubevos):
    assert compose(ROOT, overrides)["inference"]["short_side"] == {"davis": davis, "youtubevos": youtubevos}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["preset=dmo"], "unknown preset 'dmo'; there are clips, demo, generated, paper_r18, paper_r50"),
        (["ablation=regime_cycles"], "unknown ablation 'regime_cycles'; there are clusters_10, "),
        (["ablation=losses_seg_only", "segmentation.encoder_rate=0.0"], "so E never learns"),
        (["correspondence.epoch=3"], "did you mean 'correspondence.epochs'"),
        (["+correspondence.epoch=3"], "did you mean 'epochs'"),
        (["correspondence.epochs=many"], "'correspondence.epochs' is 'many'"),
        (["networks.backbone=resnet50", "networks.last_layer=layer4"], "last_layer to layer3"),
        (["preset=clips"], "data.train.path=FOLDER"),
        (["preset=paper_r18", "data.train.name=youtubevos2019-trian"], "did you mean 'youtubevos2019-train'"),
        (["preset=paper_r18", "data.train.layout=clips"], "data.train.layout: 'youtubevos2019-train' has no layout"),
        (["preset=paper_r18", "data.evaluation.davis.split=vall"], "no split 'vall'; did you mean 'val'?"),
        (["evaluation.rows=[copy,copy]"], "names copy more than once"),
        (["segmentation.max_gap=[0,3]"], "'segmentation.max_gap.0' is 0"),
        (["data.folder="], "'data.folder' is ''"),
        (
            ["inference.short_side=480"],
            "a section, not 480; set inference.short_side.davis, inference.short_side.youtubevos",
        ),
        (["inference.short_side.davs=480"], "did you mean 'inference.short_side.davis'"),
        (["seed=1,2"], "seed=1,2"),
        (["seed"], "seed"),
        (["=3"], "unknown parameter ''"),
        (["=word"], "unknown parameter ''"),
        (["preset=3"], "unknown preset '3'"),
    ],
)
def test_wrong_overrides_are_explained(overrides, words):
    with pytest.raises(UserError) as caught:
        compose(ROOT, overrides)
    assert words in str(caught.value)


def test_paths_need_no_quoting():
    path = "/some where/it's, a=b/{x}"
    assert compose(ROOT, ["preset=clips", f"data.train.path={path}"])["data"]["train"]["path"] == path
    key = "train_annotations_for_measuring_only"
    assert compose(ROOT, [f"clustering.{key}={path}"])["clustering"][key] == path


def test_outside_a_checkout(tmp_path):
    with pytest.raises(UserError, match="root of the checkout"):
        compose(tmp_path, [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1\n", r"a file there cannot be read: .*mine\.yaml"),
        (b"seed: caf\xe9\n", "a file there cannot be read: .*utf-8"),
        (b"defaults: [nothere]\n", "cannot be composed with .*ablation=mine.*nothere"),
    ],
    ids=["yaml", "encoding", "defaults"],
)
def test_a_faulty_file_in_conf_is_one_line(tmp_path, content, message):
    for name in ("conf", "hydra_plugins"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "conf/ablation/mine.yaml").write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        compose(tmp_path, ["ablation=mine"])
    assert "\n" not in str(error.value)
