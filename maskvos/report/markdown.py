"""The results as a Markdown page that can be committed: tables, settings, seed, commit, hardware, time."""

from pathlib import Path

from maskvos.params import Params
from maskvos.report import paper, run, tables
from maskvos.report.comparison import comparisons
from maskvos.report.records import Result
from maskvos.tables.markdown import markdown_table
from maskvos.tables.table import Cell, Line, Table, percent


def render_markdown(params: Params, results: dict[str, list[Result]], logs: Path) -> str:
    """The page; sections without content say so. Of absolute paths in the settings only the last part is printed."""
    runs = run.read_stage_runs(params, logs)
    parts = [f"# Results: preset `{params.preset}`", _facts(params, runs), "## All sets", _summary(results)]
    for name, rows in results.items():
        objects = f"{rows[0].objects} object{'' if rows[0].objects == 1 else 's'}"
        if not rows[-1].scored:
            parts += [f"## {name}", f'Not scored, protocol "{rows[-1].protocol}".']
            continue
        parts += [f"## {name}", f"Protocol: {rows[0].protocol}. Means over {objects}, in percent."]
        parts += [markdown_table(tables.results_table(rows)), "J&F of each sequence:"]
        parts.append(markdown_table(tables.sequence_table(rows)))
    parts += ["## Beside the paper", paper.REMARK]
    for title, table in comparisons(params, results):
        parts += [f"### {title}", markdown_table(table)]
    parts += ["## Time of each stage", _times(runs), "## Settings", _settings(params)]
    return "\n\n".join(parts) + "\n"


def _facts(params: Params, runs: list[run.StageRun]) -> str:
    facts = {
        **({"Ablation": f"`{params.ablation}`"} if params.ablation != "none" else {}),
        "Seed": str(params.seed),
        "Backbone": f"{params.networks.backbone}, {params.networks.last_layer}, precision {params.precision}",
        "Rounds": str(params.alternate.rounds),
        "Commit": run.revisions(runs),
        "Time of all stages": run.total_time(runs),
        "Hardware": "; ".join(run.hardware(runs)),
    }
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _summary(results: dict[str, list[Result]]) -> str:
    """Rows by sets, each entry "J / F / J&F"."""
    if not results:
        return "Nothing was scored: no evaluation set, or the stage evaluate has not run yet."
    names = list(dict.fromkeys(result.name for rows in results.values() for result in rows))
    by_place = {(result.name, result.set): result.overall for rows in results.values() for result in rows}
    keys = ("J_mean", "F_mean", "J&F_mean")
    lines = [
        Line(
            name,
            [
                Cell(" / ".join(percent(by_place.get((name, chosen), {}).get(key)) for key in keys))
                for chosen in results
            ],
        )
        for name in names
    ]
    return markdown_table(Table(["J / F / J&F, mean over objects", *results], lines))


def _times(runs: list[run.StageRun]) -> str:
    lines = [Line(stage.name, [Cell(stage.time), Cell(stage.rate)]) for stage in runs]
    return markdown_table(Table(["Stage", "Time", "Rate"], lines))


def _settings(params: Params) -> str:
    sections = run.settings(params).items()
    return "\n\n".join(f"{name}:\n\n```yaml\n{text}\n```" for name, text in sections)
