"""Kubernetes: manifests, states and logs. Nothing here is a live cluster; docs/fleet.md lists what was tried on one."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from fleet_lab import ROOT, STUB
from manifest_rules import broken_rules

from fleet.cli import main
from fleet.config import Fleet, load
from fleet.files import Unanswered
from fleet.folder import Folder, attempts
from fleet.node import exits
from fleet.node.stream import Stream, read_stream
from fleet.payload import code_archive, code_files, commit
from fleet.plan import make_plan
from fleet.schedulers import Order, Task
from fleet.schedulers.kubernetes import KubernetesJobs
from fleet.schedulers.manifests import CELL_LABEL, LARGEST, config_map
from fleet.schedulers.pods import indexes, pod_task, pods_of, without_pod
from fleet.status import survey
from fleet.submit import current, submit
from images.stack import Problem

EXAMPLE = ROOT / "fleet" / "examples" / "kubernetes.toml"
JOB = "erabench-0123abcd-0001"


class Cluster:
    """The fake kubectl's objects."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def objects(self) -> list[dict[str, Any]]:
        path = self.folder / "objects.json"
        found: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
        return found

    def calls(self, verb: str) -> list[list[str]]:
        lines = [json.loads(line) for line in (self.folder / "calls.jsonl").read_text().splitlines()]
        return [line for line in lines if verb in line]

    def add(self, *objects: dict[str, Any]) -> None:
        (self.folder / "objects.json").write_text(json.dumps(self.objects() + list(objects)))

    def change(self, **status: Any) -> None:
        """Set the status of every Job."""
        kept = [one | {"status": status} if one["kind"] == "Job" else one for one in self.objects()]
        (self.folder / "objects.json").write_text(json.dumps(kept))


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster that a kubectl on the path talks to."""
    tools, home = tmp_path / "bin", tmp_path / "cluster"
    tools.mkdir()
    home.mkdir()
    (tools / "kubectl").symlink_to(Path(__file__).resolve().parent / "fake_kubectl.py")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_CLUSTER", str(home))
    return Cluster(home)


def fleet_of(folder: Path, node: str = "") -> tuple[Fleet, Folder, KubernetesJobs]:
    """Return a fleet of one type with one cell, whose bench is the stub."""
    (folder / "behaviour.json").write_text('{"": {"seconds": 0}}')
    bench = json.dumps([sys.executable, str(STUB), "--home", str(folder)])
    path = folder / "fleet.toml"
    path.write_text(
        f'[fleet]\nscheduler = "kubernetes"\nrows = ["lstm", "bilstm"]\nbench = {bench}\n'
        '[kubernetes]\nimage = "python:3.11"\n[[node]]\ntype = "h100"\nstacks = ["cpu"]\n'
        f'kubernetes = {{"gpu" = "H100"}}\n{node}\n'
    )
    fleet = load(path)
    run = Folder(fleet.folder)
    return fleet, run, KubernetesJobs(fleet, run)


def pod(name: str = "", failures: int = 0, job: str = JOB, run: str = "", **status: Any) -> dict[str, Any]:
    """Return the pod of a Job's index 0, as the API server gives it."""
    index_key, job_key = "batch.kubernetes.io/job-completion-index", "batch.kubernetes.io/job-name"
    return {
        "kind": "Pod",
        "metadata": {
            "name": name or f"{job}-0-abcde",
            "labels": {index_key: "0", job_key: job, "erabench/run": run},
            "annotations": {"batch.kubernetes.io/job-index-failure-count": str(failures)},
            "creationTimestamp": f"2026-11-25T10:0{failures}:00Z",
        },
        "spec": {"nodeName": "node-7"},
        "status": status,
    }


def terminated(**state: Any) -> list[dict[str, Any]]:
    """Return containerStatuses of a container that ended."""
    return [{"state": {"terminated": state}}]


def manifests(folder: Path) -> list[dict[str, Any]]:
    """Return the manifests of the example, and of every optional setting."""
    more = 'queue = "q"\ncache = "uv"\npull_secret = "s"\nruntime_class = "nvidia"'
    text = EXAMPLE.read_text().replace('namespace = "bench"', f'namespace = "bench"\n{more}')
    found = []
    for content in (EXAMPLE.read_text(), text, text.replace("gpus       = 1", 'setup = "id"\nnodes = ["node-7"]')):
        path = folder / "fleet.toml"
        path.write_text(content)
        fleet = load(path)
        run = Folder(fleet.folder)
        scheduler = KubernetesJobs(fleet, run)
        for one in fleet.types:
            plan = make_plan(fleet, {"h100": ["node-7"]} if one.nodes != "any" else {})
            cells = [cell for cell in plan if cell.type == one.name]
            prepared = scheduler.prepare(Order(1, JOB, one, cells))
            found += [json.loads(text) for text in prepared.files.values()]
    return found


