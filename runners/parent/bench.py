"""One round: each row gets at most one more fresh process, and its record is saved after each."""

import random
from typing import Any, Dict, List, Optional

from runners import registry
from runners.contract import PHASES, DataUnavailable, Model, Reason, readable
from runners.parent import jobs, store
from runners.parent.child import run_child
from runners.parent.display import Display, seconds_with_interval
from runners.parent.disturbance import is_disturbed, only_one_counts
from runners.parent.jobs import Row
from runners.worker.events import plain
from runners.worker.measure import quantile

Outcome = Dict[str, Any]  # of one row, as a call reports it to the driver

PROOF_LIMIT_S = 1200.0  # compiling a large net twice takes minutes on two processors

MEASURED_FIELDS = ("started", "duration_s", "status", "reason", "startup", "memory", "energy", "warnings") + PHASES
PROCESS_FIELDS = MEASURED_FIELDS + ("round", "order", "order_seed", "environment_sha256", "code_sha256")


def find_sources(models: List[Model], directory: str, display: Display) -> Dict[str, Any]:
    """Data set -> its ``Source``, or the ``DataUnavailable`` that every row on it carries."""
    found: Dict[str, Any] = {}
    for name in dict.fromkeys(model.dataset for model in models):
        try:
            found[name] = jobs.describe_data(name, directory)
        except DataUnavailable as error:
            display.say(str(error))
            found[name] = error
    return found


def run_round(models: List[Model], options: Any, display: Display, outcomes: List[Outcome]) -> None:
    """Run all rows on all devices, in an order shuffled by seed and round; appends what came out to ``outcomes``."""
    sources = find_sources(models, options.data, display)
    rows = [(model, device) for model in models for device in options.devices]
    random.Random("{} {}".format(options.order_seed, options.round)).shuffle(rows)
    for order, (model, device) in enumerate(rows, 1):
        outcomes.append(run_row(model, device, sources[model.dataset], order, options, display))


def run_row(model: Model, device: str, source: Any, order: int, options: Any, display: Display) -> Outcome:
    """Reuse the row's record, add a process to it, or begin a new one."""
    unavailable = source if isinstance(source, DataUnavailable) else None
    row = jobs.make_row(model, device, None if unavailable else source, options)
    record = None if options.force else row.place.find(row.record, lambda found: is_complete(found, row.record))
    finished = 0 if record is None else len(finished_processes(record))
    display.start("{:<18} {}".format(model.key, device))
    if options.absent:
        return give_up(row, options.absent["status"], Reason(**options.absent["reason"]), display)
    if record is not None and (finished >= row.wanted or is_of_round(record, options)):
        display.finish("unchanged, kept: " + summary(record))
        record = proven(row, record, display)
        return outcome(row, record)
    framework = registry.framework(options.framework)
    if device not in framework.devices:
        reason = Reason("device-not-offered", {"framework": framework.title, "device": device})
        return give_up(row, "skipped", reason, display)
    if unavailable is not None:
        return give_up(row, "failed", unavailable.reason, display)
    if options.force:  # measured again is trained again
        store.discard(row.checkpoints)
    display.start("{:<18} {}  process {} of {}".format(model.key, device, finished + 1, row.wanted), brief=finished > 0)
    first = record is None
    result = run_child(row.job(timing_only=not first), row.time_limit_s, display.on_event)
    record = record or first_record(row, result)
    record = dict(record, machine=options.machine, processes=record["processes"] + [process_of(row, result, order)])
    row.place.save(record)
    if first and record["status"] == "ok":
        store.discard(row.checkpoints)
    display.finish(summary(record) if first else process_summary(record["processes"][-1]))
    record = proven(row, undisturbed(row, record, display), display)
    return outcome(row, record, result)


def undisturbed(row: Row, record: Dict[str, Any], display: Display) -> Dict[str, Any]:
    """The record with its last process measured again if other programs disturbed it: the less disturbed one counts.

    Not after one repetition in vain: the machine may always be as busy as that. Nor in a smoke run, which measures
    nothing.
    """
    earlier, last = record["processes"][:-1], record["processes"][-1]
    if row.profile == "smoke" or not is_disturbed(last) or any(map(is_disturbed, earlier)):
        return record
    display.start("{:<18} {}  disturbed, again".format(row.model.key, row.device), brief=True)
    result = run_child(row.job(timing_only=True), row.time_limit_s, display.on_event)
    both = only_one_counts(last, process_of(row, result, last["order"]))
    record = dict(record, processes=earlier + both)
    row.place.save(record)
    is_quieter = both[-1]["status"] != "disturbed"
    display.finish(process_summary(both[-1]) if is_quieter else "no quieter, so the process before it counts")
    return record


