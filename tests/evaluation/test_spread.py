import numpy as np

from maskvos.evaluation.spread import pick_spread


def test_lowest_first_and_neighbours_of_the_same_object_left_out():
    values = {"a": np.array([0.9, 0.1, 0.2, 0.5, 0.5, 0.5, 0.3]), "b": np.array([0.15, 0.8])}
    assert pick_spread(values, 4, apart=5) == [("a", 1), ("b", 0), ("a", 6)]
    assert pick_spread(values, 2, apart=5) == [("a", 1), ("b", 0)]
    assert pick_spread(values, 4, apart=4) == [("a", 1), ("b", 0), ("a", 6)]
    assert pick_spread(values, 4, apart=1) == [("a", 1), ("b", 0), ("a", 2), ("a", 6)]


def test_distance_of_exactly_apart_is_enough():
    assert pick_spread({"a": np.array([0.1, 0.3, 0.3, 0.2])}, 9, apart=3) == [("a", 0), ("a", 3)]
    assert pick_spread({"a": np.array([0.1, 0.3, 0.2])}, 9, apart=3) == [("a", 0)]


def test_a_lost_object_does_not_push_out_another_lost_one():
    values = {"lost": np.zeros(30), "also": np.array([0.4, 1e-12])}
    assert pick_spread(values, 3) == [("lost", 0), ("also", 1), ("lost", 5)]


def test_nothing_to_pick():
    assert pick_spread({}, 3) == []
    assert pick_spread({"a": np.zeros(3)}, 0) == []
