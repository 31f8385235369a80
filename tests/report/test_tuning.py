"""As written and tuned: what ``make tune`` wrote, read as carefully as results, and shown as a table and a list."""

import copy
import dataclasses
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from report.__main__ import main
from report.documents import Problem
from report.load import Loaded, load_results
from report.page import DETAILED_SECTIONS, build_page, render_page
from report.published import published_figures
from report.tuning import Tuning
from report.versions import KINDS, TUNING, violations
from tests.report.fixtures.build import (
    FOLDER,
    Record,
    attempt,
    many,
    mark,
    one,
    tuned_bilstm,
    tuned_lstm,
    tuning,
    untuned_bilstm,
    write,
)
from tests.report.test_load import BAD, JSON
from tests.report.test_page import mutated

FILE = "gtx-box/gtx1080/tuning/lstm.cpu.json"
LINK = f"2017-08-05_Model-Comparison/{FILE}"
HEADINGS = {"en": "\n## As written and tuned\n", "ko": "\n## 원래 코드와 튜닝\n"}


def beside(root: Path, *documents: Record | str | bytes) -> Loaded:
    """The fixtures' first result with these beside it; a text lies where the LSTM's tuning does."""
    write(root, [one()[0], *(made for made in documents if isinstance(made, dict))])
    for content in documents:
        if not isinstance(content, dict):
            (root / FILE).parent.mkdir(exist_ok=True)
            (root / FILE).write_bytes(content.encode() if isinstance(content, str) else content)
    return load_results(root)


def changed(**changes: Any) -> Record:
    """The LSTM's tuning with some fields replaced."""
    return {**tuned_lstm(), **changes}


def with_attempt(place: int, **changes: Any) -> Record:
    """The LSTM's tuning with one attempt changed."""
    made = tuned_lstm()
    made["attempts"][place].update(changes)
    return made


def section(loaded: Loaded, language: str = "en") -> str:
    """What the page says between the section's heading and the next one."""
    assert loaded.problems == ()
    page = render_page(build_page(loaded.results, published_figures(), tunings=loaded.tunings), language)
    return page.split(HEADINGS[language])[1].split("\n## ")[0]


def row(text: str) -> list[str]:
    """The cells of the table's only row, without links."""
    line = next(line for line in text.splitlines() if line.startswith("| ") and "](" in line)
    return [cell.strip().replace(f"]({LINK})", "").lstrip("[") for cell in line.split("|")[1:-1]]


def tried(text: str) -> list[str]:
    """The list below the table."""
    return [line.strip() for line in text.split("</div>")[1].splitlines() if line.startswith(("* ", "  - "))]


