"""Steps that are no numbers: seen late without a wait, or at once and left out."""

import pytest
import torch
from torch import nn

from maskvos.errors import UserError
from maskvos.training.checkpoints import Checkpoints
from maskvos.training.finite import MOST_IN_A_ROW, FiniteSteps

NAN, INF = float("nan"), float("inf")


def watcher(folder, action, skipped=0):
    return FiniteSteps(action, "toy", lambda step: [f"clip{step}", "other"], Checkpoints(folder, "run"), skipped)


def module(gradient=1.0):
    line = nn.Linear(2, 1)
    line.weight.grad = torch.tensor([[1.0, gradient]])
    return line


@pytest.mark.parametrize(("loss", "part", "gradient"), [(NAN, 1, 1), (1, INF, 1), (1, 1, NAN), (1, 1, -INF)])
def test_stop_names_the_first_bad_step_when_asked(tmp_path, loss, part, gradient):
    finite = watcher(tmp_path, "stop")
    good = {"loss": torch.tensor(1.0), "part": torch.tensor(2.0)}
    bad = {"loss": torch.tensor(float(loss)), "part": torch.tensor(float(part))}
    assert finite.allows(0, good, module())
    finite.judge()
    assert finite.allows(1, good, module())
    assert finite.allows(2, bad, module(gradient))
    assert finite.allows(3, bad, module(gradient))
    with pytest.raises(UserError, match=r"step 3, clips clip2, other\. No checkpoint had been saved.*non_finite=skip"):
        finite.judge()


def test_stop_says_where_to_go_on(tmp_path):
    Checkpoints(tmp_path, "run").save(7, {})
    finite = watcher(tmp_path, "stop")
    finite.allows(8, {"loss": torch.tensor(NAN)}, module())
    with pytest.raises(UserError, match=r"keeps step 7\. Lower"):
        finite.judge()


def test_skip_says_no_at_once_and_counts(tmp_path, caplog):
    finite = watcher(tmp_path, "skip", skipped=4)
    assert finite.allows(0, {"loss": torch.tensor(1.0)}, module())
    assert not finite.allows(1, {"loss": torch.tensor(1.0)}, module(NAN))
    assert finite.skipped == 5
    assert "step 2, clips clip1, other; skipped, 5 so far" in caplog.text
    finite.judge()


def test_skip_gives_up_after_too_many_in_a_row(tmp_path):
    finite = watcher(tmp_path, "skip")
    for _ in range(2):
        for step in range(MOST_IN_A_ROW):
            assert not finite.allows(step, {"loss": torch.tensor(NAN)}, module())
        assert finite.allows(50, {"loss": torch.tensor(1.0)}, module())
    for step in range(MOST_IN_A_ROW):
        finite.allows(step, {"loss": torch.tensor(NAN)}, module())
    with pytest.raises(UserError, match=f"{MOST_IN_A_ROW + 1} steps in a row"):
        finite.allows(99, {"loss": torch.tensor(NAN)}, module())
