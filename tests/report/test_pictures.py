"""Which frames, clips and sequences are shown."""

import pytest

from maskvos.report.pictures import prediction_galleries, pseudo_mask_galleries, spread
from maskvos.report.records import read_results
from tests.report.tree import make_tree


@pytest.mark.parametrize(
    ("count", "wanted", "places"), [(0, 3, []), (1, 3, [0]), (2, 3, [0, 1]), (5, 3, [0, 2, 4]), (9, 1, [0])]
)
def test_spread(count, wanted, places):
    assert spread(count, wanted) == places


def test_pseudo_masks_of_every_round(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    galleries = pseudo_mask_galleries(artifacts)
    assert [gallery.name for gallery in galleries] == ["one", "two"]
    strips = galleries[0].strips
    assert [(strip.title, strip.score) for strip in strips] == [
        ("Frame", ""),
        ("Round 0", "1 segment"),
        ("Round 1", "2 segments"),
    ]
    assert all(len(strip.images) == 3 for strip in strips)
    assert strips[0].images[0] != strips[1].images[0]


def test_predictions_beside_the_ground_truth(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    galleries = prediction_galleries(artifacts, "davis", read_results(artifacts)["davis"])
    assert [gallery.name for gallery in galleries] == ["dog", "cart", "ball"]  # from the best to the worst
    strips = galleries[0].strips
    assert [strip.title for strip in strips[:3]] == ["Ground truth", "Full method", "Correspondence only"]
    assert strips[1].score == "J&F 62.0"
    assert len({image for strip in strips[:2] for image in strip.images}) == 4
    assert galleries[0].first.startswith("data:image/jpeg")


def test_missing_prediction_leaves_a_gap(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    for path in (artifacts / "evaluation/davis/full/predictions/dog").glob("*.png"):
        path.unlink()
    galleries = prediction_galleries(artifacts, "davis", read_results(artifacts)["davis"])
    assert galleries[0].strips[1].images == [None, None]


def test_nothing_to_show(tmp_path):
    assert pseudo_mask_galleries(tmp_path) == []
    assert prediction_galleries(tmp_path, "davis", []) == []
