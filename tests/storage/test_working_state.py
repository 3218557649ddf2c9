"""Working state: what tells runs apart, and where it lies."""

import pytest

from maskvos.errors import UserError
from maskvos.storage.working_state import common_folder, fingerprint


def test_fingerprint_ignores_order_and_sees_every_value():
    plain = fingerprint(seed=1, settings={"a": 1, "b": 2.5})
    assert fingerprint(settings={"b": 2.5, "a": 1}, seed=1) == plain
    assert fingerprint(seed=1, settings={"a": 1, "b": 2.6}) != plain
    assert fingerprint(seed=2, settings={"a": 1, "b": 2.5}) != plain


@pytest.mark.parametrize("value", [None, ""])
def test_no_common_folder(monkeypatch, value):
    monkeypatch.delenv("MASKVOS_CHECKPOINTS", raising=False)
    if value is not None:
        monkeypatch.setenv("MASKVOS_CHECKPOINTS", value)
    assert common_folder() is None


def test_a_common_folder_inside_the_copy_is_refused(monkeypatch):
    monkeypatch.setenv("MASKVOS_CHECKPOINTS", "checkpoints/all")
    with pytest.raises(UserError, match="absolute path"):
        common_folder()
