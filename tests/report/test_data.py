"""The data section."""

from maskvos.report.data import summarise_data
from tests.report.tree import add_leftovers, make_params, make_tree


def test_datasets_store_and_damage(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    add_leftovers(artifacts)
    summary = summarise_data(artifacts, make_params().plan)
    assert summary.datasets is not None
    assert [line.label for line in summary.datasets.lines] == ["train", "davis"]
    assert [cell.text for cell in summary.datasets.lines[1].cells] == ["davis", "val", "3", "18", "CC0"]
    assert summary.store == "The frame store holds 12 frames of 2 clips, 64x48 pixels."
    assert summary.left_out == ["two/00009: truncated <JPEG>"]


def test_nothing_recorded(tmp_path):
    summary = summarise_data(tmp_path, make_params().plan)
    assert summary.datasets is None
    assert summary.store == "No frame store was recorded."
