"""The graph's shape follows from the parameters."""

import copy
from pathlib import Path

import pytest
import yaml

from maskvos.errors import UserError
from maskvos.params import validate
from maskvos.params.plan import derive_plan

CONTENT = yaml.safe_load((Path(__file__).resolve().parents[2] / "params.yaml").read_text())


def changed(**sections):
    content = copy.deepcopy(CONTENT)
    for name, values in sections.items():
        content[name].update(values)
    return content


def test_rounds_are_a_chain():
    rounds = derive_plan(changed(alternate={"rounds": 3}))["rounds"]
    assert rounds == {
        "0": {"previous": "artifacts/correspondence/weights"},
        "1": {"previous": "artifacts/rounds/0/weights"},
        "2": {"previous": "artifacts/rounds/1/weights"},
    }


def test_absent_sets_are_left_out_and_rows_know_their_weights():
    absent = {"source": "folder", "layout": "davis", "path": ""}
    present = {"source": "folder", "layout": "davis", "path": "somewhere"}
    content = changed(evaluation={"rows": ["copy", "backbone", "full"]}, alternate={"rounds": 2})
    content["data"]["evaluation"] = {"gone": absent, "here": present}
    plan = derive_plan(content)
    assert plan["sets"] == {"here": "here"}
    assert plan["baselines"] == {"here-copy": {"set": "here", "row": "copy", "weights": ""}}
    assert {key: row["weights"] for key, row in plan["models"].items()} == {
        "here-backbone": "artifacts/backbone/weights",
        "here-full": "artifacts/rounds/1/weights",
    }


def test_nothing_to_evaluate():
    content = changed()
    content["data"]["evaluation"] = {}
    plan = derive_plan(content)
    assert (plan["sets"], plan["baselines"], plan["models"]) == ({}, {}, {})
    assert plan["results"] == "artifacts/data/train.json"


def test_a_hand_edited_plan_is_refused():
    with pytest.raises(UserError, match="plan does not follow"):
        validate(changed(alternate={"rounds": CONTENT["alternate"]["rounds"] + 1}), "params.yaml")


def test_train_is_no_name_for_an_evaluation_set():
    content = changed()
    content["data"]["evaluation"]["train"] = content["data"]["evaluation"]["davis"]
    with pytest.raises(UserError, match="cannot be called 'train'"):
        validate(content, "params.yaml")
