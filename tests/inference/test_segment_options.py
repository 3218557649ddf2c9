"""The options of ``maskvos segment``."""

import subprocess
import sys

import pytest

from maskvos.inference.segment_options import OWN_WEIGHTS
from tests.inference.segmenting import parse

NEEDED = ("clip.mp4", "--mask", "a.png", "--weights", "w", "--output", "out")


def test_masks_come_in_their_order():
    assert parse(*NEEDED, "--mask", "4=b.png", "--mask", "c.png").mask == ["a.png", "4=b.png", "c.png"]


def test_what_happens_without_options():
    chosen = parse(*NEEDED)
    assert (chosen.start, chosen.end, chosen.method, chosen.max_size, chosen.overlay_rate) == (None,) * 5
    assert parse(*NEEDED[:3], *NEEDED[5:]).weights == OWN_WEIGHTS
    assert (chosen.json, chosen.no_overlay, chosen.overwrite, chosen.device) == (False, False, False, "auto")


@pytest.mark.parametrize("missing", ["--mask", "--output"])
def test_what_is_needed(missing, capsys):
    place = NEEDED.index(missing)
    with pytest.raises(SystemExit):
        parse(*NEEDED[:place], *NEEDED[place + 2 :])
    assert missing in capsys.readouterr().err


def test_help_explains_masks(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    shown = capsys.readouterr().out
    assert "FRAME=FILE" in shown
    assert "black and white" in shown


def test_wrong_arguments_are_told_without_torch():
    program = (
        "import sys\nfrom maskvos.cli import main\n"
        "try: main(['segment', 'nowhere', '--mask', 'm', '--weights', 'w', '--output', 'o'])\n"
        "finally: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (2, "False")
    assert done.stderr.startswith("maskvos: error: nowhere: no such file or folder")
