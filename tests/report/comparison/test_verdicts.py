"""Two sets of results compared: which rows are pairs, and what may be said of each time."""

from pathlib import Path
from typing import Any

import pytest

from report.comparison.differences import differing
from report.comparison.page import conclusion
from report.comparison.verdicts import Comparison, compare, compare_phase
from report.records import BadInput
from report.render.locale import locale
from tests.report.building import Json, around, changed, failed, loaded, process, processes, reason, record


def of(folder: Path, a: Json, b: Json) -> Comparison:
    """The comparison of two records."""
    return compare(loaded(folder / "a", a), loaded(folder / "b", b))


@pytest.mark.parametrize(
    ("path", "value", "time", "quality"),
    [
        ("data.sha256", "e" * 64, True, True),
        ("data.synthetic", True, True, True),
        ("model.parameters", 7, True, True),
        ("model.details", {"units": 64}, True, True),
        ("settings", {"units": 64}, False, True),
        ("settings", {"units": 32, "threads": 1}, False, False),
        ("settings", {"units": 32, "threads_of_something": 1}, False, True),
        ("settings", {"units": 32, "stopping_rule": {"budget_s": 1.0}}, False, False),
        ("profile", "full", False, True),
        ("quality.protocol", "recursive", False, True),
        ("quality.loss_metric", "mae", False, True),
        ("engine", "docker", False, False),
        ("execution", {"threads": 2, "cudnn": True}, False, False),
        ("environment.threads", 1, False, False),
        ("environment.cpu_affinity", [0, 1], False, False),
        ("environment.versions", {"numpy": "1.13.3"}, False, False),
        ("environment.gpu", {"name": "A", "memory_bytes": 1, "driver": "1", "compute_capability": "6.1"}, False, False),
        ("provenance.image", "sha256:abc", False, False),
        ("provenance.lock_sha256", "2" * 64, False, False),
    ],
)
def test_each_field_has_its_effect(tmp_path: Path, path: str, value: Any, time: bool, quality: bool) -> None:
    """Other work makes figures incomparable; other circumstances are named as possible causes.

    Settings break quality, but for those that change neither the work nor what training gives.
    """
    comparison = of(tmp_path, record(), changed(record(), path, value))
    (row,) = comparison.rows
    assert bool(row.time_broken_by) == time
    assert bool(row.quality_broken_by) == quality
    assert {found.word for found in row.times} == ({"incomparable"} if time else {"indistinguishable"})
    assert comparison.differences
    assert all(difference.field.startswith(path) for difference in comparison.differences)


def test_another_batch_size_breaks_only_its_own_time(tmp_path: Path) -> None:
    """Training with batches of 16 and of 32 cannot be compared; the predictions still can."""
    made = record()
    for one in made["processes"]:
        one["train"]["batch_size"] = 16
    assert [(time.name, time.word) for time in of(tmp_path, record(), made).times] == [
        ("train", "incomparable"),
        ("predict", "indistinguishable"),
    ]


def test_times_that_are_not_valid_are_not_compared(tmp_path: Path) -> None:
    """A model that did not train is not faster."""
    lazy = record()
    for one in lazy["processes"]:
        one["train"].update(valid=False, reason=reason("loss-not-falling", first=1.0, last=1.0))
    time, _ = of(tmp_path, record(), lazy).times
    assert (time.word, time.b) == ("incomparable", None)
    assert locale("en").plain(time.reason) == "B did not train"


def test_one_measurement_is_no_verdict(tmp_path: Path) -> None:
    """An epoch measured once, and fewer than three processes, have a ratio but no interval and no verdict."""
    a = record(train_s=[10.0, 10.0], predict_s=[1.0, 1.0], epoch={"seconds": 10.0, "batches": 5, "how": "measured"})
    b = record(train_s=[30.0, 30.0], predict_s=[1.0, 1.0], epoch={"seconds": 30.0, "batches": 5, "how": "measured"})
    train, _, epoch = of(tmp_path, a, b).times
    for time, text in ((train, "fewer than 3 processes on one side"), (epoch, "measured once")):
        assert time.ratio.value == pytest.approx(3)
        assert (time.ratio.low, time.word) == (None, "indistinguishable")
        assert locale("en").plain(time.reason) == text


def test_rows_that_one_side_did_not_measure_are_not_called_comparable(tmp_path: Path) -> None:
    """Only those count that have a time on both sides; without any, nothing is said."""

    def told(name: str, *rows: str) -> list[str]:
        a, b = [record(row) for row in (*rows, "ar")], [*(record(row) for row in rows), failed("ar")]
        found = compare(loaded(tmp_path / name / "a", *a), loaded(tmp_path / name / "b", *b))
        return [text for text in map(locale("en").plain, conclusion(found)) if "are comparable" in text]

    assert told("one", "lstm") == [
        "Times and scores of all 1 rows that both sides measured are comparable: the same work on the same data."
    ]
    assert told("none") == []


