"""One net in every framework: order by time, ratios, what is indistinguishable, and what stands outside."""

import re
from pathlib import Path
from typing import Any

import pytest

from report.frameworks.tables import Table, execution, tables
from report.records import load_results
from report.render import terminal
from report.render.locale import locale
from report.render.markdown import render_page
from report.render.pictures import draw
from tests.report.benches import page_of, section_of, tuned_lstm
from tests.report.building import Json, around, attempt, loaded, phase, process, reason, record, tuning, warning, write

said = locale("en").plain
SEVERAL = [0.0101, 0.0099, 0.0102, 0.0098, 0.01]


def sameness(same: bool = True, description: str = "a" * 64, **changes: Any) -> Json:
    """A proof."""
    differences = {"outputs": 1e-15, "loss": 2e-15, "gradients": 3e-15, "parameters": 4e-11, "losses": None}
    tolerances = dict.fromkeys(differences, 1e-9)
    wrong = reason("not-the-same-net", quantity="parameters", precision="float64", difference=0.5, tolerance=1e-6)
    return {
        "net": "lstm",
        "description_sha256": description,
        "reference": "NumPy float64",
        "precisions": [{"precision": "float64", "differences": differences, "tolerances": tolerances}],
        "same": same,
        "reason": None if same else wrong,
        **changes,
    }


def twin(key: str, library: str, seconds: float | list[float], **changes: Any) -> Json:
    """A record of the net LSTM in another framework, measured in the rounds of the published row's bench."""
    medians = around(seconds) if isinstance(seconds, float) else seconds
    made = record("lstm", train_s=medians, **{"sameness": sameness(), **changes})
    made["model"] |= {"key": key, "library": library, "order": 20 + len(library), "twin_of": "lstm"}
    return made


def published(**changes: Any) -> Json:
    """The record of the published row."""
    return record("lstm", train_s=around(0.02), **{"sameness": sameness(), **changes})


def only_table(tmp_path: Path, *records: Json) -> Table:
    """The one table of these records."""
    (table,) = tables(loaded(tmp_path, *records))
    return table


def test_the_fastest_training_step_comes_first_with_ratios_from_pairs_of_processes(tmp_path: Path) -> None:
    """Whatever the names and orders of the rows."""
    table = only_table(tmp_path, published(), twin("lstm-zeta", "Zeta", 0.01), twin("lstm-jax", "JAX", 0.04))
    assert [line.name for line in table.lines] == ["Zeta", "Keras", "JAX"]
    assert [said(line.ratio) for line in table.lines] == ["1.00", "2.00 (2.00–2.00)", "4.00 (4.00–4.00)"]
    assert (table.net, table.device, table.alike, table.others) == ("LSTM", "cpu", (), ())
    assert said(table.lines[0].per_second) == "3200"


def test_the_summary_names_the_fastest_and_the_slowest(tmp_path: Path) -> None:
    """One framework has nothing to be compared with; none that can be compared is said too."""
    table = only_table(tmp_path / "two", published(), twin("lstm-zeta", "Zeta", 0.01), twin("lstm-jax", "JAX", 0.04))
    assert said(table.summary) == ("a training step takes from 0.010 s (Zeta) to 0.040 s (JAX), ratio 4.00 (4.00–4.00)")
    assert said(only_table(tmp_path / "one", twin("lstm-jax", "JAX", 0.04)).summary) == (
        "a training step takes 0.040 s (JAX)"
    )
    unproven = twin("lstm-jax", "JAX", 0.04, sameness=None)
    assert said(only_table(tmp_path / "none", unproven).summary) == "no framework can be compared"


def test_what_the_processes_cannot_tell_apart_is_said(tmp_path: Path) -> None:
    """In the ratio's cell, and as a pair."""
    near = twin("lstm-near", "Near", [value * 1.001 for value in reversed(SEVERAL)])
    table = only_table(tmp_path, published(), twin("lstm-zeta", "Zeta", SEVERAL), near)
    assert said(table.lines[1].ratio).endswith(", indistinguishable")
    assert [said(pair) for pair in table.alike] in (["Zeta and Near"], ["Near and Zeta"])


