"""An orderly end: the signals that ask the training loop to save its state and leave."""

import signal
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
RUN_AGAIN = 75  # EX_TEMPFAIL: stopped by a signal, state saved, run the same command again


class StopRequest:
    """SIGTERM, SIGUSR1 (Slurm's warning before the time limit) and Ctrl-C ask for a save and an orderly end.

    A second Ctrl-C does not wait.
    """

    def __init__(self) -> None:
        self.asked = self._interrupted = False
        for number in STOPPING:
            signal.signal(number, self._ask)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self._interrupted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked, self._interrupted = True, number == signal.SIGINT
