"""As written and tuned: the table, and the list of everything that was tried."""

from pathlib import Path
from typing import Any

import pytest

from report.page.tuning import Tuned
from report.render.locale import locale
from tests.report.benches import row, section_of, tuned_lstm, tuning
from tests.report.building import Json, attempt, changed, reason, side, warning


def tuned(root: Path, made: Json) -> Tuned:
    """The line of the only tuning, beside a result."""
    (line,) = section_of(root, row(made["model"]["key"]), made).tuned
    return line


def cells(line: Tuned, language: str = "en") -> list[str]:
    """The table's cells from the training times on."""
    plain = locale(language).plain
    phases = [cell for phase in line.phases for cell in (phase.as_written, phase.tuned, phase.ratio)]
    return [*map(plain, phases), plain(line.settings), plain(line.error)]


def tried(line: Tuned) -> list[str]:
    """The list below the table."""
    return list(map(locale("en").plain, line.attempts))


def of_lstm(*attempts: Json, chosen: tuple[str, ...] = (), **changes: Any) -> Json:
    """A tuning of the LSTM."""
    return tuning("lstm", "cpu", list(chosen), *attempts, **changes)


def test_every_outcome_has_its_words(tmp_path: Path) -> None:
    """Skipped, out of time, out of memory, different without a figure, one phase only, replaced, unknown options."""
    automatic = reason("option-automatic", framework="Keras", version="3.9.0", option="cudnn")
    attempts = [
        attempt(None, 0.02, None),
        attempt("cudnn", None, None, status="skipped", reason=automatic),
        attempt("compile", None, None, status="timeout", reason=reason("time-limit", seconds=60)),
        attempt("channels-last", None, None, status="out_of_memory", reason=reason("text", text="8 GB asked for")),
        attempt("novel", 0.01, 0.3, status="different", max_relative_error=None),
        attempt("threads-016", None, 0.01),
        attempt("threads-1", 0.018, None, kept=True),
        attempt("threads-16", 0.03, None, kept=True),
    ]
    assert tried(tuned(tmp_path, of_lstm(*attempts, chosen=("threads-16",)))) == [
        "cudnn (cuDNN's own LSTM layer, CuDNNLSTM, with the same weights): not tried: "
        "Keras 3.9.0 already chooses cudnn by itself",
        "compile (torch.compile): timeout: stopped at the time limit of 60 s",
        "channels-last (images with the channels innermost): out of memory: 8 GB asked for",
        "novel: training 0.500, prediction –; not kept, outputs differ",
        "threads-016: training –, prediction –; not clearly faster",
        "threads-1 (number of threads: 1): training 0.900, prediction –; kept until a later one replaced it",
        "threads-16 (number of threads: 16): training 1.50, prediction –; kept",
    ]


def test_where_nothing_helped_the_page_says_so(tmp_path: Path) -> None:
    """The time as written is alone, with a sentence in place of settings; or the reason there is."""
    line = tuned(tmp_path / "a", of_lstm(attempt(None, 0.0213, 0.00712)))
    assert cells(line) == ["0.0213 ±4 %", "", "", "0.0071 ±4 %", "", "", "nothing tried was clearly faster", ""]
    assert tried(line) == ["nothing"]
    why = of_lstm(attempt(None, 0.02, 0.01), reason=reason("text", text="no more time"))
    assert cells(tuned(tmp_path / "b", why))[6] == "no more time"


def test_a_row_that_failed_as_written_says_so(tmp_path: Path) -> None:
    """Nothing could be compared with it: no figure, and the reason instead of settings."""
    late = reason("time-limit", seconds=9)
    line = tuned(tmp_path, of_lstm(attempt(None, 0.02, 0.01, status="failed", reason=late)))
    said = "as written: failed: stopped at the time limit of 9 s"
    assert cells(line) == ["", "", "", "", "", "", said, ""]
    assert tried(line) == [said]


def test_what_was_not_confirmed_is_not_shown_as_faster(tmp_path: Path) -> None:
    """Without confirming processes there is no tuned time; the reason is given where there is one."""
    assert cells(tuned(tmp_path / "a", tuned_lstm(confirmation=None))) == [
        "0.0213 ±4 % (other load)", "", "", "0.0071 ±4 % (other load)", "", "", "unroll (not confirmed)", "2.4e-07"
    ]  # fmt: skip
    inner = {"key": "killed", "values": {"signal": "SIGKILL"}}
    why = reason("repeat-failed", side="as_written", reason=inner)
    line = tuned(tmp_path / "b", tuned_lstm(confirmation=None, reason=why))
    failed = "as written failed when it was run again: the process was killed by SIGKILL"
    assert cells(line)[6] == f"unroll (not confirmed: {failed})"
    assert cells(line, "ko")[6] == (
        "unroll (확인하지 못함: 다시 실행했을 때 원래 코드 쪽이 실패함: 프로세스가 SIGKILL 신호로 종료됨)"
    )


@pytest.mark.parametrize(
    ("as_written", "after", "shown"),
    [
        ([0.0213], [0.0213], ["0.021", "0.021", "1.00"]),
        ([], [], ["", "", ""]),
        ([1.0, 2.0, 4.0], [0.5, 1.0, 2.0], ["2.0 ±460 %", "1.0 ±460 %", "0.500 (0.500–0.500)"]),
    ],
    ids=["one pair", "none", "a machine that slows down"],
)
def test_the_ratio_is_of_pairs(tmp_path: Path, as_written: list[float], after: list[float], shown: list[str]) -> None:
    """One pair has no interval, and a machine that slows down between the pairs does not move it."""
    pairs = {"as_written": side(as_written, as_written), "tuned": side(after, after)}
    assert cells(tuned(tmp_path, tuned_lstm(confirmation=pairs)))[:6] == shown * 2


@pytest.mark.parametrize("after", [[0.5, 1.1, 0.5], [0.5, 0.5]], ids=["restless pairs", "two pairs"])
def test_a_gain_that_chance_could_have_made_is_not_confirmed(tmp_path: Path, after: list[float]) -> None:
    """The settings cell reports it: the interval holds 1, or there are too few pairs for one."""
    before = [1.0] * len(after)
    pairs = {"as_written": side(before, before), "tuned": side(after, after)}
    line = tuned(tmp_path, tuned_lstm(confirmation=pairs))
    assert (line.confirmed, cells(line)[6]) == (False, "unroll (gain not confirmed)")


def test_warnings_stand_behind_the_figures_of_their_phase_once_each(tmp_path: Path) -> None:
    """On either side, whichever process earned them and however often."""
    found = [
        warning("unstable", "train"),
        warning("unstable", "train"),
        warning("other-load", "predict"),
        warning("drifting", "all"),
        warning("throttled", "quality"),
    ]
    made = changed(tuned_lstm(), "confirmation.as_written.warnings", found)
    shown = cells(tuned(tmp_path, changed(made, "confirmation.tuned.warnings", found[2:3])))
    assert shown[0] == "0.0213 ±1 % (unstable, drifting)"
    assert shown[3:5] == ["0.00712 ±0.8 % (other load, drifting)", "0.00356 ±0.5 % (other load)"]


def test_a_smoke_run_is_marked(tmp_path: Path) -> None:
    """Its times prove that everything runs, and are no finding."""
    assert tried(tuned(tmp_path, tuned_lstm(profile="smoke")))[0].startswith(
        "Smoke run: it proves that everything runs"
    )
