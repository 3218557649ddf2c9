"""The typed, validated parameters of an experiment; conf/ holds every default with its source."""

from maskvos.params.reading import read_all_params, read_params, validate
from maskvos.params.schema import Params

__all__ = ["Params", "read_all_params", "read_params", "validate"]
