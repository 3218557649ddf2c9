"""``maskvos weights show`` and ``export``."""

import json
from pathlib import Path

import pytest
import torch
import yaml

from maskvos.cli import main
from maskvos.errors import UserError
from maskvos.networks.encoder import VisualEncoder
from maskvos.networks.files import load_encoder, load_model, save_network
from maskvos.networks.model import MaskVOS
from maskvos.networks.weights_command import recorded_commit
from maskvos.storage.descriptions import FILE
from maskvos.storage.fingerprints import file_fingerprint
from maskvos.storage.weights import load_weights, save_weights
from tests.tiny import networks

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["weights", *map(str, arguments)])
    return ended.value.code


def record_of(weights, revision):
    return {"revision": revision, "weights_sha256": file_fingerprint(weights / FILE)}


@pytest.fixture
def folder(tmp_path):
    save_network(tmp_path / "encoder", VisualEncoder(networks()), "encoder", networks(), training={"a": 1})
    (tmp_path / "logs").mkdir()
    record = record_of(tmp_path / "encoder", "0123456789ab, tree as committed")
    (tmp_path / "logs/pretrain_correspondence.json").write_text(json.dumps(record))
    return tmp_path


def test_show_prints_the_description_and_counts(folder, capsys):
    assert run("show", folder / "encoder") == 0
    shown = capsys.readouterr().out
    body, last = shown.rstrip().rsplit("\n", 1)
    description = json.loads(body)
    assert description["kind"] == "encoder" and description["networks"] == networks().model_dump()
    tensors = VisualEncoder(networks()).state_dict()
    assert last == f"{len(tensors)} tensors, {sum(t.numel() for t in tensors.values()):,} numbers (float32, int64)"


def test_export_adds_commit_and_licence_and_changes_no_tensor(folder):
    output = folder / "out" / "maskvos-r18.safetensors"
    options = ("--licence", "CC BY 4.0", "--logs", folder / "logs", "--data", "my holidays")
    assert run("export", folder / "encoder", "--output", output, *options) == 0
    before, described = load_weights(folder / "encoder" / FILE)
    after, published = load_weights(output)
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    extra = {"commit": "0123456789ab, tree as committed", "licence": "CC BY 4.0", "data": "my holidays"}
    assert published == described | extra
    load_encoder(output, networks())
    written = output.read_bytes()
    assert run("export", folder / "encoder", "--output", output, *options) == 2  # never over other weights
    assert output.read_bytes() == written
    assert run("export", output, "--output", folder / "again.safetensors", *options) == 0
    assert (folder / "again.safetensors").read_bytes() == written


def test_a_commit_by_hand_and_a_model(folder):
    save_network(folder / "model", MaskVOS(networks()), "model", networks(), training={"segment": {"round": 4}})
    options = ("--licence", "MIT", "--logs", folder / "logs")
    assert run("export", folder / "model", "--output", folder / "m.safetensors", *options) == 2
    assert not (folder / "m.safetensors").exists()
    assert run("export", folder / "model", "--output", folder / "m.safetensors", *options, "--commit", "abc") == 0
    assert load_weights(folder / "m.safetensors")[1]["commit"] == "abc"
    load_model(folder / "m.safetensors", networks())
    (folder / "logs/segment-4.json").write_text(json.dumps(record_of(folder / "model", "def, tree as committed")))
    assert run("export", folder / "model", "--output", folder / "n.safetensors", *options) == 0
    assert load_weights(folder / "n.safetensors")[1]["commit"] == "def, tree as committed"


def test_half_precision_and_settings(folder):
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    options = ("--licence", "MIT", "--commit", "abc", "--half", "--params", folder / "params.yaml")
    assert run("export", folder / "encoder", "--output", folder / "half.safetensors", *options) == 0
    before, _ = load_weights(folder / "encoder" / FILE)
    after, described = load_weights(folder / "half.safetensors")
    assert {str(value.dtype) for value in after.values()} == {"torch.float16", "torch.int64"}
    inference = yaml.safe_load((ROOT / "params.yaml").read_text())["inference"]
    assert described["inference"] == inference | {"short_side": inference["short_side"]["davis"]}
    read = load_encoder(folder / "half.safetensors", networks()).state_dict()
    for name, value in read.items():
        assert value.dtype == before[name].dtype  # worked with in full precision
        torch.testing.assert_close(value, before[name], rtol=2**-11, atol=2**-25)


def test_numbers_that_half_precision_does_not_hold(folder, capsys):
    tensors, described = load_weights(folder / "encoder" / FILE)
    name = next(name for name, value in tensors.items() if value.is_floating_point())
    tensors[name].flatten()[0] = 70000.0
    save_weights(folder / "large.safetensors", tensors, {"kind": described["kind"]})
    options = ("--licence", "MIT", "--commit", "abc", "--half")
    assert run("export", folder / "large.safetensors", "--output", folder / "half.safetensors", *options) == 2
    assert f"{name} holds numbers beyond 65504. Leave --half out." in capsys.readouterr().err
    assert not (folder / "half.safetensors").exists()


def test_a_record_of_other_weights_is_not_believed(folder, capsys):
    save_network(folder / "encoder", VisualEncoder(networks()), "encoder", networks(), training={"a": 2})
    options = ("--licence", "MIT", "--logs", folder / "logs")
    assert run("export", folder / "encoder", "--output", folder / "m.safetensors", *options) == 2
    assert "has run again since" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"revision": "unknown, not a git checkout"}'])
def test_records_without_a_commit(folder, content):
    known = json.dumps({"weights_sha256": file_fingerprint(folder / "encoder" / FILE)})
    text = content[:-1] + ", " + known[1:] if "unknown" in content else content
    (folder / "logs/pretrain_correspondence.json").write_text(text)
    with pytest.raises(UserError, match=r"pretrain_correspondence\.json: .*Give --commit"):
        recorded_commit(folder / "encoder" / FILE, {"kind": "encoder"}, folder / "logs")


def test_only_networks_of_a_stage_are_exported(folder, capsys):
    save_weights(folder / "p.safetensors", {"x": torch.zeros(1)}, {"kind": "pseudo_masks"})
    assert run("export", folder / "p.safetensors", "--output", folder / "q.safetensors", "--licence", "x") == 2
    assert "holds 'pseudo_masks'" in capsys.readouterr().err
