"""What every command line shares: clean errors, a log file, and the record of when and where it ran."""

import datetime
import json
import logging
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maskvos.errors import UserError, explain
from maskvos.revision import read_revision
from maskvos.storage.atomic import atomic_file

log = logging.getLogger("maskvos")

INTERRUPTED = 128 + signal.SIGINT


def start_log(path: Path | str | None) -> None:
    """Plain lines to the terminal (stderr) and, where a path is given, to a log file."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="a"))
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", handlers=handlers, force=True
    )


def run_stage(name: str, main: Callable[[], dict[str, Any] | None]) -> None:
    """Run one stage: log to ``logs/NAME.log``, time in ``logs/NAME.json``, one line and status 2 for a user's error.

    What ``main`` returns (rates, counts: what differs from run to run and must stay out of artifacts) joins the record.
    """
    with one_line_errors():
        start_log(Path("logs") / f"{name}.log")
        revision = read_revision(Path.cwd())  # before the work: a checkout may move on while a stage runs
        started = datetime.datetime.now(datetime.UTC)
        clock = time.perf_counter()
        extra = main()
    record = {
        "stage": name,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 2),
        "host": platform.node(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "accelerator": accelerator(),
        "revision": str(revision),
        **(extra or {}),
    }
    try:
        with atomic_file(Path("logs") / f"{name}.json") as partial:
            partial.write_text(json.dumps(record, indent=1))
    except UserError as error:  # what the stage made is whole; a failure here would have Snakemake delete it
        log.warning("the stage is done, but has no record: %s", error)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """A user's error within the block is one line and exit status 2, Ctrl-C one line and 130."""
    try:
        yield
    except (UserError, OSError) as error:
        log.error("error: %s", explain(error))
        sys.exit(2)
    except KeyboardInterrupt:
        log.error("interrupted")
        sys.exit(INTERRUPTED)


def processor() -> str:
    """This machine's processor by name."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def accelerator() -> str:
    """The first GPU by name, or "none"."""
    torch = sys.modules.get("torch")  # a stage that did not need torch must not pay for importing it
    return torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else "none"