def test_a_tuning_comes_through_whole(tmp_path: Path) -> None:
    """Every field of the JSON is found again, and nothing of it can be changed."""
    loaded = beside(tmp_path, tuned_lstm())
    (found,) = loaded.tunings
    assert (loaded.problems, found.file, found.path) == ((), FILE, tmp_path / FILE)
    written = tuned_lstm()
    assert found.chosen == ("unroll",)
    assert found.pairs is not None
    assert list(found.pairs.tuned.train_s) == written["pairs"]["tuned"]["train_s"]
    assert [(made.key, made.figures) for made in found.pairs.tuned.marks] == [("unstable", {"percent": 14.1})] * 2
    assert [made.key for made in found.attempts[4].marks] == ["unstable", "unstable", "odd-fan"]
    assert [made.option for made in found.attempts] == [None, "unroll", "xla", "direct-step", "threads-1"]
    assert found.attempts[2].kept_before == ("unroll",)
    assert found.attempts[2].train is not None
    assert list(found.attempts[2].train.samples_s) == written["attempts"][2]["train"]["samples_s"]
    assert found.attempts[2].train.interval_s == tuple(written["attempts"][2]["train"]["interval_s"])
    assert found.attempts[2].train.process_medians_s == (0.00609167, 0.00612833)
    assert found.attempts[3].reason == "the child process was killed by SIGSEGV"
    assert found.provenance["git_commit"] == written["provenance"]["git_commit"]
    assert {field.name for field in dataclasses.fields(Tuning)} == {*written} - {"schema_version"} | {"path"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.threads = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.environment["cpu"] = "other"  # type: ignore[index]


def test_what_was_written_before_a_field_was_there_is_read(tmp_path: Path) -> None:
    """No reason, no marks and no medians of several processes, in the first tunings of version 1."""
    made = tuned_lstm()
    for part in (made, *made["attempts"], *made["pairs"].values()):
        part.pop("reason" if part is made else "marks")
    for timed in [made["attempts"][place][phase] for place in (0, 1, 2, 4) for phase in ("train", "predict")]:
        del timed["process_medians_s"]
    (found,) = beside(tmp_path, made).tunings
    assert found.pairs is not None
    assert found.attempts[0].train is not None
    assert (found.reason, found.attempts[0].marks, found.pairs.tuned.marks) == (None, (), ())
    assert found.attempts[0].train.process_medians_s == ()


def test_tunings_come_in_the_order_of_the_page(tmp_path: Path) -> None:
    """Machines and stacks by name, models by position, CPU before GPU."""
    made = [
        tuning(key, device, [], [attempt(None, 1.0, 0.5)]) for key in ("bilstm", "lstm") for device in ("gpu", "cpu")
    ]
    files = [found.file.rpartition("/")[2] for found in beside(tmp_path, *made).tunings]
    assert files == ["lstm.cpu.json", "lstm.gpu.json", "bilstm.cpu.json", "bilstm.gpu.json"]


def test_the_schemas_are_told_apart() -> None:
    """Each kind's newest schema has an $id of its own with its version, and its sign is a field that all have."""
    for kind in KINDS:
        schema = json.loads(kind.versions[kind.newest].schema.read_text(encoding="utf-8"))
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == f"urn:erabench:{kind.noun}:{kind.newest}"
        assert schema["properties"]["schema_version"]["const"] == kind.newest
        assert [other.noun for other in KINDS if kind.sign in _properties(other.versions[other.newest].schema)] == [
            kind.noun
        ]
        assert kind.sign in schema["required"]


def _properties(schema: Path) -> set[str]:
    return set(json.loads(schema.read_text(encoding="utf-8"))["properties"])


VALID: list[tuple[str, Record]] = [
    ("something chosen", tuned_lstm()),
    ("nothing chosen", tuning("lstm", "cpu", [], [attempt(None, 0.02, 0.01), attempt("xla", 0.03, 0.01)])),
    ("nothing tried", tuning("lstm", "gpu", [], [attempt(None, 0.02, 0.01)])),
    (
        "as written failed",
        tuning("lstm", "cpu", [], [attempt(None, None, None, status="timeout", reason="too slow")]),
    ),
    ("not confirmed", changed(pairs=None)),
    ("not confirmed for a reason", changed(pairs=None, reason="tuned failed when it was run again: no card")),
    ("none confirmed", tuned_bilstm()),
    ("nothing to confirm", untuned_bilstm()),
    ("a mark of nobody's", with_attempt(1, marks=[mark("novel", "quality", "")])),
    ("the framework's own threads", changed(threads=None, environment=None)),
]
INVALID: list[tuple[str, Record, str]] = [
    (
        "no field may be missing",
        {k: v for k, v in tuned_lstm().items() if k != "tolerance"},
        '"tolerance" is a required',
    ),
    ("none may be added", changed(surprise=1), "Additional properties are not allowed"),
    ("no attempts", changed(attempts=[]), "attempts: [] has less than 1 item"),
    ("not as written first", changed(attempts=tuned_lstm()["attempts"][1:]), 'attempts[0].option: "unroll" is not of'),
    ("as written twice", with_attempt(1, option=None), 'attempts[1].option: null is not of type "string"'),
    ("an option without a name", with_attempt(1, option=""), "attempts[1].option"),
    ("kept though it failed", with_attempt(3, kept=True), 'attempts[3].status: "ok" was expected'),
    ("kept though different", with_attempt(2, kept=True), 'attempts[2].status: "ok" was expected'),
    ("failed without a reason", with_attempt(3, reason=None), 'attempts[3].reason: null is not of type "string"'),
    ("no time is zero", with_attempt(1, train={"median_s": 0, "interval_s": None, "samples_s": [1]}), "median_s: 0 is"),
    ("another status", with_attempt(1, status="great"), 'attempts[1].status: "great" is not one of'),
    ("chosen twice", changed(chosen=["unroll", "unroll"]), "chosen: "),
    ("a path in a name", changed(machine="../../etc"), 'machine: "../../etc" does not match'),
    ("a mark without a phase", with_attempt(1, marks=[{"key": "unstable", "reason": "x"}]), '"phase" is a required'),
    ("a mark that is no name", with_attempt(1, marks=[mark("<b>", "all", "x")]), 'marks[0].key: "<b>" does not match'),
    (
        "a mark of another phase",
        with_attempt(1, marks=[mark("unstable", "epoch", "x")]),
        'phase: "epoch" is not one of',
    ),
    ("a list for a reason", changed(reason=["x"]), 'reason: ["x"] is not of types'),
    ("a difference below zero", changed(outputs_difference=-1), "outputs_difference: -1 is less than"),
]


@pytest.mark.parametrize("made", [valid[1] for valid in VALID], ids=[valid[0] for valid in VALID])
def test_the_schema_takes_what_a_tuning_may_say(made: Record) -> None:
    """What make tune may find is valid."""
    assert list(violations(orjson.loads(orjson.dumps(made)), TUNING, TUNING.newest)) == []


@pytest.mark.parametrize(("made", "said"), [bad[1:] for bad in INVALID], ids=[bad[0] for bad in INVALID])
def test_the_schema_turns_away_what_makes_no_sense(tmp_path: Path, made: Record, said: str) -> None:
    """The problem names file, place and cure, and the result beside it is read."""
    loaded = beside(tmp_path, orjson.dumps(made))
    problems = [str(problem) for problem in loaded.problems]
    assert all(problem.startswith(f"{FILE}: ") for problem in problems)
    assert any(said in problem for problem in problems), problems
    assert problems[0].endswith("; not what schema 1 asks for: delete the file and tune again (make tune)")
    assert (len(loaded.results), loaded.tunings) == (1, ())


CONTENTS = [
    (name, content, said.replace("measure again", TUNING.again).replace("no result", "no tuning"))
    for name, content, said in BAD
    if isinstance(content, bytes) or '"machine"' not in str(content)
]


@pytest.mark.parametrize(("content", "said"), [bad[1:] for bad in CONTENTS], ids=[bad[0] for bad in CONTENTS])
def test_a_bad_file_is_named_with_its_cure_and_the_others_are_read(
    tmp_path: Path, content: bytes | str, said: str
) -> None:
    """Whatever is no result of erabench is no tuning of it either."""
    loaded = beside(tmp_path, content, tuning("bilstm", "gpu", [], [attempt(None, 1.0, 0.5)]))
    assert len(loaded.problems) == 1
    assert str(loaded.problems[0]).startswith(f"{FILE}: ")
    assert said in str(loaded.problems[0])
    assert ([r.file for r in loaded.results], [t.model.key for t in loaded.tunings]) == (
        ["gtx-box/gtx1080/lstm.cpu.json"],
        ["bilstm"],
    )


def linked(path: Path) -> None:
    """A link that leaves the folder."""
    outside = path.parents[4] / "outside.json"
    outside.write_text(json.dumps(tuned_lstm()))
    path.symlink_to(outside)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "is no ordinary file; delete it"),
        (linked, "is a link that leaves the folder, to "),
        (lambda path: path.symlink_to(path), "cannot be read ("),
        (Path.mkdir, ""),  # a folder of that name holds nothing
    ],
    ids=["pipe", "link", "circle", "folder"],
)
def test_what_is_no_file_of_this_folder_is_not_read(tmp_path: Path, make: Callable[[Path], None], said: str) -> None:
    """Tunings are read with the same care as results."""
    path = tmp_path / "results" / FILE
    path.parent.mkdir(parents=True)
    make(path)
    loaded = beside(tmp_path / "results")
    assert [problem.message.startswith(said.partition(";")[0]) for problem in loaded.problems] == [True] * bool(said)
    assert (len(loaded.results), loaded.tunings) == (1, ())


