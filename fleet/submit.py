"""`make fleet`: bring the scheduler to what the fleet file wants. Safe to repeat, and safe to kill at any moment.

Each submission's intent is on disk before the scheduler is asked, under a job name that is used once. The next run
looks a pending intent up by that name: either it arrived, or it is marked as abandoned, which its job would see.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence

from fleet.config import Fleet
from fleet.files import Unanswered
from fleet.folder import Folder
from fleet.plan import Cell, make_plan
from fleet.schedulers import Order, Refused, Scheduler
from fleet.status import CellStatus, Survey, survey
from images.stack import Problem

AGAIN = ("planned", "lost", "stopped", "timeout", "refused")
ON_REQUEST = ("failed", "out of memory")
Say = Callable[[str], None]


def plan_of(fleet: Fleet, scheduler: Scheduler | None) -> list[Cell]:
    """Return the cells; asks the scheduler, if there is one, for the nodes of types that want each of them."""
    nodes: dict[str, Sequence[str]] = {}
    for one in fleet.types:
        if one.nodes == "each":
            nodes[one.name] = scheduler.nodes(one) if scheduler else ["NODE"]
        elif one.nodes != "any":
            nodes[one.name] = one.nodes
    cells = make_plan(fleet, nodes)
    if not cells:
        raise Problem(f"{fleet.path}: no cell: no stack of any type has one of the rows {', '.join(fleet.rows)}")
    return cells


def submit(fleet: Fleet, folder: Folder, scheduler: Scheduler, again: bool, say: Say) -> int:
    """Submit what is to be measured and is not on its way; returns 0, or 1 if the scheduler refused some of it."""
    folder.path.mkdir(parents=True, exist_ok=True)
    with folder.hold() as lock:
        folder.create(fleet.place)
        say(f"run      {folder.path} ({folder.run})")
        cells = plan_of(fleet, scheduler)
        settle_intents(folder, scheduler, say)
        found = current(folder, cells, scheduler, say)
        _refuse_edits(found, fleet)
        release(found, scheduler, say)
        orders = make_orders(fleet, folder, scheduler, to_submit(found.cells, fleet.retries, again))
        problems = scheduler.check(orders) if orders else []
        if problems:
            raise Problem("\n".join(problems))
        folder.write_cells(cells)
        refused = [order for order in orders if not _submit_one(order, folder, scheduler, lock, say)]
        _say_rest(found, orders, again, fleet, say)
    return 1 if refused else 0


def settle_intents(folder: Folder, scheduler: Scheduler, say: Say) -> None:
    """Find out what became of submissions whose end was not written down. Raises Unanswered."""
    pending = [one for one in folder.submissions() if one.outcome == "intent"]
    arrived = scheduler.job_ids(pending) if pending else {}
    for one in pending:
        if one.number in arrived:
            say(f"found    {one.name}: job {arrived[one.number]}, submitted by a command that was interrupted")
            folder.append(event="submitted", submission=one.number, job=arrived[one.number])
        else:
            folder.abandon(one.number)


def current(folder: Folder, cells: Sequence[Cell], scheduler: Scheduler, say: Say) -> Survey:
    """Return the survey after bringing what ended on nodes that share no disk with this machine."""
    found = survey(folder, cells, scheduler)
    wanted = {
        (one.submission.number, one.task): (one.cell, one.node)
        for one in found.cells
        if one.submission and one.submission.outcome == "submitted" and one.kind not in ("planned", "queued", "running")
        and not (one.attempt and one.attempt.finished)
    }  # fmt: skip
    note_nodes(folder, found)
    if not wanted:
        return found
    for problem in scheduler.fetch(wanted, found.submissions):
        say(f"warning  {problem}")
    return survey(folder, cells, scheduler)


def note_nodes(folder: Folder, found: Survey) -> None:
    """Remember where tasks ran: squeue forgets it, and without a shared disk the results lie there."""
    seen: dict[int, dict[int, str]] = {}
    for one in found.cells:
        if one.submission and one.node and one.submission.nodes.get(one.task) != one.node:
            seen.setdefault(one.submission.number, {})[one.task] = one.node
    for number, nodes in seen.items():
        folder.append(event="seen", submission=number, nodes=nodes)


def to_submit(statuses: Sequence[CellStatus], retries: int, again: bool) -> list[CellStatus]:
    """Return the cells to submit now."""
    kinds = AGAIN + (ON_REQUEST if again else ())
    return [one for one in statuses if one.kind in kinds and (again or one.tries <= retries)]


def make_orders(fleet: Fleet, folder: Folder, scheduler: Scheduler, chosen: Sequence[CellStatus]) -> list[Order]:
    """Return the submissions: per type and wanted node, as few as the scheduler's largest array allows."""
    if not chosen:
        return []
    taken = [one.number for one in folder.submissions()]
    taken += [int(path.name) for path in (folder.path / "submissions").glob("*") if path.name.isdigit()]
    numbers = itertools.count(max(taken, default=0) + 1)
    types = {one.name: one for one in fleet.types}
    groups: dict[tuple[str, str], list[Cell]] = {}
    for one in chosen:
        groups.setdefault((one.cell.type, one.cell.node), []).append(one.cell)
    largest = scheduler.largest
    return [
        Order(number, f"erabench-{folder.run}-{number:04d}", types[name], cells[start : start + largest])
        for (name, _), cells in groups.items()
        for start in range(0, len(cells), largest)
        for number in [next(numbers)]
    ]


