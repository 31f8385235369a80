"""Tuning: what is kept, what is refused, and that the figures quoted had no part in the choice."""

import json
import math

import pytest
from jobs import failed_result, make_phase, make_result

from runners.contract import Option
from runners.data.source import Source
from runners.parent import cli, jobs, tune

OPTIONS = [Option("fast", {"fast": True}), Option("wrong", {"wrong": True}), Option("broken", {"broken": True})]


class Machine:
    """Replaces ``run_child``: a net that takes a second, less what its options save."""

    def __init__(self, saves=None, outputs=(1.0, -2.0), noise=(), fails_at=None, valid=True, duration_s=1.0):
        self.saves = {"fast": 0.5, "wrong": 0.9} if saves is None else saves
        self.outputs, self.valid, self.duration_s = outputs, valid, duration_s
        self.noise, self.fails_at = iter(noise), fails_at
        self.jobs, self.limits_s = [], []

    def __call__(self, job, time_limit_s, on_event):
        self.jobs.append(job)
        self.limits_s.append(time_limit_s)
        if len(self.jobs) - 1 == self.fails_at:
            return failed_result("exception", type="OSError", message="no")
        if job["options"].get("broken"):
            return failed_result("compiler-missing", language="C", compilers="cc")
        seconds = next(self.noise, 1.0)
        for key in job["options"]:
            seconds *= 1 - self.saves.get(key, 0.0)
        result = dict(make_result(seconds), duration_s=self.duration_s)
        if not self.valid:
            reason = {"key": "parameters-unchanged", "values": {}}
            result["train"] = dict(make_phase(seconds), valid=False, reason=reason)
        result["outputs"] = [value * (1.01 if "wrong" in job["options"] else 1.000001) for value in self.outputs]
        return result

    def run(self, monkeypatch, folder, options=OPTIONS, *arguments):
        """Exit status of tuning the LSTM with these options, and the document where there is one."""
        monkeypatch.setattr(tune, "run_child", self)
        monkeypatch.setattr(tune, "offered", lambda *given: options)
        monkeypatch.setattr(jobs, "describe_data", lambda name, directory: Source(name, "made up", "0" * 64))
        asked = ["keras", "--tune", "--rows", "lstm", "--devices", "cpu", "--machine", "m", "--results", str(folder)]
        status = cli.main(asked + list(arguments))
        path = folder / "m" / "cpu" / "tuning" / "lstm.cpu.json"
        return status, json.loads(path.read_text()) if path.exists() else None


def test_an_option_is_kept_if_it_is_faster_and_computes_the_same(monkeypatch, tmp_path):
    """A faster one is kept for the next attempts; one with other outputs is not, however fast."""
    status, document = Machine().run(monkeypatch, tmp_path)
    assert (status, document["chosen"]) == (0, ["fast"])
    tried = [(one["option"], one["with"], one["status"], one["kept"]) for one in document["attempts"]]
    assert tried == [
        (None, [], "ok", False),
        ("fast", [], "ok", True),
        ("wrong", ["fast"], "different", False),
        ("broken", ["fast"], "failed", False),
    ]
    wrong, broken = document["attempts"][2:]
    assert wrong["max_relative_error"] == pytest.approx(0.01, rel=1e-3)
    assert wrong["reason"]["key"] == "outputs-differ"
    assert wrong["reason"]["values"] == {"difference": wrong["max_relative_error"], "tolerance": tune.TOLERANCE}
    assert broken["reason"]["key"] == "compiler-missing"


def test_the_document_has_its_identity_and_no_host_name(monkeypatch, tmp_path):
    """Version 2, with the row, the machine's folder and what made it."""
    document = Machine().run(monkeypatch, tmp_path)[1]
    assert set(document) == {
        "schema_version", "machine", "stack", "engine", "profile", "framework", "device", "model", "started",
        "duration_s", "threads", "tolerance", "environment", "provenance", "attempts", "chosen", "confirmation",
        "max_relative_error", "reason",
    }  # fmt: skip
    assert (document["schema_version"], document["model"]["order"]) == (2, 1)


def test_a_changed_option_is_tried_again(monkeypatch, tmp_path):
    """And an unchanged one is not."""
    machine = Machine()
    for count in (1, 1, 2):
        machine.run(monkeypatch, tmp_path, OPTIONS[:count])
    document = machine.run(monkeypatch, tmp_path, OPTIONS[:2])[1]
    assert [one["option"] for one in document["attempts"]] == [None, "fast", "wrong"]


