"""Drawings: valid SVG in the page's colours, unique ids."""

import re
from xml.etree import ElementTree

import numpy as np

from maskvos.report.curves import Panel
from maskvos.report.plots import draw


def panel(title="loss", **options):
    return Panel(title, np.arange(5.0) * 10_000, np.array([3.0, 2, 1, 1, 0.5]), **options)


def test_svg_is_valid_and_takes_the_pages_colours():
    svg = draw(panel(boundaries=(20_000.0,)), "g")
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "viewBox" in root.attrib
    assert "width" not in root.attrib
    assert "currentColor" in svg
    assert "var(--accent)" in svg
    assert "#010203" not in svg
    assert "#040506" not in svg
    assert "40k" in svg


def test_same_panel_same_drawing():
    assert draw(panel(), "g") == draw(panel(), "g")


def test_ids_are_unique_over_drawings():
    svg = draw(panel(), "one") + draw(panel(), "two") + draw(panel("short", points=True), "two")
    found = re.findall(r' id="([^"]*)"', svg)
    assert len(found) == len(set(found))


def test_title_is_escaped():
    ElementTree.fromstring(draw(panel('a<b & "c"'), "g"))


def test_points_start_at_zero_even_if_all_are_zero():
    ElementTree.fromstring(draw(Panel("none", np.array([0.0]), np.array([0.0]), axis="round", points=True), "g"))
