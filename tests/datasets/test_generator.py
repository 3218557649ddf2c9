"""Generated videos: deterministic, whole or absent, exact, and hard to track by colour or position alone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskvos.datasets.generator import GeneratedSet, find_scene, generate, sequence_name
from maskvos.datasets.sequences import open_layout
from maskvos.errors import UserError

SPEC = GeneratedSet("davis", "davis", "val", 3, 2, 5, 64, 80, 3, annotated=True)


def content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("style", ["plain", "rich"])
def test_bytes_depend_on_nothing_but_the_parameters(tmp_path: Path, style: str) -> None:
    spec = replace(SPEC, style=style)
    assert generate(spec, tmp_path / "one", threads=1)
    assert generate(spec, tmp_path / "two", threads=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")
    more = replace(spec, sequences=3)
    generate(more, tmp_path / "more", threads=1)
    frame = f"JPEGImages/480p/{sequence_name(1)}/00004.jpg"
    assert content(tmp_path / "more")[frame] == content(tmp_path / "one")[frame]


@pytest.mark.parametrize("change", [{"seed": 4}, {"name": "other"}, {"style": "rich"}])
def test_seed_and_set_change_the_videos(change: dict, tmp_path: Path) -> None:
    assert not np.array_equal(find_scene(SPEC, 0).draw(0)[0], find_scene(replace(SPEC, **change), 0).draw(0)[0])


def test_complete_folder_is_kept_and_damaged_or_outdated_one_made_again(tmp_path: Path) -> None:
    root = tmp_path / "set"
    assert generate(SPEC, root, threads=1)
    assert not generate(SPEC, root, threads=1)
    frame = root / "JPEGImages" / "480p" / sequence_name(0) / "00002.jpg"
    frame.unlink()
    assert generate(SPEC, root, threads=1)
    assert frame.is_file()
    assert generate(replace(SPEC, frames=4), root, threads=1)
    assert not frame.with_name("00004.jpg").exists()
    (root / "generated.json").write_text("{")
    assert generate(SPEC, root, threads=1)
    assert json.loads((root / "generated.json").read_text())["parameters"]["frames"] == 5


def test_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("maskvos.datasets.generator.write_tables", full)
    with pytest.raises(UserError, match="No space left"):
        generate(SPEC, tmp_path / "set", threads=1)
    assert list(tmp_path.iterdir()) == []


def test_training_set_carries_no_annotation(tmp_path: Path) -> None:
    for layout in ("davis", "youtubevos", "clips"):
        root = tmp_path / layout
        generate(replace(SPEC, layout=layout, split="train", annotated=False), root, threads=1)
        assert not list(root.rglob("*.png"))
        assert len(open_layout(layout, root, "train")) == 2


def test_objects_move_away_and_stay_visible() -> None:
    spec = replace(SPEC, frames=24, height=96, width=128, sequences=8)
    copied, largest = [], []
    for index in range(spec.sequences):
        scene = find_scene(spec, index)
        masks = np.stack([scene.mask(frame) for frame in range(spec.frames)])
        for label in range(1, len(scene.radii) + 1):
            seen = masks == label
            assert seen[0].any()
            copied.append(np.mean([(seen[0] & now).sum() / max((seen[0] | now).sum(), 1) for now in seen[1:]]))
            largest.append(seen.sum(axis=(1, 2)).max())
    assert np.mean(copied) < 0.35
    assert min(largest) > 20 * 20