def test_a_second_process_that_fails_is_not_called_slower(monkeypatch, tmp_path):
    """Its status and reason are the attempt's."""
    attempt = Machine(fails_at=3).run(monkeypatch, tmp_path, OPTIONS[:1])[1]["attempts"][1]
    assert (attempt["status"], attempt["reason"]["key"], attempt["kept"]) == ("failed", "exception", False)


def test_the_quoted_times_come_from_later_runs_in_turns(monkeypatch, tmp_path):
    """As written, tuned, as written, tuned, and so on, after the search."""
    machine = Machine()
    document = machine.run(monkeypatch, tmp_path)[1]
    assert document["confirmation"] == {
        "as_written": {"train_s": [1.0] * 3, "predict_s": [1.0] * 3, "warnings": []},
        "tuned": {"train_s": [0.5] * 3, "predict_s": [0.5] * 3, "warnings": []},
    }
    assert [job["options"] for job in machine.jobs[7:]] == [{}, {"fast": True}] * 3
    assert all(job["timing_only"] for job in machine.jobs)


def test_nothing_is_kept_for_less_than_the_loop_can_see(monkeypatch, tmp_path):
    """One per cent is no gain; then nothing is confirmed either."""
    machine = Machine({"fast": 0.01})
    document = machine.run(monkeypatch, tmp_path, OPTIONS[:1])[1]
    assert (document["chosen"], document["confirmation"], document["max_relative_error"]) == ([], None, None)
    assert len(machine.jobs) == 3, "no second process where the first was slower"


def test_an_option_that_takes_five_times_as_long_to_start_has_timed_out(monkeypatch, tmp_path):
    """The row as written has its own limit; a short one is at least ten minutes."""
    machine = Machine()
    machine.run(monkeypatch, tmp_path)
    assert machine.limits_s == [300.0] * 13, "the LSTM's own limit in quick is as long"
    slow = Machine(duration_s=40.0)
    monkeypatch.setattr(tune, "LEAST_PATIENCE_S", 60.0)
    slow.run(monkeypatch, tmp_path, OPTIONS, "--force")
    assert slow.limits_s == [300.0] * 2 + [200.0] * 11


def test_one_lucky_process_is_no_gain(monkeypatch, tmp_path):
    """Even the slowest must be faster than the fastest without the option."""
    machine = Machine({"fast": 0.2}, noise=[1.0, 1.3, 1.0, 1.4])
    document = machine.run(monkeypatch, tmp_path, OPTIONS[:1])[1]
    assert document["attempts"][1]["train"]["process_medians_s"] == pytest.approx([0.8, 1.12])
    assert document["attempts"][1]["train"]["median_s"] == pytest.approx(0.96)
    assert (document["chosen"], document["attempts"][1]["kept"]) == ([], False)


def test_of_two_numbers_of_threads_the_later_replaces_the_earlier(monkeypatch, tmp_path):
    """A row has one number of threads."""
    machine = Machine({"a": 0.1, "b": 0.5})
    options = [Option("threads-1", {"a": 1}, threads=1), Option("threads-8", {"b": 1}, threads=8)]
    document = machine.run(monkeypatch, tmp_path, options)[1]
    assert (document["chosen"], document["attempts"][2]["with"]) == (["threads-8"], [])
    assert (machine.jobs[-1]["threads"], machine.jobs[-1]["options"]) == (8, {"b": 1})


def test_a_confirmation_that_fails_keeps_what_was_found(monkeypatch, tmp_path, capsys):
    """With the reason in place of the times; the next run tries again."""
    status, document = Machine(fails_at=5).run(monkeypatch, tmp_path, OPTIONS[:1])
    assert (status, document["chosen"], document["confirmation"]) == (0, ["fast"], None)
    failure = {"key": "exception", "values": {"type": "OSError", "message": "no"}}
    assert document["reason"] == {"key": "repeat-failed", "values": {"side": "tuned", "reason": failure}}
    assert "not tuned: FAILED: repeat-failed" in capsys.readouterr().err
    assert Machine().run(monkeypatch, tmp_path, OPTIONS[:1])[1]["confirmation"] is not None


def test_a_net_that_does_not_train_is_not_tuned(monkeypatch, tmp_path, capsys):
    """Exit status 1, and a document with the reason."""
    status, document = Machine(valid=False).run(monkeypatch, tmp_path)
    assert [(one["status"], one["reason"]["key"]) for one in document["attempts"]] == [
        ("failed", "parameters-unchanged")
    ]
    assert (status, document["chosen"], document["reason"]["key"]) == (1, [], "parameters-unchanged")
    assert "not tuned: FAILED: parameters-unchanged" in capsys.readouterr().err


