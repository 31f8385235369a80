"""The published eleven columns: what is in each cell, and its footnotes."""

from pathlib import Path
from typing import Any

import pytest

from report.page.build import _labels
from report.page.models import COLUMNS, Cell, Footnote
from report.page.rows import Row
from report.render.locale import locale
from tests.report.benches import AUTOREGRESSION, MADE_UP, forecast, gap, quality, row, score, section_of
from tests.report.building import Json, memory, reason

HEADINGS = ["Model", "Params", "Lib", "Data", "Loss", "Accuracy", "Memory", "CPU(T)", "CPU(P)", "GPU(T)", "GPU(P)"]
CLASSICAL = forecast("recursive", AUTOREGRESSION)


def row_of(root: Path, *records: Json) -> Row:
    """The one row that these records make."""
    (line,) = section_of(root, *records).lines
    return line.row


def cell(found: Row, heading: str) -> Cell:
    """The row's cell under a heading."""
    return next(column for column in COLUMNS if column.heading == heading).cell(found)


def shown(found: Row, heading: str) -> str:
    """The cell in English, with its footnotes in brackets."""
    plain = locale("en").plain
    of = cell(found, heading)
    return plain(of.text) + "".join(f" [{note.name}: {plain(note.text)}]" for note in of.notes)


def airline(device: str = "cpu", **changes: Any) -> Json:
    """A record of AR with scores and times."""
    return row("ar", device, **{"train": 0.01, "predict": 0.002, "quality": CLASSICAL, **changes})


def test_the_columns_are_the_published_eleven_in_their_order() -> None:
    """Headings and alignments as published, and each has a legend of its own."""
    assert [column.heading for column in COLUMNS] == HEADINGS
    assert [column.align for column in COLUMNS] == ["left"] * 5 + ["right"] * 6
    assert len({column.legend for column in COLUMNS}) == 11


def test_cpu_and_gpu_results_make_one_row(tmp_path: Path) -> None:
    """Each device fills its own columns with its uncertainty, and memory is the GPU's largest."""
    each = {"memory": memory(peak_allocated_bytes=61_400_000)}
    found = row_of(tmp_path, airline(), airline("gpu", train=0.005, predict=0.001, each=each))
    cells = ["61MB", "0.0100 ±2 %", "0.00200 ±2 %", "0.0050 ±2 %", "0.00100 ±2 %"]
    assert [shown(found, heading) for heading in HEADINGS[6:]] == cells


@pytest.mark.parametrize(("count", "text"), [(1, "0.010"), (3, "0.0104 ±3 %"), (5, "0.0104 ±2 %")])
def test_a_time_has_the_uncertainty_of_its_processes(tmp_path: Path, count: int, text: str) -> None:
    """A single process shows none, and two digits."""
    assert shown(row_of(tmp_path, airline(train=0.0104, count=count)), "CPU(T)") == text


@pytest.mark.parametrize(
    ("status", "word"), [("failed", "failed"), ("timeout", "timeout"), ("out_of_memory", "out of memory")]
)
def test_a_failure_says_so_with_its_reason(tmp_path: Path, status: str, word: str) -> None:
    """Both time cells name the failure; loss and accuracy name it too."""
    found = row_of(tmp_path, gap("ar", "cpu", status, reason("killed", signal="SIGSEGV")))
    note = f"[killed: {word}: the process was killed by SIGSEGV]"
    assert [shown(found, heading) for heading in ("CPU(T)", "CPU(P)", "Loss")] == [f"{word} {note}"] * 3


@pytest.mark.parametrize("key", ["gpu-not-visible", "device-not-offered"])
def test_a_machine_without_a_gpu_leaves_its_cells_empty(tmp_path: Path, key: str) -> None:
    """Whether or not the GPU was asked for: System says it once."""
    why = reason(key, framework="Keras", version="3", device="gpu")
    for folder, records in (("a", [airline()]), ("b", [airline(), gap("ar", "gpu", "skipped", why)])):
        found = row_of(tmp_path / folder, *records)
        assert [shown(found, heading) for heading in ("Memory", "GPU(T)", "GPU(P)")] == ["", "", ""]
        assert shown(found, "Loss") == "0.01347857"


def test_a_skip_that_nobody_expects_has_a_footnote(tmp_path: Path) -> None:
    """A stack without CUDA beside a GPU is worth a word."""
    why = reason("build-without-gpu", framework="PyTorch", version="2.14")
    found = row_of(tmp_path, airline(), gap("ar", "gpu", "skipped", why))
    assert shown(found, "GPU(T)") == " [build-without-gpu: skipped: PyTorch 2.14 is a CPU-only build]"


