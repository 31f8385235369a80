"""The answer first: one paragraph from the records, and machines against rows."""

from pathlib import Path

from report.render.locale import locale
from tests.report.benches import many, one, page_of, row

PLAIN = locale("en").plain


def test_the_paragraph_says_what_came_out(tmp_path: Path) -> None:
    """How many published figures were reproduced and why not the others, the fastest rows, the strangest finding."""
    assert PLAIN(page_of(tmp_path, *one()).summary) == (
        "Of the 31 figures that the blog post of 2017-08-05 gives, 12 are reproduced on gtx-box (Intel(R) Core(TM) "
        "i7-6700K CPU @ 4.00GHz, NVIDIA GeForce GTX 1080), 5 more came out better and 0 worse. 5 are not comparable "
        "(published figure in "
        "doubt: 5), and 9 were not measured (out of memory: 3, failed: 2, timeout: 2, not training: 1, not scored: 1). "
        "The fastest row is AR(Polyfit) on CPU with 40.0 µs ±2 % per prediction. The neural net that trains fastest is "
        "Bi-LSTM on GPU with 1.39 ms ±2 % per step. Scored one step ahead, as the published LSTM was, and not "
        "recursively, as the published AR was, the linear AR reaches R² 0.9268 here, above the 0.9230 published for "
        "the LSTM."
    )


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


def test_several_machines_are_summed_up_by_their_best(tmp_path: Path) -> None:
    """A figure counts as reproduced where it is on any of them, and the fastest row names its machine."""
    text = PLAIN(page_of(tmp_path, *many()).summary)
    assert text.startswith(
        "Of the 31 figures that the blog post of 2017-08-05 gives, 2 are reproduced on at least one of 3 machines and "
        "stacks"
    )
    assert "The fastest row is AR on cloud, stack current with 80 µs ±2 % per prediction." in text


def test_the_overview_has_machines_against_rows(tmp_path: Path) -> None:
    """A line per machine, stack and device, a column per row, the shortest time of each known."""
    training, _ = page_of(tmp_path, *many()).overviews
    assert training.rows == ("LSTM", "AR")
    assert [(line.name, [PLAIN(time) for time in line.times]) for line in training.lines] == [
        ("cloud, cpu", ["", "0.00110 ±2 %"]),
        ("cloud, current", ["", "0.00080 ±2 %"]),
        ("laptop, cpu", ["0.020", ""]),
    ]
    assert training.fastest == (0.02, 0.0008)
    assert page_of(tmp_path / "one", row("lstm")).overviews == ()
