"""What must hold on a real Slurm: four nodes on loopback, cells that write records without measuring."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fleet_lab import CGROUPS, ROOT, STUB, Lab, Run, until

from fleet.payload import code_archive

# Without control groups Slurm only says that the job was killed.
ENDS = "1 failed, 1 timeout, 1 out of memory" if CGROUPS.exists() else "2 failed, 1 timeout"


def within(limit: float, run: Run, name: str, *options: str) -> str:
    """Return what a command printed, within a limit in seconds.

    On a machine that is busy with other work the limit is on the processor time of the command and its children.
    """
    began, before = time.monotonic(), os.times()
    text = run.command(name, *options)
    wall, after = time.monotonic() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    print(f"{name}: {wall:.2f} s, {cpu:.2f} s of processor time")
    assert cpu < limit
    assert wall < limit or busy
    return text


def jobs(lab: Lab) -> list[str]:
    """Return the tasks that Slurm has now."""
    return lab.slurm("squeue", "-h", "-r", "-o", "%F_%K").split()


def done(run: Run, count: int) -> str:
    """Wait until all of that many cells are done. Slurm may hold a requeued one back for two minutes."""
    return run.until(rf"\n{count} cells: {count} done", 240)


def test_nine_cells_run_on_their_types_one_at_a_time_on_a_node(run: Run, lab: Lab) -> None:
    """Three types times three frameworks are submitted in 2 s, run alone on nodes of their type, and make one page."""
    run.behave({"": {"seconds": 0.05}})
    run.write("epyc", "p100", "h100")
    assert within(2, run, "fleet").count("submit ") == 3
    done(run, 9)
    nodes = {"epyc": {"cpu1", "cpu2"}, "p100": {"p100"}, "h100": {"h100"}}
    states = run.states()
    assert len(states) == 9
    assert all(state["node"] in nodes[name.split("/")[0]] for name, state in states.items())
    for node in ("cpu1", "cpu2", "p100", "h100"):
        spans = [line["event"] for line in run.ledger("start", "end") if line["node"] == node]
        assert spans == ["start", "end"] * (len(spans) // 2), f"two cells at once on {node}"
    text = within(3, run, "fleet")
    assert "submit" not in text
    assert "9 done" in text
    assert len(run.journal("submitted")) == 3
    results = run.gather()
    assert sorted(path.name for path in results.glob("[!.]*")) == ["epyc", "h100", "p100"]
    assert len(list(results.glob("*/cpu/*.json"))) == 27
    page = run.page()
    assert all(name in page for name in nodes)


def test_the_documented_commands_lead_from_an_empty_cluster_to_a_page(run: Run, lab: Lab, tmp_path: Path) -> None:
    """The lines of docs/fleet.md, typed as they stand in a copy of the project; a script takes the editor's part."""
    section = (ROOT / "docs" / "fleet.md").read_text().split("## From an empty cluster to a page")[1].split("\n##")[0]
    lines = re.findall(r"(?m)^    (.+)$", section.split("\n|")[0])
    assert 5 <= len(lines) <= 10
    project = tmp_path / "project"
    with tarfile.open(fileobj=io.BytesIO(code_archive(ROOT, ("cpu", "current")))) as archive:
        archive.extractall(tmp_path, filter="data")
    run.behave({"": {"seconds": 0.05}})
    bench = json.dumps(["python3", str(STUB), "--home", str(run.folder)])
    editor = tmp_path / "editor"
    edits = ["s/02:00:00/00:10:00/", "/^expect/d", f"/^\\[fleet\\]/a bench = {bench}"]
    editor.write_text("#!/bin/sh\nexec sed -i " + " ".join(f"-e '{edit}'" for edit in edits) + ' "$1"\n')
    editor.chmod(0o755)
    environ = {name: value for name, value in lab.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environ |= {"EDITOR": str(editor), "PYTHON": sys.executable, "VENVS": os.environ.get("VENVS") or f"{ROOT}/.venvs"}

    def typed(line: str) -> str:
        done = subprocess.run(["bash", "-c", line], cwd=project, env=environ, capture_output=True, text=True)
        return done.stdout + done.stderr

    said = []
    for line in lines:
        said.append(typed(line))
        if "fleet-status" in line:
            until(lambda line=line: "9 cells: 9 done" in typed(line), 90, lambda: said[-1])
    assert "9 of 9 cells would be submitted" in said[2]
    assert said[3].count("submit ") == 3  # the two nodes of epyc, and h100
    assert "rest     9 done" in said[5]
    (page,) = (project / "site").rglob("*.markdown")
    assert all(name in page.read_text() for name in ("epyc", "h100"))


def test_arrays_are_split_as_the_cluster_asks(run: Run, lab: Lab) -> None:
    """A site's limit on the tasks of an array is kept; Slurm refuses a larger one."""
    former = lab.set("SchedulerParameters", "max_array_tasks=4")
    try:
        run.write("epyc", fleet='split = "row"', slurm='options = ["--hold"]')
        run.command("fleet")
        assert [len(event["cells"]) for event in run.journal("intent")] == [4, 4, 1]
        assert len(jobs(lab)) == 9
        with pytest.raises(subprocess.CalledProcessError):
            lab.slurm("sbatch", "--hold", "--output=/dev/null", "--array=0-4", "--wrap=true")
    finally:
        lab.set("SchedulerParameters", former)


def test_a_dead_node_is_seen_and_its_cell_goes_on_elsewhere(run: Run, lab: Lab) -> None:
    """A node killed in a cell is seen within 30 s; attempt 1 measures only what was not finished."""
    run.behave({"": {"seconds": [0.1, 600]}})
    run.write("epyc", fleet='rows = ["lstm", "lstm-aug", "bilstm"]')
    run.command("fleet")
    until(lambda: len(run.ledger("measured")) == 1, 30)
    node = run.ledger("measured")[0]["node"]
    lab.call("kill", node)
    run.until(r"attempt 1", 30)
    run.behave({"": {"seconds": 0.1}})
    run.command("fleet")
    done(run, 1)
    lab.call("revive", node)
    measured = Counter((line["row"], line["device"]) for line in run.ledger("measured"))
    assert set(measured.values()) == {1}
    assert len(measured) == 3
    states = run.states()
    assert sorted(name[-2:] for name in states) == [".0", ".1"]
    newest = next(state for name, state in states.items() if name.endswith(".1"))
    assert list(newest["copied"]) == ["epyc/cpu/lstm.cpu.json"]
    (second,) = (run.folder / "fleet.run" / "cells").glob("*/*/*.1")
    assert (second / "results/epyc/cpu/.checkpoints/lstm-aug.cpu/state").read_text()


def test_a_leftover_process_changes_nothing_in_the_new_attempt(run: Run, lab: Lab) -> None:
    """slurmd alone is killed: the old copy keeps measuring, in its own folder, and stops once it sees its successor."""
    run.behave({"": {"seconds": [0.1, 600]}})
    run.write("epyc", fleet='rows = ["lstm", "lstm-aug", "bilstm"]')
    run.command("fleet")
    until(lambda: bool(run.ledger("start")), 30)
    first = run.ledger("start")[0]
    lab.call("kill", first["node"], SLURMD_ONLY="1")
    run.until(r"attempt 1", 40)
    os.kill(first["pid"], 0)  # the old copy is alive
    run.behave({"": {"seconds": 0.1}})  # of attempts that start from now on
    run.command("fleet")
    done(run, 1)
    cells = run.folder / "fleet.run" / "cells"
    (old,), (new,) = cells.glob("*/*/*.0"), cells.glob("*/*/*.1")
    before = {path: path.read_bytes() for path in new.rglob("*") if path.is_file()}
    until(lambda: json.loads((old / "state.json").read_text())["phase"] == "finished", 30)
    assert json.loads((old / "state.json").read_text())["reason"].startswith("a later attempt has taken over")
    assert {path: path.read_bytes() for path in new.rglob("*") if path.is_file()} == before
    assert "1 done" in run.command("fleet-status")
    lab.call("revive", first["node"])


def test_cancel_keeps_finished_rows_and_stops_the_rest(run: Run, lab: Lab) -> None:
    """Cancelling takes under 10 s; a later submission measures only what is missing."""
    run.behave({"epyc": {"seconds": 2}, "h100": {"seconds": 2, "deaf": True}})
    run.write("epyc", "h100", fleet='split = "row"\nrows = ["lstm", "lstm-aug", "bilstm", "ar"]')
    run.command("fleet")
    until(lambda: {"epyc", "h100"} <= {line["machine"] for line in run.ledger("measured")}, 60)
    text = within(10, run, "fleet-cancel")
    assert re.search(r"\n8 cells: (\d+ done, )?\d+ stopped\n", text), text
    until(lambda: not jobs(lab), 20)
    finished = {(line["machine"], line["row"]) for line in run.ledger("measured")}
    run.behave({"": {"seconds": 0.05}})
    run.command("fleet")
    done(run, 8)
    measured = Counter((line["machine"], line["row"]) for line in run.ledger("measured"))
    assert all(measured[row] == 1 for row in finished)
    assert len(measured) == 8


def test_finished_cells_without_accounting_are_known_after_slurm_forgot_them(run: Run, lab: Lab) -> None:
    """The state files answer; a cell that was killed without a state is found lost, and is measured again."""
    run.behave({"p100": {"exit": 3, "seconds": 0.05}, "h100": {"seconds": 600}})
    run.write("epyc", "p100", "h100", fleet='rows = ["lstm"]')
    run.command("fleet")
    run.until(r"done[\s\S]*failed[\s\S]*running h100", 60)
    (killed,) = [state for name, state in run.states().items() if name.startswith("h100")]
    assert killed["phase"] == "running"
    lab.call("kill", "h100")
    lab.slurm("scancel", "--user=root")  # so that it is not requeued
    lab.call("revive", "h100")
    lab.idle()
    lab.set("MinJobAge", 2)
    until(lambda: not lab.slurm("squeue", "-h", "-t", "all"), 120)
    lab.set("MinJobAge", 300)
    text = run.command("fleet-status")
    assert "1 done, 1 failed, 1 lost" in text
    assert "started on h100, but the scheduler no longer knows its job" in text
    run.behave({"": {"seconds": 0.05}})
    assert "submit   h100" in run.command("fleet")
    run.until("2 done, 1 failed", 60)


def test_a_job_that_slurmctld_forgot_is_found_lost_and_submitted_again(run: Run, lab: Lab, tmp_path: Path) -> None:
    """slurmctld dies right after a submission, before it saved it; nothing is lost or measured twice."""
    run.behave({"": {"seconds": 0.1}})
    run.write("epyc", "h100", fleet='rows = ["lstm", "ar"]', slurm='options = ["--begin=now+5"]')
    shutil.copytree(lab.run / "state", tmp_path / "saved")
    run.command("fleet")
    lab.stop_controller()
    with ThreadPoolExecutor() as pool:
        status, again = pool.map(lambda name: run.command(name, status=2), ("fleet-status", "fleet"))
    assert "the cells' states are unknown until it answers; nothing was changed" in status
    assert "submit" not in again
    lab.start_controller(tmp_path / "saved")
    assert "4 lost" in run.command("fleet-status")
    assert run.command("fleet").count("submit ") == 2
    done(run, 4)
    measured = Counter((line["machine"], line["row"]) for line in run.ledger("measured"))
    assert set(measured.values()) == {1}
    assert len(measured) == 4


def test_without_a_shared_disk_the_records_come_back_as_they_were_written(run: Run, lab: Lab, tmp_path: Path) -> None:
    """Results travel through srun with their SHA-256; a second attempt starts from those of the first."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run.behave({"": {"seconds": 0.1}, "p100": {"seconds": 600}})
    slurm = f'shared = false\nscratch = "{scratch}"'
    run.write("epyc", "p100", fleet='rows = ["lstm", "ar"]', slurm=slurm)
    run.command("fleet")
    run.until("epyc +done +done", 60)
    results = run.gather()
    sent = {path.name: path.read_bytes() for path in scratch.glob("erabench-*/cells/epyc/*/*/results/epyc/cpu/*.json")}
    brought = {path.name: path.read_bytes() for path in (results / "epyc" / "cpu").glob("*.json")}
    assert len(sent) == 2
    assert {name: hashlib.sha256(text).digest() for name, text in sent.items()} == {
        name: hashlib.sha256(text).digest() for name, text in brought.items()
    }
    until(lambda: any(line["machine"] == "p100" for line in run.ledger("start")), 30)
    (started,) = [line for line in run.ledger("start") if line["machine"] == "p100"]
    cell = f"p100/cpu.{started['framework']}"
    assert "  bench of " in run.command("fleet-status", "--cell", cell), "a log on a node is not shown"
    assert "stopped" in run.command("fleet-cancel")
    run.behave({"": {"seconds": 0.1}})
    run.command("fleet")
    run.until("4 done", 60)


def test_each_node_of_a_type_is_measured_and_outliers_are_named(run: Run, lab: Lab) -> None:
    """With nodes = "each" every node runs the bench; the middle one's records stand for all. Clocks may be wrong."""
    run.behave({"": {"seconds": 0.05, "factors": {"cpu2": 1.5}, "clocks": {"cpu1": 5, "cpu2": -7}}})
    run.write("epyc", fleet='rows = ["lstm"]', epyc='nodes = "each"')
    run.command("fleet")
    done(run, 2)
    results = run.gather()
    assert {path.name for path in (results / "epyc" / ".fleet" / "nodes").iterdir()} == {"cpu1", "cpu2"}
    (record,) = (results / "epyc" / "cpu").glob("*.json")
    train = json.loads(record.read_text())["nodes"][0]
    assert (train["phase"], train["nodes"], train["outliers"]) == ("train", 2, {})
    assert (train["low_s"], train["high_s"]) == pytest.approx((0.01, 0.015))


def test_a_submitting_process_may_be_killed_at_any_moment(run: Run, lab: Lab) -> None:
    """After 20 kills at random moments the next `make fleet` has lost no cell and doubled none."""
    run.write("epyc", "p100", "h100", slurm='options = ["--hold"]')
    moments = random.Random(int(os.environ.get("FLEET_SEED", "20")))
    run.command("fleet", "--dry", "1")
    began = time.monotonic()
    run.command("fleet")
    whole = time.monotonic() - began
    kept = 0
    for _ in range(20):
        lab.slurm("scancel", "--user=root")
        run.remove()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(run.words("fleet"), env=run.environ, cwd=ROOT, **quiet)
        time.sleep(moments.uniform(0.15, 1.1) * whole)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kept += len(run.journal("intent"))
        run.command("fleet")
        names = {event["submission"]: event["cells"] for event in run.journal("intent")}
        by_job = {str(event["job"]): event["submission"] for event in run.journal("submitted")}
        queued = Counter(names[by_job[job.split("_")[0]]][int(job.split("_")[1])] for job in jobs(lab))
        assert len(queued) == 9, queued
        assert set(queued.values()) == {1}, queued
    assert 0 < kept < 60  # the kills fell before, between and after the submissions


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("size=200k", "the node cannot write its results: disk full or read-only"),
        ("ro", "slurmd could not open its log: the disk is full, read-only or not shared"),
    ],
)
def test_a_disk_that_a_node_cannot_write_is_a_reason(
    run: Run, lab: Lab, tmp_path: Path, options: str, reason: str
) -> None:
    """A cell whose node cannot write ends with that reason, known by its exit status alone."""
    scratch = tmp_path / "full"
    scratch.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(scratch)], check=True)
    try:
        run.behave({"": {"seconds": 0.05}})
        run.write("epyc", fleet='rows = ["lstm"]', slurm=f'shared = false\nscratch = "{scratch}"')
        run.command("fleet")
        text = run.until(": failed on", 60)
        assert reason in text
    finally:
        until(lambda: not jobs(lab), 30)
        subprocess.run(["umount", str(scratch)], check=True)
        shutil.rmtree(scratch)


