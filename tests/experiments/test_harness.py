"""`make bench-harness`: its parts, the witnesses, and the rules that benches are compared by."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("scipy", reason="the harness needs the tests' own environment")

from experiments.harness import images, noise
from experiments.harness import witness as witness_part
from experiments.harness.methods import RULES
from experiments.harness.scale import MORE, SECONDS, is_linear, show
from experiments.harness.slowed import slowed
from experiments.harness.witness import SCRIPTS, WITNESSES, Ratio, ratio
from runners import registry
from runners.contract import Steps

ROOT = Path(__file__).resolve().parents[2]
PARTS = "overhead, witness, noise, scale, images"


def test_growth_in_proportion_is_linear_whatever_is_paid_once() -> None:
    """And growth with the square is not."""
    counts = (8, 100, 1000, 10000)
    assert is_linear({count: 0.3 + 0.0004 * count for count in counts}, noise=0)
    assert is_linear(dict.fromkeys(counts, 0.3), noise=0)
    assert not is_linear({count: 0.3 + 1e-7 * count**2 for count in counts}, noise=0)
    assert not is_linear({100: 0.1, 1000: 1.0, 10000: 1.0 + 9 * 0.9 + MORE * 9}, noise=0)


def test_a_growth_that_is_too_much_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """With the cost of a unit at each step."""
    assert not show("time", "result", {1: 1.0, 10: 2.0, 100: 400.0}, SECONDS)
    assert "NOT KEPT" in capsys.readouterr().out


@pytest.mark.parametrize("part", ["overhead", "noise"])
def test_a_missing_environment_gets_one_message(tmp_path: Path, part: str) -> None:
    """And exit status 1; it names the interpreter and what makes it."""
    command = [sys.executable, "-m", "experiments.harness", part]
    if part == "noise":
        command.append(f"--folder={tmp_path / 'kept'}")
    variables = {**os.environ, "VENVS": str(tmp_path / "none")}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(
        r"erabench: .*none/cpu/\w+/bin/python: No such file or directory; make bench-harness makes it",
        done.stderr.strip().splitlines()[-1],
    )
    assert "Traceback" not in done.stderr


def test_without_docker_the_images_part_skips_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether the command is missing or gets no answer."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert images.main() == 0
    assert "skipped: Docker is not installed" in capsys.readouterr().out


def test_an_unknown_part_gets_one_message() -> None:
    """And exit status 2."""
    command = [sys.executable, "-m", "experiments.harness", "speed"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    message = f"erabench: the harness has no part 'speed'; choose from: {PARTS}\n"
    assert (done.returncode, done.stderr) == (2, message)


def test_every_row_has_a_plain_script_that_knows_nothing_of_the_project() -> None:
    """At most 40 lines; of the project only the airline series' numbers."""
    for witness in WITNESSES.values():
        text = (SCRIPTS / witness.command[0]).read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 40
        used = re.findall(r"^.*\b(?:runners|report|tests|experiments)\b.*$", text, re.MULTILINE)
        assert used in ([], ["from runners.data.airline import PASSENGERS"])
    known = registry.frameworks().values()
    assert {row for framework in known for row in framework.rows} <= set(WITNESSES)
    assert set(WITNESSES) <= {row for framework in known for row in framework.every_row}


def test_a_plain_script_takes_what_its_row_takes() -> None:
    """Units, windows, blocks and batch sizes are the registry's."""
    for key in ("densenet-24x3", "densenet-32-24-32"):
        settings = registry.load_model("pytorch", key).settings["quick"]
        wanted = [settings["blocks"], settings["compression"], settings["batch_size"]]
        assert [json.loads(argument) for argument in WITNESSES[key].command[1:]] == wanted
    for key, window in (("lstm", 12), ("lstm-aug", 12), ("bilstm", 60)):
        units = registry.load_model("keras", key).settings["quick"]["units"]
        assert WITNESSES[key].command[1:3] == [str(units), str(window)]


def test_a_ratio_is_a_geometric_mean_with_student_s_interval() -> None:
    """Three pairs: t of two degrees of freedom is 4.303."""
    found = ratio([2.0, 1.0, 0.5], [1.0, 1.0, 1.0])
    assert found.mean == pytest.approx(1.0)
    assert found.high == pytest.approx(math.exp(4.3027 * math.log(2) / math.sqrt(3)), rel=1e-3)
    assert found.low == pytest.approx(1 / found.high)


@pytest.mark.parametrize(
    ("low", "high", "beyond"), [(1.04, 1.2, False), (1.06, 1.2, True), (0.8, 0.94, True), (0.5, 2.0, False)]
)
def test_only_an_interval_wholly_beyond_five_per_cent_is_too_much(low: float, high: float, beyond: bool) -> None:
    """Chance alone is no finding."""
    assert Ratio(math.sqrt(low * high), low, high).is_beyond() is beyond


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[float]]:
    """What ran, in order; and the load of others during each pair, to be filled in."""
    order: list[str] = []
    busy: list[float] = []
    for name in ("harness", "witness"):
        monkeypatch.setattr(
            witness_part, f"by_{name}", lambda python, key, device, name=name: order.append(name) or {"n": len(order)}
        )
    monkeypatch.setattr(witness_part.load, "conditions", lambda before, after: {"other_load_cpus": busy.pop(0)})
    return order, busy