def test_a_model_that_was_not_training_shows_no_time(tmp_path: Path) -> None:
    """Neither for a batch nor for an epoch; the other phase keeps its own."""
    cheat = {"median_s": 0.01, "valid": False, "reason": reason("loss-not-finite")}
    epoch = {"seconds": 63.1, "batches": 100, "how": "extrapolated"}
    found = row_of(tmp_path, airline(train=cheat, epoch=epoch))
    why = "No time is shown, because the model was not really training: the training loss was not finite."
    assert shown(found, "CPU(T)") == f" [not-training: {why}]"
    assert shown(found, "CPU(P)") == "0.00200 ±2 %"


def test_another_batch_size_has_a_footnote(tmp_path: Path) -> None:
    """The legend says 32; a fit has no batches."""
    train = {"median_s": 0.01, "batch_size": 16}
    found = row_of(tmp_path, airline(train=train, predict={**train, "unit": "fit"}))
    assert shown(found, "CPU(T)") == "0.0100 ±2 % [batch-16: A batch has 16 examples here.]"
    assert shown(found, "CPU(P)") == "0.0100s/fit ±2 %"


def test_warnings_are_no_footnotes(tmp_path: Path) -> None:
    """The number still means what its column says."""
    unstable = {"warnings": [{"key": "unstable", "phase": "train", "values": {"percent": 20.0}}]}
    assert shown(row_of(tmp_path, airline(each=unstable)), "CPU(T)") == "0.0100 ±2 %"


def test_synthetic_data_are_named_and_nothing_is_scored(tmp_path: Path) -> None:
    """Neither loss nor accuracy is shown even where the record has them."""
    found = row_of(tmp_path, airline(data=MADE_UP))
    assert shown(found, "Data").startswith("Airline Passenger (synthetic) [synthetic: Synthetic data: ")
    assert [shown(found, heading) for heading in ("Loss", "Accuracy", "CPU(T)")] == ["", "", "0.0100 ±2 %"]


def test_a_quality_without_scores_gives_its_reason_once(tmp_path: Path) -> None:
    """Under Accuracy, since classifiers have no loss to miss."""
    found = row_of(tmp_path, airline(quality=quality("", reason=reason("too-slow-on-cpu", batches=1563))))
    why = "Not scored: one epoch has 1,563 training steps, days on a CPU (use DEVICE=gpu PROFILE=full)."
    assert (shown(found, "Loss"), shown(found, "Accuracy")) == ("", f" [not-scored: {why}]")


def test_another_loss_is_named(tmp_path: Path) -> None:
    """The column means mean squared error; a classifier may have no loss at all."""
    crossed = quality("held-out", score("held-out", 0.3, 0.9), loss_metric="cross-entropy", epochs=1)
    note = "[loss-metric: This loss is cross-entropy, not the mean squared error.]"
    assert shown(row_of(tmp_path / "a", airline(quality=crossed)), "Loss") == f"0.300 {note}"
    images = quality("held-out", score("held-out", None, 0.9), accuracy_metric="top-1", epochs=1)
    assert shown(row_of(tmp_path / "b", airline(quality=images)), "Loss") == ""


def test_scores_come_from_the_larger_profile_and_then_the_gpu(tmp_path: Path) -> None:
    """A footnote tells when the two profiles differ; a failed device has nothing to say."""
    better = forecast("recursive", (("recursive", 0.01, 0.5), ("one-step", 0.001, 0.95)))
    full_cpu = row_of(tmp_path / "a", airline(quality=better), airline("gpu", profile="quick"))
    assert shown(full_cpu, "Loss") == "0.01000000"
    note = "[profiles: The CPU was measured with profile full, the GPU with profile quick.]"
    assert shown(full_cpu, "Model") == f"AR {note}"
    assert shown(row_of(tmp_path / "b", airline(), airline("gpu", quality=better)), "Loss") == "0.01000000"
    broken = gap("ar", "gpu", "failed", reason("killed", signal="SIGSEGV"))
    assert shown(row_of(tmp_path / "c", airline(quality=better), broken), "Loss") == "0.01000000"


def test_each_different_footnote_has_a_label_of_its_own() -> None:
    """Names come from records too; what is no label becomes one."""
    notes = [Footnote("killed", "a"), Footnote("killed", "b"), Footnote("killed", "a"), Footnote("-.Ä-", "c")]
    assert list(_labels(notes).values()) == ["killed", "killed-2", "note"]
