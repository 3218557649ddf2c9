"""Arrays in, figures out: against plain loops for each protocol, streaming, clean errors, no imports to spare."""

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from maskvos.evaluation import evaluate_masks
from maskvos.evaluation.davis import evaluate_davis
from maskvos.evaluation.statistics import FIGURES
from tests.evaluation.masks import random_ids, write_sequence
from tests.evaluation.reference import boundary_f, jaccard, statistics


def make_pair(seed: int, ids: list[int], length: int = 7) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth, prediction = (np.array([random_ids(random, 14, 19, ids) for _ in range(length)]) for _ in range(2))
    truth[0, 0, : len(ids)] = ids
    truth[1:3, 3, 3] = 255  # void counts as background
    return truth, prediction


def expected_frames(truth: np.ndarray, identity: int, protocol: str) -> list[int]:
    if protocol == "davis":
        return list(range(1, len(truth) - 1))
    if protocol == "all":
        return list(range(len(truth)))
    first = min(place for place, mask in enumerate(truth) if (mask == identity).any())
    return list(range(first + 1, len(truth)))


def check(found, truth: np.ndarray, prediction: np.ndarray, protocol: str, ids: list[int]):
    assert list(found.objects) == ids
    for identity, scores in found.objects.items():
        frames = expected_frames(truth, identity, protocol)
        pairs = [(truth[frame] == identity, prediction[frame] == identity) for frame in frames]
        J, F = [jaccard(*pair) for pair in pairs], [boundary_f(*pair) for pair in pairs]
        assert list(scores.frames) == frames
        assert list(scores.J) == pytest.approx(J, abs=1e-12)
        assert list(scores.F) == pytest.approx(F, abs=1e-12)
        figures = [getattr(scores.figures, figure) for figure in FIGURES]
        assert figures == pytest.approx([*statistics(J), *statistics(F)], abs=1e-12)
    for figure in FIGURES:
        over_objects = [getattr(scores.figures, figure) for scores in found.objects.values()]
        assert getattr(found.mean, figure) == pytest.approx(sum(over_objects) / len(over_objects), abs=1e-12)
    assert found.mean.JF_mean == pytest.approx((found.mean.J_mean + found.mean.F_mean) / 2)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("protocol", ["davis", "youtubevos", "all"])
def test_every_protocol_equals_plain_loops(protocol: str, seed: int):
    truth, prediction = make_pair(seed, [1, 2, 3])
    found = evaluate_masks(truth, prediction, protocol=protocol)
    assert found.protocol == protocol
    check(found, truth, prediction, protocol, [1, 2, 3])


@pytest.mark.parametrize("protocol", ["youtubevos", "all"])
def test_late_objects_and_ids_with_gaps(protocol: str):
    truth, prediction = make_pair(5, [2, 9])
    truth[truth == 9] = 0
    truth[3:, 5:8, 5:8] = 9
    prediction[0][prediction[0] == 9] = 0  # neither side has 9 there: J and F are 1
    check(evaluate_masks(truth, prediction, protocol=protocol), truth, prediction, protocol, [2, 9])


def test_davis_counts_ids_of_the_first_frame_up_to_the_highest():
    truth, prediction = make_pair(6, [1, 3])
    found = evaluate_masks(truth, prediction)
    check(found, truth, prediction, "davis", [1, 2, 3])
    assert found.objects[2].figures.J_mean == 1.0


def test_davis_leaves_out_objects_that_come_later():
    truth, prediction = make_pair(10, [1])
    truth[3:, 5:8, 5:8] = 4
    check(evaluate_masks(truth, prediction), truth, prediction, "davis", [1])
    prediction[4, 0, 0] = 4
    with pytest.raises(ValueError, match="frame 4: the prediction holds id 4"):
        evaluate_masks(truth, prediction)


@pytest.mark.parametrize("protocol", ["davis", "youtubevos", "all"])
def test_chosen_objects_and_other_ids_ignored(protocol: str):
    truth, prediction = make_pair(7, [1, 2, 4])
    prediction[3, 2, 2] = 77
    check(evaluate_masks(truth, prediction, [4, 1], protocol), truth, prediction, protocol, [1, 4])


def test_equals_the_evaluation_of_files(tmp_path: Path):
    truth, prediction = make_pair(8, [1, 2])
    write_sequence(tmp_path / "root" / "Annotations" / "480p" / "clip", list(truth))
    write_sequence(tmp_path / "predictions" / "clip", list(prediction))
    files = evaluate_davis(tmp_path / "root", tmp_path / "predictions", sequences=["clip"])
    found = evaluate_masks(truth, prediction)
    for identity, scores in found.objects.items():
        assert files.scores["clip", identity] == {figure: getattr(scores.figures, figure) for figure in FIGURES}
        assert files.frames["clip", identity].frames == tuple(f"{place:05d}" for place in scores.frames)
        assert (files.frames["clip", identity].J == scores.J).all()
        assert (files.frames["clip", identity].F == scores.F).all()