def test_harness_and_script_run_in_turns(turns: tuple[list[str], list[float]]) -> None:
    """A B, B A, A B: a drift of the machine affects both."""
    order, busy = turns
    busy += [0.0, 0.0, 0.1]
    found = witness_part.run_pairs(Path("python"), "ar", "cpu", 3)
    assert order == ["harness", "witness", "witness", "harness", "harness", "witness"]
    assert [(ours["n"], theirs["n"]) for ours, theirs in found] == [(1, 2), (4, 3), (5, 6)]


def test_a_pair_beside_other_load_is_run_again(turns: tuple[list[str], list[float]]) -> None:
    """And a machine that never is quiet ends the row with a message."""
    busy = turns[1]
    busy += [0.0, 1.5, 0.0]
    found = witness_part.run_pairs(Path("python"), "ar", "cpu", 2)
    assert [(ours["n"], theirs["n"]) for ours, theirs in found] == [(1, 2), (6, 5)]
    busy += [0.5] * 10
    with pytest.raises(RuntimeError, match="4 pairs discarded: others keep this machine busy"):
        witness_part.run_pairs(Path("python"), "ar", "cpu", 2)


@pytest.mark.parametrize(("device", "there", "hidden"), [("cpu", True, ""), ("cpu", False, None), ("gpu", True, None)])
def test_a_script_on_the_cpu_sees_no_gpu(
    monkeypatch: pytest.MonkeyPatch, device: str, there: bool, hidden: str | None
) -> None:
    """Where there is none, and for one on the GPU, its environment is the user's own."""
    seen: dict[str, str] = {}

    def run(command: list[str], env: dict[str, str], **_options: object) -> subprocess.CompletedProcess[str]:
        seen.update(env)
        return subprocess.CompletedProcess(command, 0, '{"train_s": 1.0, "predict_s": 0.5}')

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(witness_part.environment, "has_nvidia_device", lambda: there)
    assert witness_part.by_witness(Path("python"), "lstm-pytorch", device) == {"train_s": 1.0, "predict_s": 0.5}
    assert seen.get("CUDA_VISIBLE_DEVICES") == hidden


def test_every_rule_tells_a_double_time_from_the_same_one() -> None:
    """Slower, faster, and nothing to tell apart."""
    steady = [[1.0, 1.001, 0.999, 1.002, 0.998, 1.0] for _ in range(5)]
    double = [[2 * value for value in process] for process in steady]
    for name, rule in RULES.items():
        assert (rule(steady, double, ()), rule(double, steady, ())) == ("slower", "faster"), name
        assert rule(steady, steady, ()) == "indistinguishable", name


def test_a_slowdown_is_injected_into_the_training_step() -> None:
    """The step's answer is its own, and the step takes at least the factor's time."""
    clock = []

    def train(batch: str) -> str:
        clock.append(batch)
        return f"loss of {batch}"

    blank = dict.fromkeys(Steps._fields)
    steps = slowed(Steps(**{**blank, "train": train, "predict": train}), 3.0)
    assert (steps.train("a batch"), clock) == ("loss of a batch", ["a batch"])
    assert steps.predict is train


def test_a_bench_of_the_noise_part_has_every_row_in_every_round_in_a_shuffled_order(tmp_path: Path) -> None:
    """The same seed gives the same order; a row whose step takes seconds has fewer processes."""
    jobs = noise.jobs(2)
    assert jobs == noise.jobs(2)
    assert len({job.file for job in jobs}) == len(jobs)
    first = [job.subject.row for job in jobs if (job.bench, job.round) == (1, 1)]
    assert sorted(set(first)) == sorted(subject.row for subject in noise.SUBJECTS)
    assert sum(job.subject.row == "densenet-24x3" for job in jobs) == 6


def test_the_noise_part_goes_on_from_finished_processes_and_judges_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is timed twice, and the table has every rule."""
    timed: list[str] = []

    def time(python: Path, framework: str, row: str, *options: str) -> dict[str, dict[str, list[float]]]:
        timed.append(row)
        factor = float(options[-1].split("=")[1])
        base = 0.01 * (1 + 0.001 * (len(timed) % 5))
        return {phase: {"samples_s": [base * factor * (1 + 0.001 * n) for n in range(6)]} for phase in noise.PHASES}

    monkeypatch.setattr(noise, "timed", time)
    noise.collect(tmp_path, 2)
    count = len(timed)
    (tmp_path / noise.jobs(2)[3].file).unlink()
    noise.collect(tmp_path, 2)
    assert len(timed) == count + 1
    assert noise.evaluate(tmp_path, 2)
    printed = capsys.readouterr().out
    assert "| lstm, train, slowed 1.5 | 0 / 100 |" in printed
    assert "kept" in printed