def test_every_manifest_is_valid(tmp_path: Path) -> None:
    """Kubernetes' own schemas accept the example and every optional setting."""
    validate = pytest.importorskip("kubernetes_validate")
    every = manifests(tmp_path)
    assert len(every) == 6
    for manifest in every:
        for item in manifest["items"]:
            validate.validate(item, validate.latest_version(), strict=True)


def test_every_manifest_keeps_the_rules(tmp_path: Path) -> None:
    """Sealed, alone on its node, selected by type, with limits."""
    every = manifests(tmp_path)
    for manifest in every:
        assert broken_rules(manifest) == []
    plain, queued, pinned = (manifest["items"][1]["spec"] for manifest in every[1::2])
    assert plain["template"]["spec"]["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert (plain["suspend"], queued["suspend"]) == (False, True)
    assert pinned["template"]["spec"]["nodeSelector"]["kubernetes.io/hostname"] == "node-7"


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (lambda job: job["spec"]["template"]["spec"].update(nodeSelector={}), "nodes are selected by type"),
        (lambda job: job["spec"].update(podFailurePolicy={}), "no podFailurePolicy"),
        (lambda job: job["spec"]["template"]["spec"].update(hostNetwork=True), "nothing of the host"),
        (lambda job: job["spec"]["template"]["metadata"]["labels"].pop(CELL_LABEL), "two cells never share a node"),
    ],
)
def test_the_rules_find_what_they_are_for(tmp_path: Path, broken: Any, rule: str) -> None:
    """A rule that nothing can break is no rule."""
    manifest = manifests(tmp_path)[0]
    broken(manifest["items"][1])
    assert broken_rules(manifest) == [rule]


@pytest.mark.parametrize(
    ("status", "task"),
    [
        ({"phase": "Pending"}, Task("queued", node="")),
        (
            {"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/4 nodes"}]},
            Task("queued", reason="Unschedulable: 0/4 nodes"),
        ),
        (
            {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
            Task("queued", reason="ImagePullBackOff", node="node-7", stuck=True),
        ),
        ({"phase": "Running"}, Task("running", node="node-7")),
        (
            {"phase": "Succeeded", "containerStatuses": terminated(
                exitCode=0, startedAt="2026-11-25T10:00:00Z", finishedAt="2026-11-25T10:05:00Z",
                message='{"outcome": "failed", "reason": "rows: ar.cpu"}')},
            Task("ended", "failed", "rows: ar.cpu", "node-7", 300),
        ),
        (
            {"phase": "Succeeded", "containerStatuses": terminated(exitCode=0, message="{cut")},
            Task("ended", "done", node="node-7"),
        ),
        (
            {"phase": "Failed", "containerStatuses": terminated(exitCode=137, reason="OOMKilled")},
            Task("ended", "out of memory", "the container was over its memory limit (OOMKilled)", "node-7"),
        ),
        (
            {"phase": "Failed", "reason": "DeadlineExceeded", "containerStatuses": terminated(exitCode=137)},
            Task("ended", "timeout", "the pod's deadline passed", "node-7"),
        ),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low on disk."},
            Task("ended", "lost", "The node was low on disk.", "node-7"),
        ),
        (
            {"phase": "Failed", "containerStatuses": terminated(exitCode=73)},
            Task("ended", "failed", "the node cannot write its results: disk full or read-only", "node-7"),
        ),
        (
            {"phase": "Failed", "containerStatuses": terminated(exitCode=3)},
            Task("ended", "failed", "exit status 3", "node-7"),
        ),
    ],
)  # fmt: skip
def test_a_pod_says_what_became_of_its_cell(status: dict[str, Any], task: Task) -> None:
    """Each state that kubectl shows has one meaning."""
    assert pod_task(pods_of([pod(**status)])[0]) == task


def test_an_index_without_a_pod_is_told_by_its_job() -> None:
    """completedIndexes is read, not the Job's conditions; what such a pod measured is lost with its log."""
    job = {"spec": {"suspend": True}, "status": {"completedIndexes": "0,2-3", "failedIndexes": "5"}}
    kinds = [(task.phase, task.outcome) for task in (without_pod(job, index) for index in range(6))]
    assert kinds == [
        ("ended", "lost"), ("queued", ""), ("ended", "lost"), ("ended", "lost"), ("queued", ""), ("ended", "failed"),
    ]  # fmt: skip
    assert indexes("0,2-3,x,4-y") == {0, 2, 3}


