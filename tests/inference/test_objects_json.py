"""The JSON of boxes and areas against plain loops."""

import json

import numpy as np

from maskvos.inference.objects_json import FILE, is_objects, measure, write_objects
from maskvos.storage.masks import write_mask


def plain(mask, identity):
    found = [(x, y) for y, x in np.ndindex(*mask.shape) if mask[y, x] == identity]
    if not found:
        return {"id": identity, "area": 0, "box": None}
    xs, ys = [x for x, _ in found], [y for _, y in found]
    box = [min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1]
    return {"id": identity, "area": len(found), "box": box}


def test_boxes_and_areas_equal_loops():
    random = np.random.default_rng(0)
    for density in (0.0, 0.02, 0.5):
        mask = (random.random((9, 14)) < density).astype(np.uint8) * random.integers(0, 4, (9, 14)).astype(np.uint8)
        assert list(measure(mask, [1, 2, 3, 254])) == [plain(mask, identity) for identity in (1, 2, 3, 254)]


def test_the_file(tmp_path):
    masks = [np.zeros((4, 6), np.uint8), np.full((4, 6), 3, np.uint8)]
    for name, mask in zip(("b", "a"), masks, strict=True):
        write_mask(tmp_path / f"{name}.png", mask)
    write_objects(tmp_path / FILE, {"source": 'a "clip"'}, ["b", "a"], tmp_path, [1, 3])
    assert json.loads((tmp_path / FILE).read_text()) == {
        "format": "maskvos-objects-1",
        "source": 'a "clip"',
        "frame_count": 2,
        "frames": [
            {"frame": name, "objects": [plain(mask, 1), plain(mask, 3)]}
            for name, mask in zip(("b", "a"), masks, strict=True)
        ],
    }
    assert is_objects(tmp_path / FILE)


def test_other_files(tmp_path):
    (tmp_path / FILE).write_text('{"format": "coco"}')
    assert not is_objects(tmp_path / FILE)
    assert not is_objects(tmp_path / "absent.json")
