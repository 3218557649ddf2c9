"""An interrupted evaluation goes on behind the sequences it has finished, and mixes in none of another run."""

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
import yaml

import stages.evaluate
from maskvos.errors import UserError
from maskvos.inference.finished_sequences import keep_sequence as keep
from maskvos.params import read_params
from maskvos.storage.descriptions import FILE
from maskvos.storage.finished import Finished
from maskvos.storage.masks import read_mask, write_mask
from stages.evaluate import PARAMETERS, run_fingerprint
from tests.stages.evaluating import contents, run, write_sets

KEPT = "checkpoints"
FRAMES = "DAVIS/JPEGImages/480p"


@pytest.fixture
def folder(tmp_path):
    return write_sets(tmp_path)


def interrupt(folder, **options):
    """A run that ends within the second sequence, at a damaged frame, which is then mended."""
    path = folder / FRAMES / "two/00003.png"
    sound = path.read_bytes()
    path.write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"00003\.png"):
        run(folder, **{"checkpoints": folder / KEPT} | options)
    path.write_bytes(sound)


def edit(folder, section, **values):
    params = yaml.safe_load((folder / "params.yaml").read_text())
    (params[section] if section else params).update(values)
    (folder / "params.yaml").write_text(yaml.safe_dump(params))


def test_the_bytes_of_a_run_without_a_break(folder):
    whole, _ = run(folder, output="whole")
    interrupt(folder)
    assert not contents(folder / "out")
    output, record = run(folder, checkpoints=folder / KEPT)
    assert contents(output) == contents(whole)
    assert (record["frames"], record.get("frames_of_an_earlier_run", 0)) == (10, 5)
    assert not contents(folder / KEPT)


def test_interrupted_while_it_scores(folder, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    whole, _ = run(folder, output="whole")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(stages.evaluate, "score_predictions", stop)
        run(folder, checkpoints=folder / KEPT)
    shutil.rmtree(folder / "out")
    output, record = run(folder, checkpoints=folder / KEPT)
    assert contents(output) == contents(whole)
    assert record.get("frames_of_an_earlier_run", 0) == 10 and "fps" not in record  # nothing was measured


def test_a_corrected_first_mask_makes_its_sequence_another(folder):
    interrupt(folder)
    path = folder / "DAVIS/Annotations/480p/one/00000.png"
    mask = read_mask(path).copy()
    mask[:2, :2] = mask.max()
    write_mask(path, mask)
    whole, _ = run(folder, output="whole")
    output, record = run(folder, checkpoints=folder / KEPT)
    assert "frames_of_an_earlier_run" not in record and contents(output) == contents(whole)


def test_a_mended_frame_makes_its_sequence_another(folder):
    interrupt(folder)
    path = folder / FRAMES / "one/00002.png"
    path.write_bytes((folder / FRAMES / "one/00001.png").read_bytes())
    whole, _ = run(folder, output="whole")
    output, record = run(folder, checkpoints=folder / KEPT)
    assert "frames_of_an_earlier_run" not in record and contents(output) == contents(whole)


def test_memory_that_runs_out_says_what_to_lower_and_keeps_what_is_done(folder, monkeypatch):
    def too_large(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")

    with monkeypatch.context() as patched:
        patched.setattr(stages.evaluate, "keep_sequence", lambda *given: (keep(*given), too_large()))
        with pytest.raises(UserError, match=r"evaluate: out of memory .*inference\.references"):
            run(folder, checkpoints=folder / KEPT)
    assert not contents(folder / "out")
    assert run(folder, checkpoints=folder / KEPT)[1]["frames_of_an_earlier_run"] == 5


@pytest.mark.parametrize("damage", ["truncated", "a frame is missing"])
def test_a_sequence_that_did_not_survive_is_made_again(folder, damage):
    whole, _ = run(folder, output="whole")
    interrupt(folder)
    (path,) = (folder / KEPT).glob("*/one-*")
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        finished = Finished(folder / KEPT, path.parent.name)
        files = finished.restore(path.stem)
        files.popitem()
        finished.keep(path.stem, files)
    output, record = run(folder, checkpoints=folder / KEPT)
    assert "frames_of_an_earlier_run" not in record and contents(output) == contents(whole)


def test_a_set_that_nothing_tells_from_others_keeps_nothing(folder):
    manifest = json.loads((folder / "davis.json").read_text())
    del manifest["fingerprint"]
    (folder / "davis.json").write_text(json.dumps(manifest))
    interrupt(folder)
    assert not (folder / KEPT).exists()


def test_other_parameters_start_afresh(folder):
    interrupt(folder)
    edit(folder, "inference", top_k=3)
    _, record = run(folder, checkpoints=folder / KEPT)
    assert record.get("frames_of_an_earlier_run", 0) == 0
    assert not contents(folder / KEPT)


def test_a_copy_of_the_repository_goes_on_where_another_was_killed(folder, monkeypatch):
    monkeypatch.setenv("MASKVOS_CHECKPOINTS", str(folder / "common"))
    interrupt(folder, checkpoints=folder / "copy1")
    _, other = run(folder, row="copy", output="copy", checkpoints=folder / "copy1")
    _, record = run(folder, checkpoints=folder / "copy2")
    assert (other.get("frames_of_an_earlier_run", 0), record.get("frames_of_an_earlier_run", 0)) == (0, 5)
    assert not contents(folder / "common") and not list(folder.glob("copy?"))


def test_without_a_folder_nothing_is_kept(folder):
    interrupt(folder, checkpoints=None)
    assert "frames_of_an_earlier_run" not in run(folder)[1]


@pytest.mark.parametrize(
    ("section", "values"),
    [
        *(("inference", {"top_k": 3}), ("inference", {"kept_mask": "mean"}), ("networks", {"embedding_dim": 24})),
        *((None, {"seed": 7}), (None, {"precision": "bf16"}), ("versions", {"evaluate": 99})),
    ],
)
def test_every_parameter_tells_runs_apart(folder, section, values):
    edit(folder, None, precision="fp32")  # "auto" is this or bf16, by the processor
    before = of(folder)
    edit(folder, section, **values)
    assert of(folder) != before


@pytest.mark.parametrize(
    "other", [{"row": "untrained"}, {"fingerprint": "b"}, {"layout": "youtubevos"}, {"device": "cuda"}]
)
def test_every_input_tells_runs_apart(folder, other):
    assert of(folder, **other) != of(folder)


def test_weights_tell_runs_apart_by_their_bytes(folder):
    (folder / "a").mkdir()
    (folder / "a" / FILE).write_bytes(b"a")
    first = of(folder, weights=folder / "a")
    shutil.copytree(folder / "a", folder / "b")
    assert of(folder, weights=folder / "b") == first != of(folder)
    (folder / "b" / FILE).write_bytes(b"b")
    assert of(folder, weights=folder / "b") != first


def test_threads_do_not(folder):
    before = of(folder)
    edit(folder, "runtime", threads=2)
    assert of(folder) == before


def of(folder, row="lab", weights=None, layout="davis", fingerprint="a", device="cpu"):
    params = read_params(folder / "params.yaml", PARAMETERS)
    manifest = {"layout": layout, "fingerprint": fingerprint}
    return run_fingerprint(SimpleNamespace(row=row, weights=weights), params, manifest, torch.device(device))
