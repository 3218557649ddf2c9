"""The commit, in a checkout made for the test."""

import subprocess

from maskvos.revision import Revision, read_revision


def git(folder, *arguments):
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


def test_clean_then_changed(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "m")
    (tmp_path / "untracked").write_text("no change of the code that ran")
    clean = read_revision(tmp_path)
    assert len(clean.commit) == 40
    assert clean.short == clean.commit[:12]
    assert clean.state == "tree as committed"
    (tmp_path / "file").write_text("b")
    assert read_revision(tmp_path).state == "1 tracked file changed: file"


def test_outside_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert read_revision(tmp_path) == Revision("unknown", [])


def test_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    revision = read_revision(tmp_path)
    assert (revision.short, revision.state) == ("unknown", "not a git checkout")


def test_many_changes_are_cut():
    state = Revision("0" * 40, ["a", "b", "c", "d"]).state
    assert state == "4 tracked files changed: a, b, c, ..."