def test_a_file_that_is_not_where_it_says_is_a_problem(tmp_path: Path) -> None:
    """So is one that lies deeper, of another machine, or among the results; a result among tunings likewise."""
    text = json.dumps(tuned_lstm())
    places = ("tuning/copy.cpu.json", "tuning/deeper/lstm.cpu.json", "bilstm.cpu.json")
    for name in places:
        path = tmp_path / "gtx-box/gtx1080" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "gtx-box/gtx1080/tuning/ar.cpu.json").write_text(json.dumps(one()[4]))
    loaded = beside(tmp_path, tuned_lstm())
    elsewhere = f"says it is {FILE}, which is not where it lies"
    cure = "keep one file a machine, stack, model and device, under its own name"
    assert loaded.problems == (
        Problem(
            "gtx-box/gtx1080/bilstm.cpu.json",
            "is no result but a tuning",
            "move the file to <machine>/<stack>/tuning/<model>.<device>.json",
        ),
        Problem(
            "gtx-box/gtx1080/tuning/ar.cpu.json",
            "is no tuning but a result",
            "move the file to <machine>/<stack>/<model>.<device>.json",
        ),
        Problem("gtx-box/gtx1080/tuning/copy.cpu.json", elsewhere, cure),
        Problem("gtx-box/gtx1080/tuning/deeper/lstm.cpu.json", elsewhere, cure),
    )
    assert (len(loaded.results), len(loaded.tunings)) == (1, 1)


