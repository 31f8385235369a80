"""One protocol for all: every model and baseline of a data set, scored in the same ways."""

from pathlib import Path

from report.page.protocols import ProtocolTable
from report.render.locale import locale
from tests.report.benches import AUTOREGRESSION, forecast, one, page_of, quality, row, score
from tests.report.building import Json

PLAIN = locale("en").plain


def tables(root: Path, *records: Json) -> tuple[ProtocolTable, ...]:
    """The tables of the only section."""
    (section,) = page_of(root, *records).sections
    return section.protocols


def lines(table: ProtocolTable) -> list[tuple[str, ...]]:
    """Name, then loss and accuracy under each protocol."""
    return [(PLAIN(line.name), *map(PLAIN, line.scores)) for line in table.lines]


def test_airline_rows_and_their_baseline_are_scored_both_ways(tmp_path: Path) -> None:
    """Five models and the seasonal naive forecast, recursively and one step ahead."""
    airline = tables(tmp_path, *one())[0]
    assert airline.protocols == ("recursive", "one-step")
    assert lines(airline) == [
        ("LSTM", "0.012 ±8 %", "0.44 ±0.02", "0.00128 ±4 %", "0.941 ±0.002"),
        ("LSTM(AUG)", "0.012 ±60 %", "0.44 ±0.2", "0.0041 ±30 %", "0.81 ±0.06"),
        ("AR", "0.01347857", "0.38114552", "0.00159427", "0.92680115"),
        ("AR(OLS)", "0.01347857", "0.38114552", "0.00159427", "0.92680115"),
        ("AR(Polyfit)", "0.00875667", "0.59794672", "0.00371000", "0.82970000"),
        ("baseline: seasonal naive (the same month one year before)", "0.01793000", "0.17680000", "0.00796000",
         "0.63450000"),
    ]  # fmt: skip


def test_the_bilstm_stands_beside_persistence_and_a_linear_model(tmp_path: Path) -> None:
    """The same minutes for all three."""
    household = tables(tmp_path, *one())[1]
    assert PLAIN(household.dataset) == "Household electricity"
    assert lines(household) == [
        ("Bi-LSTM", "0.000441", "0.943"),
        ("baseline: persistence (the last value again)", "0.00045903", "0.94029000"),
        ("baseline: linear AR(60)", "0.00045151", "0.94127000"),
    ]


def test_the_page_says_which_protocols_the_published_column_mixed(tmp_path: Path) -> None:
    """The airline column mixed two; the household column has one row and mixed nothing."""
    airline, household = tables(tmp_path, *one())
    assert [PLAIN(name) for name in airline.mixed] == ["recursive", "one step ahead"]
    assert household.mixed == ()
    assert [PLAIN(line.published) for line in airline.lines[:4]] == [
        "0.0017; 0.9230 (one step ahead)",
        "0.0040; 0.8601 (one step ahead)",
        "0.013; 0.38 (recursive)",
        "0.05; -0.18 (as published, with its slips)",
    ]


def test_synthetic_data_and_lone_models_make_no_table(tmp_path: Path) -> None:
    """Without a baseline there is nothing to compare a model with, and synthetic scores mean nothing."""
    made_up = {"name": "airline", "source": "generated", "sha256": "8" * 64, "synthetic": True, "note": None}
    synthetic = row("ar", quality=forecast("recursive", AUTOREGRESSION), data=made_up)
    alone = row("bilstm", quality=quality("one-step", score("one-step", 0.1, 0.9)))
    assert tables(tmp_path, synthetic, alone) == ()


def test_rolling_errors_come_with_their_quartiles_where_the_record_has_them(tmp_path: Path) -> None:
    """A row without rolling errors, or without quartiles of some, shows what it has."""
    errors = {
        "name": "",
        "baseline": False,
        "origins": 33,
        "horizon": 12,
        "mae": 0.047402,
        "rmse": 0.0604,
        "mase": None,
    }
    first = {**errors, "mae_quartiles": [0.03056, 0.05806]}
    with_errors = row("lstm", quality=forecast("recursive", AUTOREGRESSION, rolling_origin=[first]))
    without = row("ar", quality=forecast("recursive", AUTOREGRESSION))
    (table,) = tables(tmp_path, with_errors, without)
    assert (table.rolling.origins, table.rolling.horizon) == (33, 12)
    assert [list(map(PLAIN, line.rolling)) for line in table.lines] == [
        ["0.0474 (0.0306–0.0581)", "0.0604", ""],
        [],
        [],
    ]
