"""Slurm's partitions and nodes, and which of them a type's selector means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.clock import seconds_of
from fleet.config import Fleet, NodeType
from fleet.schedulers import ask
from images.stack import Problem

ALIASES = {
    "-C": "--constraint", "-p": "--partition", "-w": "--nodelist", "-G": "--gpus", "-A": "--account", "-q": "--qos",
    "-x": "--exclude",
}  # fmt: skip


class Undetermined(Problem):
    """A selector whose nodes sinfo cannot list."""

    def __init__(self, where: str, selector: str) -> None:
        super().__init__(f'{where} "each" cannot list the nodes of {selector}; name them: nodes = ["a", "b"]')


class NoNodes(Problem):
    """A selector that no node of the cluster has."""


@dataclass(frozen=True)
class Partitions:
    """The partitions' time limits in seconds, None for no limit."""

    limits: dict[str, int | None]
    default: str

    def of(self, options: Sequence[str]) -> tuple[str, int | None]:
        """Return the partition that options lead to, with its limit: of several, the longest."""
        names = (by_name(options).get("--partition") or self.default).split(",")
        known = [(name, self.limits[name]) for name in names if name in self.limits]
        return max(known, key=lambda pair: float("inf") if pair[1] is None else pair[1], default=(names[0], None))


def partition_limits() -> Partitions:
    """Ask Slurm for its partitions."""
    limits, default = {}, ""
    for line in ask(["sinfo", "--noheader", "--format=%P|%l"]).splitlines():
        name, _, limit = line.partition("|")
        if name.endswith("*"):
            name = default = name[:-1]
        limits[name] = seconds_of(limit.strip())
    return Partitions(limits, default)


def named(option: str) -> tuple[str, str]:
    """Return an option's long name and its value, of any of its spellings: --partition=x, -p x, -px."""
    if option[:2] in ALIASES:
        return ALIASES[option[:2]], option[2:].lstrip(" =")
    name, _, value = option.partition("=")
    return name, value


def by_name(options: Sequence[str]) -> dict[str, str]:
    """Return the options' values by long name: of several of one name the last."""
    return dict(map(named, options))


def nodes_of(fleet: Fleet, one: NodeType) -> list[str]:
    """Return the nodes that a type's selector means, from sinfo. Raises Undetermined, NoNodes."""
    where = fleet.where(one, "nodes")
    options = [*fleet.slurm.options, *one.slurm]
    given = by_name(options)
    if given.keys() & {"--gpus", "--gpus-per-node", "--exclude"}:
        raise Undetermined(where, " ".join(options))
    partitions = (given.get("--partition") or partition_limits().default).split(",")
    features = _features(given.get("--constraint", ""), where)
    gres = [part for part in given.get("--gres", "").split(",") if part]
    hosts = given.get("--nodelist", "")
    listed = set(ask(["scontrol", "show", "hostnames", hosts]).split()) if hosts else set()
    found: dict[str, None] = {}
    for line in ask(["sinfo", "--noheader", "--Node", "--format=%N|%f|%G|%R"]).splitlines():
        name, has, cards, partition = (line.strip().split("|") + [""] * 4)[:4]
        fits = partition in partitions and (not hosts or name in listed) and all(_has(cards, part) for part in gres)
        if fits and (not features or any(group <= set(has.split(",")) for group in features)):
            found[name] = None
    if not found:
        raise NoNodes(f"{where} no node of the cluster has {' '.join(one.slurm)}")
    return list(found)


def _features(text: str, where: str) -> list[set[str]]:
    """Return the alternatives of a constraint, each a set of features."""
    if re.search(r"[\[\]()*]", text):
        raise Undetermined(where, text)
    return [set(re.split(r"[&,]", group)) for group in text.split("|")] if text else []


def _has(cards: str, wanted: str) -> bool:
    """Whether a node's gres (gpu:h100:8(S:0-1),...) has the wanted kind (gpu:h100:1)."""
    kind = [part for part in wanted.split(":") if not part.isdigit()]
    plain = re.sub(r"\([^)]*\)", "", cards)
    return any(card.split(":")[: len(kind)] == kind for card in plain.split(","))
