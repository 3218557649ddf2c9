"""Which sample comes when: a pure function of (seed, stream, epoch, step), so that resuming needs no loader state."""

import hashlib
import signal
from collections.abc import Callable, Generator
from typing import Any

import cv2
import numpy as np
from torch.utils.data import DataLoader, Dataset

from maskvos.errors import UserError
from maskvos.parallel.collectives import own_part
from maskvos.training.batches import Arrivals, Blocks, Parcel
from maskvos.training.stopping import STOPPING

Sample = dict[str, Any]
# Entries of a batch that stay in main memory, because the program itself reads them: on a GPU that would wait for it.
HOST_ENTRIES = frozenset({"valid", "edges", "pair_edges"})
PREFETCH = 4  # batches that each process of the loader is ahead
Make = Callable[[int, np.random.Generator, int], Sample]


def random_stream(seed: int, stream: str, *key: int) -> np.random.Generator:
    """Random numbers that depend on the arguments alone; streams of different names are independent."""
    name = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:8], "little")
    return np.random.default_rng(np.random.SeedSequence([seed, name, *key]))


def steps_per_epoch(count: int, batch: int) -> int:
    """Whole batches in one pass; a set smaller than a batch still gives one step, with repeated samples."""
    return max(1, count // batch)


class Samples(Dataset[Sample]):
    """The endless list of training samples: number ``step * batch + position``.

    Args:
        make: turns (item number, random generator, step) into one sample; a curriculum looks at the step.
        count: items to draw from (clips or frames).
        batch: samples of one step; constant whatever the number of processes.
        seed: of the experiment.
        stream: name of the stage, so that stages draw independently.
        name: of an item, for messages.
    """

    def __init__(
        self, make: Make, count: int, batch: int, seed: int, stream: str, name: Callable[[int], str] = str
    ) -> None:
        if count < 1:
            raise UserError(f"{stream}: there is nothing to train on (no clip is usable). See the stage before.")
        self.make, self.count, self.batch, self.seed, self.stream = make, count, batch, seed, stream
        self._name = name
        self.epoch_steps = steps_per_epoch(count, batch)
        self._blocks = Blocks(1, remembered=False)
        self._order: tuple[int, np.ndarray] = (-1, np.zeros(0, dtype=np.int64))

    def items(self, step: int) -> np.ndarray:
        """(batch,) item numbers of one step: a slice of the epoch's permutation; its partial batch is dropped."""
        epoch, within = divmod(step, self.epoch_steps)
        if self._order[0] != epoch:
            rng = random_stream(self.seed, self.stream, 0, epoch)
            length = self.epoch_steps * self.batch
            passes = [rng.permutation(self.count) for _ in range(-(-length // self.count))]
            self._order = (epoch, np.concatenate(passes)[:length])
        return self._order[1][within * self.batch : (within + 1) * self.batch]

    def names(self, step: int) -> list[str]:
        """What one step is made of."""
        return sorted({self._name(int(item)) for item in self.items(step)})

    def __getitem__(self, number: int) -> Sample:
        step, position = divmod(number, self.batch)
        return self.make(int(self.items(step)[position]), self.generator(step, position), step)

    def __getitems__(self, numbers: range) -> Parcel:
        return self._blocks.pack(map(self.__getitem__, numbers), len(numbers))

    def generator(self, step: int, position: int) -> np.random.Generator:
        """The random numbers of one sample."""
        return random_stream(self.seed, self.stream, 1, step, position)

    def batches(self, first: int, last: int, workers: int, pinned: bool) -> Generator[Sample, None, None]:
        """Collated batches of the steps first..last-1, decoded by ``workers`` processes (0: in this one).

        With several processes that train, this one's part of each. A batch's memory serves others again once two more
        have been asked for: whoever keeps one copies it. Close it where it is left early: the processes that decode do
        not end by themselves.

        Raises:
            UserError: the batch cannot be divided among those that train.
        """
        # Decoding is parallel over samples. Without threads of its own, OpenCV also leaves no lock behind for a fork.
        cv2.setNumThreads(0)
        own = own_part(self.batch)
        numbers: list[Any] = [
            range(step * self.batch + own.start, step * self.batch + own.stop) for step in range(first, last)
        ]
        # A process makes a batch when its one PREFETCH earlier is handed out, while the one before may be in use still.
        self._blocks, arrivals = Blocks(PREFETCH + 2, remembered=workers > 0 and not pinned), Arrivals()
        loader = DataLoader(
            self,
            batch_sampler=numbers,
            collate_fn=_as_it_is,
            num_workers=workers,
            pin_memory=pinned,
            prefetch_factor=PREFETCH if workers else None,
            worker_init_fn=_leave_signals_to_parent,
        )
        iterator = iter(loader)
        try:
            for parcel in iterator:
                yield arrivals.open(parcel)
        finally:
            # An error's traceback would keep the iterator and its processes alive. These ignore SIGTERM, so that the
            # interpreter would wait for them for ever at its end.
            getattr(iterator, "_shutdown_workers", lambda: None)()


def _as_it_is(batch: Any) -> Any:
    return batch


def _leave_signals_to_parent(_worker: int) -> None:
    """Slurm signals every process of a step, Ctrl-C all of a terminal: were a worker to die of it, the loop could not
    save its state."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
