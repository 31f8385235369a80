"""The published eleven columns: what stands in each cell, and what is said below the table."""

from pathlib import Path
from typing import Any

import pytest

from report.columns import COLUMNS, Cell
from report.load import load_results
from report.messages import locale
from report.rows import Row, groups
from tests.report.fixtures.build import (
    AUTOREGRESSION,
    FOLDER,
    Record,
    environment,
    forecast_quality,
    mark,
    memory,
    not_run,
    phase,
    quality,
    record,
    score,
    timing,
    write,
)

HEADINGS = ["Model", "Params", "Lib", "Data", "Loss", "Accuracy", "Memory", "CPU(T)", "CPU(P)", "GPU(T)", "GPU(P)"]


def row_of(root: Path, *records: Record) -> Row:
    """The one row that these records make."""
    loaded = load_results(write(root, list(records)))
    assert loaded.problems == ()
    (group,) = groups(loaded.results)
    (row,) = group.rows
    return row


def cell(row: Row, heading: str) -> Cell:
    """The row's cell under a heading."""
    return next(column for column in COLUMNS if column.heading == heading).format(row)


def shown(row: Row, heading: str) -> str:
    """The cell as a terminal shows it in English, with its notes in brackets."""
    english = locale("en")
    found = cell(row, heading)
    return english.plain(found.text) + "".join(f" [{english.plain(note)}]" for note in found.notes)


def airline(device: str = "cpu", **changes: Any) -> Record:
    """A record of AR with scores and times."""
    made = {"quality": forecast_quality("recursive", AUTOREGRESSION), "timing": timing(phase(0.01), phase(0.002))}
    return record("ar", device, **{**made, **changes})


def test_the_columns_are_the_published_eleven_in_their_order() -> None:
    """Headings and alignments as published."""
    assert [column.heading for column in COLUMNS] == HEADINGS
    assert [column.align for column in COLUMNS] == ["left"] * 5 + ["right"] * 6


def test_cpu_and_gpu_results_make_one_row(tmp_path: Path) -> None:
    """Each device fills its own columns, and memory is the GPU's."""
    row = row_of(
        tmp_path,
        airline("cpu"),
        airline("gpu", timing=timing(phase(0.005), phase(0.001)), memory=memory(61_400_000)),
    )
    assert [shown(row, heading) for heading in HEADINGS[6:]] == ["61MB", "0.01000", "0.002000", "0.00500", "0.001000"]
    assert cell(row, "CPU(T)").source == row.cpu
    assert cell(row, "GPU(T)").source == row.gpu


def test_a_cell_that_was_not_measured_is_empty_and_says_why(tmp_path: Path) -> None:
    """No result for a device leaves its cells empty, the GPU's memory too."""
    row = row_of(tmp_path, airline())
    for heading in ("Memory", "GPU(T)", "GPU(P)"):
        assert shown(row, heading) == " [Not measured: there is no result for the GPU.]"


@pytest.mark.parametrize(
    ("status", "word"), [("failed", "failed"), ("timeout", "timeout"), ("out_of_memory", "out of memory")]
)
def test_a_failure_says_so_with_its_reason(tmp_path: Path, status: str, word: str) -> None:
    """Both time cells name the failure; loss and accuracy are empty with the same reason."""
    row = row_of(tmp_path, not_run("ar", "cpu", status, "it broke"))
    assert shown(row, "CPU(T)") == f"{word} [{word}: it broke]"
    assert shown(row, "CPU(P)") == f"{word} [{word}: it broke]"
    assert shown(row, "Loss") == f" [{word}: it broke]"


def test_a_skipped_device_is_empty_with_its_reason(tmp_path: Path) -> None:
    """A skip is a gap, not a failure."""
    row = row_of(tmp_path, airline(), not_run("ar", "gpu", "skipped", "no GPU here"))
    assert shown(row, "GPU(T)") == " [Not measured: no GPU here]"
    assert shown(row, "Loss") == "0.01347857"


