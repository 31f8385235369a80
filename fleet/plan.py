"""The plan: one cell per node type, stack and framework, or per row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fleet.config import Fleet, NodeType
from images import stack


@dataclass(frozen=True)
class Cell:
    """What one job of the scheduler measures."""

    type: str  # the machine's name in the results
    node: str  # the one node it must run on, "" for any of the type
    stack: str
    framework: str
    part: str  # "" for all rows of the framework, else the row's key
    rows: tuple[str, ...]
    offered: tuple[str, ...]  # devices that the framework can compute on
    devices: tuple[str, ...]
    engine: str
    profile: str
    seconds: int
    expect: Mapping[str, str]

    @property
    def id(self) -> str:
        """Its name, and its folder's: h100/current.keras, h100@node7/current.keras.lstm."""
        return f"{self.machine}/{self.stack}.{self.column}"

    @property
    def column(self) -> str:
        """The framework, with the row where the cell has only one."""
        return f"{self.framework}.{self.part}" if self.part else self.framework

    @property
    def machine(self) -> str:
        """The type, with the node where the cell belongs to one."""
        return f"{self.type}@{self.node}" if self.node else self.type

    @property
    def expected(self) -> list[str]:
        """The records that a complete measurement has: lstm.cpu, ..."""
        return [f"{row}.{device}" for row in self.rows for device in self.devices]

    @property
    def fingerprint(self) -> str:
        """Differs where two cells of one name are not the same measurement. The time limit may change."""
        content = {key: value for key, value in asdict(self).items() if key != "seconds"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Cell:
        """Return the cell that `asdict` wrote."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in content.items()
        }
        return cls(**values)


def make_plan(fleet: Fleet, nodes: Mapping[str, Sequence[str]]) -> list[Cell]:
    """Return a fleet's cells, in the order of the file. ``nodes`` has the names for types that want each of them."""
    return [
        cell
        for one in fleet.types
        for node in nodes.get(one.name, [""])
        for name in one.stacks
        for framework in stack.frameworks(name)
        for cell in _cells(fleet, one, node, name, framework)
    ]


def _cells(fleet: Fleet, one: NodeType, node: str, stack_name: str, framework: str) -> list[Cell]:
    declared = stack.declaration(framework)
    rows = tuple(row for row in declared["rows"] if not fleet.rows or row in fleet.rows)
    groups = [(row, (row,)) for row in rows] if fleet.split == "row" else [("", rows)] if rows else []
    return [
        Cell(
            type=one.name,
            node=node,
            stack=stack_name,
            framework=framework,
            part=part,
            rows=group,
            offered=tuple(declared["devices"]),
            devices=one.devices,
            engine=one.engine,
            profile=fleet.profile,
            seconds=one.seconds,
            expect=dict(one.expect),
        )
        for part, group in groups
    ]