@pytest.fixture(scope="module")
def reasons(accounting: Lab, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A fleet whose cells end in different ways, submitted before the other tests so that the slowest has time."""
    run = Run(tmp_path_factory.mktemp("reasons") / "run", accounting.environ)
    run.behave({"p100": {"seconds": 50}, "h100": {"memory": 400}, "epyc": {"exit": 3, "seconds": 0.05}})
    run.write(
        "epyc", "p100", "h100",
        fleet='rows = ["lstm", "lstm-aug", "bilstm"]\ntime = "00:01:00"',
        h100='slurm = ["--gres=gpu:h100:1", "--mem=200"]',
    )  # fmt: skip
    run.command("fleet")
    return run


@pytest.fixture(scope="module", autouse=True)
def early(request: pytest.FixtureRequest) -> None:
    """Start the slow fleet first."""
    if os.environ.get("TEST_SLURM") and os.geteuid() == 0:
        request.getfixturevalue("reasons")


def test_every_bad_end_has_its_own_reason(reasons: Run, accounting: Lab) -> None:
    """Time limit, memory and exit status end in three states; impossible times and unknown types are not submitted."""
    text = reasons.until(ENDS, 240)
    assert "epyc/cpu.keras: failed on cpu" in text
    assert "exit status 3: erabench: the stub ends with 3 \\x1b[31mred\\x1b[0m" in text
    assert "p100/cpu.keras: timeout on p100: the time limit was reached; 0 of 3 rows finished" in text
    assert re.search(r"h100/cpu.keras: (out of memory|failed) on h100", text)
    log = reasons.command("fleet-status", "--cell", "epyc/cpu.keras")
    assert "  bench of lstm,lstm-aug,bilstm" in log
    assert re.search(r"(?m)^epyc/cpu.keras: failed \(exit status 3: .*\)$", log)
    before = len(reasons.journal("intent"))
    kept = reasons.file.read_text()
    reasons.file.write_text(kept.replace("00:01:00", "03:00:00"))
    text = reasons.command("fleet", "--again", "1", status=2)
    assert re.search(r"fleet.toml:\d+: \[\[node\]\] 'epyc' time: 03:00:00 is more than partition 'all' allows", text)
    reasons.file.write_text(kept.replace("--constraint=epyc", "--constraint=rome"))
    text = reasons.command("fleet", "--again", "1", status=2)
    assert re.search(r"fleet.toml:\d+: \[\[node\]\] 'epyc' slurm: --constraint=rome: sbatch: .*Invalid feature", text)
    reasons.file.write_text(kept.replace('--constraint=epyc"]', '--constraint=epyc"]\nnodes = ["cpu9"]'))
    text = reasons.command("fleet", "--again", "1", status=2)
    assert re.search(r"fleet.toml:\d+: \[\[node\]\] 'epyc' nodes: the cluster has no node 'cpu9'", text)
    reasons.file.write_text(kept)
    assert len(reasons.journal("intent")) == before


def test_with_accounting_ends_are_known_after_slurm_forgot_them(reasons: Run, accounting: Lab) -> None:
    """sacct answers for the cell that was killed for its memory and left no state."""
    reasons.until(ENDS, 240)
    until(lambda: not accounting.slurm("squeue", "-h", "-t", "all"), 120)
    text = reasons.command("fleet-status")
    assert ENDS in text
    results = reasons.gather()
    records = results.glob("*/cpu/bilstm.cpu.json")
    statuses = {path.parts[-3]: json.loads(path.read_text())["status"] for path in records}
    assert statuses == {"epyc": "ok", "p100": "timeout", "h100": "out_of_memory" if CGROUPS.exists() else "failed"}
    assert "p100" in reasons.page()
