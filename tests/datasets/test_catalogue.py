"""The catalogue: complete entries, names found or the nearest one told."""

from pathlib import Path

import pytest

from maskvos.datasets.catalogue import CATALOGUE, find_entry
from maskvos.datasets.extract import is_archive
from maskvos.errors import UserError


def test_six_entries_say_how_to_get_them() -> None:
    assert set(CATALOGUE) == {
        "davis2017-trainval-480p",
        "davis2017-test-dev-480p",
        "youtubevos2018-train",
        "youtubevos2018-valid",
        "youtubevos2019-train",
        "youtubevos2019-valid",
    }
    for entry in CATALOGUE.values():
        assert bool(entry.address) != bool(entry.steps)
        assert not entry.address or entry.address.endswith(entry.archive)
        assert is_archive(Path(entry.archive))
        assert entry.splits
        assert entry.licence


def test_steps_name_the_right_archive() -> None:
    steps = " ".join(find_entry("youtubevos2018-valid").steps)
    assert "2018" in steps
    assert "valid.zip" in steps
    assert "{" not in steps


def test_unknown_name() -> None:
    with pytest.raises(UserError, match="did you mean 'davis2017-trainval-480p'"):
        find_entry("davis2017-trainval")
