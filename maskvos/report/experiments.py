"""What `dvc exp` keeps of its experiments, read back: settings and figures, those of one setting put together."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskvos.errors import UserError
from maskvos.params.inference import LATER
from maskvos.revision import call_git
from maskvos.sync import call_tool

_REFERENCE = re.compile(r"^refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/", re.MULTILINE)
_METRICS = re.compile(r"artifacts/evaluation/([^/]+)/([^/]+)/metrics\.json")
# Of no effect on a result, or a consequence of other settings.
_IGNORED = ("runtime.", "plan.", "evaluation.rows", "versions.report", "preset", "ablation")
_UNFINISHED = ("running", "queued", "failed")  # DVC shows the figures of the run before beside their settings

_LATER = {"inference": LATER, "segmentation": {"residual_decoder": False}}
"""By section, settings that came later, with what was done before them."""

Figures = dict[str, dict[str, float]]
"""Object -> ``J_mean`` and ``F_mean``, fractions."""


@dataclass(frozen=True)
class Experiment:
    """One that is done: its settings by dotted name, and by set and row its figures."""

    name: str
    settings: dict[str, Any]
    figures: dict[tuple[str, str], Figures]

    @property
    def key(self) -> str:
        """The same for those that differ in their seed alone."""
        return json.dumps({name: value for name, value in self.settings.items() if name != "seed"}, sort_keys=True)


def read_experiments(names: list[str]) -> list[Experiment]:
    """The finished experiments of the repository in the current folder, of every commit, in the order of ``names``
    (empty: all, by name).

    Raises:
        UserError: DVC cannot list them, or one that is named is not among those that are done.
    """
    revisions = (word for commit in started_from() for word in ("--rev", commit))
    done = parse_experiments(call_tool("dvc", "exp", "show", *revisions, "--json").stdout)
    unknown = [name for name in names if name not in done]
    if unknown:
        raise UserError(
            f"no finished experiment {', '.join(unknown)}. Done are: {', '.join(sorted(done)) or 'none'}; "
            "`dvc queue status` says what still runs or failed."
        )
    return [done[name] for name in dict.fromkeys(names) or sorted(done)]


def started_from() -> list[str]:
    """The commits that experiments were started from, by the references in which DVC keeps them; those alone that a
    shallow clone has.

    `dvc exp show --all-commits` looks into every commit instead: two minutes against eight seconds, measured.
    """
    references = call_git(Path(), "for-each-ref", "--format=%(refname)", "refs/exps") or ""
    commits = {start + rest for start, rest in _REFERENCE.findall(references)}
    if not commits:
        return []
    return sorted((call_git(Path(), "rev-list", "--no-walk", "--ignore-missing", *commits) or "").split())


def parse_experiments(listed: str) -> dict[str, Experiment]:
    """Name -> experiment, of the JSON that `dvc exp show` prints; of one name that of the newest commit.

    Those that are not finished or have no figure are left out, and rows that the settings do not ask for.
    """
    found: dict[str, Experiment] = {}
    commits = sorted(json.loads(listed), key=lambda commit: (commit.get("data") or {}).get("timestamp") or "")
    for commit in reversed(commits):
        for entry in commit.get("experiments") or []:
            if (entry.get("executor") or {}).get("state") in _UNFINISHED:
                continue
            state = entry["revs"][0]
            data = state["data"] or {}
            files = [file.get("data") or {} for file in data.get("params", {}).values()]
            rows = [row for file in files for row in file.get("evaluation", {}).get("rows", [])]
            contents = {path: metrics["data"] for path, metrics in data.get("metrics", {}).items() if "data" in metrics}
            figures = {
                (match[1], match[2]): content["objects"]
                for path, content in contents.items()
                if (match := _METRICS.fullmatch(path)) and match[2] in rows and content.get("objects")
            }
            if figures:
                settings = {name: value for file in files for name, value in _with_later(_flat(file)).items()}
                found.setdefault(state["name"], Experiment(state["name"], settings, figures))
    return found


def together(experiments: list[Experiment]) -> list[list[Experiment]]:
    """Experiments that differ in their seed alone, in one list each."""
    groups: dict[str, list[Experiment]] = {}
    for experiment in experiments:
        groups.setdefault(experiment.key, []).append(experiment)
    return list(groups.values())


def _with_later(settings: dict[str, Any]) -> dict[str, Any]:
    """An older experiment with what it meant by settings that it does not know: a seed of today belongs to it."""
    sections = {name.split(".")[0] for name in settings}
    later = {f"{section}.{name}": value for section in sections for name, value in _LATER.get(section, {}).items()}
    return later | settings


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for name, value in settings.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            flat.update(_flat(value, f"{path}."))
        elif not path.startswith(_IGNORED):
            # an override may write 1 where a preset has 1.0
            flat[path] = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return flat
