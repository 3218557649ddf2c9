"""Progress passes every item on, with a bar or with lines, and says the rate."""

import re
import sys

import pytest

from maskvos import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets; all of the module's readings come from it."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


@pytest.mark.parametrize("terminal", [True, False])
def test_every_item_is_passed_on_in_order(monkeypatch, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    assert list(progress.track(iter("abc"), 3, "letters")) == ["a", "b", "c"]


def test_lines_where_there_is_no_terminal(monkeypatch, caplog, clock):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", -1.0)
    with caplog.at_level("INFO", logger="maskvos"):
        for _ in progress.track("abc", 3, "letters"):
            clock[0] += 0.8
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 3 letters, 1.25 letters/s",
        "2 of 3 letters, 1.25 letters/s",
        "3 letters in 2.4 s, 1.25 letters/s",
    ]


def test_what_was_done_before_counts_for_the_position_only(monkeypatch, caplog, clock):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", -1.0)
    with caplog.at_level("INFO", logger="maskvos"):
        for _ in progress.track("bc", 3, "letters", done=1):
            clock[0] += 0.01
    assert [record.getMessage() for record in caplog.records] == [
        "2 of 3 letters, 100 letters/s",
        "2 letters in 0.0 s, 100 letters/s",
    ]


def test_the_bar_shows_position_and_rate(monkeypatch, capsys, clock):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    for _ in progress.track("cde", 5, "letters", done=2):
        clock[0] += 0.5
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    assert "5/5" in shown
    assert "2 letters/s" in shown
