from maskvos.tables.latex import escape, latex_table
from maskvos.tables.table import Cell, Line, Table


def test_rules_alignment_bold_and_symbols():
    table = Table(["Object", "J&F", "J recall"], [Line("x_1", [Cell("1.5", True), Cell("–")])], [Line("mean", [])])
    assert latex_table(table).splitlines() == [
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"Object & $\mathcal{J}$\&$\mathcal{F}$ & $\mathcal{J}$ recall \\",
        r"\midrule",
        r"x\_1 & \textbf{1.5} & -- \\",
        r"\midrule",
        r"mean \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_a_negative_number_has_a_minus_and_a_name_its_hyphen():
    table = Table(["Sequence", "J decay", "set"], [Line("car-2", [Cell("-10.1", True), Cell("test-1")])])
    assert r"car-2 & \textbf{$-$10.1} & test-1 \\" in latex_table(table)


def test_every_special_character_is_escaped_once():
    assert escape("a\\{b}") == r"a\textbackslash{}\{b\}"
    assert escape("#$%&_~^<>") == (r"\#\$\%\&\_\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}")
