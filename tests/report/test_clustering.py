"""The clustering's statistics as a table: a line for each round of the plan, columns that some round has."""

import json

from maskvos.report.clustering import clustering_table
from maskvos.tables.table import ABSENT
from tests.report.tree import add_leftovers, make_params, make_tree


def change_summary(artifacts, number, **values):
    path = artifacts / "rounds" / str(number) / "clustering.json"
    content = json.loads(path.read_text())
    content["summary"] |= values
    path.write_text(json.dumps(content))


def cells(table):
    titles = table.columns[1:]
    return {line.label: dict(zip(titles, [cell.text for cell in line.cells], strict=True)) for line in table.lines}


def test_rounds_of_the_plan_with_what_they_recorded(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    add_leftovers(artifacts)
    change_summary(artifacts, 1, agreement_mean=0.4567, clips=1234, iterations_mean=33.333)
    found = cells(clustering_table(artifacts, make_params().plan))
    assert list(found) == ["Round 0", "Round 1"]
    first, second = found.values()
    assert (first["Clips"], second["Clips"]) == ("2", "1,234")
    assert (first["Clusters kept a clip"], second["Clusters kept a clip"]) == ("4.0", "3.0")
    assert (first["Largest cluster, %"], first["Dropped as oversized, %"]) == ("30.0", "10.0")
    assert (first["Iterations"], second["Iterations"]) == (ABSENT, "33.3")
    assert first["Agreement with the round before, %"] == ABSENT
    assert second["Agreement with the round before, %"] == "45.7"
    assert "Best-overlap IoU, %" not in first


def test_best_overlap_where_it_was_measured(tmp_path):
    artifacts, _ = make_tree(tmp_path)
    for number in (0, 1):
        change_summary(artifacts, number, best_overlap_mean=0.25 + number / 10, annotated_objects=30)
    found = cells(clustering_table(artifacts, make_params().plan))
    assert [line["Best-overlap IoU, %"] for line in found.values()] == ["25.0", "35.0"]
    assert found["Round 1"]["Annotated objects"] == "30"


def test_no_round_no_table(tmp_path):
    assert clustering_table(tmp_path, make_params().plan) is None