def test_epochs_of_different_length_are_not_compared(tmp_path: Path) -> None:
    """Their batches are named."""
    a, b = (record(epoch={"seconds": 9.0, "batches": count, "how": "measured"}) for count in (5, 6))
    (epoch,) = [time for time in of(tmp_path, a, b).times if time.name == "epoch"]
    assert epoch.word == "incomparable"
    assert locale("en").plain(epoch.reason) == "5 and 6 batches"


def test_a_failed_side_differs_in_nothing_it_lacks(tmp_path: Path) -> None:
    """Scores and times that a failed run does not have are missing, not different."""
    (a,), (b,) = loaded(tmp_path / "a", record()), loaded(tmp_path / "b", failed("lstm"))
    assert differing((a, b)) == []
    assert {time.word for time in compare([a], [b]).times} == {"unmeasured"}


def test_a_row_that_both_sides_skipped_has_no_times(tmp_path: Path) -> None:
    """What neither could measure is not listed; what one could, is."""
    skipped = failed("lstm", "device-not-offered", status="skipped")
    assert of(tmp_path / "both", skipped, skipped).times == ()
    assert {time.word for time in of(tmp_path / "one", record(), skipped).times} == {"unmeasured"}


def test_two_machines_and_two_stacks_are_paired(tmp_path: Path) -> None:
    """One machine meets another one, and one stack another; several machines meet their namesakes."""

    def pairs(name: str, a: list[Json], b: list[Json]) -> list[tuple[str, str]]:
        found = compare(loaded(tmp_path / name / "a", *a), loaded(tmp_path / name / "b", *b))
        return [(row.pair[0].file, row.pair[1].file) for row in found.rows]

    assert pairs("machines", [record(machine="x")], [record(machine="y")]) == [
        ("x/cpu/lstm.cpu.json", "y/cpu/lstm.cpu.json")
    ]
    assert pairs("stacks", [record(stack="cpu")], [record(stack="gtx1080")]) == [
        ("box/cpu/lstm.cpu.json", "box/gtx1080/lstm.cpu.json")
    ]
    several = [record(machine="x"), record(machine="y")]
    assert pairs("dates", several, [*several, record(machine="z")]) == [
        ("x/cpu/lstm.cpu.json", "x/cpu/lstm.cpu.json"),
        ("y/cpu/lstm.cpu.json", "y/cpu/lstm.cpu.json"),
    ]


def test_nothing_in_common_is_an_error(tmp_path: Path) -> None:
    """The message names what each side has, and the cure."""
    with pytest.raises(BadInput) as raised:
        of(tmp_path, record("ar"), record("lstm"))
    assert str(raised.value) == (
        "no row is on both sides: A has box/cpu/ar.cpu, B has box/cpu/lstm.cpu; measure the same rows on the same "
        "device, or name the folder of one machine or one stack on each side"
    )


def side_by_side(folder: Path, *, seeds: tuple[int | None, int | None] = (7, 7), later: bool = False) -> bool:
    """Whether two stacks' rows, measured in the same rounds or one bench after the other, are compared in pairs."""
    a = record(stack="a", processes=processes(around(0.01), around(0.01)))
    b = record(stack="b", processes=processes(around(0.01), around(0.01)))
    for made, seed in ((a, seeds[0]), (b, seeds[1])):
        for one in made["processes"]:
            one["order_seed"] = seed
    for one in b["processes"]:
        one["started"] = one["started"].replace("24T", "25T" if later else "24T").replace(":00:00Z", ":10:00Z")
    results = loaded(folder, a, b)
    found = compare_phase(results[0], results[1], "train")
    return found.paired


def test_rows_of_one_bench_are_compared_in_pairs(tmp_path: Path) -> None:
    """Pairs need one order seed and interleaved rounds; two benches with one seed are still two benches."""
    assert side_by_side(tmp_path / "together")
    assert not side_by_side(tmp_path / "seeds", seeds=(7, 8))
    assert not side_by_side(tmp_path / "unknown", seeds=(None, None))
    assert not side_by_side(tmp_path / "later", later=True)


def test_a_round_in_which_one_row_failed_makes_no_pair(tmp_path: Path) -> None:
    """The other rounds do; with fewer than three left the rows are compared as separate benches."""
    a, b = record(stack="a"), record(stack="b")
    for number in (0, 1):
        b["processes"][number].update(status="timeout", reason=reason("time-limit", seconds=60))
    results = loaded(tmp_path / "three", a, b)
    found = compare_phase(results[0], results[1], "train")
    assert found.paired
    b["processes"][2] = process(3, 0.01, 0.01, status="failed", reason=reason("no-result", exit_status=1))
    results = loaded(tmp_path / "two", a, b)
    found = compare_phase(results[0], results[1], "train")
    assert (found.paired, found.low) == (False, None)


