"""The answer first: one paragraph from the records, and machines against rows."""

from pathlib import Path

from report.render.locale import locale
from tests.report.benches import page_of, row

PLAIN = locale("en").plain


def test_a_row_that_cannot_be_told_from_the_fastest_is_named(tmp_path: Path) -> None:
    """One per cent lies within what the processes differ by, a factor of two does not."""
    alike = row("ar-ols", predict=0.00101)
    timed = [process["predict"] for process in alike["processes"]]
    for process, other in zip(alike["processes"], reversed(timed), strict=True):
        process["predict"] = other
    rows = row("ar", predict=0.001), alike, row("ar-polyfit", predict=0.002)
    text = PLAIN(page_of(tmp_path, *rows).summary)
    assert "The fastest row is AR with 1.00 ms ±2 % per prediction. Not distinguishable from it: AR(OLS). " in text


def test_without_measurements_it_falls_back_on_the_published_table(tmp_path: Path) -> None:
    """A smoke run is neither fast nor strange."""
    text = PLAIN(page_of(tmp_path, row("lstm", profile="smoke")).summary)
    assert text.endswith("The published table gives Bi-LSTM more memory (10795MB) than its card has.")
    assert "fastest" not in text
