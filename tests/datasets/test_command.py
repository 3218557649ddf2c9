"""`maskvos datasets`."""

import argparse

import pytest

from maskvos.datasets.catalogue import CATALOGUE
from maskvos.datasets.command import add_parser


def test_prints_every_entry_and_where_to_put_what_is_fetched_by_hand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["datasets", "--folder", "elsewhere"])
    assert args.func(args) == 0
    shown = capsys.readouterr().out
    assert all(len(line.rstrip()) <= 80 for line in shown.splitlines())
    rows = [line.split() for line in shown.splitlines()]
    for entry in CATALOGUE.values():
        assert all([entry.name, entry.layout, split] in [row[:3] for row in rows] for split in entry.splits)
        assert not entry.address or [entry.address] in rows
    assert "elsewhere/archives/youtubevos2019-train/train.zip" in shown
    assert "elsewhere/archives/davis2017" not in shown


def test_what_is_to_be_copied_is_never_cut_or_folded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    folder = "/a/folder/whose/name/is/longer/than-the-terminal/is wide/and has spaces"
    args = parser.parse_args(["datasets", "--folder", folder.replace(" ", "_")])
    assert args.func(args) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in CATALOGUE)
    assert f"{args.folder}/archives/youtubevos2019-train/train.zip" in shown
    assert all(
        entry.address in shown.splitlines() or f" {entry.address}" in shown
        for entry in CATALOGUE.values()
        if entry.address
    )