def submitted(folder: Path) -> tuple[Fleet, Folder, KubernetesJobs, str]:
    """Return a fleet that was submitted, and its Job's name."""
    fleet, run, scheduler = fleet_of(folder)
    submit(fleet, run, scheduler, False, lambda _: None)
    return fleet, run, scheduler, f"erabench-{run.run}-0001"


def start_pod(cluster: Cluster, submission: Path, name: str, status: int = 0) -> str:
    """Run a manifest's own script as its pod would, with the pod's folders elsewhere; keeps and returns its log."""
    manifest = json.loads((submission / "manifest.json").read_text())
    root = cluster.folder / f"pod-{name}"
    (root / "cell").mkdir(parents=True)
    job = manifest["items"][1]
    maps = [one for one in [*cluster.objects(), *manifest["items"]] if one["kind"] == "ConfigMap"]
    data = {one["metadata"]["name"]: one["binaryData"] for one in maps}
    for volume in job["spec"]["template"]["spec"]["volumes"]:
        if "configMap" in volume:
            (root / volume["name"]).mkdir()
            for key, text in data[volume["configMap"]["name"]].items():
                (root / volume["name"] / key).write_bytes(base64.b64decode(text))
    container = job["spec"]["template"]["spec"]["containers"][0]
    script = re.sub(r"(?<=\s)/(code|order|cell)\b", rf"{root}/\1", container["command"][2])
    environ = {"JOB_COMPLETION_INDEX": "0", "ERABENCH_POD": name, "ERABENCH_NODE": "node-7"}
    done = subprocess.run(
        [*container["command"][:2], script], env={**os.environ, **environ}, capture_output=True, text=True
    )
    assert done.returncode == status, done.stdout[-2000:] + done.stderr
    (cluster.folder / f"{name}.log").write_text(done.stdout)
    return done.stdout


def test_results_come_back_through_the_log_as_they_were_written(tmp_path: Path, cluster: Cluster) -> None:
    """The pod's own script is run; its records return with their SHA-256, and a second submission starts from them."""
    _, run, scheduler, name = submitted(tmp_path)
    calls = cluster.calls("create")
    assert ["--dry-run=server" in call for call in calls] == [True, True, False, False]
    assert calls[-1][-1] == "--output=name"
    start_pod(cluster, run.submission(1), f"{name}-0-abcde")
    cluster.add(pod(job=name, run=run.run, phase="Succeeded", containerStatuses=terminated(exitCode=0)))
    (one,) = current(run, run.cells(), scheduler, lambda _: None).cells
    assert (one.kind, one.node, one.cell.id) == ("done", "node-7", "h100/cpu.keras")
    (attempt,) = attempts(run.cell(one.cell.id))
    sent = {
        path.name: path.read_bytes()
        for path in (cluster.folder / f"pod-{name}-0-abcde").glob("cell/run/cells/*/*/*/results/h100/cpu/*.json")
    }
    brought = {path.name: path.read_bytes() for path in (attempt.path / "results" / "h100" / "cpu").glob("*.json")}
    assert len(sent) == 2
    assert brought == sent
    assert (attempt.path / "log").read_text() == "bench of lstm,bilstm\n"
    seen = json.loads((tmp_path / "seen-h100.json").read_text())
    assert seen["environ"].get("ERABENCH_COMMIT", "") == commit()
    assert survey(run, run.cells(), scheduler).cells[0].kind == "done"


def test_results_that_went_with_their_pod_are_lost_and_measured_again(tmp_path: Path, cluster: Cluster) -> None:
    """Its node was removed after it ended and before its log was read."""
    fleet, run, scheduler, name = submitted(tmp_path)
    cluster.change(completedIndexes="0")
    (one,) = current(run, run.cells(), scheduler, lambda _: None).cells
    assert (one.kind, one.reason) == ("lost", "its pod is gone, and its results with it")
    assert submit(fleet, run, scheduler, False, lambda _: None) == 0
    assert [each.name for each in run.submissions()] == [name, name.replace("-0001", "-0002")]


def test_results_that_were_fetched_before_their_pod_went_stay(tmp_path: Path, cluster: Cluster) -> None:
    """The attempt on disk is what counts."""
    fleet, run, scheduler, name = submitted(tmp_path)
    start_pod(cluster, run.submission(1), f"{name}-0-abcde")
    cluster.add(pod(job=name, run=run.run, phase="Succeeded", containerStatuses=terminated(exitCode=0)))
    assert current(run, run.cells(), scheduler, lambda _: None).cells[0].kind == "done"
    kept = [one for one in cluster.objects() if one["kind"] != "Pod"]
    (cluster.folder / "objects.json").write_text(json.dumps(kept))
    cluster.change(completedIndexes="0")
    submit(fleet, run, scheduler, False, lambda _: None)
    assert [each.number for each in run.submissions()] == [1]