@pytest.mark.parametrize(
    ("changes", "reason_said"),
    [
        ({"sameness": None}, "not compared with the reference yet (run make frameworks)"),
        (
            {"sameness": sameness(same=False)},
            "not the same net: parameters after one step: 0.50 from the reference in float64, more than 0.00000100",
        ),
        (
            {"sameness": sameness(description="b" * 64)},
            "measured with another description of the net; measure it again",
        ),
        (
            {"sameness": sameness(same=False, precisions=[], reason=reason("time-limit", seconds=60))},
            "the comparison with the reference failed: stopped at the time limit of 60 s",
        ),
        (
            {"status": "out_of_memory", "reason": reason("killed-for-memory", signal="SIGKILL")},
            "out of memory: killed by the out-of-memory killer (SIGKILL)",
        ),
        (
            {"processes": [process(1, 1, 1, train=phase(1.0, valid=False, reason=reason("loss-not-finite")))]},
            "the training loss was not finite",
        ),
        (
            {"processes": [process(1, 1, 1, train=phase(0.001, batch_size=4))]},
            "measured with batches of 4, the others with 32; measure it again",
        ),
        ({"profile": "smoke"}, "a smoke run measures nothing"),
    ],
)
def test_what_is_not_the_same_net_stands_outside(tmp_path: Path, changes: Json, reason_said: str) -> None:
    """With the reason; the others are compared."""
    odd = twin("lstm-odd", "Odd", 0.001, **changes)
    table = only_table(tmp_path, published(), twin("lstm-jax", "JAX", 0.04), odd)
    assert [line.name for line in table.lines] == ["Keras", "JAX"]
    assert [(result.model.library, said(why)) for result, why in table.others] == [("Odd", reason_said)]


def test_smoke_runs_are_compared_with_one_another_only(tmp_path: Path) -> None:
    """Be they the most: what they all did is not what the others have to do."""
    small = {"processes": [process(1, 1, 1, train=phase(0.001, batch_size=4))]}
    smoke = [twin(f"lstm-{name.lower()}", name, 0.001, profile="smoke", **small) for name in ("One", "Other")]
    table = only_table(tmp_path / "beside", published(), *smoke)
    assert [line.name for line in table.lines] == ["Keras"]
    assert {said(why) for _, why in table.others} == {"a smoke run measures nothing"}
    assert [line.name for line in only_table(tmp_path / "alone", *smoke).lines] == ["One", "Other"]


def test_in_korean_a_ratio_may_come_with_its_verdict(tmp_path: Path) -> None:
    """A sentence around it would read as a predicate of the verdict."""
    near = twin("lstm-near", "Near", [value * 1.001 for value in reversed(SEVERAL)])
    summary = locale("ko").plain(only_table(tmp_path, twin("lstm-zeta", "Zeta", SEVERAL), near).summary)
    assert re.search(r"까지입니다\. 비율: 1\.\d+ \(.+\), 구별 안 됨$", summary)


def test_tuned_times_stand_in_a_column_of_their_own(tmp_path: Path) -> None:
    """Where a gain was confirmed; else the outcome. Without a tuning there is no such column."""
    nothing = attempt(None, 0.04, 0.01)
    tuned_jax = tuning(nothing, chosen=[], confirmation=None)
    tuned_jax["model"] |= {"key": "lstm-jax", "library": "JAX"}
    machine = {"machine": "box", "stack": "cpu"}
    found = load_results(
        write(tmp_path, published(), twin("lstm-jax", "JAX", 0.04), {**tuned_lstm(), **machine}, tuned_jax)
    )
    (table,) = tables(found.results, found.tunings)
    assert table.has_tuned
    shown = {line.name: said(line.tuned) for line in table.lines}
    assert shown == {"Keras": "0.00852 ±0.9 % (unstable): unroll", "JAX": "nothing tried was clearly faster"}
    assert not only_table(tmp_path, published(), twin("lstm-jax", "JAX", 0.04)).has_tuned


def test_without_a_twin_there_is_no_table(tmp_path: Path) -> None:
    """A bench of the published rows alone has nothing to compare."""
    assert list(tables(loaded(tmp_path, published(), record("ar")))) == []


def test_the_first_step_is_cold_in_the_first_process_and_warm_in_the_later_ones(tmp_path: Path) -> None:
    """The import is a median over all of them; a record without first steps leaves the cells empty."""
    startups = [{"import_s": float(n), "prepare_s": 0.5, "first_step_s": 10.0 / n} for n in (1, 2, 4)]
    processes = [process(n, 0.01, 0.004, startup=startup) for n, startup in enumerate(startups, 1)]
    table = only_table(tmp_path, published(), twin("lstm-jax", "JAX", 0.01, processes=processes))
    shown = {line.name: (line.imports, line.first_step, line.later_first_step) for line in table.lines}
    found = {name: [said(text) for text in texts] for name, texts in shown.items()}
    assert found == {"JAX": ["2.0", "10", "3.8"], "Keras": ["2.0", "", ""]}
    processes[0].update(status="disturbed", reason=reason("disturbed", percent=45.0))
    (line, _) = only_table(tmp_path / "again", published(), twin("lstm-jax", "JAX", 0.01, processes=processes)).lines
    assert (said(line.first_step), said(line.later_first_step)) == ("10", "3.8"), "no later process starts cold"


