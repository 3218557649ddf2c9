"""The report: one HTML file with its style sheet, drawings and pictures inside, readable offline and on a phone."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from maskvos.params import Params
from maskvos.report import paper, run, tables
from maskvos.report.clustering import clustering_table
from maskvos.report.comparison import comparisons
from maskvos.report.curves import curve_groups
from maskvos.report.data import summarise_data
from maskvos.report.headline import headline
from maskvos.report.plots import draw
from maskvos.report.predictions import prediction_galleries
from maskvos.report.pseudo_masks import pseudo_mask_galleries
from maskvos.report.records import Result, read_results
from maskvos.revision import Revision


def render_report(params: Params, artifacts: Path, logs: Path, revision: Revision) -> str:
    """The whole page. What a run lacks (evaluation sets, rounds, logs) is named in its section instead of shown.

    Raises:
        UserError: an artifact is there but cannot be read.
    """
    results = read_results(artifacts, params.plan)
    runs = run.read_stage_runs(params, logs)
    content = {
        "params": params,
        "revision": revision,
        "runs": runs,
        "revisions": run.revisions(runs),
        "total_time": run.total_time(runs),
        "hardware": run.hardware(runs),
        "settings": run.settings(params),
        "data": summarise_data(artifacts, params.plan),
        "sets": [_set_section(artifacts, name, rows) for name, rows in results.items()],
        "comparisons": comparisons(params, results),
        "remark": paper.REMARK,
        "groups": curve_groups(artifacts, params.plan),
        "clustering": clustering_table(artifacts, params.plan),
        "clips": pseudo_mask_galleries(artifacts, params.plan),
    }
    environment = Environment(
        loader=PackageLoader("maskvos.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.lstrip_blocks = True
    environment.filters["draw"] = lambda panel, group: Markup(draw(panel, group))
    return environment.get_template("report.html").render(content)


def _set_section(artifacts: Path, name: str, rows: list[Result]) -> dict[str, object]:
    return {
        "name": name,
        "scored": rows[-1].scored,
        "protocol": rows[0].protocol,
        "objects": rows[0].objects,
        "headline": headline(name, rows),
        "results": tables.results_table(rows),
        "sequences": tables.sequence_table(rows),
        "galleries": prediction_galleries(artifacts, name, rows),
    }
