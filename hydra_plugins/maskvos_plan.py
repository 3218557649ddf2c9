"""Hydra loads this file for `maskvos compose` and for `dvc exp run -S` alike: `${maskvos_plan:}` derives and checks."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from maskvos.params.plan import derive_plan
from maskvos.params.reading import validate


def _plan(*, _root_: DictConfig) -> DictConfig:
    """The section ``plan``; wrong parameters are an error here, before either tool has run anything."""
    content: Any = OmegaConf.to_container(_root_)
    try:
        content["plan"] = derive_plan(content)
    except (AttributeError, KeyError, TypeError):  # values of a wrong type, which the schema names below
        content["plan"] = {"sets": {}, "rounds": {}, "baselines": {}, "models": {}, "results": ""}
    validate(content, "parameters")
    return OmegaConf.create(content["plan"])  # a resolver that returns a plain dict would leave it opaque to OmegaConf


OmegaConf.register_new_resolver("maskvos_plan", _plan, replace=True)
