"""A disk that is full, without one: for a moment no file of this process may grow."""

import resource

import pytest

from maskvos.errors import UserError


def message_of(write, size=10_000):
    """What the user reads when ``write`` runs where no file may have more than ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(UserError) as error:
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    return str(error.value)
