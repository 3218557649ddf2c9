"""The stage prepare on small data of every layout, with damaged frames, and in a real process."""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from maskvos.datasets.manifest import write_manifest
from maskvos.datasets.obtain import obtain
from maskvos.errors import UserError
from maskvos.params.data import Data, Dataset, Generator
from maskvos.storage.frames import FrameStore
from stages.prepare import PARAMETERS, main

ROOT = Path(__file__).resolve().parents[2]
FRAMES_IN = {"davis": "JPEGImages/480p", "youtubevos": "JPEGImages", "clips": ""}
OPENED: list[str] = []  # an audit hook cannot be removed, so one for the whole module
sys.addaudithook(lambda event, args: OPENED.append(str(args[0])) if event == "open" else None)


def picture(number, height=48, width=64):
    """Smooth, so that JPEG keeps it nearly, and different for every number."""
    y, x = np.mgrid[:height, :width]
    return np.stack([(y * 4 + 7 * number) % 256, (x * 3) % 256, np.full_like(x, 20 * number % 256)], -1).astype(
        np.uint8
    )


def write_clip(folder, count, suffix=".jpg", **size):
    folder.mkdir(parents=True)
    for number in range(count):
        settings = [cv2.IMWRITE_JPEG_QUALITY, 98] if suffix == ".jpg" else []
        assert cv2.imwrite(str(folder / f"{number:05d}{suffix}"), picture(number, **size)[..., ::-1], settings)


def write_video(path, count, rate):
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, (64, 48))
    for number in range(count):
        video.write(np.ascontiguousarray(picture(number)[..., ::-1]))
    video.release()


class Work:
    """A folder with data, parameters and a manifest, in which the stage can be run."""

    def __init__(self, folder, layout="youtubevos"):
        self.folder, self.layout, self.root = folder, layout, folder / "raw"
        self.frames = self.root / FRAMES_IN[layout]
        self.counts = {}

    def clip(self, name, count, **more):
        write_clip(self.frames / name, count, **more)
        self.counts[name] = count

    def arguments(self, workers=0, **prepare):
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        params["prepare"] = {"short_side": 32, "quality": 95, "frames_per_second": 5.0, "strict": False} | prepare
        for stage in ("correspondence", "segmentation"):
            params[stage]["cropping"] |= {"crop": 32, "short_side": [32, 40]}
        params["runtime"] |= {"workers": workers}
        (self.folder / "params.yaml").write_text(yaml.safe_dump(params))
        manifest = {"name": "small", "layout": self.layout, "split": "train", "root": str(self.root), "licence": "none"}
        manifest |= {"sequences": [{"name": key, "frames": count} for key, count in self.counts.items()]}
        manifest |= {"frames": sum(self.counts.values()), "fingerprint": "0" * 64}
        (self.folder / "train.json").write_text(json.dumps(manifest))
        return argparse.Namespace(
            params=self.folder / "params.yaml", dataset=self.folder / "train.json", output=self.folder / "frames"
        )

    def run(self, **options):
        record = main(self.arguments(**options))
        return FrameStore(self.folder / "frames"), record

    def stored(self):
        return {path.name: path.read_bytes() for path in (self.folder / "frames").iterdir()}


@pytest.fixture
def work(tmp_path):
    work = Work(tmp_path)
    work.clip("b", 4)
    work.clip("a", 3, height=64, width=48)
    return work


def test_frames_are_shrunk_by_area_in_the_manifests_order(work):
    store, record = work.run(quality=0)
    assert [(clip.name, clip.height, clip.width) for clip in store.clips] == [("b", 32, 43), ("a", 43, 32)]
    assert (record["clips"], record["frames"], record["frames_left_out"]) == (2, 7, 0)
    source = cv2.imread(str(work.frames / "b" / "00002.jpg"))[..., ::-1]
    np.testing.assert_array_equal(store.read(2), cv2.resize(source, (43, 32), interpolation=cv2.INTER_AREA))