def test_a_pod_whose_setup_fails_has_that_reason(tmp_path: Path, cluster: Cluster) -> None:
    """Its exit status is the same as on Slurm."""
    fleet, run, scheduler = fleet_of(tmp_path, node='setup = "false"')
    submit(fleet, run, scheduler, False, lambda _: None)
    start_pod(cluster, run.submission(1), "first", status=exits.SETUP_FAILED)


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (lambda log: log[: log.rindex("@erabench file state.json")], "the log was cut: its end is missing"),
        (lambda log: log[log.index("@erabench file results/h100/cpu/lstm.cpu") :], "the log was cut: 1 of 2 records"),
        (lambda log: re.sub(r"(bilstm.* 1\n@erabench data )H4", r"\1X4", log), "the log was cut: 1 of 2 records"),
    ],
)  # fmt: skip
def test_a_log_that_was_cut_is_a_reason_and_the_rest_is_kept(
    tmp_path: Path, cluster: Cluster, cut: Any, said: str
) -> None:
    """What arrived complete is kept; the cell is lost, so the next run measures only what is missing."""
    fleet, run, scheduler, name = submitted(tmp_path)
    log = start_pod(cluster, run.submission(1), f"{name}-0-abcde")
    (cluster.folder / f"{name}-0-abcde.log").write_text(cut(log))
    cluster.add(pod(job=name, run=run.run, phase="Succeeded", containerStatuses=terminated(exitCode=0)))
    (one,) = current(run, run.cells(), scheduler, lambda _: None).cells
    assert one.kind == "lost"
    assert one.reason.startswith(said)
    kept = list(one.attempt.path.glob("results/*/*/*.json"))
    submit(fleet, run, scheduler, False, lambda _: None)
    start_pod(cluster, run.submission(2), "second")
    measured = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    rows = [line["row"] for line in measured if line["event"] == "measured"]
    assert len(rows) == 4 - len(kept)


def test_a_pod_that_was_replaced_leaves_its_records_too(tmp_path: Path, cluster: Cluster) -> None:
    """While the Job starts another pod the cell is queued; both pods' logs are read in the end."""
    _, run, scheduler, name = submitted(tmp_path)
    log = start_pod(cluster, run.submission(1), f"{name}-0-first")
    gone = {"phase": "Failed", "reason": "Evicted"}
    cluster.add(pod(f"{name}-0-first", 0, name, run.run, **gone))
    (one,) = survey(run, run.cells(), scheduler).cells
    assert (one.kind, one.reason) == ("queued", "another pod follows: Evicted")
    cluster.add(pod(f"{name}-0-second", 1, name, run.run, phase="Failed", containerStatuses=terminated(exitCode=1)))
    cluster.change(failedIndexes="0")
    (cluster.folder / f"{name}-0-first.log").write_text(log[: log.rindex("@erabench file state.json")])
    (cluster.folder / f"{name}-0-second.log").write_text("Traceback\n")
    (one,) = current(run, run.cells(), scheduler, lambda _: None).cells
    assert (one.kind, one.reason, one.restart) == ("failed", "some rows failed", 1)
    assert [len(list(each.path.glob("results/*/*/*.json"))) for each in attempts(run.cell(one.cell.id))] == [2, 0]


def test_cancelling_saves_what_the_logs_hold_before_the_jobs_go(tmp_path: Path, cluster: Cluster) -> None:
    """Running pods are asked to stop; pods' logs vanish with their Job, so they are read first."""
    _, run, scheduler, name = submitted(tmp_path)
    log = start_pod(cluster, run.submission(1), f"{name}-0-abcde")
    (cluster.folder / f"{name}-0-abcde.log").write_text(log[: log.rindex("@erabench file state.json")])
    message = json.dumps({"outcome": "stopped", "reason": "stopped on request"})
    ended = terminated(exitCode=0, message=message)
    cluster.add(pod(job=name, run=run.run, phase="Succeeded", containerStatuses=ended))
    run.append(event="cancel", submissions=[1])
    assert scheduler.cancel(run.submissions()) == []
    assert [one["kind"] for one in cluster.objects()] == ["Pod"]  # which the server's garbage collection removes
    (one,) = survey(run, run.cells(), scheduler).cells
    assert one.kind == "stopped"
    assert len(list(one.attempt.path.glob("results/*/*/*.json"))) == 2


