"""The fleet file: what it may hold, and every mistake in it by name and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.clock import seconds_of
from fleet.reader import Key, Reader, between, key, like, one_of, some_of, texts
from images import stack
from images.stack import Problem

VERSION = 1
LONGEST = 366 * 86_400
# sbatch options that decide which node a job gets
SELECTING = ("--constraint", "-C", "--gres", "--gpus", "-G", "--gpus-per-node", "--nodelist", "-w", "--partition", "-p")
# sbatch options that the fleet itself sets, or that lead to a cluster whose queue it would not see
RESERVED = (
    "--array", "-a", "--job-name", "-J", "--comment", "--output", "-o", "--error", "-e", "--parsable", "--wrap",
    "--wait", "-W", "--test-only", "--signal", "--time", "-t", "--open-mode", "--nodes", "-N", "--export",
    "--chdir", "-D", "--clusters", "--cluster", "-M",
)  # fmt: skip


def _version(found: int) -> Iterable[str]:
    return () if found == VERSION else (f"this erabench reads version {VERSION} of the fleet file, not {found}",)


def _time(text: str) -> Iterable[str]:
    if not re.fullmatch(r"(\d{1,3}-)?\d{1,3}:[0-5]\d:[0-5]\d", text):
        yield f"'{text}' is not a time; write HH:MM:SS, or D-HH:MM:SS"
    elif not 60 <= (seconds_of(text) or 0) <= LONGEST:
        yield f"'{text}' is out of range: at least one minute, at most 366 days"


def _options(options: list[str]) -> Iterable[str]:
    for option in options:
        if not option.startswith("-") or option in ("-", "--"):
            yield f"'{option}' is not an option of sbatch; write each as one string: \"--account=lab\""
        elif _is_one_of(option, RESERVED):
            yield f"'{option}' is set by the fleet itself"


def _is_one_of(option: str, names: tuple[str, ...]) -> bool:
    return option.split("=")[0] in names or (option[:2] in names and not option.startswith("--"))


def _rows(rows: list[str]) -> Iterable[str]:
    frameworks = sorted({name for one in stack.stacks() for name in stack.frameworks(one)})
    known = [row for name in frameworks for row in stack.declaration(name)["rows"]]
    return [f"no row '{row}'; choose from: {', '.join(known)}" for row in rows if row not in known]


def _nodes(nodes: Any) -> Iterable[str]:
    if not isinstance(nodes, list):
        return one_of("any", "each")(nodes)
    name = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
    bad = [f"'{one}' is not a node's name" for one in nodes if not isinstance(one, str) or not name.fullmatch(one)]
    return bad if nodes else ["is empty"]


_WHOLE_PATH = like("(?!~).*", "begins with ~, which is not expanded here; write the whole path")


@dataclass(frozen=True, kw_only=True)
class Slurm:
    """The [slurm] table."""

    options: tuple[str, ...] = key(list, (), _options)  # of sbatch, for every type
    setup: str = key()  # shell commands before the bench
    shared: bool = key(bool, True)  # whether the run's folder and the project are on a disk that all nodes see
    scratch: str = key(str, "/tmp", like("/.*", "is not an absolute path"))  # where nodes keep attempts without one


@dataclass(frozen=True, kw_only=True)
class Kubernetes:
    """The [kubernetes] table."""

    image: str = key()
    namespace: str = key()
    context: str = key()
    queue: str = key()  # Kueue's queue label
    cache: str = key()  # a PersistentVolumeClaim for uv's cache
    pull_secret: str = key()
    runtime_class: str = key()
    user: int = key(int, 10001, between(1, 2**31 - 1))
    scratch: str = key(str, "60Gi")


@dataclass(frozen=True, kw_only=True)
class NodeType:
    """A [[node]] table: machines that are alike."""

    type: str = key(
        check=like(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "becomes the machine's name: letters, digits, '.', '_' and '-' only"
        ),
        required=True,
    )
    slurm: tuple[str, ...] = key(list, (), _options)
    kubernetes: Mapping[str, str] = key(dict, {}, texts())
    stacks: tuple[str, ...] = key(list, (), lambda names: some_of(*stack.stacks())(names), required=True)
    engine: str = key(str, "venv", one_of("venv", "docker", "podman"))
    devices: tuple[str, ...] = key(list, ("cpu",), some_of("cpu", "gpu"))
    expect: Mapping[str, str] = key(dict, {}, texts("cpu", "driver", "gpu", "gpus"))
    nodes: str | tuple[str, ...] = key(object, "any", _nodes)  # "any", "each", or names
    time: str = key(check=_time)
    setup: str = key()
    gpus: int = key(int, None, between(0, 1000))
    resources: Mapping[str, str] = key(dict, {}, texts("cpu", "memory"))
    seconds: int  # its time limit, or the fleet's
    lines: Mapping[str, int]  # where the file has its keys, for messages

    @property
    def name(self) -> str:
        """The machine's name in the results."""
        return self.type


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """A fleet file without mistakes: the [fleet] table, and the others."""

    version: int = key(int, VERSION, _version)
    scheduler: str = key(check=one_of("slurm", "kubernetes"), required=True)
    profile: str = key(str, "quick", one_of("smoke", "quick", "full"))
    split: str = key(str, "framework", one_of("framework", "row"))
    time: str = key(str, "02:00:00", _time)
    retries: int = key(int, 2, between(0, 100))
    rows: tuple[str, ...] = key(list, (), _rows)  # () is all
    folder: Path = key(str, "", _WHOLE_PATH)  # the run's
    data: str = key(str, "", _WHOLE_PATH)  # DATA_DIR on the nodes, "" for the bench's own default
    venvs: str = key(str, "", _WHOLE_PATH)  # where nodes build environments, "" for the run's folder
    bench: tuple[str, ...] = key(list, ())  # what runs instead of the driver's bench, with the same options
    path: Path
    slurm: Slurm
    kubernetes: Kubernetes
    types: tuple[NodeType, ...]

    def where(self, one: NodeType, name: str) -> str:
        """Return how a message about a type's key begins: the file, the line, the type and the key."""
        return f"{self.path}:{one.lines[name]}: [[node]] '{one.name}' {name}:"

    @property
    def place(self) -> str:
        """Where a run's jobs and results are looked for, which must not change within a run."""
        if self.scheduler == "slurm":
            return "slurm" if self.slurm.shared else f"slurm, scratch {self.slurm.scratch}"
        return f"kubernetes, context '{self.kubernetes.context}', namespace '{self.kubernetes.namespace}'"


