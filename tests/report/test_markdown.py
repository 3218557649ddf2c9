"""The page that is committed."""

from maskvos.report.markdown import render_markdown
from maskvos.report.records import read_results
from tests.report.tree import make_params, make_tree


def test_page_holds_results_settings_and_origin(tmp_path):
    artifacts, logs = make_tree(tmp_path)
    page = render_markdown(make_params(), read_results(artifacts, make_params().plan), logs)
    for expected in (
        "| Full method | 60.0 / 60.0 / 60.0 |",
        "- Seed: 0",
        "- Commit: cccccccccccc, tree as committed",
        "- Hardware: Some CPU, 2 cores",
        "| pretrain_correspondence | 1 h 02 min | 4.57 steps/s |",
        "| dog | 22.0 | 32.0 | 12.0 | 52.0 | **62.0** |",
        "| full method, ResNet-18 | paper, Table 1, 4a | 74.5 |",
        "embedding_dim: 128",
    ):
        assert expected in page
    assert str(tmp_path) not in page
    assert "secret-host" not in page


def test_an_ablation_is_named(tmp_path):
    params = make_params().model_copy(update={"ablation": "losses_all"})
    assert "- Ablation: `losses_all`" in render_markdown(params, {}, tmp_path)
    assert "Ablation" not in render_markdown(make_params(), {}, tmp_path)


def test_every_table_has_as_many_cells_as_columns(tmp_path):
    artifacts, logs = make_tree(tmp_path)
    page = render_markdown(make_params(), read_results(artifacts, make_params().plan), logs)
    for block in page.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1


def test_page_without_results(tmp_path):
    assert "Nothing was scored" in render_markdown(make_params(), {}, tmp_path)