def test_a_jpeg_store_is_close_to_the_lossless_one(work):
    exact, _ = work.run(quality=0)
    frames = [exact.read(index).astype(int) for index in range(len(exact))]
    lossy, _ = work.run(quality=95)
    for index, frame in enumerate(frames):
        assert np.abs(lossy.read(index) - frame).mean() < 6
    assert {path.name for path in work.folder.glob("frames/*")} == {"index.json", "frames-000.zip"}


def test_frames_below_the_short_side_keep_their_size(work):
    store, record = work.run(short_side=400, quality=0)
    assert (store.clips[0].height, store.clips[0].width) == (48, 64)
    assert record["clips_below_short_side"] == 2


def test_the_bytes_do_not_depend_on_the_number_of_workers(work):
    (work.frames / "b" / "00001.jpg").write_bytes(b"")
    work.run(workers=0)
    alone = work.stored()
    work.run(workers=2)
    assert work.stored() == alone


def damage(path, how):
    data = path.read_bytes()
    contents = {
        "empty": b"",
        "cut": data[: len(data) * 2 // 3],
        "text": b"no image",
        "zeros": data[:700].ljust(len(data), b"\0"),
    }
    if how == "size":
        assert cv2.imwrite(str(path), picture(0, height=40))
    else:
        path.write_bytes(contents[how])


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("how", ["empty", "cut", "text", "zeros", "size"])
def test_damaged_frames_are_named_and_left_out(tmp_path, caplog, how, suffix):
    work = Work(tmp_path)
    work.clip("clip", 5, suffix=suffix)
    damage(work.frames / "clip" / f"00001{suffix}", how)
    with caplog.at_level("INFO", logger="maskvos"):
        store, record = work.run(quality=0)
    index = json.loads((tmp_path / "frames" / "index.json").read_text())
    assert [(entry["clip"], entry["frame"]) for entry in index["left_out"]] == [("clip", "00001")]
    assert str(tmp_path) not in json.dumps(index), "an artifact names no path of this machine"
    assert store.clips[0].frames == ["00000", "00002", "00003", "00004"]
    assert record["frames_left_out"] == 1
    assert f"clip/00001: {index['left_out'][0]['reason']}" in caplog.text


def test_strict_stops_and_leaves_the_previous_store(work):
    work.run()
    before = work.stored()
    damage(work.frames / "a" / "00002.jpg", "cut")
    with pytest.raises(UserError, match=r"a/00002: cut off.*prepare\.strict"):
        work.run(strict=True)
    assert work.stored() == before
    assert [path.name for path in work.folder.glob(".frames*")] == []


def test_a_clip_with_too_few_frames_is_left_out_and_counted(work):
    work.clip("c", 3)
    damage(work.frames / "c" / "00000.jpg", "empty")
    store, record = work.run()
    assert [clip.name for clip in store.clips] == ["b", "a"]
    assert (record["clips_left_out"], record["frames_left_out"]) == (1, 1)


def test_nothing_usable_is_an_error(tmp_path):
    work = Work(tmp_path)
    work.clip("c", 2)
    with pytest.raises(UserError, match="c: 2 usable frames, at least 3"):
        work.run()
    assert not (tmp_path / "frames").exists()


@pytest.mark.parametrize("layout", ["davis", "youtubevos"])
def test_annotations_are_never_opened(tmp_path, layout):
    work = Work(tmp_path, layout)
    work.clip("a", 3)
    annotations = work.root / FRAMES_IN[layout].replace("JPEGImages", "Annotations") / "a"
    annotations.mkdir(parents=True)
    (annotations / "00000.png").write_bytes(b"unreadable")
    (work.root / "ImageSets" / "2017").mkdir(parents=True)
    (work.root / "ImageSets" / "2017" / "train.txt").write_text("a\n")
    OPENED.clear()
    work.run()
    assert any("JPEGImages" in path for path in OPENED)
    assert not [path for path in OPENED if "Annotations" in path]


def test_only_the_split_of_a_davis_layout_is_taken(tmp_path):
    work = Work(tmp_path, "davis")
    work.clip("held-out", 3)
    work.counts.clear()
    work.clip("a", 3)
    (work.root / "ImageSets" / "2017").mkdir(parents=True)
    (work.root / "ImageSets" / "2017" / "train.txt").write_text("a\n")
    store, _ = work.run()
    assert [clip.name for clip in store.clips] == ["a"]


def test_videos_are_sampled_and_long_ones_cut(tmp_path):
    work = Work(tmp_path, "clips")
    work.clip("folder", 3)
    write_video(work.root / "long.avi", 220, 10.0)
    write_video(work.root / "short.avi", 12, 10.0)
    work.counts |= {"long": 220, "short": 12}
    store, _ = work.run(quality=0)
    clips = {clip.name: clip for clip in store.clips}
    assert list(clips) == ["folder", "long-000", "long-001", "short"]
    assert [len(clip.frames) for clip in store.clips] == [3, 55, 55, 6]
    assert clips["short"].frames == ["00000", "00002", "00004", "00006", "00008", "00010"]
    second = store.read(clips["short"].start + 1).astype(int)
    small = cv2.resize(picture(2), (43, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(second - small).mean() < 8, "frame 2 of the video"


def test_a_video_that_cannot_be_decoded_is_named_and_left_out(tmp_path, caplog):
    work = Work(tmp_path, "clips")
    work.clip("folder", 3)
    (work.root / "broken.mp4").write_bytes(b"no video")
    manifest = fetch_folder(work)
    for workers in (0, 2):
        arguments = work.arguments(workers=workers)
        write_manifest(arguments.dataset, manifest)
        record = main(arguments)
        assert (record["clips"], record["clips_left_out"]) == (1, 1)
        assert "the clip broken: not one frame of this video can be decoded" in caplog.text
        caplog.clear()
    arguments = work.arguments(strict=True)
    write_manifest(arguments.dataset, manifest)
    with pytest.raises(UserError, match=r"broken: .*prepare\.strict"):
        main(arguments)


def fetch_folder(work):
    dataset = Dataset(source="folder", layout=work.layout, path=str(work.root))
    generator = Generator(
        seed=0, train_sequences=1, evaluation_sequences=1, frames=3, height=32, width=32, max_objects=1, style="plain"
    )
    return obtain("train", Data(folder=str(work.folder / "data"), train=dataset, evaluation={}), generator, threads=1)


def test_a_missing_clip_and_a_missing_manifest(work):
    arguments = work.arguments()
    arguments.dataset.unlink()
    with pytest.raises(UserError, match=r"train\.json"):
        main(arguments)
    work.counts["gone"] = 7
    with pytest.raises(UserError, match="gone"):
        work.run()


def test_a_manifest_that_came_without_its_data(work, tmp_path):
    arguments = work.arguments()
    generated = Dataset(source="generated", layout="youtubevos")
    generator = Generator(
        seed=0, train_sequences=2, evaluation_sequences=1, frames=3, height=48, width=64, max_objects=2, style="plain"
    )
    data = Data(folder=str(tmp_path / "data"), train=generated, evaluation={})
    write_manifest(arguments.dataset, obtain("train", data, generator, threads=1))
    shutil.rmtree(tmp_path / "data")
    assert main(arguments)["frames"] == 6


def test_as_a_command(work):
    arguments = [f"--{key}={value}" for key, value in vars(work.arguments(workers=2)).items()]
    command = [sys.executable, str(ROOT / "stages" / "prepare.py"), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=work.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((work.folder / "logs" / "prepare.json").read_text())["frames"] == 7
    assert len(FrameStore(work.folder / "frames")) == 7


def test_parameters_are_those_of_the_frame_store():
    assert set(PARAMETERS) == {"prepare", "versions.prepare"}


def test_real_clips(shared_data, tmp_path):
    work = Work(tmp_path)
    work.root = shared_data / "YouTubeVOS" / "train"
    names = sorted(path.name for path in (work.root / "JPEGImages").iterdir())[:4]
    work.counts = {name: len(list((work.root / "JPEGImages" / name).iterdir())) for name in names}
    store, record = work.run(short_side=64)
    assert [clip.name for clip in store.clips] == names
    assert len(store) == sum(work.counts.values())
    assert record["frames_left_out"] == 0
    assert all(min(clip.height, clip.width) == 64 for clip in store.clips)
