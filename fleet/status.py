"""The state of each cell: an attempt's final state, else what the scheduler reports, else lost.

Records alone do not make a cell done: a record is there after its first process, and only the bench knows how many
processes a row has.

planned         not submitted
queued          waits in the scheduler, with its reason
running         on a node
done            the bench came to its end; every row is measured or skipped for a stated reason
failed, timeout, out of memory, stopped
lost            submitted, but neither the scheduler nor a finished state knows of it
refused         the scheduler would not take it
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fleet.folder import Attempt, Folder, Submission, attempts
from fleet.plan import Cell
from fleet.schedulers import Key, Scheduler, Task

ACTIVE = ("queued", "running")
KINDS = ("planned", "queued", "running", "done", "failed", "timeout", "out of memory", "stopped", "lost", "refused")


@dataclass(frozen=True)
class CellStatus:
    """A cell, and what is known of its last submission."""

    cell: Cell
    kind: str
    reason: str = ""
    node: str = ""
    seconds: float = 0
    restart: int = 0
    stuck: bool = False
    held: bool = False
    submission: Submission | None = None
    task: int = 0
    attempt: Attempt | None = None
    tries: int = 0  # submissions that count against `retries`
    outdated: bool = False  # the last submission was of another definition of this cell


@dataclass(frozen=True)
class Survey:
    """All cells, and the jobs of cells that are no longer in the plan."""

    cells: list[CellStatus]
    strays: list[str]
    submissions: list[Submission]


def survey(folder: Folder, cells: Sequence[Cell], scheduler: Scheduler) -> Survey:
    """Return the state of the cells; asks the scheduler only about those that are not done. Raises Unanswered."""
    submissions = folder.submissions()
    history: dict[str, list[tuple[Submission, int]]] = {}
    for submission in submissions:
        for task, id in enumerate(submission.cells if submission.outcome != "abandoned" else ()):
            history.setdefault(id, []).append((submission, task))
    known = [_from_disk(cell, folder, history.get(cell.id, [])) for cell in cells]
    open_ones = {one.submission.number for one in known if one.submission and one.kind != "done"}
    planned = {cell.id for cell in cells}
    live_ones = [one for one in submissions if one.outcome in ("intent", "submitted")]
    asked = [one for one in live_ones if one.number in open_ones or not set(one.cells) <= planned]
    tasks = dict(scheduler.live(asked)) if asked else {}
    unknown = {
        one.submission.number
        for one in known
        if one.submission
        and not (one.attempt and one.attempt.finished)
        and (one.submission.number, one.task) not in tasks
    }
    past = scheduler.past([one for one in asked if one.number in unknown])
    tasks.update({key: task for key, task in past.items() if key not in tasks})
    strays = [
        f"{id} (job {one.job}_{index})"
        for one in asked
        for index, id in enumerate(one.cells)
        if id not in planned and tasks.get((one.number, index), Task("ended")).phase != "ended"
    ]
    return Survey([_judge(one, tasks) for one in known], strays, submissions)


def _from_disk(cell: Cell, folder: Folder, history: Sequence[tuple[Submission, int]]) -> CellStatus:
    """Return what the journal and the newest attempt's state say."""
    if not history:
        return CellStatus(cell, "planned")
    last, task = history[-1]
    outdated, seen = last.fingerprints[task] != cell.fingerprint, last.nodes.get(task, "")
    tries = 0 if outdated else sum(one.outcome == "submitted" and not one.cancelled for one, _ in history)
    known = CellStatus(cell, "lost", node=seen, submission=last, task=task, tries=tries, outdated=outdated)
    if last.outcome == "refused":
        return replace(known, kind="planned" if outdated else "refused", reason=last.message)
    started = attempts(folder.cell(cell.id))
    if not started or started[-1].submission != last.number or started[-1].job != _job(last, started[-1]):
        return known
    newest = started[-1]
    known = replace(known, attempt=newest, node=newest.node, restart=newest.restart)
    if newest.finished:
        known = replace(
            known,
            kind=str(newest.state.get("outcome")),
            reason=str(newest.state.get("reason") or ""),
            seconds=float(newest.state.get("seconds") or 0),
        )
    return replace(known, kind="planned") if outdated and known.kind == "done" else known


def _job(submission: Submission, attempt: Attempt) -> str:
    """Return the job an attempt must be of. Kubernetes names attempts by pod."""
    return attempt.job if attempt.job.startswith(submission.name) else submission.job or attempt.job


def _judge(known: CellStatus, tasks: Mapping[Key, Task]) -> CellStatus:
    """Return a cell's state from what is on disk and what the scheduler reports."""
    if known.submission is None or known.kind in ("planned", "refused"):
        return known
    task = tasks.get((known.submission.number, known.task))
    judged = _with_task(known, task)
    if known.outdated and judged.kind not in ACTIVE:
        return replace(judged, kind="planned", reason="its definition changed")
    if judged.kind in ("lost", "stopped") and known.submission.cancelled:
        reason = judged.reason if judged.attempt else "cancelled before it started"
        return replace(judged, kind="stopped", reason=reason)
    return judged


def _with_task(known: CellStatus, task: Task | None) -> CellStatus:
    own = known.attempt.finished if known.attempt else False
    if task is None:
        return known if own else replace(known, reason=_why_lost(known))
    if own and known.kind == "done":
        return known
    requeued = known.attempt is not None and task.restart > known.attempt.restart
    again = task.phase != "ended" and known.kind in ("stopped", "timeout", "lost")  # preempted or requeued by someone
    if own and not requeued and not (again and task.phase == "queued"):
        return known
    return replace(
        known, kind=task.outcome if task.phase == "ended" else task.phase, reason=task.reason, node=task.node,
        seconds=task.seconds, restart=task.restart, stuck=task.stuck, held=task.held,
    )  # fmt: skip


def _why_lost(known: CellStatus) -> str:
    if known.attempt is None:
        return "the scheduler does not know its job, and it wrote nothing"
    return f"started on {known.node or 'a node'}, but the scheduler no longer knows its job"


def estimate(statuses: Sequence[CellStatus]) -> tuple[float, bool] | None:
    """Return the seconds until the last cell ends, and whether that is only the limits' bound; None if none is active.

    Cells of a type run side by side on as many nodes as run some now, at least one.
    """
    taken: dict[str, list[float]] = {}
    work: dict[str, list[float]] = {}
    for one in statuses:
        if one.kind == "done" and one.seconds:
            taken.setdefault(one.cell.framework, []).append(one.seconds)
    typical = {name: statistics.median_high(values) for name, values in taken.items()}
    bound = False
    for one in statuses:
        if one.kind in ACTIVE and not one.stuck:
            whole = typical.get(one.cell.framework, max(typical.values(), default=0))
            bound |= not whole
            whole = whole or one.cell.seconds
            left = max(0, whole - one.seconds) if one.kind == "running" else whole
            work.setdefault(one.cell.machine, []).append(left)
    if not work:
        return None
    running = Counter(one.cell.machine for one in statuses if one.kind == "running")
    return max(max(max(times), sum(times) / max(1, running[name])) for name, times in work.items()), bound
