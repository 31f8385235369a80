"""Pods of Indexed Jobs: what their state means, and what their logs bring."""

from __future__ import annotations

import contextlib
import json
import time
from calendar import timegm
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.files import atomic_write
from fleet.folder import Folder, Submission
from fleet.node import exits
from fleet.node.stream import read_stream
from fleet.schedulers import Task
from fleet.schedulers.manifests import FAILURES, INDEX
from images.files import write_json

HOPELESS = (
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError",
)  # fmt: skip
OUTCOMES = ("done", "failed", "timeout", "out of memory", "stopped", "lost")


@dataclass(frozen=True)
class Pod:
    """A pod of one of our Jobs."""

    name: str
    job: str
    index: int
    failures: int  # pods of this index that failed before it
    created: str  # by the API server's clock
    content: Mapping[str, Any]


def pods_of(items: Iterable[Mapping[str, Any]]) -> list[Pod]:
    """Return the pods that belong to an index of a Job, oldest first."""
    found = []
    for item in items:
        metadata = item["metadata"]
        labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
        index = str(labels.get(INDEX) or notes.get(INDEX) or "")
        job = labels.get("batch.kubernetes.io/job-name") or labels.get("job-name")
        if job and index.isdigit():
            failures = str(notes.get(FAILURES) or "0")
            count = int(failures) if failures.isdigit() else 0
            found.append(Pod(metadata["name"], job, int(index), count, str(metadata.get("creationTimestamp")), item))
    return sorted(found, key=lambda pod: (pod.created, pod.failures, pod.name))


def pod_task(pod: Pod) -> Task:
    """Return what a pod's status means for its cell."""
    status = pod.content.get("status") or {}
    phase, node = status.get("phase"), str((pod.content.get("spec") or {}).get("nodeName") or "")
    containers = status.get("containerStatuses") or [{}]
    state = containers[0].get("state") or {}
    if phase in ("Succeeded", "Failed"):
        return _ended(pod, status, state.get("terminated") or {}, node)
    if phase == "Running":
        return Task("running", node=node, seconds=_since(status.get("startTime")), restart=pod.failures)
    waiting = (state.get("waiting") or {}).get("reason", "")
    if waiting and waiting != "ContainerCreating":
        return Task("queued", reason=waiting, node=node, restart=pod.failures, stuck=waiting in HOPELESS)
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            reason = f"{condition.get('reason') or 'Unschedulable'}: {condition.get('message') or ''}".rstrip(": ")
            return Task("queued", reason=reason[:200], restart=pod.failures)
    return Task("queued", reason=waiting, restart=pod.failures)


def _ended(pod: Pod, status: Mapping[str, Any], ended: Mapping[str, Any], node: str) -> Task:
    seconds = max(0, _time(ended.get("finishedAt")) - _time(ended.get("startedAt")))
    code = int(ended.get("exitCode") or 0)
    outcome, reason = exits.MEANINGS.get(code, ("failed", f"exit status {code}"))
    try:
        message = json.loads(ended.get("message") or "{}")
    except ValueError:
        message = {}
    if status.get("phase") == "Succeeded":
        if isinstance(message, dict) and message.get("outcome") in OUTCOMES:
            outcome, reason = message["outcome"], str(message.get("reason") or "")
    elif ended.get("reason") == "OOMKilled":
        outcome, reason = "out of memory", "the container was over its memory limit (OOMKilled)"
    elif status.get("reason") == "DeadlineExceeded":
        outcome, reason = "timeout", "the pod's deadline passed"
    elif status.get("reason") in ("Evicted", "NodeLost", "Terminated", "NodeShutdown", "Preempting") or not ended:
        outcome, reason = "lost", str(status.get("message") or status.get("reason") or "the pod was ended from outside")
    return Task("ended", outcome, reason[:500], node, seconds, pod.failures)


def without_pod(job: Mapping[str, Any], index: int) -> Task:
    """Return the state of an index without a pod, from its Job's status. The results went with the pod's log."""
    status = job.get("status") or {}
    if index in indexes(status.get("completedIndexes")):
        return Task("ended", "lost", "its pod is gone, and its results with it")
    if index in indexes(status.get("failedIndexes")):
        return Task("ended", "failed", "its pods are gone")
    return Task("queued", reason="Suspended" if (job.get("spec") or {}).get("suspend") else "no pod yet")


def indexes(text: object) -> set[int]:
    """Return the numbers of "0,2-4"."""
    found: set[int] = set()
    for part in str(text or "").split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and (not last or last.isdigit()):
            found.update(range(int(first), int(last or first) + 1))
    return found


def save_attempt(folder: Folder, submission: Submission, pod: Pod, log: str) -> str:
    """Write a pod's attempt into the run's folder; returns what its log lacks, "" if it is complete."""
    files, own = read_stream(log)
    task = pod_task(pod)
    path = folder.cell(submission.cells[pod.index])
    path = path / f"{submission.number:04d}-{pod.name}_{pod.index}.{pod.failures}"
    for name, content in files.items():
        if name != "state.json":
            atomic_write(path / name, content)
    atomic_write(path / "log", own)
    state: dict[str, Any] = {"version": 1, "cell": submission.cells[pod.index], "node": task.node}
    with contextlib.suppress(KeyError, ValueError):
        state |= json.loads(files["state.json"])
    if state.get("phase") == "finished":
        sent = state.get("files", {})
        lacking = [name for name in sent if f"results/{name}" not in files]
        problem = f"the log was cut: {len(lacking)} of {len(sent)} records are missing" if lacking else ""
    else:
        state |= {"outcome": task.outcome, "reason": task.reason, "seconds": task.seconds}
        problem = "the log was cut: its end is missing" if task.outcome == "done" else ""
    if problem:
        state |= {"outcome": "lost", "reason": problem}
    state["phase"] = "finished" if task.phase == "ended" else "running"
    write_json(path / "state.json", state)
    return f"{submission.cells[pod.index]}: {problem}" if problem else ""


def _time(text: object) -> int:
    try:
        return timegm(time.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return 0


def _since(text: object) -> int:
    began = _time(text)
    return max(0, int(time.time()) - began) if began else 0
