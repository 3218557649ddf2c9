"""A function run in several processes that gloo joins, as torchrun would."""

import datetime
import multiprocessing
import tempfile
import traceback
from pathlib import Path

import torch
import torch.distributed as dist

WAIT = datetime.timedelta(seconds=60)


def in_processes(count, function, *words):
    """What ``function(*words)`` returns in each of ``count`` processes.

    ``function`` and ``words`` have to be pickled; what is returned goes through ``torch.save``.
    """
    context = clean_forks()
    with tempfile.TemporaryDirectory() as folder:
        words = (count, Path(folder), function, words)
        processes = [context.Process(target=_run, args=(rank, *words)) for rank in range(count)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        failures = sorted(Path(folder).glob("*.txt"))
        if failures:
            raise AssertionError(failures[0].read_text())
        assert [process.exitcode for process in processes] == [0] * count
        return [torch.load(Path(folder) / f"{rank}.pt", weights_only=False) for rank in range(count)]


def clean_forks():
    """A context whose processes are forked off one that has imported everything and runs no thread.

    A fork of the test process itself copies locks that its other threads (xdist's, OpenMP's) hold, and now and then
    waits for one of them for ever.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    return context


def _run(rank, count, folder, function, words):
    torch.set_num_threads(1)
    store = dist.FileStore(str(folder / "store"), count)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=count, timeout=WAIT)
    try:
        torch.save(function(*words), folder / f"{rank}.pt")
    except BaseException:
        (folder / f"{rank}.txt").write_text(traceback.format_exc())
        raise
    dist.destroy_process_group()
