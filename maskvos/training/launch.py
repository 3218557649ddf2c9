"""The processes of a stage: the same command once for each, on this machine, or on the nodes of a Slurm job."""

import ctypes
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import NoReturn

import torch.distributed as dist

from maskvos.console import INTERRUPTED, log
from maskvos.errors import UserError
from maskvos.training.stopping import RUN_AGAIN

GRACE = 2.0  # seconds that the others have to say what is wrong, too, once one has failed
USERS_ERROR = 2


def launch(count: int) -> int:
    """Run this very command ``count`` times, side by side; signals reach each of them.

    Not torchrun itself, because it ends with status 1 whatever a process ended with, and kills it 30 s after a signal,
    saved or not. What it starts processes with (the variables that `torch.distributed` reads) is the same.

    Returns:
        0, or 75 where a signal stopped them and the state is saved; otherwise the status of one that failed, the
        others having been killed. A process that was killed by signal n counts as 128 + n.
    """
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # no port can be taken in between
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    sizes = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    workers: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: object) -> None:
        for worker in workers:
            worker.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(number, pass_on)
    for rank in range(count):
        environment = {**os.environ, **shared, **sizes, "RANK": str(rank), "LOCAL_RANK": str(rank)}
        # In a session of its own, or Ctrl-C would reach it twice.
        command = [sys.executable, *sys.argv]
        workers.append(subprocess.Popen(command, env=environment, start_new_session=True, preexec_fn=_die_with_parent))
    return _wait(workers)


def launch_on_nodes(processes: int, nodes: int) -> NoReturn:
    """Become an srun that runs torchrun on each node of this Slurm job, and that this very command ``processes`` times.

    Raises:
        UserError: there is no srun here.
    """
    srun = shutil.which("srun")
    if srun is None:
        raise UserError(
            f"runtime.nodes is {nodes}, but there is no srun here. Run the stage within a Slurm job of as many nodes, "
            "or start torchrun on each of them (docs/workflow.md)."
        )
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    # Without a binding, or each torchrun and all it starts would share one core.
    step = [srun, f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1", "--cpu-bind=none"]
    agent = [sys.executable, "-m", "torch.distributed.run", f"--nnodes={nodes}", f"--nproc-per-node={processes}"]
    # torchrun's own list, and Slurm's warning, of which it would die without a word to the processes.
    agent.append("--signals-to-handle=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1")
    # A job's script runs on its first node: the one that the others find here.
    meeting = ["--rdzv-backend=c10d", f"--rdzv-endpoint={platform.node()}:{port}", "--rdzv-id=maskvos"]
    os.execv(srun, [*step, *agent, *meeting, *sys.argv])


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: also where the parent is killed hard


def _wait(workers: list[subprocess.Popen[bytes]]) -> int:
    failed: dict[int, int] = {}
    end = float("inf")
    while None in [worker.poll() for worker in workers]:
        failed |= _failures(workers, failed)
        end = min(end, time.monotonic() + GRACE) if failed else end
        if time.monotonic() > end:
            for worker in workers:
                worker.kill()
        time.sleep(0.1)
    failed |= _failures(workers, failed)
    if not failed:
        return max(worker.returncode for worker in workers)
    first, status = next(iter(failed.items()))
    for said in (USERS_ERROR, INTERRUPTED):
        if said in failed.values():
            return said
    log.error("process %d of %d ended with status %d; the others were stopped", first, len(workers), status)
    return status


def _failures(workers: list[subprocess.Popen[bytes]], known: dict[int, int]) -> dict[int, int]:
    """Rank -> status of processes that have newly failed."""
    statuses = {rank: worker.returncode for rank, worker in enumerate(workers) if rank not in known}
    return {
        rank: status if status > 0 else 128 - status
        for rank, status in statuses.items()
        if status not in (None, 0, RUN_AGAIN)
    }
