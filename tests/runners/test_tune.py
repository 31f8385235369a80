"""Tuning: what is kept, what is refused, and that the figures quoted had no part in the choice."""

import copy
import json
import math
import os

import pytest

from runners import calibrate, registry, tune
from runners.contract import Option

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OPTIONS = [Option("fast", {"fast": True}), Option("wrong", {"wrong": True}), Option("broken", {"broken": True})]


class Machine:
    """Stands for ``run_child``: a model that takes a second, less with what its options bring."""

    def __init__(self, saves=None, outputs=(1.0, -2.0), noise=(), fails_at=None, counts=True, duration_s=1.0):
        self.saves = {"fast": 0.5, "wrong": 0.9} if saves is None else saves
        self.outputs, self.counts, self.duration_s = outputs, counts, duration_s
        self.noise, self.fails_at = iter(noise), fails_at
        self.jobs, self.limits_s = [], []

    def __call__(self, job, time_limit_s, on_event):
        self.jobs.append(job)
        self.limits_s.append(time_limit_s)
        record = copy.deepcopy(job["record"])
        if len(self.jobs) - 1 == self.fails_at:
            record.update(status="failed", reason="OSError: no")
            return record
        if job["variant"].get("broken"):
            record.update(status="failed", reason="RuntimeError: no compiler")
            return record
        record["duration_s"] = self.duration_s
        seconds = next(self.noise, 1.0)
        for key in job["variant"]:
            seconds *= 1 - self.saves.get(key, 0.0)
        phase = {"median_s": seconds, "interval_s": [seconds, seconds], "samples_s": [seconds] * 6}
        phase.update(counts=self.counts, reason=None if self.counts else "the loss does not fall")
        phase.update(losses=[0.5, 0.4])
        record.update(status="ok", timing={name: dict(phase) for name in ("train", "predict")})
        record["outputs"] = self.outputs and [
            value * (1.01 if "wrong" in job["variant"] else 1.000001) for value in self.outputs
        ]
        return record

    def run(self, monkeypatch, folder, options=OPTIONS, *arguments):
        """Exit status of tuning the LSTM with these options, and the document where there is one."""
        module = type("tuning", (), {"options": staticmethod(lambda device, threads, cores: options)})
        monkeypatch.setattr(tune, "run_child", self)
        monkeypatch.setattr(tune, "import_module", lambda name: module)
        asked = ["keras", "--model", "lstm", "--device", "cpu", "--machine", "m", "--out", str(folder)]
        status = tune.main(asked + list(arguments))
        path = folder / "m" / "cpu" / "tuning" / "lstm.cpu.json"
        return status, json.loads(path.read_text()) if path.exists() else None


def test_an_option_is_kept_if_it_is_faster_and_the_same_function(monkeypatch, tmp_path):
    """One that is faster stays for the next attempts; one with other outputs does not, however fast."""
    machine = Machine()
    status, document = machine.run(monkeypatch, tmp_path)
    assert (status, document["chosen"]) == (0, ["fast"])
    tried = [(one["option"], one["with"], one["status"], one["kept"]) for one in document["attempts"]]
    assert tried == [
        (None, [], "ok", False),
        ("fast", [], "ok", True),
        ("wrong", ["fast"], "different", False),
        ("broken", ["fast"], "failed", False),
    ]
    assert document["attempts"][2]["outputs_difference"] == pytest.approx(0.01, rel=1e-3)
    assert "1.0e-02" in document["attempts"][2]["reason"]
    assert document["attempts"][3]["reason"] == "RuntimeError: no compiler"


def test_a_second_process_that_fails_is_not_called_slower(monkeypatch, tmp_path):
    """Its status and reason are the attempt's."""
    document = Machine(fails_at=3).run(monkeypatch, tmp_path, OPTIONS[:1])[1]
    attempt = document["attempts"][1]
    assert (attempt["status"], attempt["reason"], attempt["kept"]) == ("failed", "OSError: no", False)


def test_the_quoted_times_come_from_later_runs_in_turns(monkeypatch, tmp_path):
    """As written, tuned, as written, tuned …, after the search."""
    machine = Machine()
    document = machine.run(monkeypatch, tmp_path)[1]
    assert document["pairs"] == {
        "as_written": {"train_s": [1.0] * 3, "predict_s": [1.0] * 3, "marks": []},
        "tuned": {"train_s": [0.5] * 3, "predict_s": [0.5] * 3, "marks": []},
    }
    assert [job["variant"] for job in machine.jobs[7:]] == [{}, {"fast": True}] * 3
    assert all(job["timing_only"] for job in machine.jobs)


