"""Nodes of one type: whether they are alike, and how far their figures lie apart."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fleet.node.hardware import MEMORY_TOLERANCE
from fleet.results.records import Found

PHASES = ("train", "predict")
OUTLIER_DEVIATIONS = 3.5  # of the modified z-score (Iglewicz and Hoaglin)
OUTLIER_LEAST = 0.05  # a smaller difference is never called one
OUTLIER_NODES = 4  # with fewer nodes no outlier can be identified


def differences(found: Sequence[Found]) -> list[str]:
    """Return in what the nodes of one type differ, each with the nodes' names."""
    facts: dict[str, dict[str, set[str]]] = {}
    memory: dict[str, float] = {}
    for one in found:
        environment = _table(one.record.get("environment"))
        gpu = _table(environment.get("gpu"))
        values = {"CPU": environment.get("cpu"), "logical CPUs": environment.get("logical_cpus")}
        values |= {"GPU": gpu.get("name"), "GPU driver": gpu.get("driver")}
        for key, value in values.items():
            if value is not None:
                facts.setdefault(key, {}).setdefault(str(value), set()).add(one.node)
        if isinstance(size := environment.get("memory_bytes"), int):
            memory[one.node] = float(size)
    problems = []
    for key, nodes in facts.items():
        if len(nodes) > 1:
            words = [f"'{value}' on {', '.join(sorted(names))}" for value, names in sorted(nodes.items())]
            problems.append(f"nodes differ in {key}: {'; '.join(words)}")
    low, high = min(memory, key=memory.__getitem__, default=""), max(memory, key=memory.__getitem__, default="")
    if memory and memory[high] - memory[low] > MEMORY_TOLERANCE * memory[high]:
        sizes = "; ".join(f"{memory[node] / 2**30:.1f} GiB on {node}" for node in (low, high))
        problems.append(f"nodes differ in memory: {sizes}")
    return problems


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def figure_of(record: dict[str, Any], phase: str) -> float | None:
    """Return a record's figure: the median over its processes' medians, as the report has it; None without one."""
    processes = record.get("processes")
    medians = []
    for process in processes if isinstance(processes, list) else []:
        timed = _table(_table(process).get(phase))
        if _table(process).get("status") == "ok" and timed.get("valid", True):
            medians += [timed["median_s"]] if isinstance(timed.get("median_s"), (int, float)) else []
    return float(statistics.median(medians)) if medians else None


def spread(found: Sequence[Found], ended: Mapping[tuple[str, str, str], str]) -> list[Found]:
    """Return for each row the record of the middle node, with the spread between all of them (``nodes``).

    ``ended`` has the status of those that ended badly: (stack, record, node) -> status.
    """
    groups: dict[tuple[str, str], list[Found]] = {}
    for one in found:
        groups.setdefault((one.cell.stack, one.name), []).append(one)
    typical = []
    for (stack, name), members in sorted(groups.items()):
        timed = [(figure_of(one.record, "train"), one) for one in members if one.record["status"] == "ok"]
        ranked = sorted((pair for pair in timed if pair[0] is not None), key=lambda pair: (pair[0], pair[1].cell.node))
        middle = ranked[(len(ranked) - 1) // 2][1] if ranked else members[0]
        shown: list[dict[str, Any]] = []
        without = {node: status for (of, record, node), status in ended.items() if (of, record) == (stack, name)}
        without |= {one.cell.node: one.record["status"] for one in members if one.record["status"] != "ok"}
        for phase in PHASES:
            values = {one.cell.node: figure_of(one.record, phase) for one in members if one.record["status"] == "ok"}
            figures = {node: value for node, value in values.items() if value}
            if figures:
                missing = {node: status for node, status in without.items() if node not in figures}
                shown.append({"phase": phase, **summary(figures), "without": missing})
        typical.append(_with_nodes(middle, shown))
    return typical


def _with_nodes(one: Found, shown: list[dict[str, Any]]) -> Found:
    record = {**one.record, "nodes": shown} if one.record.get("schema_version") == 2 and shown else one.record
    return replace(one, record=record, content=(json.dumps(record, indent=1, sort_keys=True) + "\n").encode())


def summary(figures: dict[str, float]) -> dict[str, Any]:
    """Return the range of the figures, and the nodes that stand apart (name -> relative difference)."""
    middle = statistics.median(figures.values())
    deviation = statistics.median(abs(value - middle) for value in figures.values())
    least = max(OUTLIER_LEAST * middle, OUTLIER_DEVIATIONS / 0.6745 * deviation)
    outliers = {node: value / middle - 1 for node, value in figures.items() if abs(value - middle) > least}
    return {
        "nodes": len(figures),
        "low_s": min(figures.values()),
        "high_s": max(figures.values()),
        "outliers": outliers if len(figures) >= OUTLIER_NODES else {},
    }
