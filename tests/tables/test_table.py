import pytest

from maskvos.tables.table import percent


@pytest.mark.parametrize(
    ("value", "text"), [(-0.0004, "0.0"), (0.5, "50.0"), (None, "–"), (float("nan"), "–"), (-0.0312, "-3.1")]
)
def test_percent(value, text):
    assert percent(value) == text