def test_a_stack_may_be_called_tuning(tmp_path: Path) -> None:
    """Only the folder below a stack's is special."""
    loaded = load_results(write(tmp_path, [{**one()[0], "stack": "tuning"}, changed(stack="tuning")]))
    assert loaded.problems == ()
    assert [found.file for found in (*loaded.results, *loaded.tunings)] == [
        "gtx-box/tuning/lstm.cpu.json",
        "gtx-box/tuning/tuning/lstm.cpu.json",
    ]


def test_a_tuning_without_results_is_a_problem(tmp_path: Path) -> None:
    """There is no section to show it in, and it is not dropped in silence."""
    loaded = beside(tmp_path, tuned_lstm(), changed(stack="cpu"))
    assert [str(problem) for problem in loaded.problems] == [
        "gtx-box/cpu/tuning/lstm.cpu.json: has no usable result beside it to be shown with; measure too (make bench)"
    ]
    assert [found.stack for found in loaded.tunings] == ["gtx1080"]


def test_medians_that_make_no_pairs_are_a_problem(tmp_path: Path) -> None:
    """A process without its partner leaves no ratio to be had."""
    made = tuned_lstm()
    made["pairs"]["tuned"]["train_s"] = [0.01]
    assert [str(problem) for problem in beside(tmp_path, made).problems] == [
        f"{FILE}: pairs: 2 processes as written and 1 tuned have a train_s, which makes no pairs; "
        "delete it and tune again (make tune)"
    ]


def test_the_table_shows_the_confirming_processes(tmp_path: Path) -> None:
    """Medians as written and tuned, the pairs' ratio with its range, the settings, and how far the outputs differ."""
    text = section(beside(tmp_path, tuned_lstm()))
    assert row(text) == [
        "LSTM", "2 stacked LSTM", "CPU, 4 threads", "0.0213", "0.00854 (unstable)", "0.401 (0.398–0.404)", "0.00713",
        "0.003555", "0.499 (0.497–0.501)", "unroll", "2.4e-07",
    ]  # fmt: skip
    assert text.count(f"]({LINK})") == 7
    assert "confirmed in fresh processes, as written and tuned in turn, that took no part in the choice" in text
    assert "the median over these pairs of processes with its range" in text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "* **LSTM** (2 stacked LSTM), CPU; outputs may differ by 0.0001 at most:",
                "- as written (marked: other load on the machine)",
                "- unroll (the loop over the time steps written out): training 0.400, prediction 0.500; kept",
                "- xla (direct-step, compiled by XLA), on top of unroll: training 0.287, prediction 0.435; "
                "not kept, outputs differ by 0.021",
                "- direct-step (a tf.function of our own in place of Keras' train_on_batch), on top of unroll: "
                "failed: the child process was killed by SIGSEGV",
                "- threads-1 (number of threads: 1), on top of unroll: training 0.427, prediction 0.483; "
                "not clearly faster (marked: unstable, odd-fan)",
            ],
        ),
        (
            "ko",
            [
                "* **LSTM** (2 stacked LSTM), CPU. 허용하는 출력 차이는 0.0001까지입니다.",
                "- 원래 코드 (표시: 다른 작업의 부하)",
                "- unroll(시간 단계의 반복을 펼침): 학습 0.400, 예측 0.500; 채택",
                "- unroll에 더하여 xla(direct-step을 XLA로 컴파일): 학습 0.287, 예측 0.435; "
                "출력이 0.021만큼 달라 채택하지 않음",
                "- unroll에 더하여 direct-step(Keras의 train_on_batch 대신 직접 만든 tf.function): "
                "실패: 자식 프로세스가 SIGSEGV 신호로 종료되었습니다",
                "- unroll에 더하여 threads-1(스레드 수 1): 학습 0.427, 예측 0.483; "
                "뚜렷하게 더 빠르지 않음 (표시: 불안정, odd-fan)",
            ],
        ),
    ],
)
def test_everything_that_was_tried_is_listed(tmp_path: Path, language: str, said: list[str]) -> None:
    """Each option with its times as shares of those as written, and what became of it."""
    assert tried(section(beside(tmp_path, tuned_lstm()), language)) == said


