"""Memory: counted before, explained after."""

import re
import resource

import cv2
import numpy as np
import pytest
import torch

from maskvos.errors import UserError
from maskvos.inference import memory_limits
from maskvos.inference.memory_limits import bounded_memory, check_memory, explain_memory, free_bytes, reference_bytes
from maskvos.inference.methods import LabelPropagation, MaskEmbedding
from maskvos.inference.propagate import Tracker
from maskvos.networks.model import MaskVOS
from tests.inference.stubs import CPU, colours, moving_square, settings
from tests.tiny import networks


def make_tracker(full=True, size=(64, 96), **changes):
    frames, masks = moving_square(2, *size)
    masks[0][:4, :4] = 2
    late = np.zeros(size, np.uint8)
    late[40:, 40:] = 3
    chosen = settings(**changes)
    method = MaskEmbedding.from_settings(MaskVOS(networks()), chosen, "fp32") if full else LabelPropagation(colours)
    tracker = Tracker(method, size, {"00000": masks[0], "00001": late}, chosen, CPU)
    return tracker, frames


@pytest.mark.parametrize(("full", "fine"), [(True, 0.0), (False, 0.0), (True, 0.3)])
@pytest.mark.parametrize("references", [0, 5])
@torch.inference_mode()
def test_the_count_is_what_the_memory_takes(full, fine, references):
    tracker, frames = make_tracker(full, references=references, layer1_weight=fine)
    expected = reference_bytes(tracker)
    assert tracker.memory is None
    for frame in frames:
        tracker.step(*frame)
    memory = tracker.memory
    held = [memory.keys, memory.masks, *([memory.values] if full else []), *([memory.fine] if fine else [])]
    assert expected == sum(tensor.nbytes for tensor in held)


def test_what_will_not_fit_is_refused_with_settings_that_do(monkeypatch):
    tracker, _ = make_tracker(references=20)
    needed = reference_bytes(tracker)
    monkeypatch.setattr(memory_limits, "free_bytes", lambda _: needed - 1)
    with pytest.raises(UserError, match=r"20 references of 3 objects at 64x96 take .* GB") as refusal:
        check_memory(tracker)
    size, references = map(int, re.findall(r"\((\d+) would do\)", str(refusal.value)))
    for changes, factor in (({"references": references}, 1), ({"short_side": round(64 * size / 96)}, 1)):
        smaller, _ = make_tracker(**{"references": 20, **changes})
        assert 0.6 * needed < reference_bytes(smaller) < factor * needed
    monkeypatch.setattr(memory_limits, "free_bytes", lambda _: needed)
    check_memory(tracker)
    monkeypatch.setattr(memory_limits, "free_bytes", lambda _: None)
    check_memory(tracker)


def test_advice_names_no_value_where_none_would_do(monkeypatch):
    monkeypatch.setattr(memory_limits, "free_bytes", lambda _: 100)
    with pytest.raises(UserError, match=r"Lower --max-size, or give fewer objects"):
        check_memory(make_tracker(references=0)[0])


ERRORS = [
    MemoryError(),
    np._core._exceptions._ArrayMemoryError((10**9,), np.dtype(np.uint8)),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
    RuntimeError("could not create a primitive"),
    cv2.error("OpenCV(4) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 99 bytes"),
]


MESSAGE = r"at 64x96 with 3 references and 5 objects. Lower --max-size \(now 96\) or --references, or give fewer"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_kind_of_running_out_names_what_to_lower(error):
    with pytest.raises(UserError, match=MESSAGE) as raised, explain_memory((128, 192), settings(short_side=64), 5):
        raise error
    assert ("on the GPU" in str(raised.value)) == ("CU" in str(error))


def test_a_real_allocation_that_fails():
    with pytest.raises(UserError, match="out of memory"), explain_memory((64, 96), settings(), 1):
        torch.zeros(1 << 50)


def test_on_a_cpu_what_is_not_free_cannot_be_allocated(monkeypatch):
    """Without the bound Linux grants this and kills the process when the memory is used."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    monkeypatch.setattr(memory_limits, "free_bytes", lambda _: 500 << 20)
    with pytest.raises(UserError, match="out of memory"), explain_memory((64, 96), settings(), 1), bounded_memory(CPU):
        torch.zeros(100 << 20, dtype=torch.uint8)
        torch.zeros(600 << 20, dtype=torch.uint8)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    torch.zeros(600 << 20, dtype=torch.uint8)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), UserError("x"), KeyboardInterrupt(), ValueError()])
def test_other_errors_are_left_alone(error):
    with pytest.raises(type(error)) as raised, explain_memory((64, 96), settings(), 1):
        raise error
    assert raised.value is error


def test_free_memory_of_this_machine_is_a_sane_number():
    free = free_bytes(CPU)
    assert free is None or 0 < free < 1 << 50


def test_limits_of_control_groups(tmp_path):
    """The narrowest group counts; what it could give back (page cache) is free."""
    job = tmp_path / "slurm" / "job"
    job.mkdir(parents=True)
    (tmp_path / "self").write_text("0::/slurm/job\n")
    for folder, limit, anonymous in ((job, "max", 5), (job.parent, "1000", 300)):
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.stat").write_text(f"anon {anonymous}\nfile 600\n")
    assert list(memory_limits._group_room(tmp_path / "self", tmp_path)) == [700]
    assert list(memory_limits._group_room(tmp_path / "absent", tmp_path / "absent")) == []


def test_limits_of_control_groups_of_the_first_version(tmp_path):
    job = tmp_path / "memory" / "slurm" / "job"
    job.mkdir(parents=True)
    (tmp_path / "self").write_text("11:cpuset:/other\n9:hugetlb,memory:/slurm/job\n1:name=systemd:/x\n")
    for folder, limit, used in ((job, 2000, 300), (job.parent, 9223372036854771712, 300)):
        (folder / "memory.limit_in_bytes").write_text(f"{limit}\n")
        (folder / "memory.stat").write_text(f"cache 900\nrss 1\ntotal_cache 900\ntotal_rss {used}\n")
    assert min(memory_limits._group_room(tmp_path / "self", tmp_path)) == 1700
