"""`maskvos table`."""

import argparse

import pytest

from maskvos.errors import UserError
from maskvos.report.command import add_parser
from tests.report.tree import add_leftovers, make_tree, write_params


def table(*words):
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["table", *map(str, words)])
    args.func(args)


def test_prints_the_table_and_the_reports_path(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    artifacts, _ = make_tree(tmp_path)
    write_params(tmp_path / "params.yaml")
    (artifacts / "report").mkdir()
    (artifacts / "report/report.html").touch()
    table(artifacts, "--params", tmp_path / "params.yaml")
    printed = capsys.readouterr().out
    assert "Full method" in printed
    assert "60.0" in printed
    assert printed.splitlines()[-1] == f"report: {artifacts}/report/report.html"


def test_writes_markdown(tmp_path, capsys):
    artifacts, logs = make_tree(tmp_path)
    write_params(tmp_path / "params.yaml")
    page = tmp_path / "docs/results.md"
    table(artifacts, "--markdown", page, "--params", tmp_path / "params.yaml", "--logs", logs)
    assert page.read_text().startswith("# Results: preset")
    assert "report: not made yet" in capsys.readouterr().out


def test_no_results_is_a_users_error(tmp_path):
    write_params(tmp_path / "params.yaml")
    with pytest.raises(UserError, match="no evaluation"):
        table(tmp_path, "--params", tmp_path / "params.yaml")


def test_rows_and_sets_of_other_parameters_are_not_printed(tmp_path, capsys):
    artifacts, _ = make_tree(tmp_path)
    add_leftovers(artifacts)
    write_params(tmp_path / "params.yaml")
    table(artifacts, "--params", tmp_path / "params.yaml")
    printed = capsys.readouterr().out
    assert "DINO backbone" not in printed
    assert "former" not in printed