@pytest.mark.parametrize(
    ("language", "settings_cell", "nothing"),
    [
        ("en", "nothing tried was clearly faster", "- nothing"),
        ("ko", "시도한 설정 중 뚜렷하게 더 빠른 것이 없습니다", "- 시도한 설정이 없습니다"),
    ],
)
def test_where_nothing_helped_the_page_says_so(tmp_path: Path, language: str, settings_cell: str, nothing: str) -> None:
    """The time as written stands alone, with a sentence in place of settings."""
    text = section(beside(tmp_path, tuning("lstm", "cpu", [], [attempt(None, 0.0213, 0.00712)])), language)
    assert row(text)[3:] == ["0.0213", "", "", "0.00712", "", "", settings_cell, ""]
    assert tried(text)[1:] == [nothing]


def test_every_outcome_has_its_words(tmp_path: Path) -> None:
    """Skipped, out of time, out of memory, different without a figure, one phase only, unknown options."""
    attempts = [
        attempt(None, 0.02, None),
        attempt("cudnn", None, None, status="skipped", reason="Keras 3.9.0 chooses cuDNN by itself"),
        attempt("compile", None, None, status="timeout", reason="stopped after its time limit of 60 s"),
        attempt("channels-last", None, None, status="out_of_memory", reason="8 GB asked for"),
        attempt("novel | option", 0.01, 0.3, status="different", outputs_difference=None),
        attempt("threads-016", None, 0.01),
        attempt("threads-16", 0.03, None),
    ]
    assert tried(section(beside(tmp_path, tuning("lstm", "cpu", [], attempts))))[1:] == [
        "- cudnn (cuDNN's own LSTM layer, CuDNNLSTM, with the same weights): not tried: "
        "Keras 3.9.0 chooses cuDNN by itself",
        "- compile (torch.compile): timeout: stopped after its time limit of 60 s",
        "- channels-last (images with the channels innermost): out of memory: 8 GB asked for",
        "- novel &#124; option: training 0.500, prediction –; not kept, outputs differ",
        "- threads-016: training –, prediction –; not clearly faster",
        "- threads-16 (number of threads: 16): training 1.50, prediction –; not clearly faster",
    ]


def test_a_model_that_failed_as_written_says_so(tmp_path: Path) -> None:
    """Nothing could be held against it: no figure, and the reason instead of settings."""
    attempts = [attempt(None, None, None, status="failed", reason="no | data")]
    loaded = beside(tmp_path, tuning("lstm", "cpu", [], attempts))
    text = section(loaded)
    assert (
        "| LSTM | 2 stacked LSTM | CPU, 4 threads |  |  |  |  |  |  | as written: failed: no &#124; data |  |\n" in text
    )
    assert tried(text)[1:] == ["- as written: failed: no &#124; data"]
    assert "원래 코드: 실패: no &#124; data" in section(loaded, "ko")


def test_a_smoke_run_is_marked(tmp_path: Path) -> None:
    """Its times prove the plumbing and are no finding."""
    assert tried(section(beside(tmp_path, changed(profile="smoke"))))[1] == (
        "- Smoke run: proves the plumbing, measures nothing."
    )


def test_what_was_not_confirmed_is_not_shown_as_faster(tmp_path: Path) -> None:
    """Without confirming processes there is no tuned time."""
    cells = row(section(beside(tmp_path, changed(pairs=None))))
    as_written = [f"{seconds} (other load on the machine)" for seconds in ("0.0213", "0.00712")]
    assert cells[3:] == [as_written[0], "", "", as_written[1], "", "", "unroll (not confirmed)", "2.4e-07"]


@pytest.mark.parametrize(("medians", "shown"), [([], ["", "", ""]), ([0.0213], ["0.021", "0.021", "1.00"])])
def test_few_confirming_processes_have_no_range(tmp_path: Path, medians: list[float], shown: list[str]) -> None:
    """One pair is a ratio without a range, none is an empty cell, without marks too."""
    made = tuned_lstm()
    for side in made["pairs"].values():
        side.update(train_s=medians, predict_s=medians, marks=[] if medians else [mark("unstable", "all", "x")])
    assert row(section(beside(tmp_path, made)))[3:9] == shown * 2


