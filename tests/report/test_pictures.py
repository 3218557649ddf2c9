"""Which of many are shown."""

import pytest

from maskvos.report.pictures import spread


@pytest.mark.parametrize(
    ("count", "wanted", "places"), [(0, 3, []), (1, 3, [0]), (2, 3, [0, 1]), (5, 3, [0, 2, 4]), (9, 1, [0])]
)
def test_spread(count, wanted, places):
    assert spread(count, wanted) == places
