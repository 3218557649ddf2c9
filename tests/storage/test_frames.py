"""The frame store: what is written is read, from several processes, and damage is noticed."""

import multiprocessing
import pickle
import zipfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from maskvos.errors import UserError
from maskvos.storage.frame_writer import EncodedClip, write_store
from maskvos.storage.frames import FrameStore

SIZES = {"first": (5, 24, 40), "späte Clips": (3, 32, 16), "third": (4, 24, 24)}


def pictures(name):
    count, height, width = SIZES[name]
    return np.random.default_rng(len(name)).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def encoded(name, kind=".png", **more):
    images = [cv2.imencode(kind, picture[..., ::-1])[1].tobytes() for picture in pictures(name)]
    count, height, width = SIZES[name]
    return EncodedClip(name, height, width, [f"{2 * number:05d}" for number in range(count)], images, **more)


def write(folder, shard_bytes=1 << 30, **more):
    folder.mkdir()
    return write_store(folder, [encoded(name, **more) for name in SIZES], ".png", {"quality": 0}, shard_bytes)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "frames")
    return tmp_path / "frames"


def expected():
    return [picture for name in SIZES for picture in pictures(name)]


def read_all(store):
    return [store.read(index) for index in range(len(store))]


def assert_frames(frames):
    assert len(frames) == len(expected())
    for frame, picture in zip(frames, expected(), strict=True):
        np.testing.assert_array_equal(frame, picture)


def test_clips_and_frames_come_back(folder):
    store = FrameStore(folder)
    assert [(clip.name, len(clip.frames), clip.height, clip.width) for clip in store.clips] == [
        (name, *size) for name, size in SIZES.items()
    ]
    assert [clip.start for clip in store.clips] == [0, 5, 8]
    assert store.clips[1].frames == ["00000", "00002", "00004"]
    assert [store.clip_of(index).name for index in (0, 4, 5, 7, 8, 11)] == [
        "first", "first", "späte Clips", "späte Clips", "third", "third"
    ]  # fmt: skip
    assert_frames(read_all(store))


@pytest.mark.parametrize("index", [-1, 12])
def test_a_number_outside_is_an_index_error(folder, index):
    with pytest.raises(IndexError):
        FrameStore(folder).read(index)


def test_shards_are_ordinary_zip_files(tmp_path):
    index = write(tmp_path / "frames", shard_bytes=15_000)
    shards = sorted((tmp_path / "frames").glob("*.zip"))
    assert [shard["file"] for shard in index["shards"]] == [path.name for path in shards]
    assert len(shards) == 2, "the first clip fills a shard, the other two share one"
    assert_frames(read_all(FrameStore(tmp_path / "frames")))
    members = []
    for path in shards:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
            members += [cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), 1) for name in archive.namelist()]
    assert_frames([member[..., ::-1] for member in members])


def test_a_clip_above_the_limit_has_a_shard_of_its_own(tmp_path):
    index = write(tmp_path / "frames", shard_bytes=10)
    assert [clip["shard"] for clip in index["clips"]] == [0, 1, 2]
    assert_frames(read_all(FrameStore(tmp_path / "frames")))


def test_same_input_gives_the_same_bytes(tmp_path):
    write(tmp_path / "1")
    write(tmp_path / "2")
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()


def test_fingerprint_covers_frames_and_what_was_left_out(tmp_path):
    one, other = write(tmp_path / "1"), write(tmp_path / "2", left_out={"00001": "empty file"})
    assert FrameStore(tmp_path / "1").fingerprint == one["fingerprint"] != other["fingerprint"]
    assert other["left_out"][0] == {"clip": "first", "frame": "00001", "reason": "empty file"}


def test_unusable_clips_are_recorded_and_not_stored(tmp_path):
    (tmp_path / "frames").mkdir()
    clips = [EncodedClip("short", 0, 0, [], [], {"00000": "empty file"}, unusable="0 usable frames"), encoded("third")]
    index = write_store(tmp_path / "frames", clips, ".png", {})
    assert index["clips_left_out"] == [{"clip": "short", "reason": "0 usable frames"}]
    assert [clip.name for clip in FrameStore(tmp_path / "frames").clips] == ["third"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_several_processes_read_one_store(folder, method):
    store = FrameStore(folder)
    store.read(3)  # the file is open before the processes start
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        assert_frames(list(pool.map(store.read, range(len(store)))))


def test_several_threads_and_a_copy_read_one_store(folder):
    store = FrameStore(folder)
    with ThreadPoolExecutor(4) as pool:
        assert_frames(list(pool.map(store.read, range(len(store)))))
    assert_frames(read_all(pickle.loads(pickle.dumps(store))))


def test_not_a_store(tmp_path):
    with pytest.raises(UserError, match=r"index\.json: missing.*prepare"):
        FrameStore(tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", '{"format": "maskvos-frames-9"}', "{"])
def test_damaged_or_foreign_index(folder, text):
    (folder / "index.json").write_text(text)
    with pytest.raises(UserError, match=r"index\.json: .*prepare"):
        FrameStore(folder)


def test_missing_and_cut_shards_are_named(folder):
    shard = folder / "frames-000.zip"
    data = shard.read_bytes()
    shard.write_bytes(data[:-1])
    with pytest.raises(UserError, match=r"frames-000\.zip: damaged.*prepare"):
        FrameStore(folder)
    shard.write_bytes(data)
    store = FrameStore(folder)
    shard.unlink()
    with pytest.raises(UserError, match=r"frames-000\.zip.*missing.*prepare"):
        FrameStore(folder)
    with pytest.raises(UserError, match=r"frames-000\.zip: cannot be read.*prepare"):
        store.read(0)


@pytest.mark.parametrize("kind", [".png", ".bmp"])  # a decoder notices nothing in a BMP
def test_a_changed_byte_is_noticed(tmp_path, kind):
    index = write_store(tmp_path, [encoded(name, kind) for name in SIZES], kind, {})
    clip = index["clips"][1]
    shard = tmp_path / "frames-000.zip"
    data = bytearray(shard.read_bytes())
    data[clip["offsets"][2] + clip["lengths"][2] // 2] ^= 1
    shard.write_bytes(data)
    store = FrameStore(tmp_path)
    store.read(6)
    with pytest.raises(UserError, match=r"frames-000\.zip: damaged, frame späte Clips/00004"):
        store.read(7)
