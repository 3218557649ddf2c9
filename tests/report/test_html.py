"""The page: complete, self-contained, and whole when parts of the run are absent."""

import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from maskvos.report.html import render_report
from maskvos.revision import Revision
from tests.report.tree import add_leftovers, make_params, make_tree

REVISION = Revision("a" * 40, ["params.yaml"])
VOID = {"meta", "img", "br", "link", "input", "hr", "path", "use"}


class Checker(HTMLParser):
    """Collects ids and text, and notes elements that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.wrong, self.text = [], [], [], ""

    def handle_starttag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.wrong.append(tag)

    def handle_data(self, data):
        self.text += data


def check(page):
    checker = Checker()
    checker.feed(page)
    assert not checker.wrong
    assert not checker.open
    assert len(checker.ids) == len(set(checker.ids))
    return checker.text


def test_page_is_well_formed_and_complete(tmp_path):
    artifacts, logs = make_tree(tmp_path)
    page = render_report(make_params(), artifacts, logs, REVISION)
    text = check(page)
    for expected in (
        "60.0",
        "Copy of the first mask",
        "74.5",
        "ball",
        "Round 1",
        "a" * 40,
        "params.yaml",
        "cccccccccccc, tree as committed",
    ):
        assert expected in text
    for expected in (
        "Some CPU, 2 cores",
        "not recorded",
        "truncated <JPEG>",
        "embedding_dim: 128",
        "4.57 steps/s",
        "+10.0 against",
    ):
        assert expected in text
    assert page.count("<svg") == 3 + 3 + 5 + 4  # backbone, correspondence, segmentation, clustering
    assert len(page) < 1_000_000


def test_clustering_by_round_and_what_it_was_measured_with(tmp_path):
    artifacts, logs = make_tree(tmp_path)
    text = check(render_report(make_params(), artifacts, logs, REVISION))
    assert "Dropped as oversized" in text and "Best-overlap IoU" not in text
    for path in artifacts.glob("rounds/*/clustering.json"):
        content = json.loads(path.read_text())
        content["summary"] |= {"best_overlap_mean": 0.314, "annotated_objects": 30}
        path.write_text(json.dumps(content))
    page = render_report(make_params(), artifacts, logs, REVISION)
    text = check(page)
    assert "31.4" in text and "nothing learns from annotations" in text
    assert page.count("<svg") == 3 + 3 + 5 + 5  # one more panel


def test_page_ignores_what_an_earlier_experiment_left(tmp_path):
    artifacts, logs = make_tree(tmp_path)
    before = render_report(make_params(), artifacts, logs, REVISION)
    add_leftovers(artifacts)
    assert render_report(make_params(), artifacts, logs, REVISION) == before


def test_page_needs_nothing_from_outside_and_tells_no_host(tmp_path):
    artifacts, logs = make_tree(tmp_path)
    page = render_report(make_params(), artifacts, logs, REVISION)
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page.replace('xlink:href="#', 'href="#'))
    assert "@import" not in page
    assert "secret-host" not in page
    assert str(tmp_path) not in page


@pytest.mark.parametrize(
    ("absent", "says"),
    [
        ("evaluation", "Nothing was scored"),
        ("rounds", "No pseudo masks to show"),
        ("frames", "No frame store was recorded"),
        ("data", "No dataset was recorded"),
        ("backbone", "Not recorded."),
    ],
)
def test_absent_parts_are_named(tmp_path, absent, says):
    artifacts, logs = make_tree(tmp_path)
    shutil.rmtree(artifacts / absent)
    assert says in check(render_report(make_params(), artifacts, logs, REVISION))


@pytest.mark.parametrize("ablation", ["none", "losses_all"])
def test_an_ablation_is_named(tmp_path, ablation):
    params = make_params().model_copy(update={"ablation": ablation})
    page = render_report(params, tmp_path / "artifacts", tmp_path / "logs", REVISION)
    check(page)
    assert ("<dt>Ablation</dt><dd>losses_all</dd>" in page) == (ablation != "none")


def test_nothing_at_all(tmp_path):
    text = check(render_report(make_params(), tmp_path / "artifacts", tmp_path / "logs", Revision("unknown", [])))
    assert "not a git checkout" in text


def test_a_set_without_ground_truth(tmp_path):
    artifacts, logs = make_tree(tmp_path)
    for path in artifacts.glob("evaluation/davis/*/metrics.json"):
        path.write_text(json.dumps({"protocol": "none: x", "global": {}, "sequences": {}, "objects": {}}))
    text = check(render_report(make_params(), artifacts, logs, REVISION))
    assert "Not scored" in text
    assert "ball" in text