def load(path: Path) -> Fleet:
    """Read a fleet file. Raises Problem with every mistake, each with its line."""
    try:
        reader = Reader(path, path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; name one with FLEET=, or copy one of fleet/examples/") from None
    except tomllib.TOMLDecodeError as error:
        raise Problem(f"{path}: not valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{path}: cannot be read: {error}") from None
    fleet = _fleet(reader, path)
    if reader.problems:
        raise Problem("\n".join(problem for _, problem in sorted(reader.problems)))
    return fleet


def _fleet(reader: Reader, path: Path) -> Fleet:
    file = reader.values(reader.content, (), "", {
        "fleet": Key(dict, {}, required=True), "slurm": Key(dict, {}), "kubernetes": Key(dict, {}),
        "node": Key(object, [], _tables),
    })  # fmt: skip
    values = reader.table(file["fleet"], ("fleet",), "[fleet]", Fleet)
    values["rows"] = _once(values["rows"])
    values["folder"] = path.resolve().parent / (values["folder"] or f"{path.stem}.run")
    slurm = Slurm(**reader.table(file["slurm"], ("slurm",), "[slurm]", Slurm))
    kubernetes = Kubernetes(**reader.table(file["kubernetes"], ("kubernetes",), "[kubernetes]", Kubernetes))
    if values["scheduler"] == "kubernetes" and not kubernetes.image:
        reader.wrong(("kubernetes", "image"), "[kubernetes] image: is missing")
    types = tuple(_node_type(reader, index, table, values) for index, table in enumerate(file["node"]))
    names = [one.name for one in types]
    for index, name in enumerate(names):
        if name and name in names[:index]:
            reader.wrong(("node", index, "type"), f"a second [[node]] of type '{name}'")
    if not names:
        reader.wrong((), "no [[node]]: describe at least one node type")
    return Fleet(path=path, slurm=slurm, kubernetes=kubernetes, types=types, **values)


def _node_type(reader: Reader, index: int, table: Mapping[str, Any], fleet: Mapping[str, Any]) -> NodeType:
    place = ("node", index)
    title = f"[[node]] '{table['type']}'" if table.get("type") else "[[node]]"
    values = reader.table(table, place, title, NodeType)
    for name, problem in _cannot_run(values, fleet["scheduler"]):
        reader.wrong((*place, name), f"{title} {name}: {problem}")
    values |= {name: _once(values[name]) for name in ("stacks", "devices")}
    for name in ("kubernetes", "expect", "resources"):
        values[name] = {inner: str(text) for inner, text in values[name].items()}
    if values["gpus"] is None:
        values["gpus"] = int("gpu" in values["devices"])
    if values["nodes"] not in ("any", "each"):
        values["nodes"] = _once(values["nodes"])
    lines = {name: reader.line(*place, name) for name in ("type", "slurm", "time", "nodes")}
    return NodeType(seconds=seconds_of(values["time"] or fleet["time"]) or 0, lines=lines, **values)


def _cannot_run(values: Mapping[str, Any], scheduler: str) -> Iterable[tuple[str, str]]:
    """Yield what keeps a type's cells from its nodes: key and problem."""
    if scheduler == "slurm" and not any(_is_one_of(option, SELECTING) for option in values["slurm"]):
        example = 'slurm = ["--gres=gpu:h100:1"] or ["--constraint=epyc"]'
        yield "slurm", f"selects no nodes: give the type's own option, such as {example}"
    if scheduler == "kubernetes":
        if not values["kubernetes"]:
            yield "kubernetes", 'selects no nodes: give labels, such as {"node.kubernetes.io/instance-type" = "x"}'
        if values["engine"] != "venv":
            yield "engine", f"'{values['engine']}' cannot run inside a sealed pod; use \"venv\""
        if "gpu" in values["devices"] and values["gpus"] == 0:
            yield "gpus", 'devices has "gpu", so a pod needs at least one'


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _tables(found: Any) -> Iterable[str]:
    fits = isinstance(found, list) and all(isinstance(one, dict) for one in found)
    return () if fits else ("is not a list of tables; write [[node]]",)