@pytest.mark.parametrize("stack", ["cpu", "another"])
def test_the_fastest_samples_are_compared(tmp_path: Path, stack: str) -> None:
    """Other programs slow all samples but the fastest; a row whose fastest samples take longer is slower."""

    def row(fastest: float, typical: float, **changes: Any) -> Json:
        made = record(**changes)
        for one in made["processes"]:
            one["train"].update(samples_s=[typical, fastest, 2 * typical], median_s=typical)
            one["order_seed"] = 7 if "stack" in changes else 8
        return made

    quiet = row(0.010, 0.0101)
    disturbed, slower = row(0.010, 0.014, stack=stack), row(0.012, 0.0121, stack=stack)
    words = {
        name: next(time for time in of(tmp_path / name, quiet, one).times if time.name == "train")
        for name, one in (("disturbed", disturbed), ("slower", slower))
    }
    assert (words["disturbed"].word, words["slower"].word) == ("indistinguishable", "slower")
    assert words["slower"].ratio.value == pytest.approx(1.2)


def test_a_disturbed_process_does_not_count(tmp_path: Path) -> None:
    """Of a round with two processes of one row, the other one makes the pair, whichever came first."""
    a, b = record(stack="a"), record(stack="b")
    disturbed = reason("disturbed", percent=45.0)
    for place, number in ((1, 1), (4, 3)):  # before and after the one that counts
        b["processes"].insert(place, process(number, 9.0, 9.0, status="disturbed", reason=disturbed))
    first, second = loaded(tmp_path, a, b)
    found = compare_phase(first, second, "train")
    assert found.paired
    assert found.value == pytest.approx(1.0)


def drifted(folder: Path, slow: float = 1.0, totals: bool = False, **changes: Any) -> Comparison:
    """Five rows measured again on a machine that takes 1.4 times as long; ``lstm`` takes ``slow`` times that.

    With ``totals``, an epoch and a test set of each row were measured too.
    """

    def measured(factor: float) -> Json:
        total = {"seconds": 9.0 * factor, "batches": 5, "how": "measured"}
        return {"epoch": total, "test_set": total} if totals else {}

    keys = ("ar", "ar-ols", "bilstm", "densenet-24x3", "lstm")
    a = [record(key, train_s=around(0.01), predict_s=around(0.004), **measured(1.0)) for key in keys]
    b = [
        record(
            key, train_s=around(0.014 * factor), predict_s=around(0.0056 * factor), **measured(1.4 * factor), **changes
        )
        for key, factor in zip(keys, (1.0, 1.01, 0.99, 1.0, slow), strict=True)
    ]
    for one in (one for made in b for one in made["processes"]):
        one.update(order_seed=8, started=one["started"].replace("24T", "25T"))
    return compare(loaded(folder / "a", *a), loaded(folder / "b", *b))


def test_the_drift_is_not_in_the_ratio_of_an_epoch_or_a_test_set_either(tmp_path: Path) -> None:
    """It is that of training and of prediction, without which B/A is said to be."""
    found = [time for time in drifted(tmp_path, totals=True).times if time.name in ("epoch", "test_set")]
    assert len(found) == 10
    for time in found:
        assert time.ratio is not None
        assert time.ratio.value == pytest.approx(1.0, rel=0.02)
        assert time.ratio.drift == pytest.approx(1.4, rel=0.02)


def test_each_machine_has_a_drift_of_its_own(tmp_path: Path) -> None:
    """One that takes 1.4 times as long beside one that does not: nothing changed on either."""
    keys, machines = ("ar", "ar-ols", "bilstm", "lstm"), (("steady", 1.0), ("slow", 1.4))
    a, b = (
        [
            record(key, machine=name, train_s=around(0.01 * factor**power), predict_s=around(0.004 * factor**power))
            for key in keys
            for name, factor in machines
        ]
        for power in (0, 1)
    )
    for one in (one for made in b for one in made["processes"]):
        one.update(order_seed=8, started=one["started"].replace("24T", "25T"))
    comparison = compare(loaded(tmp_path / "a", *a), loaded(tmp_path / "b", *b))
    assert comparison.count("indistinguishable") == 16
    assert {time.ratio.drift for time in comparison.times if time.pair[0].machine == "steady"} == {1.0}


def test_a_machine_that_drifts_is_no_slowdown_and_a_slow_row_still_is(tmp_path: Path) -> None:
    """Rows that nothing changed for are each other's controls."""
    assert drifted(tmp_path / "same").count("indistinguishable") == 10
    comparison = drifted(tmp_path / "slow", 1.5)
    assert {time.pair[0].key for time in comparison.times if time.word == "slower"} == {"lstm"}
    (sentence,) = [text for text in map(locale("en").plain, conclusion(comparison)) if "drift" in text]
    assert sentence.startswith("On CPU, 5 rows that nothing changed for took 1.5")


@pytest.mark.parametrize(
    "changes", [{"machine": "another"}, {"environment": {"cpu": "X"}}, {"provenance": {"lock_sha256": "2" * 64}}]
)
def test_a_row_that_something_changed_for_is_no_control(tmp_path: Path, changes: Json) -> None:
    """Another machine, processor or lock may be the very cause of the shift."""
    merged = {
        name: {**record()[name], **value} if isinstance(value, dict) else value for name, value in changes.items()
    }
    comparison = drifted(tmp_path, **merged)
    assert comparison.shifts == {}
    assert comparison.count("slower") == 10
