"""The fleet file: what it may hold, and every mistake in it by name and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleet.files import Problem
from fleet.tables import Reader, lines_of
from images import stack

VERSION = 1
SCHEDULERS = ("slurm", "kubernetes")
PROFILES = ("smoke", "quick", "full")
SPLITS = ("framework", "row")
ENGINES = ("venv", "docker", "podman")
DEVICES = ("cpu", "gpu")
EXPECTATIONS = ("cpu", "driver", "gpu", "gpus")
LONGEST = 366 * 86_400
# sbatch options that decide which node a job gets
SELECTING = ("--constraint", "-C", "--gres", "--gpus", "-G", "--gpus-per-node", "--nodelist", "-w", "--partition", "-p")
# sbatch options that the fleet itself sets
RESERVED = (
    "--array", "-a", "--job-name", "-J", "--comment", "--output", "-o", "--error", "-e", "--parsable", "--wrap",
    "--wait", "-W", "--test-only", "--signal", "--time", "-t", "--open-mode", "--nodes", "-N", "--export",
    "--chdir", "-D",
)  # fmt: skip


@dataclass(frozen=True)
class Slurm:
    """The [slurm] table."""

    options: tuple[str, ...] = ()  # of sbatch, for every type
    setup: str = ""  # shell commands before the bench
    shared: bool = True  # whether the run's folder and the project are on a disk that all nodes see
    scratch: str = "/tmp"  # without a shared disk: where a node keeps its attempts


@dataclass(frozen=True)
class Kubernetes:
    """The [kubernetes] table."""

    image: str = ""
    namespace: str = ""
    context: str = ""
    queue: str = ""  # Kueue's queue label
    cache: str = ""  # a PersistentVolumeClaim for uv's cache
    pull_secret: str = ""
    runtime_class: str = ""
    user: int = 10001
    scratch: str = "60Gi"


@dataclass(frozen=True)
class NodeType:
    """A [[node]] table: machines that are alike."""

    name: str
    lines: Mapping[str, int]  # where the file has "type", "slurm", "time" and "nodes", for messages
    slurm: tuple[str, ...]
    kubernetes: Mapping[str, str]
    stacks: tuple[str, ...]
    engine: str
    devices: tuple[str, ...]
    expect: Mapping[str, str]
    nodes: str | tuple[str, ...]  # "any", "each", or names
    seconds: int
    setup: str
    gpus: int
    resources: Mapping[str, str]


@dataclass(frozen=True)
class Fleet:
    """A fleet file that holds together."""

    path: Path
    scheduler: str
    profile: str
    split: str
    retries: int
    rows: tuple[str, ...]  # () is all
    folder: Path  # the run's
    data: str  # DATA_DIR on the nodes, "" for the bench's own default
    venvs: str  # where nodes build environments, "" for the run's folder
    bench: tuple[str, ...]  # what runs instead of the driver's bench, with the same options
    slurm: Slurm
    kubernetes: Kubernetes
    types: tuple[NodeType, ...] = field(default=())


def load(path: Path) -> Fleet:
    """Read a fleet file. Raises Problem with every mistake, each with its line."""
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; name one with FLEET=, or copy one of fleet/examples/") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise Problem(f"{path}: not valid TOML: {error}") from None
    root = Reader(path, content, lines_of(text), ())
    fleet = _fleet(root, path)
    if root.problems:
        raise Problem("\n".join(problem for _, problem in sorted(root.problems)))
    return fleet


def _fleet(root: Reader, path: Path) -> Fleet:
    table = root.table("fleet", required=True)
    version = table.whole("version", VERSION, 1, 1_000_000)
    if version != VERSION:
        table.wrong("version", f"this erabench reads version {VERSION} of the fleet file, not {version}")
    scheduler = table.choice("scheduler", SCHEDULERS, required=True)
    seconds = _seconds(table, 7200)
    rows = table.strings("rows", ())
    known = [row for name in _frameworks() for row in stack.declaration(name)["rows"]]
    for row in rows:
        if row not in known:
            table.wrong("rows", f"no row '{row}'; choose from: {', '.join(known)}")
    fleet = Fleet(
        path=path,
        scheduler=scheduler,
        profile=table.choice("profile", PROFILES, "quick"),
        split=table.choice("split", SPLITS, "framework"),
        retries=table.whole("retries", 2, 0, 100),
        rows=rows,
        folder=path.resolve().parent / table.text("folder", f"{path.stem}.run"),
        data=table.text("data"),
        venvs=table.text("venvs"),
        bench=table.strings("bench", ()),
        slurm=_slurm(root.table("slurm")),
        kubernetes=_kubernetes(root.table("kubernetes"), scheduler == "kubernetes"),
        types=tuple(_node_type(node, scheduler, seconds) for node in root.tables("node")),
    )
    table.close()
    names = [one.name for one in fleet.types]
    for one in fleet.types:
        if one.name and names.count(one.name) > 1 and one is not next(o for o in fleet.types if o.name == one.name):
            root.wrong_at(one.lines["type"], f"a second [[node]] of type '{one.name}'")
    if not fleet.types:
        root.wrong_at(1, "no [[node]]: describe at least one node type")
    root.close()
    return fleet


def _slurm(table: Reader) -> Slurm:
    found = Slurm(
        options=_options(table, "options"),
        setup=table.text("setup"),
        shared=table.flag("shared", True),
        scratch=table.text("scratch", "/tmp"),
    )
    if not found.scratch.startswith("/"):
        table.wrong("scratch", f"'{found.scratch}' is not an absolute path")
    table.close()
    return found


def _kubernetes(table: Reader, used: bool) -> Kubernetes:
    found = Kubernetes(
        **{key: table.text(key) for key in ("namespace", "context", "queue", "cache", "pull_secret", "runtime_class")},
        image=table.text("image", required=used),
        user=table.whole("user", 10001, 1, 2**31 - 1),
        scratch=table.text("scratch", "60Gi"),
    )
    table.close()
    return found


def _node_type(table: Reader, scheduler: str, seconds: int) -> NodeType:
    name = table.text("type", required=True)
    if name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", name):
        table.wrong("type", f"'{name}' becomes the machine's name: letters, digits, '.', '_' and '-' only")
    table.title = f"[[node]] '{name}'"
    devices = table.strings("devices", ("cpu",), DEVICES)
    found = NodeType(
        name=name,
        lines={key: table.line(key) for key in ("type", "slurm", "time", "nodes")},
        slurm=_options(table, "slurm"),
        kubernetes=table.mapping("kubernetes"),
        stacks=table.strings("stacks", (), stack.stacks(), required=True),
        engine=table.choice("engine", ENGINES, "venv"),
        devices=devices,
        expect=table.mapping("expect", EXPECTATIONS),
        nodes=table.nodes("nodes"),
        seconds=_seconds(table, seconds),
        setup=table.text("setup"),
        gpus=table.whole("gpus", 1 if "gpu" in devices else 0, 0, 1000),
        resources=table.mapping("resources", ("cpu", "memory")),
    )
    selecting = [option for option in found.slurm if option.split("=")[0] in SELECTING or option[:2] in SELECTING]
    if scheduler == "slurm" and not selecting:
        table.wrong(
            "slurm", "selects no nodes: give the type's own option, such as slurm = [\"--gres=gpu:h100:1\"] or "
            "[\"--constraint=epyc\"]"
        )  # fmt: skip
    if scheduler == "kubernetes":
        if not found.kubernetes:
            table.wrong(
                "kubernetes", 'selects no nodes: give labels, such as {"node.kubernetes.io/instance-type" = "x"}'
            )
        if found.engine != "venv":
            table.wrong("engine", f"'{found.engine}' cannot run inside a sealed pod; use \"venv\"")
        if "gpu" in devices and not found.gpus:
            table.wrong("gpus", 'devices has "gpu", so a pod needs at least one')
    table.close()
    return found


def _options(table: Reader, key: str) -> tuple[str, ...]:
    options = table.strings(key, ())
    for option in options:
        if not option.startswith("-") or option in ("-", "--"):
            table.wrong(key, f"'{option}' is not an option of sbatch; write each as one string: \"--account=lab\"")
        elif option.split("=")[0] in RESERVED or (option[:2] in RESERVED and not option.startswith("--")):
            table.wrong(key, f"'{option}' is set by the fleet itself")
    return options


def _seconds(table: Reader, default: int) -> int:
    """Return a time limit in seconds: HH:MM:SS, with days as D-HH:MM:SS."""
    text = table.text("time")
    if not text:
        return default
    found = re.fullmatch(r"(?:(\d{1,3})-)?(\d{1,3}):([0-5]\d):([0-5]\d)", text)
    if not found:
        table.wrong("time", f"'{text}' is not a time; write HH:MM:SS, or D-HH:MM:SS")
        return default
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not 60 <= total <= LONGEST:
        table.wrong("time", f"'{text}' is out of range: at least one minute, at most 366 days")
    return total


def _frameworks() -> list[str]:
    return sorted({name for one in stack.stacks() for name in stack.frameworks(one)})