def proven(row: Row, record: Dict[str, Any], display: Display) -> Dict[str, Any]:
    """The record with the proof that its net is the described one, made in another process where it is asked for."""
    made = record["sameness"]
    is_done = made is not None and (made["precisions"] or row.options.round > 1)  # one that failed is tried again
    if not row.options.prove or record["status"] != "ok" or is_done:
        return record
    display.start("{:<18} {}  proof".format(row.model.key, row.device), brief=True)
    limit_s = max(row.time_limit_s, PROOF_LIMIT_S)
    result = run_child(row.job(timing_only=True, prove=True), limit_s, display.on_event)
    sameness = result["sameness"]
    if result["status"] != "ok":
        unknown = {"description_sha256": None, "reference": None, "precisions": [], "same": False}
        sameness = dict(unknown, net=row.model.twin_of or row.model.key, reason=result["reason"])
    record = dict(record, sameness=sameness)
    row.place.save(record)
    failed = "NOT THE SAME NET: " if sameness["precisions"] else "not proven: "
    display.finish("the same net" if sameness["same"] else failed + readable(Reason(**sameness["reason"])))
    return record


def give_up(row: Row, status: str, reason: Reason, display: Display) -> Outcome:
    """Record a row that cannot be measured, without starting a process."""
    record = dict(row.record, status=status, reason=plain(reason))
    row.place.save(record)
    display.finish(summary(record))
    return outcome(row, record)


def first_record(row: Row, result: Dict[str, Any]) -> Dict[str, Any]:
    """The record of a row whose first process has ended, without its processes."""
    names = ("status", "reason", "log", "quality", "epoch", "test_set", "environment", "execution")
    record = dict(row.record, **{name: result[name] for name in names})
    record["model"] = dict(record["model"], parameters=result["parameters"], details=result["details"])
    return record


def process_of(row: Row, result: Dict[str, Any], order: int) -> Dict[str, Any]:
    """One entry of the record's ``processes``."""
    environment = result["environment"]
    return dict(
        {name: result[name] for name in MEASURED_FIELDS},
        round=row.options.round,
        order=order,
        order_seed=row.options.order_seed,
        environment_sha256=None if environment is None else jobs.sha256(environment),
        code_sha256=row.record["provenance"]["code_sha256"],
    )


def is_complete(record: Dict[str, Any], empty: Dict[str, Any]) -> bool:
    """Whether a record on disk has everything that a later process and the terminal need."""
    processes = record.get("processes")
    return (
        record.get("status") == "ok"
        and set(record) == set(empty)
        and isinstance(processes, list)
        and all(isinstance(process, dict) and set(process) == set(PROCESS_FIELDS) for process in processes)
        and bool(finished_processes(record))
    )


def is_of_round(record: Dict[str, Any], options: Any) -> bool:
    """Whether a process of this round of this bench is there already, as after a stop; a call by hand has no bench."""
    bench = (options.order_seed, options.round)
    return bool(options.order_seed) and any(
        (process["order_seed"], process["round"]) == bench for process in finished_processes(record)
    )


def finished_processes(record: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Those that ended well."""
    return [process for process in record["processes"] if process["status"] == "ok"]


def outcome(row: Row, record: Dict[str, Any], result: Optional[Dict[str, Any]] = None) -> Outcome:
    """What the driver needs to plan the next round; ``result`` is that of the process measured in this one."""
    seconds = 0.0 if result is None else result["duration_s"]
    return {
        "row": row.model.key,
        "device": row.device,
        "status": record["status"] if result is None else result["status"],
        "processes": len(finished_processes(record)),
        "wanted": row.wanted,
        "measured": result is not None,
        "timing_seconds": seconds - ((result or {}).get("quality_s") or 0.0),
    }


def summary(record: Dict[str, Any]) -> str:
    """A record in one line for the terminal."""
    if record["status"] != "ok":
        return failure(record)
    processes = finished_processes(record)
    parts = [process_summary(processes[0])]
    if len(processes) > 1:
        parts = ["ok"]
        for name in PHASES:
            times = sorted(process[name]["median_s"] for process in processes if process[name]["valid"])
            unit = processes[0][name]["unit"]
            parts.append("{} {:.4g} s per {}".format(name, quantile(times, 0.5), unit) if times else name + " invalid")
        parts.append("median of {} processes".format(len(processes)))
    quality = record["quality"]
    for score in quality["scores"]:
        if score["protocol"] == quality["protocol"] and not score["baseline"] and score["accuracy"] is not None:
            parts.append("{} {:.4f} ({})".format(quality["accuracy_metric"], score["accuracy"], score["protocol"]))
    if record["data"]["synthetic"]:
        parts.append("SYNTHETIC data")
    return "  ".join(parts)


def process_summary(process: Dict[str, Any]) -> str:
    """A process in one line for the terminal."""
    if process["status"] != "ok":
        return failure(process)
    parts = ["ok"]
    for name in PHASES:
        phase = process[name]
        shown = seconds_with_interval(phase["median_s"], phase["interval_s"])
        parts.append("{} {}".format(name, shown + " per " + phase["unit"] if phase["valid"] else "invalid"))
    return "  ".join(parts)


def failure(found: Dict[str, Any]) -> str:
    """Status and reason of a record, a process or a tuning attempt."""
    reason = readable(Reason(**found["reason"])) if found["reason"] else "no reason"
    return "{}: {}".format(found["status"].upper().replace("_", " "), reason.split("\n")[0][:300])