def test_a_shorter_profile_does_not_replace_the_tuning_of_a_longer_one(monkeypatch, tmp_path):
    """It is set aside, and found again."""
    Machine().run(monkeypatch, tmp_path, OPTIONS)
    assert Machine().run(monkeypatch, tmp_path, OPTIONS, "--profile", "smoke")[1]["profile"] == "smoke"
    again = Machine()
    assert again.run(monkeypatch, tmp_path, OPTIONS)[1]["profile"] == "quick"
    assert again.jobs == []


def test_an_option_reaches_the_worker_as_settings_variables_and_threads(monkeypatch, tmp_path):
    """Each in its place."""
    machine = Machine({})
    machine.run(monkeypatch, tmp_path, [Option("a", {"x": 1}, {"V": "0"}, 3)])
    job = machine.jobs[2]
    assert (job["options"], job["variables"], job["threads"]) == ({"x": 1}, {"V": "0"}, 3)


def test_a_finished_tuning_is_not_repeated(monkeypatch, tmp_path, capsys):
    """Unless asked to, or the document cannot be read."""
    Machine().run(monkeypatch, tmp_path)
    again = Machine()
    assert again.run(monkeypatch, tmp_path)[0] == 0
    said = capsys.readouterr()
    assert (again.jobs, "unchanged, kept" in said.err) == ([], True)
    row = json.loads(said.out.splitlines()[-1])["rows"][0]
    assert (row["row"], row["status"], row["measured"]) == ("lstm", "ok", False)
    assert (row["processes"], row["wanted"]) == (1, 1), "no more rounds"
    assert again.run(monkeypatch, tmp_path, OPTIONS, "--force")[0] == 0
    assert again.jobs
    path = tmp_path / "m" / "cpu" / "tuning" / "lstm.cpu.json"
    path.write_text(path.read_text()[:100])
    assert Machine().run(monkeypatch, tmp_path)[1]["chosen"] == ["fast"]


@pytest.mark.parametrize(
    ("device", "threads", "expected"),
    [("gpu", None, []), ("cpu", None, ["threads-1", "threads-2"]), ("cpu", 2, ["threads-1", "threads-4"])],
)
def test_on_the_cpu_other_numbers_of_threads_are_offered(monkeypatch, device, threads, expected):
    """One, half and all of the processors, but not what the row has anyway; no option for the other device."""
    monkeypatch.setattr(tune.cpu, "affinity", lambda: [0, 1, 2, 3])
    offered = tune.offered("keras", device, "airline", threads)
    assert [option.key for option in offered if option.threads] == expected
    assert all(device in option.devices for option in offered)


@pytest.mark.parametrize(("dataset", "expected"), [("airline", False), ("cifar10", True)])
def test_an_option_for_one_data_set_is_tried_on_its_rows_only(dataset, expected):
    """Images have channels, an airline's months none."""
    offered = tune.offered("pytorch", "cpu", dataset, None)
    assert ("channels-last" in [option.key for option in offered]) == expected
    assert "fused-adam" in [option.key for option in offered]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1.0, -2.0], [1.0, -2.0002], pytest.approx(1e-4)),
        ([0.0], [0.0], 0.0),
        ([1.0], [1.0, 2.0], math.inf),
        ([1.0, None], [1.0, 2.0], math.inf),
    ],
)
def test_outputs_are_compared_relative_to_the_largest(one, other, expected):
    """Other shapes and values that are not finite are infinitely far apart."""
    results = [dict(make_result(), outputs=outputs) for outputs in (one, other)]
    assert tune.difference(results[0], results[1], "gpu") == expected


def test_outputs_that_are_not_finite_are_refused(monkeypatch, tmp_path):
    """How far they are apart is null in the document, since JSON has no infinity."""
    attempt = Machine(outputs=[math.inf]).run(monkeypatch, tmp_path, OPTIONS[:1])[1]["attempts"][1]
    assert (attempt["status"], attempt["max_relative_error"]) == ("different", None)
    assert attempt["reason"]["values"]["difference"] is None


def test_on_the_cpu_the_first_loss_is_compared_too():
    """Of the very first step. On a GPU TF32 may round it differently from kernel to kernel."""
    one, other = (dict(make_result(), outputs=[1.0]) for _ in range(2))
    other["first_loss"] = 0.6
    assert (tune.difference(one, other, "cpu"), tune.difference(one, other, "gpu")) == (pytest.approx(0.2), 0.0)
