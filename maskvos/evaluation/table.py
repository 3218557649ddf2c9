"""The result as a table on the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from maskvos.evaluation.result import Result
from maskvos.evaluation.statistics import FIGURES, Scores

MOST_OBJECTS = 100  # beyond that (YouTube-VOS has over a thousand) a row a sequence; the CSV has every object


def print_table(result: Result, console: Console | None = None) -> None:
    """A row an object (a sequence where there are very many) in the dataset's order, then groups, then the mean."""
    by_object = len(result.scores) <= MOST_OBJECTS
    table = Table(
        title=f"{result.protocol}: {len(result.scores)} objects in {len(result.sequences)} sequences",
        box=SIMPLE_HEAD,
        padding=0,
    )
    table.add_column("object" if by_object else "sequence", overflow="fold")
    for name in ("J&F", *FIGURES):
        table.add_column(name.replace("_", " "), justify="right", min_width=6)
    for name, scores in (result.objects if by_object else result.sequences).items():
        table.add_row(name, *_cells(scores))
    table.add_section()
    for name, scores in result.group_means.items():
        table.add_row(f"mean, {name} categories", *_cells(scores))
    table.add_row("mean over objects", *_cells(result.mean), style="bold")
    if result.overall is not None:
        table.add_row("overall: mean of J, F seen and unseen", f"{result.overall:.3f}", style="bold")
    (console or Console()).print(table)


def _cells(scores: Scores) -> list[str]:
    values = ((scores["J_mean"] + scores["F_mean"]) / 2, *(scores[figure] for figure in FIGURES))
    return [f"{value:.3f}" for value in values]
