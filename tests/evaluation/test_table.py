import io

import numpy as np
from rich.console import Console

from maskvos.evaluation.result import Result
from maskvos.evaluation.statistics import score_object
from maskvos.evaluation.table import MOST_OBJECTS, print_table


def render(objects: int) -> str:
    scores = {
        ("clip", identity): score_object(np.full(4, 0.25), np.full(4, 0.75)) for identity in range(1, objects + 1)
    }
    console = Console(file=io.StringIO(), width=140)
    print_table(Result("test protocol", scores, {"seen": list(scores)}), console)
    return console.file.getvalue()


def test_a_row_an_object_then_groups_then_the_mean():
    text = render(12)
    places = [
        text.index(name) for name in ("clip_1 ", "clip_2 ", "clip_10", "mean, seen categories", "mean over objects")
    ]
    assert places == sorted(places)
    assert "0.500" in text
    assert "0.250" in text


def test_the_overall_figure_stands_last():
    scores = {("clip", identity): score_object(np.full(4, 0.25), np.full(4, identity / 4)) for identity in (1, 2)}
    console = Console(file=io.StringIO(), width=140)
    print_table(Result("test", scores, {"seen": [("clip", 1)], "unseen": [("clip", 2)]}), console)
    last = console.file.getvalue().strip().splitlines()[-1]
    assert "overall: mean of J, F seen and unseen" in last
    assert "0.312" in last  # (0.25 + 0.25 + 0.25 + 0.5) / 4


def test_very_many_objects_are_a_row_a_sequence():
    text = render(MOST_OBJECTS + 1)
    assert "clip_1" not in text
    assert f"{MOST_OBJECTS + 1} objects in 1 sequences" in text