def test_cancelling_reports_a_log_that_could_not_be_read(tmp_path: Path, cluster: Cluster) -> None:
    """What that pod measured is lost with it."""
    _, run, scheduler, name = submitted(tmp_path)
    cluster.add(pod(job=name, run=run.run, phase="Succeeded", containerStatuses=terminated(exitCode=0)))
    run.append(event="cancel", submissions=[1])
    (lost,) = scheduler.cancel(run.submissions())
    assert "no log of pod" in lost


def test_the_log_of_a_running_pod_is_one_command_away(
    tmp_path: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what the bench printed; records between the lines are left out."""
    fleet, run, _, name = submitted(tmp_path)
    cluster.add(pod(job=name, run=run.run, phase="Running"))
    (cluster.folder / f"{name}-0-abcde.log").write_text("epoch 1\n@erabench file x \nepoch 2\n")
    assert main(["fleet-status", "--fleet", str(fleet.path), "--cell", "h100/cpu.keras"]) == 0
    assert capsys.readouterr().out == "h100/cpu.keras: running\n  epoch 1\n  epoch 2\n"


def test_the_same_code_travels_from_a_copy_without_git(tmp_path: Path) -> None:
    """A release archive has no repository; a folder's name does not matter."""
    home = tmp_path / ".pycharm"
    with tarfile.open(fileobj=io.BytesIO(code_archive(ROOT, ("cpu",)))) as archive:
        archive.extractall(home, filter="data")
        names = archive.getnames()
    assert [f"project/{path.relative_to(home / 'project')}" for path in code_files(home / "project", ("cpu",))] == names
    assert not any("stacks/current" in name for name in names)


def test_code_that_does_not_fit_into_a_config_map_is_refused() -> None:
    """Kubernetes takes 1 MiB; the message has the size and what to do."""
    with pytest.raises(Problem, match=r"code.tar.gz has 1000001 bytes, more than .*; name fewer stacks or rows"):
        config_map("x", "y", "code.tar.gz", bytes(LARGEST + 1))


def test_what_the_server_refuses_is_told_before_anything_is_created(tmp_path: Path, cluster: Cluster) -> None:
    """--dry-run=server knows what no client-side check does."""
    fleet, run, scheduler = fleet_of(tmp_path)
    (cluster.folder / "refuse").touch()
    with pytest.raises(
        Exception, match=r"fleet.toml:\d+: \[\[node\]\] 'h100': kubectl: Error from server \(BadRequest\)"
    ):
        submit(fleet, run, scheduler, False, lambda _: None)
    assert cluster.objects() == []
    assert run.submissions() == []


@pytest.mark.parametrize(
    "message", ["The connection to the server x:6443 was refused", "Error from server (Forbidden): pods"]
)
def test_a_server_that_does_not_answer_leaves_states_unknown(tmp_path: Path, cluster: Cluster, message: str) -> None:
    """Neither an unreachable server nor missing rights make a cell lost."""
    _, run, scheduler, _ = submitted(tmp_path)
    (cluster.folder / "error").write_text(message)
    with pytest.raises(Unanswered, match="kubectl: "):
        survey(run, run.cells(), scheduler)


def test_each_node_is_selected_by_its_host_name(tmp_path: Path, cluster: Cluster) -> None:
    """nodes = "each" asks the cluster for the nodes with the type's labels."""
    fleet, _, scheduler = fleet_of(tmp_path, node='nodes = "each"')
    labels = [{"gpu": "H100", "kubernetes.io/hostname": name} for name in "ba"]
    cluster.add(*({"kind": "Node", "metadata": {"name": "x", "labels": some}} for some in labels))
    assert scheduler.nodes(fleet.types[0]) == ["a", "b"]


def test_a_log_is_sent_once(tmp_path: Path) -> None:
    """Its new lines while the bench runs, the rest at its end."""
    (tmp_path / "state.json").write_text("{}")
    out = io.StringIO()
    stream = Stream(tmp_path, out)
    for text, send in (("one\n", stream.send_changes), ("one\ntwo\n", stream.send_all)):
        (tmp_path / "log").write_text(text)
        send()
    files, own = read_stream(out.getvalue())
    assert (own, files) == ("one\ntwo\n", {"state.json": b"{}"})


def test_lines_that_look_like_ours_are_not_taken_for_results() -> None:
    """A bench may print anything; only complete blocks with the right sum are files."""
    block = "@erabench file ../x " + "0" * 64 + " 1\n@erabench data AAAA\n"
    files, own = read_stream(block + "hello\n@erabench file state.json\n")
    assert files == {}
    assert own == "hello\n"
