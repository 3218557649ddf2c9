"""Hydra loads this file for `maskvos compose` and for `dvc exp run -S` alike: `${maskvos_plan:}` derives and checks."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from maskvos.params.plan import derive_plan
from maskvos.params.reading import validate


def _plan(*, _root_: DictConfig) -> DictConfig:
    """The section ``plan``; wrong parameters are an error here, before either tool has run anything."""
    empty: dict[str, Any] = {"sets": {}, "rounds": {}, "baselines": {}, "models": {}}
    content: Any = {**OmegaConf.to_container(_root_), "plan": empty}  # type: ignore[dict-item]
    validate(content, "parameters")
    return OmegaConf.create(derive_plan(content))  # a plain dict would not be resolved further by OmegaConf


OmegaConf.register_new_resolver("maskvos_plan", _plan, replace=True)
