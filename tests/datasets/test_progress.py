"""Progress without a terminal: about ten lines, the last one complete."""

import logging

import pytest

from maskvos.datasets.progress import transfer


def test_lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    with caplog.at_level(logging.INFO, "maskvos"), transfer("set.zip", 1000, done=300) as advance:
        for _ in range(70):
            advance(10)
    assert len(caplog.messages) == 7
    assert caplog.messages[-1] == "set.zip: 0.0 MB (100 %)"
