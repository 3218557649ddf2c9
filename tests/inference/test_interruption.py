"""Signals wait for the end of a frame."""

import os
import signal

import pytest

from maskvos.inference.interruption import end_between_frames


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_takes_effect_behind_the_block(number, error):
    before = signal.getsignal(number)
    reached = []
    with pytest.raises(error) as raised, end_between_frames() as asked:
        assert not asked()
        os.kill(os.getpid(), number)
        assert asked()
        reached.append(True)
    assert reached
    assert signal.getsignal(number) is before
    if error is SystemExit:
        assert raised.value.code == 143


def test_a_second_one_does_not_wait():
    with pytest.raises(KeyboardInterrupt), end_between_frames():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("went on")


def test_errors_pass():
    with pytest.raises(ValueError, match="x"), end_between_frames():
        raise ValueError("x")