def test_the_ratio_is_of_pairs_and_lies_within_their_range(tmp_path: Path) -> None:
    """A machine that slows down between the pairs does not move it, as it would the ratio of the medians."""
    made = tuned_lstm()
    made["pairs"]["as_written"]["train_s"] = [1.0, 2.0, 4.0]
    made["pairs"]["tuned"]["train_s"] = [0.5, 1.0, 2.0]
    assert row(section(beside(tmp_path, made)))[5] == "0.500 (0.500–0.500)"


@pytest.mark.parametrize(
    ("language", "kept", "confirmed"),
    [
        (
            "en",
            "the slowest of its two processes is still more than 2 % faster "
            "(geometric mean of training and prediction) than the fastest process of what was best so far",
            "the gain is confirmed if in every pair of them the geometric mean of both ratios is below 1",
        ),
        (
            "ko",
            "두 번의 실행 중 느린 쪽이 그때까지 가장 좋았던 것의 가장 빠른 실행보다도 "
            "2 % 넘게 빠른(학습과 예측의 기하평균 기준) 설정만",
            "모든 쌍에서 두 비율의 기하평균이 1보다 작으면 효과가 확인된 것으로 봅니다",
        ),
    ],
)
def test_the_page_says_what_is_kept_and_what_is_confirmed(
    tmp_path: Path, language: str, kept: str, confirmed: str
) -> None:
    """Both criteria stand above the table."""
    above = section(beside(tmp_path, tuned_lstm()), language).split("<div")[0]
    assert kept in above
    assert confirmed in above


def with_pairs(as_written: tuple[list[float], list[float]], tuned: tuple[list[float], list[float]]) -> Record:
    """The LSTM's tuning with these medians of training and prediction in its pairs."""
    made = tuned_lstm()
    for side, medians in (("as_written", as_written), ("tuned", tuned)):
        made["pairs"][side].update(train_s=medians[0], predict_s=medians[1], marks=[])
    return made


@pytest.mark.parametrize(
    ("as_written", "tuned", "confirmed"),
    [
        (([1.0, 1.0], [1.0, 1.0]), ([0.9, 0.99], [0.9, 0.99]), True),
        (([1.0, 1.0], [1.0, 1.0]), ([0.5, 0.5], [1.9, 1.9]), True),  # prediction alone is slower
        (([1.0, 1.0], [1.0, 1.0]), ([0.5, 0.5], [1.0, 2.0]), False),  # one pair takes as long
        (([1.0, 1.0], [1.0, 1.0]), ([0.5, 1.1], [0.5, 1.0]), False),  # one pair takes longer
        (([], []), ([], []), False),
        (([1.0], []), ([0.5], []), True),
        (([5e-324], [1e308]), ([1e308], [5e-324]), False),  # endlessly slower and faster
    ],
)
def test_a_gain_that_a_pair_does_not_show_is_not_confirmed(
    tmp_path: Path, as_written: Any, tuned: Any, confirmed: bool
) -> None:
    """Every pair must be faster by the geometric mean of training and prediction; else the settings cell says so."""
    loaded = beside(tmp_path, with_pairs(as_written, tuned))
    for language, said in (("en", "the gain was not confirmed"), ("ko", "효과가 확인되지 않음")):
        cell = "unroll" if confirmed else f"unroll ({said})"
        assert f" | {cell} | [2.4e-07](" in section(loaded, language)


def test_why_nothing_was_confirmed_is_said(tmp_path: Path) -> None:
    """The reason stands behind what was chosen, in the page's language with what the runner filled in."""
    reason = "as written failed when it was run again: the child process was killed by SIGKILL"
    loaded = beside(tmp_path, changed(pairs=None, reason=reason))
    assert row(section(loaded))[9] == f"unroll (not confirmed: {reason})"
    assert row(section(loaded, "ko"))[9] == (
        "unroll (확인하지 못함: 다시 실행했을 때 원래 코드 쪽이 실패했습니다: "
        "자식 프로세스가 SIGKILL 신호로 종료되었습니다)"
    )


def test_a_reason_is_never_dropped(tmp_path: Path) -> None:
    """Where nothing was chosen although the model ran, the settings cell holds the reason."""
    made = tuning("lstm", "cpu", [], [attempt(None, 0.02, 0.01)], reason="no | more <time>")
    assert row(section(beside(tmp_path, made)))[9] == "no &#124; more &#60;time&#62;"


