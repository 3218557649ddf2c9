"""The file of a curve."""

from maskvos.report.records import read_curves
from maskvos.training.curves import write_curves


def test_rows_of_an_earlier_version_have_empty_cells_where_they_lack_a_column(tmp_path):
    write_curves(tmp_path / "curves.csv", [{"step": 1.0, "loss": 0.5}, {"step": 2.0, "loss": 1 / 3, "similarity": 0.1}])
    assert (tmp_path / "curves.csv").read_text() == "step,loss,similarity\n1,0.5,\n2,0.3333333,0.1\n"
    assert read_curves(tmp_path / "curves.csv")["similarity"].tolist()[1] == 0.1


def test_no_rows_make_a_header(tmp_path):
    write_curves(tmp_path / "curves.csv", [])
    assert (tmp_path / "curves.csv").read_text() == "step\n"