def test_a_model_that_was_not_training_shows_no_time(tmp_path: Path) -> None:
    """A phase that does not count has a mark and its reason instead of a number; the other phase keeps its own."""
    train = phase(0.01, counts=False, reason="the loss rose")
    row = row_of(tmp_path, airline(timing=timing(train, phase(0.002))))
    assert shown(row, "CPU(T)") == " [No time is shown, since the model was not really training: the loss rose]"
    assert shown(row, "CPU(P)") == "0.002000"


def test_an_epoch_of_a_model_that_was_not_training_shows_no_time_either(tmp_path: Path) -> None:
    """The gate holds for the whole epoch as for the batch."""
    train = phase(0.01, counts=False, reason="the loss rose")
    row = row_of(tmp_path, airline(timing=timing(train, phase(0.002), (63.1, 100, "measured"))))
    assert shown(row, "CPU(T)") == " [No time is shown, since the model was not really training: the loss rose]"


def test_whole_epochs_and_test_sets_have_the_published_units(tmp_path: Path) -> None:
    """Seconds an epoch and a test set, and a note where they were multiplied instead of measured."""
    made = timing(phase(0.0014), phase(0.0003), (63.1, 45394, "multiplied"), (5.91, 19456, "measured"))
    row = row_of(tmp_path, airline(timing=made))
    assert shown(row, "CPU(T)") == (
        "63.1s/epc [Not a whole epoch but the median batch times the 45,394 batches of an epoch.]"
    )
    assert shown(row, "CPU(P)") == "5.91s/(t)"


def test_a_fit_has_its_own_unit(tmp_path: Path) -> None:
    """A model without batches is timed by whole fits."""
    row = row_of(tmp_path, airline(timing=timing(phase(0.00098, unit="fit"), phase(0.00008))))
    assert shown(row, "CPU(T)") == "0.000980s/fit"


def test_marks_stand_on_the_cells_of_their_phase(tmp_path: Path) -> None:
    """A mark on training is not on prediction; one on all is on both; each says why in the page's language."""
    marks = [
        mark("unstable", "train", "in English", percent=12.3),
        mark("drifting", "predict", "no figures here"),
        mark("novel", "all", "something new"),
    ]
    row = row_of(tmp_path, airline(marks=marks))
    assert shown(row, "CPU(T)") == (
        "0.01000 [unstable: the middle half of the samples spans 12 % of the median.] [novel: something new]"
    )
    assert shown(row, "CPU(P)") == "0.002000 [drifting: no figures here] [novel: something new]"


def test_another_batch_size_is_noted(tmp_path: Path) -> None:
    """The legend says 32: a cell that means another number of examples says so."""
    row = row_of(tmp_path, airline(timing=timing(phase(0.01, batch_size=16), phase(0.01, unit="fit", batch_size=16))))
    assert shown(row, "CPU(T)") == "0.01000 [A batch has 16 examples here.]"
    assert shown(row, "CPU(P)") == "0.01000s/fit"


def test_few_samples_give_two_digits_and_a_note(tmp_path: Path) -> None:
    """Where the median has no interval, the figure is rounded hard."""
    row = row_of(tmp_path, airline(timing=timing(phase(31.234, count=4), phase(6.0))))
    assert shown(row, "CPU(T)") == "31 [Only 4 samples: too few for an interval of the median.]"


def test_processes_that_disagree_cost_digits(tmp_path: Path) -> None:
    """The spread between fresh processes counts as uncertainty, not only that within one."""
    train = phase(0.33712, 0.001, process_medians_s=[0.34, 0.36])
    row = row_of(tmp_path, airline(timing=timing(train, phase(0.33712, 0.001, process_medians_s=[]))))
    assert shown(row, "CPU(T)") == "0.34"
    assert shown(row, "CPU(P)") == "0.3371"


