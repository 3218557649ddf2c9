"""Which code ran: the commit, and what differed from it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Revision:
    """``commit`` is "unknown" outside a git checkout; ``changed`` lists tracked files that differ from it."""

    commit: str
    changed: list[str]

    @property
    def short(self) -> str:
        """Twelve digits, enough to find the commit."""
        return self.commit if self.commit == "unknown" else self.commit[:12]

    @property
    def state(self) -> str:
        """One phrase on whether the tree was as committed."""
        if self.commit == "unknown":
            return "not a git checkout"
        if not self.changed:
            return "tree as committed"
        names = ", ".join(self.changed[:3]) + (", ..." if len(self.changed) > 3 else "")
        return f"{len(self.changed)} tracked file{'s' if len(self.changed) > 1 else ''} changed: {names}"

    def __str__(self) -> str:
        return f"{self.short}, {self.state}"


def read_revision(folder: Path) -> Revision:
    """The commit checked out in ``folder``; never fails, a report must appear where git is absent too."""
    commit = call_git(folder, "rev-parse", "HEAD")
    if commit is None:
        return Revision("unknown", [])
    changed = call_git(folder, "diff", "--name-only", "HEAD") or ""
    return Revision(commit.strip(), changed.split("\n")[:-1])


def call_git(folder: Path, *arguments: str) -> str | None:
    """What git prints, None where it is absent or fails."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
