"""One protocol for all: every model and baseline of a data set, scored in the same ways."""

from pathlib import Path

from report.render.locale import locale
from tests.report.benches import AUTOREGRESSION, MADE_UP, forecast, quality, row, score, section_of

PLAIN = locale("en").plain


def test_synthetic_data_and_lone_models_make_no_table(tmp_path: Path) -> None:
    """Without a baseline there is nothing to compare a model with, and synthetic scores mean nothing."""
    synthetic = row("ar", quality=forecast("recursive", AUTOREGRESSION), data=MADE_UP)
    alone = row("bilstm", quality=quality("one-step", score("one-step", 0.1, 0.9)))
    assert section_of(tmp_path, synthetic, alone).protocols == ()


def test_rolling_errors_come_with_their_quartiles_where_the_record_has_them(tmp_path: Path) -> None:
    """A row without rolling errors, or without quartiles of some, shows what it has."""
    errors = {"name": "", "baseline": False, "origins": 33, "horizon": 12, "mae": 0.047402, "rmse": 0.0604}
    errors |= {"mase": None, "mae_quartiles": [0.03056, 0.05806]}
    with_errors = row("lstm", quality=forecast("recursive", AUTOREGRESSION, rolling_origin=[errors]))
    without = row("ar", quality=forecast("recursive", AUTOREGRESSION))
    (table,) = section_of(tmp_path, with_errors, without).protocols
    assert (table.rolling.origins, table.rolling.horizon) == (33, 12)
    assert [list(map(PLAIN, line.rolling)) for line in table.lines] == [
        ["0.0474 (0.0306–0.0581)", "0.0604", ""],
        [],
        [],
    ]
