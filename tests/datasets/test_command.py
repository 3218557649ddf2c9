"""`maskvos datasets`."""

import argparse
from collections.abc import Callable

import pytest

from maskvos.datasets.catalogue import CATALOGUE
from maskvos.datasets.command import add_parser

Show = Callable[[int, str], str]


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Show:
    """What the command prints on a terminal of so many columns for that folder."""

    def printed(columns: int, folder: str) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers())
        args = parser.parse_args(["datasets", "--folder", folder])
        assert args.func(args) == 0
        return capsys.readouterr().out

    return printed


def test_prints_every_entry_and_where_to_put_what_is_fetched_by_hand(show: Show) -> None:
    shown = show(80, "elsewhere")
    assert all(len(line.rstrip()) <= 80 for line in shown.splitlines())
    rows = [line.split() for line in shown.splitlines()]
    for entry in CATALOGUE.values():
        assert all([entry.name, entry.layout, split] in [row[:3] for row in rows] for split in entry.splits)
        assert not entry.address or [entry.address] in rows
    assert "elsewhere/archives/youtubevos2019-train/train.zip" in shown
    assert "elsewhere/archives/davis2017" not in shown


def test_what_is_to_be_copied_is_never_cut_or_folded(show: Show) -> None:
    folder = "/a/folder/whose/name/is/longer/than-the-terminal/is_wide/and_has_no_spaces"
    shown = show(50, folder)
    assert all(name in shown for name in CATALOGUE)
    assert f"{folder}/archives/youtubevos2019-train/train.zip" in shown
    assert all(entry.address in shown for entry in CATALOGUE.values() if entry.address)
