"""What a stage depends on is what its script declares."""

import pytest

from maskvos.errors import UserError
from maskvos.orchestration import declared_parameters, fetch_parameters, planned, resources, tracked


def test_declaration_is_read_without_importing(tmp_path):
    script = tmp_path / "stage.py"
    script.write_text("import nothing_of_that_name\nPARAMETERS: tuple[str, ...] = ('seed', 'data')\n")
    assert declared_parameters(script) == ("seed", "data")
    script.write_text("OTHER = 1\n")
    with pytest.raises(UserError, match="declares no PARAMETERS"):
        declared_parameters(script)


def test_a_fetch_depends_on_its_own_dataset():
    sections = ("seed", "data")
    assert fetch_parameters(sections, "train") == ("seed", "data.folder", "data.train")
    assert fetch_parameters(sections, "davis") == ("seed", "data.folder", "data.evaluation.davis")


def test_tracked_values_are_exact_and_ordered():
    content = {"a": {"y": 1e-5, "x": [1, None]}, "b": 2}
    assert tracked(content, ("a", "a.y")) == {"a": '{"x": [1, null], "y": 1e-05}', "a.y": "1e-05"}


def test_memory_grows_with_retries():
    row = resources({"threads": 4, "mem_mb": 1000, "runtime": 60})
    assert row["runtime"] == 60 and "threads" not in row
    assert [row["mem_mb"](None, attempt) for attempt in (1, 2, 3)] == [1000, 1500, 2000]


def test_processes_ask_for_a_gpu_each_and_for_their_nodes():
    row = {"threads": 4, "mem_mb": 1000, "runtime": 60, "gpu": 1}
    assert "nodes" not in resources(row) and resources(row)["gpu"] == 1
    assert {"gpu": 4, "nodes": 1}.items() <= resources(row, 4).items() and "mpi" not in resources(row, 4)
    asked = {"gpu": 8, "nodes": 2, "mpi": "srun", "tasks": 2, "tasks_per_gpu": 0}
    assert asked.items() <= resources(row, 4, 2).items()
    assert "gpu" not in resources({"threads": 4, "mem_mb": 1000, "runtime": 60}, 4, 2)


def test_a_target_outside_the_plan_is_told_what_there_is():
    assert planned({"0": "a", "1": "b"}, "1", "round", "") == "b"
    with pytest.raises(UserError, match=r"no round '9' in this experiment; there are 0, 1\. Raise it\."):
        planned({"0": "a", "1": "b"}, "9", "round", "Raise it.")
