"""The signals that ask for an orderly end."""

import os
import signal

import pytest

from maskvos.training.stopping import StopRequest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_a_signal_is_noted_and_does_not_end_the_process(number):
    stop = StopRequest()
    assert not stop.asked
    os.kill(os.getpid(), number)
    assert stop.asked


def test_a_second_ctrl_c_does_not_wait():
    stop = StopRequest()
    os.kill(os.getpid(), signal.SIGINT)
    assert stop.asked
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