def test_nothing_is_kept_for_less_than_the_loop_can_see(monkeypatch, tmp_path):
    """One per cent is no gain; then there are no pairs either."""
    machine = Machine({"fast": 0.01})
    document = machine.run(monkeypatch, tmp_path, OPTIONS[:1])[1]
    assert (document["chosen"], document["pairs"], document["outputs_difference"]) == ([], None, None)
    assert len(machine.jobs) == 3, "a second process is spared where the first was slower"


def test_an_option_that_takes_five_times_as_long_to_be_ready_has_timed_out(monkeypatch, tmp_path):
    """The row as written has its own limit, a short one at least ten minutes."""
    machine = Machine()
    machine.run(monkeypatch, tmp_path)
    assert machine.limits_s == [300.0] * 13, "the LSTM's own limit in quick is as long"
    slow = Machine(duration_s=40.0)
    monkeypatch.setattr(tune, "LEAST_PATIENCE_S", 60.0)
    slow.run(monkeypatch, tmp_path, OPTIONS, "--force")
    assert slow.limits_s == [300.0] * 2 + [200.0] * 11


def test_one_lucky_process_is_no_gain(monkeypatch, tmp_path):
    """Even the slowest has to be faster than the fastest without the option."""
    machine = Machine({"fast": 0.2}, noise=[1.0, 1.3, 1.0, 1.4])
    document = machine.run(monkeypatch, tmp_path, OPTIONS[:1])[1]
    assert document["attempts"][1]["train"]["process_medians_s"] == pytest.approx([0.8, 1.12])
    assert document["attempts"][1]["train"]["median_s"] == pytest.approx(0.96)
    assert (document["chosen"], document["attempts"][1]["kept"]) == ([], False)


def test_of_two_numbers_of_threads_the_later_takes_the_place_of_the_earlier(monkeypatch, tmp_path):
    """Both at once would be a lie."""
    machine = Machine({"a": 0.1, "b": 0.5})
    options = [Option("threads-1", {"a": 1}, threads=1), Option("threads-8", {"b": 1}, threads=8)]
    document = machine.run(monkeypatch, tmp_path, options)[1]
    assert (document["chosen"], document["attempts"][2]["with"]) == (["threads-8"], [])
    assert (machine.jobs[-1]["threads"], machine.jobs[-1]["variant"]) == (8, {"b": 1})


def test_a_confirmation_that_fails_keeps_what_was_found(monkeypatch, tmp_path, capsys):
    """With the reason in place of the times; the next run tries again."""
    machine = Machine(fails_at=5)
    status, document = machine.run(monkeypatch, tmp_path, OPTIONS[:1])
    assert (status, document["chosen"], document["pairs"]) == (0, ["fast"], None)
    assert document["reason"] == "tuned failed when it was run again: OSError: no"
    assert "not tuned: tuned failed" in capsys.readouterr().err
    assert Machine().run(monkeypatch, tmp_path, OPTIONS[:1])[1]["pairs"] is not None


def test_a_net_that_does_not_train_or_tell_its_outputs_is_not_tuned(monkeypatch, tmp_path):
    """Each with its reason."""
    document = Machine(outputs=None).run(monkeypatch, tmp_path)[1]
    assert [one["status"] for one in document["attempts"]] == ["skipped"]
    assert "does not tell its outputs" in document["reason"]
    document = Machine(counts=False).run(monkeypatch, tmp_path)[1]
    assert [(one["status"], one["reason"]) for one in document["attempts"]] == [("failed", "the loss does not fall")]


def test_a_shorter_profile_does_not_cost_a_longer_one_s_tuning(monkeypatch, tmp_path):
    """It is set aside, and found again."""
    Machine().run(monkeypatch, tmp_path, OPTIONS)
    assert Machine().run(monkeypatch, tmp_path, OPTIONS, "--profile", "smoke")[1]["profile"] == "smoke"
    again = Machine()
    assert again.run(monkeypatch, tmp_path, OPTIONS)[1]["profile"] == "quick"
    assert again.jobs == []


def test_an_option_reaches_the_child_as_settings_variables_and_threads(monkeypatch, tmp_path):
    """Each in its place."""
    machine = Machine({})
    machine.run(monkeypatch, tmp_path, [Option("a", {"x": 1}, {"V": "0"}, 3)])
    assert (machine.jobs[2]["variant"], machine.jobs[2]["variables"], machine.jobs[2]["threads"]) == (
        {"x": 1},
        {"V": "0"},
        3,
    )


def test_what_is_there_is_not_searched_again(monkeypatch, tmp_path, capsys):
    """Unless asked to, or the document cannot be read."""
    Machine().run(monkeypatch, tmp_path)
    again = Machine()
    assert again.run(monkeypatch, tmp_path)[0] == 0
    assert (again.jobs, "unchanged, kept" in capsys.readouterr().err) == ([], True)
    assert again.run(monkeypatch, tmp_path, OPTIONS, "--force")[0] == 0
    assert again.jobs
    path = tmp_path / "m" / "cpu" / "tuning" / "lstm.cpu.json"
    path.write_text(path.read_text()[:100])
    last = Machine()
    assert last.run(monkeypatch, tmp_path)[1]["chosen"] == ["fast"]