def test_a_stream_whose_buffer_is_used_again():
    truth, prediction = make_pair(9, [1, 2])

    def stream(masks: np.ndarray) -> Iterator[np.ndarray]:
        buffer = np.empty_like(masks[0])
        for mask in masks:
            buffer[:] = mask
            yield buffer

    for protocol in ("davis", "youtubevos", "all"):
        check(evaluate_masks(stream(truth), stream(prediction), None, protocol), truth, prediction, protocol, [1, 2])


def test_memory_does_not_grow_with_the_length():
    mask = np.zeros((200, 200), np.uint8)
    mask[50:90, 60:99] = 1

    def peak(length: int) -> int:
        tracemalloc.start()
        evaluate_masks((mask.copy() for _ in range(length)), (mask.copy() for _ in range(length)))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(5)
    assert peak(100) - peak(10) < 2 * mask.size  # 90 more pairs would be 180 masks


MASKS = np.ones((4, 5, 6), np.uint8)
LATE = MASKS.copy()
LATE[3, 0] = 2  # in the last frame, so that no frame is left to score it
MISTAKES = {
    "dtype": (MASKS, MASKS.astype(np.int64), {}, r"frame 0: the prediction must be .* not \(5, 6\) int64"),
    "boolean": (MASKS > 0, MASKS, {}, "frame 0: the ground truth must be .* bool"),
    "colours": (MASKS, [*MASKS[:2], np.ones((5, 6, 3), np.uint8), MASKS[3]], {}, r"frame 2: .* not \(5, 6, 3\) uint8"),
    "one frame": (MASKS[0], MASKS[0], {}, r"not \(6,\) uint8"),
    "lists": ([[[1]]] * 3, MASKS[:3], {}, "frame 0: the ground truth must be an array .* not list"),
    "size": (MASKS, MASKS[:, :, :5], {}, r"frame 0: the prediction is \(5, 5\), the first ground truth is \(5, 6\)"),
    "no pixels": (MASKS[:, :0], MASKS[:, :0], {}, "frame 0: the ground truth must be"),
    "lengths": (MASKS, MASKS[:3], {}, "the ground truth has 4 frames, the prediction 3"),
    "streams": (iter(MASKS), iter(MASKS[:3]), {}, "frame 3: the prediction ends before"),
    "streams, truth": (iter(MASKS[:2]), iter(MASKS), {}, "frame 2: the ground truth ends before"),
    "too short": (MASKS[:2], MASKS[:2], {}, "nothing to score: 2 frames by davis"),
    "nothing": (MASKS[:0], MASKS[:0], {"protocol": "all"}, "nothing to score"),
    "no object": (MASKS * 0, MASKS * 0, {}, "nothing to score"),
    "no such object": (MASKS, MASKS, {"objects": [1, 2, 7]}, "the ground truth never holds object 2, 7; leave it out"),
    "late id": (LATE, MASKS, {"protocol": "youtubevos", "objects": [1, 2]}, r"nothing to score: .* objects \[2\]"),
    "ids": (MASKS, MASKS, {"objects": [0, 1]}, "objects must be ids in 1..254"),
    "void as object": (MASKS, MASKS, {"objects": [255]}, "objects must be ids in 1..254"),
    "no ids": (MASKS, MASKS, {"objects": []}, "objects must be ids"),
    "protocol": (MASKS, MASKS, {"protocol": "DAVIS"}, "protocol must be one of davis, youtubevos, all"),
    "unknown id": (MASKS, MASKS * np.uint8(3), {}, "frame 0: the prediction holds id 3, the ground truth has 1;"),
    "void predicted": (MASKS, MASKS * np.uint8(255), {"protocol": "all"}, "holds id 255, the ground truth has 1;"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_a_value_error_that_names_the_frame(mistake: str):
    truth, prediction, more, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        evaluate_masks(truth, prediction, **more)


BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        allowed = {"numpy", "cv2", "maskvos"} | set(sys.stdlib_module_names)
        if path is None and name.split(".")[0] not in allowed:
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Block())
import numpy as np
from maskvos.evaluation import evaluate_masks
masks = np.ones((4, 5, 6), np.uint8)
masks[:, 2, 2] = 0
assert evaluate_masks(masks, masks).mean.JF_mean == 1.0
for name in ("torch", "PIL", "rich", "pydantic", "requests", "yaml"):
    assert name not in sys.modules, name
"""


def test_arrays_need_numpy_and_opencv_alone():
    subprocess.run([sys.executable, "-c", BLOCKED], check=True)


def test_importing_the_package_imports_neither_torch_nor_pillow_nor_rich():
    program = """
import sys
import numpy, cv2
before = set(sys.modules)
import maskvos.evaluation
others = {name.split(".")[0] for name in set(sys.modules) - before if not name.startswith(("maskvos", "__"))}
print(sorted(others - set(sys.stdlib_module_names)))
"""
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert printed in ("[]\n", "['zlib_ng']\n")  # where it is at hand, PNG is decoded by it
