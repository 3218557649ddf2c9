"""An orderly end: the signals that ask the training loop to save its state and leave."""

import signal
from types import FrameType

RUN_AGAIN = 75  # EX_TEMPFAIL: stopped by a signal, state saved, run the same command again


class StopRequest:
    """SIGTERM and SIGUSR1 (Slurm's warning before the time limit) ask for a save and an orderly end."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
