"""Progress passes every item on, with a bar or with lines."""

import sys

import pytest

from maskvos import progress


@pytest.mark.parametrize("terminal", [True, False])
def test_every_item_is_passed_on_in_order(monkeypatch, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    assert list(progress.track(iter("abc"), 3, "letters")) == ["a", "b", "c"]


def test_lines_where_there_is_no_terminal(monkeypatch, caplog):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", -1.0)
    with caplog.at_level("INFO", logger="maskvos"):
        list(progress.track("abc", 3, "letters"))
    assert [record.getMessage() for record in caplog.records] == ["1 of 3 letters", "2 of 3 letters"]