def test_synthetic_data_are_named_and_nothing_is_scored(tmp_path: Path) -> None:
    """The data cell says so, and neither loss nor accuracy is shown even where the record has them."""
    made_up = {"name": "airline", "source": "generated", "sha256": "8" * 64, "synthetic": True, "note": ""}
    row = row_of(tmp_path, airline(data=made_up))
    note = (
        "[Synthetic data: they have the shape of the real ones, so times count, "
        "but loss and accuracy would mean nothing.]"
    )
    assert shown(row, "Data") == f"Airline Passenger (synthetic) {note}"
    assert shown(row, "Loss") == f" {note}"
    assert shown(row, "Accuracy") == f" {note}"
    assert shown(row, "CPU(T)") == "0.01000"


def test_smoke_figures_are_marked_one_by_one(tmp_path: Path) -> None:
    """Every figure of a smoke run says that it measures nothing."""
    row = row_of(tmp_path, airline(profile="smoke"))
    for heading in ("Loss", "Accuracy", "CPU(T)", "CPU(P)"):
        assert shown(row, heading).endswith(" [Smoke run: proves the plumbing, measures nothing.]")


def test_a_quality_without_scores_gives_its_reason(tmp_path: Path) -> None:
    """Empty cells with the record's own reason."""
    row = row_of(tmp_path, airline(quality=quality("", [], reason="quick trains no net")))
    assert shown(row, "Loss") == " [Not scored: quick trains no net]"
    assert shown(row, "Accuracy") == " [Not scored: quick trains no net]"


def test_a_classifier_may_have_no_loss_and_another_loss_is_named(tmp_path: Path) -> None:
    """The column means mean squared error: nothing stands there silently that is not."""
    images = quality("held-out", [score("held-out", None, 0.9)], accuracy_metric="top-1", epochs=1)
    assert shown(row_of(tmp_path / "a", airline(quality=images)), "Loss") == (
        " [No loss is given for a classifier; its accuracy says how good it is.]"
    )
    crossed = quality("held-out", [score("held-out", 0.3, 0.9)], loss_metric="cross-entropy", epochs=1)
    assert shown(row_of(tmp_path / "b", airline(quality=crossed)), "Loss") == (
        "0.300 [This loss is cross-entropy, not the mean squared error.]"
    )


def test_the_greater_profile_and_then_the_gpu_is_judged(tmp_path: Path) -> None:
    """Loss and accuracy come from the result that was trained more, and say when the two differ."""
    better = forecast_quality("recursive", [("recursive", 0.01, 0.5), ("one-step", 0.001, 0.95)])
    full_cpu = row_of(tmp_path / "a", airline("cpu", quality=better), airline("gpu", profile="quick"))
    assert shown(full_cpu, "Loss") == "0.01000000"
    assert shown(full_cpu, "Model") == "AR [The CPU was measured with profile full, the GPU with profile quick.]"
    both_full = row_of(tmp_path / "b", airline("cpu"), airline("gpu", quality=better))
    assert shown(both_full, "Loss") == "0.01000000"
    failed_gpu = row_of(tmp_path / "c", airline("cpu", quality=better), not_run("ar", "gpu", "failed", "it broke"))
    assert shown(failed_gpu, "Loss") == "0.01000000"


def test_ar_ols_shows_the_right_value_and_names_the_slips() -> None:
    """The published figure is quoted from the record, made again with its three slips."""
    (group,) = groups(load_results(FOLDER / "one").results)
    row = next(row for row in group.rows if row.model.key == "ar-ols")
    assert shown(row, "Loss") == "0.01347857"
    note = shown(row, "Model")
    assert "three slips: the regression skips a month" in note
    assert "the last 50 months were the test part" in note
    assert "R² was given truth and forecast in exchanged places" in note
    assert "loss 0.05613363, R² -0.18177911" in note


def test_a_gpu_whose_memory_nobody_counted_says_so(tmp_path: Path) -> None:
    """A GPU result without a peak is a gap with a reason, not a zero."""
    row = row_of(tmp_path, airline("gpu", environment=environment("cpu", "gpu")))
    assert shown(row, "Memory") == " [The framework did not count the GPU memory it used.]"
