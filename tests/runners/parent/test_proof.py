"""A proof is a process of its own, asked for with --prove, and kept in the record."""

import pytest
from jobs import failed_result, make_result
from test_bench import Bench

from runners.worker.events import empty_result

SAME = {
    "net": "ar",
    "description_sha256": "0" * 64,
    "reference": "NumPy float64",
    "precisions": [{"precision": "float64"}],
    "same": True,
    "reason": None,
}
REASON = {"key": "not-the-same-net", "values": {"quantity": "loss", "precision": "float64"}}


def proof(**changes):
    """The result of a process that proves."""
    return dict(empty_result(), status="ok", sameness=dict(SAME, **changes), started="", duration_s=1.0, log=None)


@pytest.fixture
def made_up(tmp_path, monkeypatch, capfd):
    return Bench(tmp_path / "results", monkeypatch, capfd)


def test_the_first_process_is_followed_by_the_proof_and_no_later_one_is(made_up):
    """It counts as no process, and stays in the record."""
    made_up.results = [make_result(), proof(), make_result()]
    assert made_up.ar("--prove")["processes"] == 1
    assert made_up.ar("--prove")["processes"] == 2
    assert [(job["prove"], job["timing_only"]) for job in made_up.jobs] == [(False, False), (True, True), (False, True)]
    assert made_up.record()["sameness"] == SAME
    assert made_up.jobs[1]["checkpoints"].endswith("/m/cpu/.checkpoints/references")  # shared by all frameworks
    assert "references" not in made_up.jobs[0]["checkpoints"] + made_up.jobs[2]["checkpoints"]


def test_without_the_option_nothing_is_proven(made_up):
    """A bench does not pay for it."""
    made_up.ar()
    assert [job["prove"] for job in made_up.jobs] == [False]
    assert made_up.record()["sameness"] is None


def test_a_complete_record_gets_its_proof_and_keeps_its_processes(made_up):
    """What a bench measured is not measured again for a comparison."""
    for _ in range(5):
        made_up.ar()
    made_up.results = [proof()]
    assert made_up.ar("--prove")["measured"] is False
    assert (len(made_up.record()["processes"]), made_up.record()["sameness"]) == (5, SAME)


def test_another_net_is_said_and_is_no_failure_of_the_row(made_up):
    """Its times are valid: they only stand outside the comparison."""
    made_up.results = [make_result(), proof(same=False, reason=REASON)]
    status, _, said = made_up.call("--rows", "ar", "--prove")
    assert status == 0
    assert "NOT THE SAME NET: not-the-same-net (precision: float64, quantity: loss)" in said


def test_a_proof_that_fails_is_a_reason(made_up):
    """Out of memory in the proof, for one."""
    made_up.results = [make_result(), failed_result("killed-for-memory", "out_of_memory", signal="SIGKILL")]
    _, _, said = made_up.call("--rows", "ar", "--prove")
    assert "proof  not proven: killed-for-memory (signal: SIGKILL)" in said
    sameness = made_up.record()["sameness"]
    assert (sameness["same"], sameness["net"], sameness["precisions"]) == (False, "ar", [])
    assert sameness["reason"] == {"key": "killed-for-memory", "values": {"signal": "SIGKILL"}}


def test_a_proof_that_failed_is_tried_again_by_the_next_bench(made_up):
    """Not by the later rounds of the same one."""
    made_up.results = [make_result(), failed_result("time-limit"), make_result(), make_result(), proof()]
    made_up.ar("--prove")
    made_up.ar("--prove", "--round", "2")
    made_up.ar("--prove", "--round", "1")
    assert [job["prove"] for job in made_up.jobs] == [False, True, False, False, True]
    assert made_up.record()["sameness"] == SAME


def test_a_row_that_failed_is_not_proven(made_up):
    """There is nothing to compare."""
    made_up.results = [failed_result()]
    made_up.call("--rows", "ar", "--prove")
    assert [job["prove"] for job in made_up.jobs] == [False]