def _submit_one(order: Order, folder: Folder, scheduler: Scheduler, lock: int, say: Say) -> bool:
    prepared = scheduler.prepare(order)
    prepared.write()
    folder.append(
        event="intent",
        submission=order.number,
        name=order.name,
        type=order.type.name,
        cells=[cell.id for cell in order.cells],
        fingerprints=[cell.fingerprint for cell in order.cells],
        at=time.time(),
    )
    try:
        job = scheduler.submit(prepared, lock)
    except Refused as refusal:
        folder.append(event="refused", submission=order.number, message=str(refusal))
        say(f"refused  {order.type.name}: {refusal}")
        return False
    folder.append(event="submitted", submission=order.number, job=job)
    say(f"submit   {order.type.name}: job {job}, {len(order.cells)} cells")
    return True


def release(found: Survey, scheduler: Scheduler, say: Say) -> None:
    """End the delay that the scheduler gives to cells whose node died."""
    held = [(one.submission, one.task) for one in found.cells if one.held and one.submission]
    if held:
        scheduler.release(held)
        say(f"release  {len(held)} cells that were delayed after their node died")


def _refuse_edits(found: Survey, fleet: Fleet) -> None:
    """Stop if the file no longer describes cells that are queued or running. Raises Problem."""
    changed = [one.cell.id for one in found.cells if one.outdated and one.kind in ("queued", "running")]
    if changed or found.strays:
        names = ", ".join([*changed, *found.strays][:10])
        raise Problem(
            f"{fleet.path}: was edited, and cells of the earlier version are still queued or running: {names}; "
            "wait for them, run make fleet-cancel, or undo the edit"
        )


def _say_rest(found: Survey, orders: Sequence[Order], again: bool, fleet: Fleet, say: Say) -> None:
    submitted = {cell.id for order in orders for cell in order.cells}
    kinds = Counter(one.kind for one in found.cells if one.cell.id not in submitted)
    if kinds:
        say("rest     " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()))
    left = [one for one in found.cells if one.kind in AGAIN + ON_REQUEST and one.cell.id not in submitted]
    if left and not again:
        say(f"         AGAIN=1 submits the {len(left)} without a result, also after {fleet.retries} retries")


def dry_run(fleet: Fleet, folder: Folder, scheduler: Scheduler, say: Say) -> int:
    """Print what `submit` would do, and change nothing; without a scheduler, as if nothing had been submitted."""
    try:
        cells = plan_of(fleet, scheduler)
        statuses = survey(folder, cells, scheduler).cells if folder.exists() else None
    except Unanswered as problem:
        say(f"the scheduler was not asked: {problem}\n")
        cells, statuses = plan_of(fleet, None), None
    chosen = to_submit(statuses or [CellStatus(cell, "planned") for cell in cells], fleet.retries, False)
    for order in make_orders(fleet, folder, scheduler, chosen):
        say(f"# {order.type.name}: {', '.join(cell.id for cell in order.cells)}")
        say(scheduler.prepare(order).text)
    say(f"{len(chosen)} of {len(cells)} cells would be submitted")
    return 0
