"""Masks of finished sequences: put back byte by byte, or not at all."""

import pytest

from maskvos.datasets.sequences import open_layout
from maskvos.inference.finished_sequences import keep_sequence, restore_sequence
from maskvos.storage.finished import Finished
from maskvos.storage.masks import write_mask
from tests.inference.stubs import moving_square
from tests.stages.inputs import write_davis


@pytest.fixture
def scene(tmp_path):
    """A sequence of three frames, its masks as an evaluation wrote them, and where they are kept."""
    frames, masks = moving_square(3)
    write_davis(tmp_path, ["one"], frames, masks)
    for (name, _), mask in zip(frames, masks, strict=True):
        write_mask(tmp_path / "before/one" / f"{name}.png", mask)
    (sequence,) = open_layout("davis", tmp_path / "DAVIS", "val")
    finished = Finished(tmp_path / "kept", "a" * 64)
    keep_sequence(sequence, tmp_path / "before", finished)
    return tmp_path, sequence, finished


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_bytes(scene):
    folder, sequence, finished = scene
    assert restore_sequence(sequence, folder / "after", finished)
    assert files(folder / "after/one") == files(folder / "before/one")


def test_not_with_another_given_mask(scene):
    folder, sequence, finished = scene
    write_mask(sequence.masks[sequence.frames[0]], moving_square(2)[1][1])
    assert not restore_sequence(sequence, folder / "after", finished)
    assert not (folder / "after").exists()


def test_not_with_other_frames(scene):
    folder, sequence, finished = scene
    sequence.frames.append("00099")
    sequence.source.files["00099"] = sequence.source.files["00000"]
    assert not restore_sequence(sequence, folder / "after", finished)
    assert not (folder / "after").exists()


@pytest.mark.parametrize("change", ["another image", "none"])
def test_not_with_a_frame_that_has_changed(scene, change):
    folder, sequence, finished = scene
    first, second = (sequence.source.files[frame] for frame in sequence.frames[:2])
    if change == "none":
        second.unlink()
    else:
        second.write_bytes(first.read_bytes())
    assert not restore_sequence(sequence, folder / "after", finished)
    assert not (folder / "after").exists()