def test_times_of_what_failed_do_not_count(tmp_path: Path) -> None:
    """Neither those of a model that was not really training nor those of such an attempt are shown."""
    reason = "the training loss was not finite"
    failed = tuning("lstm", "cpu", [], [attempt(None, 0.02, 0.01, status="failed", reason=reason)], reason=reason)
    text = section(beside(tmp_path / "as written", failed))
    assert f"| CPU, 4 threads |  |  |  |  |  |  | as written: failed: {reason} |  |\n" in text
    assert tried(text)[1:] == [f"- as written: failed: {reason}"]
    attempts = [attempt(None, 0.02, 0.01), attempt("unroll", 0.001, 0.001, status="failed", reason=reason)]
    assert tried(section(beside(tmp_path / "an option", tuning("lstm", "cpu", [], attempts)), "ko"))[1:] == [
        "- unroll(시간 단계의 반복을 펼침): 실패: 학습 손실이 유한한 값이 아니었습니다"
    ]


@pytest.mark.parametrize(("language", "said"), [("en", "kept until a later one"), ("ko", "채택했다가 뒤의 설정으로")])
def test_an_option_whose_place_was_taken_is_not_called_kept(tmp_path: Path, language: str, said: str) -> None:
    """Of two numbers of threads only one can be chosen in the end."""
    attempts = [
        attempt(None, 0.02, 0.01),
        attempt("threads-1", 0.018, 0.009, kept=True),
        attempt("threads-2", 0.01, 0.005, kept=True),
    ]
    found = tried(section(beside(tmp_path, tuning("lstm", "cpu", ["threads-2"], attempts)), language))
    assert [said in line for line in found] == [False, True, False]


MARKS = [
    mark("unstable", "train", "x", percent=14.1),
    mark("unstable", "train", "x", percent=20.0),
    mark("other-load", "predict", "x"),
    mark("drifting", "all", "x", percent=["{{ x }}"]),
    mark("throttled", "quality", "x"),
]


def test_marks_stand_behind_the_figures_of_their_phase_once_each(tmp_path: Path) -> None:
    """On either side of the pairs, whichever process earned them and however often."""
    made = tuned_lstm()
    made["pairs"]["as_written"]["marks"] = MARKS
    made["pairs"]["tuned"]["marks"] = MARKS[2:3]
    cells = row(section(beside(tmp_path, made)))
    assert cells[3:9] == [
        "0.0213 (unstable, drifting)", "0.00854", "0.401 (0.398–0.404)",
        "0.00713 (other load on the machine, drifting)", "0.003555 (other load on the machine)", "0.499 (0.497–0.501)",
    ]  # fmt: skip
    assert row(section(beside(tmp_path, made), "ko"))[3] == "0.0213 (불안정, 추세 있음)"


def test_marks_stand_behind_an_attempt_once_each(tmp_path: Path) -> None:
    """Those of all its phases; the model as written has a line of its own only if it has any."""
    attempts = [attempt(None, 0.02, 0.01, marks=MARKS[:2]), attempt("unroll", 0.01, 0.005, marks=MARKS)]
    loaded = beside(tmp_path, tuning("lstm", "cpu", [], attempts))
    assert row(section(loaded))[3:7] == ["0.02000 (unstable)", "", "", "0.01000"]
    assert [line.partition("(marked: ")[2] for line in tried(section(loaded))[1:]] == [
        "unstable)",
        "unstable, other load on the machine, drifting, throttled)",
    ]
    attempts[0]["marks"] = []
    assert len(tried(section(beside(tmp_path, tuning("lstm", "cpu", [], attempts))))) == 2


def test_a_mark_of_an_unknown_name_is_inert(tmp_path: Path) -> None:
    """It is shown by its key, none of which can act on the page, and its reason and figures are not shown."""
    keys = ["www.example.com", "a--b", "x...y", "A_b_", "note-1-1"]
    found = [mark(key, "all", "<b>{{ x }}</b> | [y](z)", **{"|": "<b>"}) for key in keys]
    made = tuned_lstm()
    made["attempts"][1]["marks"] = made["pairs"]["tuned"]["marks"] = found
    text = section(beside(tmp_path, made))
    shown = "(www&#46;example.com, a-&#45;b, x.&#46;&#46;y, A_b&#95;, note-1-1)"
    assert row(text)[4] == f"0.00854 {shown}"
    assert f"kept (marked: {shown[1:]}" in text
    assert "{{" not in text
    assert "<b>" not in text


def test_the_time_as_written_has_the_digits_that_its_processes_support(tmp_path: Path) -> None:
    """Two processes that disagree cost digits, as with a result's."""
    made = attempt(None, 0.02, 0.01)
    made["train"]["process_medians_s"] = [0.018, 0.022]
    assert row(section(beside(tmp_path, tuning("lstm", "cpu", [], [made]))))[3::3][:2] == ["0.020", "0.01000"]