def test_a_row_that_fails_as_written_is_said(monkeypatch, tmp_path, capsys):
    """Exit status 1, and a document that says why."""

    def fails(job, time_limit_s, on_event):
        return dict(job["record"], status="failed", reason="ValueError: no")

    machine = Machine()
    machine.__class__ = type("Failing", (Machine,), {"__call__": staticmethod(fails)})
    status, document = machine.run(monkeypatch, tmp_path)
    assert (status, document["chosen"], document["reason"]) == (1, [], "ValueError: no")
    assert "not tuned: ValueError: no" in capsys.readouterr().err


def test_a_framework_with_nothing_to_tune_is_a_usage_error(tmp_path, capsys):
    """The autoregressive rows are no neural models."""
    assert tune.main(["classical", "--out", str(tmp_path)]) == 2
    assert "there is no framework 'classical'; choose from: keras, pytorch" in capsys.readouterr().err


def test_outputs_that_are_no_numbers_are_no_same_function():
    """Nor are more or fewer of them."""
    timing = {"train": {"losses": [0.5]}}
    one = {"device": "cpu", "outputs": [1.0, 2.0], "timing": timing}
    assert tune.difference(one, dict(one, outputs=[1.0, 2.0002])) == pytest.approx(1e-4)
    assert tune.difference(one, dict(one, outputs=[1.0, None])) == math.inf
    assert tune.difference(one, dict(one, outputs=[1.0])) == math.inf
    assert tune.difference(one, dict(one, timing={"train": {"losses": [0.6]}})) == pytest.approx(0.2)


@pytest.mark.parametrize("framework", tune.TUNABLE)
@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_frameworks_options_have_keys_of_their_own(framework, device):
    """And threads other than the row's."""
    tuning = tune.import_module("runners.{}.tuning".format(framework))
    options = tuning.options(device, 4, 8)
    assert len({option.key for option in options}) == len(options) >= 3
    assert {option.threads for option in options} == ({None} if device == "gpu" else {None, 1, 8})


def test_every_neural_model_can_be_tuned():
    """Both frameworks with nets, and no other."""
    frameworks = {registry.framework_of(key) for key in registry.select([])}
    assert frameworks - set(tune.TUNABLE) == {"classical"}


@pytest.mark.parametrize("fields", [{}, {"fails_at": 9}, {"outputs": None}, {"counts": False}, {"saves": {}}])
def test_documents_keep_to_the_schema_that_the_report_reads(monkeypatch, tmp_path, fields):
    """Whatever became of the search."""
    validator = pytest.importorskip("jsonschema_rs", reason="there is no JSON Schema validator in this environment")
    with open(os.path.join(ROOT, "report", "schema", "tuning.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    document = Machine(**fields).run(monkeypatch, tmp_path)[1]
    assert [error.message for error in validator.validator_for(schema).iter_errors(document)] == []


def test_noise_is_what_nearly_all_pairs_of_runs_keep_within():
    """Two runs a tenth apart: ten per cent; equal ones: none."""
    assert calibrate.noise_of([1.0, 1.1]) == pytest.approx(0.1)
    assert calibrate.noise_of([2.0, 2.0, 2.0]) == 0


def test_a_calibration_keeps_the_frameworks_learnt_before(monkeypatch, tmp_path):
    """The noisiest decides; a file that cannot be read is replaced."""
    spread = {"classical": 1.1, "keras": 1.3}

    def run(job, time_limit_s, on_event):
        turns.append(job)
        seconds = spread[job["record"]["framework"]] if len(turns) % 2 else 1.0
        timing = {name: {"median_s": seconds, "reason": None} for name in ("train", "predict")}
        return dict(job["record"], status="ok", timing=timing)

    monkeypatch.setattr(calibrate, "run_child", run)
    path = tmp_path / "m" / "cpu" / "calibration.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    for framework in ("keras", "classical"):
        turns = []
        assert calibrate.main([framework, "--device", "cpu", "--machine", "m", "--out", str(tmp_path)]) == 0
        assert len(turns) == calibrate.RUNS
    document = json.loads(path.read_text())
    assert document["noise"]["cpu"] == document["noise_of"]["cpu"]["keras"] == pytest.approx(0.3)
    assert document["noise_of"]["cpu"]["classical"] == pytest.approx(0.1)
    assert set(document["frameworks"]["cpu"]) == {"keras", "classical"}
