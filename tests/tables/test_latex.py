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


def test_every_special_character_is_escaped_once():
    assert escape("a\\{b}") == r"a\textbackslash{}\{b\}"
    assert escape("#$%&_~^<>") == (r"\#\$\%\&\_\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}")