@pytest.mark.parametrize(
    ("device", "threads", "english", "korean"),
    [
        ("cpu", 2, "CPU, 2 threads", "CPU(스레드 2개)"),
        ("cpu", 1, "CPU, 1 thread", "CPU(스레드 1개)"),
        ("cpu", None, "CPU", "CPU"),
        ("gpu", 2, "GPU", "GPU"),
    ],
)
def test_the_device_comes_with_its_number_of_threads(
    tmp_path: Path, device: str, threads: int | None, english: str, korean: str
) -> None:
    """Those of the model as written on the processor; the legend says so where any row has them."""
    made = tuning("lstm", device, [], [attempt(None, 0.02, 0.01)], threads=threads)
    for language, cell, legend in (("en", english, "**Device**: "), ("ko", korean, "**장치**: ")):
        text = section(beside(tmp_path, made), language)
        assert f"| LSTM | 2 stacked LSTM | {cell} |" in text
        assert (legend in text) == (cell not in ("CPU", "GPU"))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_without_tunings_there_is_no_section(tmp_path: Path, language: str) -> None:
    """Neither where nobody tuned nor in the section of another machine."""
    loaded = load_results(write(tmp_path, [*many(), changed(machine="laptop", stack="cpu")]))
    heading = HEADINGS[language].strip("\n# ")
    page = render_page(build_page(loaded.results, published_figures(), tunings=loaded.tunings), language)
    assert page.count(f"### {heading}\n") == 1
    parts = page.split('<a id="section-')
    assert [f"### {heading}\n" in part for part in parts] == [False, False, False, True]
    assert heading not in render_page(build_page(loaded.results, published_figures()), language)


def test_a_page_about_many_machines_leaves_tunings_out(tmp_path: Path) -> None:
    """As it does with measurements and pictures; and what it does not link to does not lie beside it."""
    machines = [f"m{number}" for number in range(DETAILED_SECTIONS + 1)]
    documents = [{**made, "machine": machine} for machine in machines for made in (one()[0], tuned_lstm())]
    results = write(tmp_path / "results", documents)
    site = tmp_path / "site"
    assert main(["--results", str(results), "--site", str(site), "--locale", "en"]) == 0
    page = (site / "pages/2017-08-05_Model-Comparison.markdown").read_text(encoding="utf-8")
    assert "As written and tuned" not in page
    assert "leaves out reproduction, protocols, measurements, tuning and pictures" in page
    assert not list(site.rglob("tuning"))
    assert main(["--results", str(results), "--site", str(site), "--locale", "en", "--machine", "m3"]) == 0
    assert [path.parent.parent.parent.name for path in site.rglob("tuning/*.json")] == ["m3"]


def test_its_json_lies_beside_the_page(tmp_path: Path) -> None:
    """The link leads to the very file."""
    assert main(["--results", str(FOLDER / "one"), "--site", str(tmp_path)]) == 0
    assert (tmp_path / "pages" / LINK).read_bytes() == (FOLDER / "one" / FILE).read_bytes()


def test_a_bad_tuning_costs_a_status_and_not_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its problem goes to stderr and onto the page."""
    beside(tmp_path / "results", "{")
    assert main(["--results", str(tmp_path / "results"), "--site", str(tmp_path / "site")]) == 1
    assert f"report: {FILE}: is not JSON" in capsys.readouterr().err
    assert f"* **{FILE}**" in (tmp_path / "site/pages/2017-08-05_Model-Comparison.markdown").read_text(encoding="utf-8")


EXTREME = st.sampled_from([5e-324, 1e-300, 1e300, 1.7976931348623157e308])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    JSON | st.floats(allow_nan=False, allow_infinity=False) | EXTREME | st.lists(EXTREME, min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)
def test_any_tuning_that_is_valid_can_be_shown(
    tmp_path_factory: pytest.TempPathFactory, replacement: Any, choose: random.Random
) -> None:
    """A tuning with any one value changed to anything is refused with a problem, or makes a page in both languages."""
    made = mutated(copy.deepcopy(tuned_lstm()), replacement, choose)
    loaded = beside(tmp_path_factory.mktemp("mutated"), json.dumps(made))
    assert len(loaded.results) == 1
    assert len(loaded.tunings) + bool(loaded.problems) == 1
    for language in ("ko", "en"):
        page = render_page(
            build_page(loaded.results, published_figures(), loaded.problems, tunings=loaded.tunings), language
        )
        assert len(page) < 400_000
