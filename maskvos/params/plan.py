"""The graph's shape, derived from the other parameters: which evaluation sets, rounds and result rows there are.

Both orchestrators read it from params.yaml, so that neither does arithmetic of its own (DVC's templates have none).
"""

from typing import Any

WEIGHTLESS = ("copy", "lab", "untrained")  # rows that need no trained weights
BACKBONE = "artifacts/backbone/weights"
CORRESPONDENCE = "artifacts/correspondence/weights"


def round_weights(number: int) -> str:
    """The folder of weights that round ``number`` (from 0) makes."""
    return f"artifacts/rounds/{number}/weights"


def derive_plan(content: dict[str, Any]) -> dict[str, Any]:
    """The section ``plan`` of an experiment.

    Args:
        content: valid parameters as plain data; a ``plan`` in it is ignored.

    Returns:
        ``sets`` (the evaluation sets that are present), ``rounds`` (each with the weights it starts from),
        ``baselines`` and ``models`` (the result rows without and with weights, keyed ``SET-ROW``), ``results``.
    """
    number = content["alternate"]["rounds"]
    sets = [
        name
        for name, dataset in content["data"]["evaluation"].items()
        if dataset["source"] != "folder" or dataset.get("path")
    ]
    weights = {
        "backbone": BACKBONE,
        "correspondence": CORRESPONDENCE,
        "full": round_weights(number - 1),
    }
    rows = [(name, row) for name in sets for row in content["evaluation"]["rows"]]
    return {
        "sets": {name: name for name in sets},
        "rounds": {
            str(index): {"previous": round_weights(index - 1) if index else CORRESPONDENCE} for index in range(number)
        },
        "baselines": {
            f"{name}-{row}": {"set": name, "row": row, "weights": ""} for name, row in rows if row in WEIGHTLESS
        },
        "models": {
            f"{name}-{row}": {"set": name, "row": row, "weights": weights[row]} for name, row in rows if row in weights
        },
        # DVC refuses a dependency that nothing makes; without a result there is no such folder.
        "results": "artifacts/evaluation" if rows else "artifacts/data/train.json",
    }
