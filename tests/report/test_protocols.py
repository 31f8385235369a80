"""One protocol for all: every model and baseline of a data set, scored in the same ways."""

from pathlib import Path

from report.load import load_results
from report.messages import locale
from report.page import build_page, render_page
from report.protocols import ProtocolTable, protocol_tables
from report.published import published_figures
from report.rows import groups
from tests.report.fixtures.build import FOLDER, one, write


def tables(root: Path) -> list[ProtocolTable]:
    """The tables of the only group."""
    (group,) = groups(load_results(root).results)
    return list(protocol_tables(group, published_figures()))


def lines(table: ProtocolTable) -> list[tuple[str, ...]]:
    """Name, then loss and accuracy under each protocol."""
    return [
        (line.name, *(text for entry in line.entries for text in (entry.loss, entry.accuracy))) for line in table.lines
    ]


def test_airline_rows_and_their_baseline_are_scored_both_ways() -> None:
    """Five models and the seasonal naive forecast, recursively and one step ahead."""
    airline = tables(FOLDER / "one")[0]
    assert airline.protocols == ("recursive", "one-step")
    assert lines(airline) == [
        ("LSTM", "0.0121", "0.444", "0.0013", "0.941"),
        ("LSTM(AUG)", "0.015", "0.32", "0.0041", "0.81"),
        ("AR", "0.01347857", "0.38114552", "0.00159427", "0.92680115"),
        ("AR(OLS)", "0.01347857", "0.38114552", "0.00159427", "0.92680115"),
        ("AR(Polyfit)", "0.00875667", "0.59794672", "0.00371000", "0.82970000"),
        ("seasonal naive", "0.01793000", "0.17680000", "0.00796000", "0.63450000"),
    ]
    assert [line.baseline for line in airline.lines] == [False] * 5 + [True]


def test_the_bilstm_stands_beside_persistence_and_a_linear_model() -> None:
    """The same minutes for all three."""
    household = tables(FOLDER / "one")[1]
    assert locale("en").plain(household.dataset) == "Household electricity"
    assert lines(household) == [
        ("Bi-LSTM", "0.000441", "0.943"),
        ("persistence", "0.00045903", "0.94029000"),
        ("linear AR(60)", "0.00045151", "0.94127000"),
    ]


def test_a_reader_is_told_which_protocols_the_published_column_mixed() -> None:
    """The airline column mixed two; the household column has one row and mixed nothing."""
    airline, household = tables(FOLDER / "one")
    assert airline.mixed == ("recursive", "one-step")
    assert household.mixed == ()
    assert [line.published_protocol for line in airline.lines[:4]] == [
        "one-step",
        "one-step",
        "recursive",
        "as-published",
    ]


def test_synthetic_data_and_lone_models_make_no_table(tmp_path: Path) -> None:
    """Without a baseline there is nothing to hold a model against, and synthetic scores mean nothing."""
    kept = [made for made in one() if made["model"]["dataset"] == "cifar10"]
    for made in one():
        if made["model"]["key"] == "ar" and made["device"] == "cpu":
            made["data"]["synthetic"] = True
            kept.append(made)
    assert tables(write(tmp_path, kept)) == []


def test_rolling_errors_stand_with_their_quartiles_where_the_record_has_them(tmp_path: Path) -> None:
    """A record from before MAE and RMSE had theirs shows what it has; a row without rolling errors stays empty."""
    errors = {
        "name": "",
        "baseline": False,
        "origins": 33,
        "horizon": 12,
        "mae": 0.047402,
        "rmse": 0.0604,
        "mase": 0.8369,
    }
    before = {**errors, "mase_quartiles": [0.5396, 1.025]}
    today = {**before, "mae_quartiles": [0.03056, 0.05806], "rmse_quartiles": [0.04316, 0.06754]}
    records = [made for made in one() if made["device"] == "cpu" and made["model"]["key"] in ("lstm", "ar", "ar-ols")]
    for made, found in zip(records, ([today], [before], []), strict=True):
        made["quality"]["rolling_origin"] = found
    page = render_page(build_page(load_results(write(tmp_path, records)).results, published_figures()), "en")
    start = page.index("MAE, rolling (quartiles)")
    with_all, with_one, with_none = [line for line in page[start:].splitlines() if line.startswith("| ")][:3]
    place = "2017-08-05_Model-Comparison/gtx-box/gtx1080"
    assert with_all.endswith(
        f"| [0.0474]({place}/lstm.cpu.json) (0.0306–0.0581) | [0.0604]({place}/lstm.cpu.json) (0.0432–0.0675) "
        f"| [0.837]({place}/lstm.cpu.json) (0.540–1.02) |"
    )
    assert with_one.endswith(
        f"| [0.0474]({place}/ar.cpu.json) | [0.0604]({place}/ar.cpu.json) | [0.837]({place}/ar.cpu.json) (0.540–1.02) |"
    )
    assert with_none.endswith("|  | |  |")
