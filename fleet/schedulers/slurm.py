"""Slurm: a job array per node type. Works with 22.05 and later, with and without accounting."""

from __future__ import annotations

import contextlib
import re
import shlex
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from fleet.clock import seconds_of, whole_minutes
from fleet.config import Fleet, NodeType
from fleet.files import Unanswered
from fleet.folder import Folder, Submission
from fleet.node import exits
from fleet.plan import Cell
from fleet.schedulers import Key, Order, Prepared, Refused, Task, ask
from fleet.schedulers.slurm_files import bring, submission_files, tail_script
from fleet.schedulers.slurm_nodes import NoNodes, Partitions, Undetermined, nodes_of, partition_limits
from images.stack import Problem

QUEUED = {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"}
RUNNING = {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING", "STAGE_OUT", "POWER_UP_NODE"}
ENDED = {
    "COMPLETED": "done",
    "FAILED": "failed",
    "TIMEOUT": "timeout",
    "DEADLINE": "timeout",
    "OUT_OF_MEMORY": "out of memory",
    "CANCELLED": "stopped",
    "NODE_FAIL": "lost",
    "PREEMPTED": "lost",
    "BOOT_FAIL": "lost",
    "REVOKED": "lost",
    "LAUNCH_FAILED": "lost",
}
TELLING = ("NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE")  # states that are their own reason
# Reasons of a queued job that no waiting ends
STUCK = {
    "PartitionTimeLimit", "PartitionNodeLimit", "BadConstraints", "AssocMaxWallDurationPerJobLimit", "JobHeldAdmin",
    "QOSMaxWallDurationPerJobLimit", "InvalidAccount", "InvalidQOS", "PartitionConfig", "DependencyNeverSatisfied",
    "JobHeldUser",
}  # fmt: skip
LIVE_FIELDS = "ArrayJobID:|,ArrayTaskID:|,Name:|,State:|,Reason:|,NodeList:|,TimeUsed:|,exit_code:|,RestartCnt:|"
LAUNCH_FAILED = "launch failed requeued held"
MOST_NAMES = 1000  # in one option of a command line
STOP_SECONDS = 6.0
NOT_STARTED = 53  # the "signal" of a job whose script or output slurmd could not open


class SlurmArrays:
    """The cluster that this machine's Slurm commands talk to."""

    def __init__(self, fleet: Fleet, folder: Folder) -> None:
        self.fleet, self.folder = fleet, folder

    @cached_property
    def largest(self) -> int:
        """The most tasks of an array: MaxArraySize, or the site's lower limit."""
        config = ""
        with contextlib.suppress(Problem):
            config = ask(["scontrol", "show", "config"])
        found = re.findall(r"^MaxArraySize\s*=\s*(\d+)|\bmax_array_tasks=(\d+)", config, re.MULTILINE)
        return max(1, min((int(one or other) for one, other in found), default=1001))

    def nodes(self, one: NodeType) -> list[str]:
        """Return the names of a type's nodes. Raises Problem if its selector does not determine them."""
        return nodes_of(self.fleet, one)

    def check(self, orders: Sequence[Order]) -> list[str]:
        """Return what Slurm would refuse, and times above the partition's, which it would queue for ever."""
        limits, known = partition_limits(), set(ask(["sinfo", "--noheader", "--Node", "--format=%N"]).split())
        types = {order.type.name: order.type for order in orders}
        return [problem for one in types.values() for problem in self._check(one, limits, known)]

    def _check(self, one: NodeType, limits: Partitions, known: set[str]) -> Iterable[str]:
        for name in one.nodes if isinstance(one.nodes, tuple) else ():
            if name not in known:
                yield f"{self.fleet.where(one, 'nodes')} the cluster has no node '{name}'"
        partition, limit = limits.of([*self.fleet.slurm.options, *one.slurm])
        if limit is not None and one.seconds > limit:
            asked, most = whole_minutes(one.seconds), whole_minutes(limit)
            yield f"{self.fleet.where(one, 'time')} {asked} is more than partition '{partition}' allows ({most})"
            return
        try:
            ask(["sbatch", "--test-only", *self._resources(one), "--wrap", "true"])
        except Refused as refusal:
            if not ("not available" in str(refusal) and self._may_exist(one)):
                yield f"{self.fleet.where(one, 'slurm')} {' '.join(one.slurm)}: {refusal}"

    def _may_exist(self, one: NodeType) -> bool:
        """Whether nodes of a type may exist: those that are down look to --test-only as if they did not."""
        try:
            return bool(self.nodes(one))
        except Undetermined:
            return True
        except NoNodes:
            return False

    def prepare(self, order: Order) -> Prepared:
        """Return the job script and the sbatch command."""
        output, script, files = submission_files(self.fleet, self.folder, order)
        node = order.cells[0].node
        command = [
            "sbatch", "--parsable", f"--job-name={order.name}", f"--comment={order.name}",
            f"--array=0-{len(order.cells) - 1}", f"--output={output}", "--open-mode=append",
            *self._resources(order.type), *([f"--nodelist={node}"] if node else []), str(script),
        ]  # fmt: skip
        return Prepared(command, files, f"{shlex.join(command)}\n\n{files[script].split('#code')[0]}")

    def _resources(self, one: NodeType) -> list[str]:
        """Return the options of the job; the file's come last, so that they win."""
        lead = min(60, one.seconds // 3)
        return [
            "--nodes=1", "--exclusive", "--mem=0", "--requeue", f"--time={whole_minutes(one.seconds)}",
            f"--signal=B:USR1@{lead}", *self.fleet.slurm.options, *one.slurm,
        ]  # fmt: skip

    def submit(self, prepared: Prepared, lock: int) -> str:
        """Submit an array. sbatch inherits the run's lock: the next command waits for it even if this process dies."""
        answer = ask(prepared.command, keep=(lock,)).strip().split(";")[0]
        if not re.fullmatch(r"\d+", answer):
            raise Unanswered(f"sbatch: answered '{answer[:80]}' instead of a job's number")
        return answer

    def live(self, submissions: Sequence[Submission]) -> dict[Key, Task]:
        """Return the tasks that squeue knows: those not ended, and those that ended within MinJobAge."""
        by_name = {one.name: one for one in submissions}
        found = {}
        for job, index, name, state, reason, node, used, status, restarts in self._queue():
            one = by_name.get(name)
            if one is None or (one.job and one.job != job) or not index.isdigit():
                continue
            restart = int(restarts) if restarts.isdigit() else 0
            found[one.number, int(index)] = _task(state, reason, node, used, _exit(status), restart)
        return found

    def job_ids(self, submissions: Sequence[Submission]) -> dict[int, str]:
        """Return the jobs with the submissions' names."""
        by_name = {one.name: one.number for one in submissions}
        return {by_name[line[2]]: line[0] for line in self._queue() if line[2] in by_name}

    def _queue(self) -> list[list[str]]:
        try:
            text = ask(["squeue", "--me", "--noheader", "--array", "--states=all", "-O", LIVE_FIELDS])
        except Refused as refusal:
            raise Unanswered(str(refusal)) from None
        lines = [line.rstrip("|").split("|") if line.endswith("|") else [] for line in text.splitlines()]
        return [line for line in lines if len(line) == LIVE_FIELDS.count(":")]

    def past(self, submissions: Sequence[Submission]) -> dict[Key, Task]:
        """Return what sacct knows of tasks that ended. Jobs that it calls running may be forgotten by slurmctld."""
        found: dict[Key, Task] = {}
        for start in range(0, len(submissions), MOST_NAMES):
            found.update(self._past(submissions[start : start + MOST_NAMES]))
        return found

    def _past(self, submissions: Sequence[Submission]) -> dict[Key, Task]:
        by_job = {one.job: one for one in submissions if one.job}
        days = max(0, int((time.time() - min(one.at for one in submissions)) // 86_400)) + 2
        fields = "JobID,JobName,State,ExitCode,NodeList,ElapsedRaw"
        names = ",".join(one.name for one in submissions)
        try:
            options = [f"--name={names}", f"--starttime=now-{days}days", f"--format={fields}"]
            text = ask(["sacct", "-n", "-P", "-X", *options])
        except (Refused, Unanswered):
            return {}
        found: dict[Key, Task] = {}
        for parts in (line.split("|") for line in text.splitlines()):
            match = re.fullmatch(r"(\d+)_(\d+|\[.*\])", parts[0])
            if len(parts) != 6 or not match or match[1] not in by_job or by_job[match[1]].name != parts[1]:
                continue
            task = _task(parts[2].split(" ")[0], "", parts[4], parts[5], _exit(parts[3]), 0)
            one = by_job[match[1]]
            indexes = [int(match[2])] if match[2].isdigit() else range(len(one.cells))
            for index in indexes if task.phase == "ended" else ():
                if match[2].isdigit() or (one.number, index) not in found:
                    found[one.number, index] = task
        return found

    def release(self, tasks: Sequence[tuple[Submission, int]]) -> None:
        """End the delay of requeued tasks; one that has started by itself in between is no problem."""
        for one, index in tasks:
            for command in (["release", f"{one.job}_{index}"], ["update", f"jobid={one.job}_{index}", "starttime=now"]):
                with contextlib.suppress(Refused):
                    ask(["scontrol", *command])

    def cancel(self, submissions: Sequence[Submission]) -> list[str]:
        """Cancel what is queued, ask the running attempts to stop, and end what has not stopped in time."""
        jobs = [one.job for one in submissions if one.job]
        if not jobs:
            return []
        for options in (["--state=PENDING"], ["--batch", "--signal=INT", "--state=RUNNING"]):
            with contextlib.suppress(Refused):  # scancel fails for jobs that ended in between
                ask(["scancel", *options, *jobs])
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and any(task.phase == "running" for task in self.live(submissions).values()):
            time.sleep(0.2)
        with contextlib.suppress(Refused):
            ask(["scancel", *jobs])
        return []

    def log(self, submission: Submission, task: int) -> str:
        """Without a shared disk: return the end of a running cell's log, read beside it on its node."""
        if self.fleet.slurm.shared:
            return ""
        name = f"{submission.job}_{task}"
        job = ask(["squeue", "--noheader", f"--jobs={name}", "--Format=JobID"]).strip()
        script = tail_script(self.fleet, self.folder, submission.cells[task])
        return ask(["srun", f"--jobid={job}", "--overlap", "--quiet", "sh", "-c", script])

    def fetch(self, wanted: Mapping[Key, tuple[Cell, str]], submissions: Sequence[Submission]) -> list[str]:
        """Without a shared disk: bring attempts from the nodes' own disks."""
        return [] if self.fleet.slurm.shared else bring(self.fleet, self.folder, wanted)


def _task(state: str, reason: str, node: str, used: str, ended: tuple[int, int], restart: int) -> Task:
    """Return a task from Slurm's words; ``ended`` is the exit status and the signal."""
    seconds = seconds_of(used) or 0
    reason = "" if reason in ("None", "NonZeroExitCode") else reason
    if state in QUEUED:
        held = (reason == "BeginTime" and restart > 0) or reason == LAUNCH_FAILED
        return Task("queued", "", reason, "", 0, restart, reason in STUCK or state.endswith("HOLD"), held)
    if state in ENDED:
        outcome, why = ENDED[state], state if state in TELLING else reason
        if state in ("FAILED", "COMPLETED"):
            outcome, why = _by_exit(*ended, why if state == "FAILED" else "")
        return Task("ended", outcome, why, node, seconds, restart)
    return Task("running", "", "" if state in RUNNING - {"SUSPENDED", "STOPPED"} else state, node, seconds, restart)


def _by_exit(status: int, number: int, reason: str) -> tuple[str, str]:
    """Return the outcome and the reason of a job that ran to some end."""
    if number in (signal.SIGINT, signal.SIGTERM):  # a job that was asked to stop before its attempt could listen
        return "stopped", f"ended by {signal.Signals(number).name}"
    if number == NOT_STARTED:
        return "failed", "slurmd could not open its log: the disk is full, read-only or not shared"
    if number:
        return "failed", f"killed by signal {number}; a job over its memory ends so where Slurm has no cgroups"
    if status == 0 and reason:
        return "failed", reason
    return exits.MEANINGS.get(status, ("failed", f"exit status {status}"))


def _exit(text: str) -> tuple[int, int]:
    """Return the exit status and the signal: of sacct's 3:0, or of wait's 768, as squeue has it."""
    status, separator, number = text.partition(":")
    raw = int(status) if status.isdigit() else 0
    return (raw, int(number) if number.isdigit() else 0) if separator else (raw >> 8 & 0xFF, raw & 0x7F)
