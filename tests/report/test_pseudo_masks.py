"""Pseudo masks over frames of the store."""

from maskvos.report.pseudo_masks import pseudo_mask_galleries
from tests.report.tree import add_leftovers, make_params, make_tree


def test_pseudo_masks_of_every_round_of_the_plan(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    add_leftovers(artifacts)
    galleries = pseudo_mask_galleries(artifacts, make_params().plan)
    assert [gallery.name for gallery in galleries] == ["one", "two"]
    strips = galleries[0].strips
    assert [(strip.title, strip.score) for strip in strips] == [
        ("Frame", ""),
        ("Round 0", "1 segment"),
        ("Round 1", "2 segments"),
    ]
    assert all(len(strip.images) == 3 for strip in strips)
    assert strips[0].images[0] != strips[1].images[0]


def test_nothing_to_show(tmp_path):
    assert pseudo_mask_galleries(tmp_path, make_params().plan) == []