@pytest.mark.parametrize(
    ("row", "found", "shown"),
    [
        ("lstm", {"execution": "tf.function", "lstm": "generic", "xla": False}, "tf.function, generic LSTM"),
        ("densenet-24x3", {"execution": "tf.function", "lstm": "generic"}, "tf.function"),  # Keras says it of every row
        ("lstm", {"operators": ["mkldnn_rnn_layer"], "compiled": True}, "mkldnn_rnn_layer, compiled"),
        ("lstm", {"xla": True, "threads": 2}, "XLA"),
        ("lstm", {"execution": 3, "operators": "no list", "lstm": ["x"], "tf32": "yes"}, ""),
        ("lstm", {"tf32_convolution": True, "tf32_matmul": False}, "TF32 allowed"),
    ],
)
def test_the_execution_is_shown_in_the_record_s_words(tmp_path: Path, row: str, found: Json, shown: str) -> None:
    """Operators, the kind of LSTM, XLA, TF32; nothing that is not known."""
    (result,) = loaded(tmp_path, record(row, execution=found))
    assert said(execution(result)) == shown


@pytest.mark.parametrize(("capability", "shown"), [("7.5", "XLA"), ("8.0", "XLA, TF32 allowed"), (None, "XLA")])
@pytest.mark.parametrize("precision", ["default", "highest"])
def test_a_product_in_jax_s_default_precision_is_tf32_where_the_gpu_has_it(
    tmp_path: Path, capability: str | None, shown: str, precision: str
) -> None:
    """From compute capability 8.0 on."""
    made = record(device="gpu", execution={"xla": True, "matmul_precision": precision})
    made["environment"]["gpu"] = {"name": "G", "memory_bytes": 1, "driver": "1", "compute_capability": capability}
    (result,) = loaded(tmp_path, made)
    assert said(execution(result)) == (shown if precision == "default" else "XLA")


@pytest.mark.parametrize(
    ("language", "heading", "legend"),
    [
        ("en", "## One net, every framework", "A ratio compares the fastest sample of each process, which other"),
        ("ko", "## 같은 신경망, 여러 프레임워크", "비율은 프로세스마다 가장 빨랐던 측정값, 곧 다른 프로그램의"),
    ],
)
def test_the_page_has_the_tables_and_one_picture_and_twins_are_no_rows(
    tmp_path: Path, language: str, heading: str, legend: str
) -> None:
    """The Models table keeps the published rows."""
    found = page_of(tmp_path, published(), twin("lstm-jax", "JAX", 0.04))
    pictures = tuple(draw(found, locale(language)))
    assert [line.row.model.key for line in found.sections[0].lines] == ["lstm"]
    assert [picture.kind for picture in pictures].count("frameworks") == 1
    text = render_page(found, locale(language), pictures)
    assert legend in " ".join(text.split())
    assert heading in text
    assert "[JAX][lstm-jax.cpu]" in text
    assert "![" in text
    assert "frameworks.svg" in text


def test_the_terminal_has_a_line_per_net(tmp_path: Path) -> None:
    """``make frameworks`` ends with what it found."""
    found = page_of(tmp_path, published(), twin("lstm-jax", "JAX", 0.04))
    printed = " ".join(terminal.lines(found, locale("en"), Path("results"), Path("site/index.html")))
    assert (
        "LSTM on the CPU: a training step takes from 0.020 s (Keras) to 0.040 s (JAX), ratio 2.00 (2.00–2.00)."
        in printed
    )


def test_the_rows_of_frameworks_have_measurements_and_warnings(tmp_path: Path) -> None:
    """Named with their framework, since the title is that of the published row."""
    paging = [warning("paging", "train", per_second=20.0)]
    jax = twin("lstm-jax", "JAX", 0.04, processes=[process(1, 0.04, 0.01, warnings=paging)])
    section = section_of(tmp_path, published(), jax)
    assert {one.row.name for one in section.measurements} == {"LSTM", "LSTM, JAX"}
    assert [said(one.where) for one in section.warnings] == ["LSTM, JAX, CPU, training"]


def test_a_page_of_twins_alone_is_a_page(tmp_path: Path) -> None:
    """make frameworks FRAMEWORK=jax measures no published row."""
    found = page_of(tmp_path, twin("lstm-jax", "JAX", 0.04))
    assert "[JAX][lstm-jax.cpu]" in render_page(found, locale("en"), tuple(draw(found, locale("en"))))


def test_a_proof_without_a_verdict_s_reason_is_a_problem(tmp_path: Path) -> None:
    """A record that says "not the same" must say why."""
    found = load_results(write(tmp_path, published(sameness=sameness(same=False, reason=None))))
    assert found.results == ()
    assert "the net is not the same" in found.problems[0].message
