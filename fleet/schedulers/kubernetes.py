"""Kubernetes: an Indexed Job per node type, through kubectl. Results come back through the pods' logs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fleet.config import Fleet, NodeType
from fleet.files import Unanswered
from fleet.folder import Folder, Submission
from fleet.node.stream import read_stream
from fleet.payload import code_archive, order_archive
from fleet.plan import Cell
from fleet.schedulers import Key, Order, Prepared, Refused, Task, ask
from fleet.schedulers.manifests import LARGEST, RUN_LABEL, config_map, dry_text, manifest
from fleet.schedulers.pods import Pod, indexes, pod_task, pods_of, save_attempt, without_pod
from images.stack import ROOT, Problem

STOP_SECONDS = 6.0


class KubernetesJobs:
    """The cluster that kubectl talks to."""

    largest = 10_000  # parallelism of a Job with backoffLimitPerIndex

    def __init__(self, fleet: Fleet, folder: Folder) -> None:
        self.fleet, self.folder = fleet, folder
        self._has_code = False
        settings = fleet.kubernetes
        self._kubectl = ["kubectl", "--request-timeout=30s"]
        self._kubectl += [f"--context={settings.context}"] if settings.context else []
        self._kubectl += [f"--namespace={settings.namespace}"] if settings.namespace else []

    def nodes(self, one: NodeType) -> list[str]:
        """Return the host names of the nodes with a type's labels."""
        selector = ",".join(f"{key}={value}" for key, value in one.kubernetes.items())
        found = self._get("nodes", f"--selector={selector}")
        names = [node["metadata"].get("labels", {}).get("kubernetes.io/hostname", "") for node in found]
        if not any(names):
            raise Problem(f"{self.fleet.where(one, 'nodes')} no node has {selector}")
        return sorted(name for name in names if name)

    def check(self, orders: Sequence[Order]) -> list[str]:
        """Return what the API server refuses of each submission, without creating anything."""
        problems = []
        for order in orders:
            content = "".join(self.prepare(order).files.values()).encode()
            try:
                if order is orders[0]:
                    self._create_code("--dry-run=server")
                ask([*self._kubectl, "create", "--dry-run=server", "--filename=-"], stdin=content)
            except Refused as refusal:
                place = f"{self.fleet.path}:{order.type.lines['type']}: [[node]] '{order.type.name}'"
                problems.append(f"{place}: {refusal}")
        return problems

    def prepare(self, order: Order) -> Prepared:
        """Return the manifest and the kubectl command."""
        archive = order_archive(self.fleet, self.folder, order, LARGEST)
        content = manifest(self.fleet, self.folder.run, order, self._code()["metadata"]["name"], archive)
        path = self.folder.submission(order.number) / "manifest.json"
        command = [*self._kubectl, "create", f"--filename={path}", "--output=name"]
        return Prepared(command, {path: json.dumps(content)}, dry_text(content, command))

    def _code(self) -> dict[str, Any]:
        """Return the ConfigMap with the project, named by its content, so that a changed project is another one."""
        archive = code_archive(ROOT, tuple(sorted({name for one in self.fleet.types for name in one.stacks})))
        name = f"erabench-{self.folder.run}-code-{hashlib.sha256(archive).hexdigest()[:8]}"
        return config_map(name, self.folder.run, "code.tar.gz", archive)

    def _create_code(self, *options: str) -> None:
        """Create the ConfigMap with the project, if it is not there."""
        try:
            ask([*self._kubectl, "create", "--filename=-", *options], stdin=json.dumps(self._code()).encode())
        except Refused as refusal:
            if "AlreadyExists" not in str(refusal):
                raise

    def submit(self, prepared: Prepared, lock: int) -> str:
        """Create the objects; the Job's name is its id, so a second one cannot exist."""
        if not self._has_code:
            self._create_code()
            self._has_code = True
        answer = ask(prepared.command, keep=(lock,)).split()
        names = [name.partition("/")[2] for name in answer if name.startswith("job.batch/")]
        if not names:
            raise Unanswered(f"kubectl: answered '{' '.join(answer)[:80]}' instead of a job's name")
        return names[0]

    def live(self, submissions: Sequence[Submission]) -> dict[Key, Task]:
        """Return the tasks of Jobs that exist, each from its newest pod."""
        jobs, pods = self._jobs_and_pods()
        newest = {(pod.job, pod.index): pod for pod in pods}
        found: dict[Key, Task] = {}
        for one in submissions:
            job = jobs.get(one.name)
            for index in range(len(one.cells)) if job else ():
                pod = newest.get((one.name, index))
                task = pod_task(pod) if pod else without_pod(job or {}, index)
                if pod and task.phase == "ended" and task.outcome in ("failed", "lost", "timeout", "out of memory"):
                    task = _replaced(task, job or {}, index)
                found[one.number, index] = task
        return found

    def past(self, submissions: Sequence[Submission]) -> dict[Key, Task]:
        """Return nothing: Kubernetes keeps no accounts."""
        return {}

    def job_ids(self, submissions: Sequence[Submission]) -> dict[int, str]:
        """Return the Jobs with the submissions' names."""
        jobs = self._jobs_and_pods()[0]
        return {one.number: one.name for one in submissions if one.name in jobs}

    def _jobs_and_pods(self) -> tuple[dict[str, dict[str, Any]], list[Pod]]:
        items = self._get("jobs,pods", f"--selector={RUN_LABEL}={self.folder.run}")
        jobs = {item["metadata"]["name"]: item for item in items if item.get("kind") == "Job"}
        return jobs, pods_of(item for item in items if item.get("kind") == "Pod")

    def _get(self, kinds: str, *options: str) -> list[dict[str, Any]]:
        try:
            answer = json.loads(ask([*self._kubectl, "get", kinds, *options, "--output=json"], timeout=120))
            items = answer["items"]
        except Refused as refusal:
            raise Unanswered(str(refusal)) from None
        except (ValueError, KeyError, TypeError):
            raise Unanswered("kubectl: the answer is not a list in JSON") from None
        return [item for item in items if isinstance(item, dict) and isinstance(item.get("metadata"), dict)]

    def release(self, tasks: Sequence[tuple[Submission, int]]) -> None:
        """Do nothing: the Job controller replaces pods by itself."""

    def cancel(self, submissions: Sequence[Submission]) -> list[str]:
        """Ask the running attempts to stop, save what their logs hold, and delete the Jobs."""
        pods = self._pods(submissions)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._interrupt, _running(pods)))
        deadline = time.monotonic() + STOP_SECONDS
        while _running(pods) and time.monotonic() < deadline:
            time.sleep(0.5)
            pods = self._pods(submissions)
        lost = self._save([(pod, one) for pod, one in pods if pod_task(pod).phase != "queued"])
        ask([*self._kubectl, "delete", "jobs,configmaps", f"--selector={RUN_LABEL}={self.folder.run}", "--wait=false"])
        return lost

    def _pods(self, submissions: Sequence[Submission]) -> list[tuple[Pod, Submission]]:
        """Return the submissions' pods, oldest first, each with its submission."""
        by_name = {one.name: one for one in submissions}
        return [(pod, by_name[pod.job]) for pod in self._jobs_and_pods()[1] if pod.job in by_name]

    def _interrupt(self, pod: Pod) -> None:
        with contextlib.suppress(Problem):  # it has just ended
            ask([*self._kubectl, "exec", pod.name, "--", "/bin/sh", "-c", "kill -INT 1"])

    def fetch(self, wanted: Mapping[Key, tuple[Cell, str]], submissions: Sequence[Submission]) -> list[str]:
        """Save what the logs of ended pods hold, those of pods that were replaced too."""
        pods = [(pod, one) for pod, one in self._pods(submissions) if (one.number, pod.index) in wanted]
        return self._save([(pod, one) for pod, one in pods if pod_task(pod).phase == "ended"])

    def log(self, submission: Submission, task: int) -> str:
        """Return the end of the lines that a running cell's bench has printed."""
        pods = [pod for pod, _ in self._pods([submission]) if pod.index == task]
        return read_stream(self._log(pods[-1]))[1][-16_384:] if pods else ""

    def _log(self, pod: Pod) -> str:
        return ask([*self._kubectl, "logs", pod.name, "--container=bench"], timeout=300)

    def _save(self, pods: Sequence[tuple[Pod, Submission]]) -> list[str]:
        def save(pair: tuple[Pod, Submission]) -> str:
            pod, one = pair
            try:
                return save_attempt(self.folder, one, pod, self._log(pod))
            except Problem as problem:
                return f"{one.cells[pod.index]}: no log of pod {pod.name}: {problem}"

        with ThreadPoolExecutor(8) as pool:
            return [problem for problem in pool.map(save, pods) if problem]


def _running(pods: Sequence[tuple[Pod, Submission]]) -> list[Pod]:
    return [pod for pod, _ in pods if pod_task(pod).phase == "running"]


def _replaced(task: Task, job: Mapping[str, Any], index: int) -> Task:
    """Return the task as queued if the Job will start another pod for it."""
    status = job.get("status") or {}
    conditions = [one for one in status.get("conditions") or [] if one.get("status") == "True"]
    ended = any(one.get("type") in ("Complete", "Failed") for one in conditions)
    if ended or index in indexes(status.get("failedIndexes")):
        return task
    return Task("queued", reason=f"another pod follows: {task.reason or task.outcome}", restart=task.restart + 1)
