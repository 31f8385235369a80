"""The code keeps what CONTRIBUTING promises: linted, typed, in layers, small, and Python 3.6 where it has to be."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PACKAGES = ("erabench", "fleet", "images", "runners", "report", "experiments")
MAY_IMPORT = {"erabench": {"images"}, "fleet": {"images"}, "experiments": {"runners", "report"}}  # besides themselves
FRAMEWORKS = sorted(path.parent.name for path in (ROOT / "runners").glob("*/framework.json"))
SHARES = {
    name: json.loads((ROOT / "runners" / name / "framework.json").read_text()).get("shares", []) for name in FRAMEWORKS
}
SHARED = {name for names in SHARES.values() for name in names if name not in FRAMEWORKS}
LAYERS = {  # of runners: what each may import besides itself; a framework stands for every one of them
    "contract": set(),
    "machine": {"contract"},
    "data": {"contract", "machine"},
    "nets": {"contract", "machine", "data"},
    "shared": {"contract", "machine", "data", "nets"},  # a folder that several frameworks name in `shares`
    "framework": {"contract", "machine", "data", "nets", "shared"},
    "registry": {"contract"},
    "worker": {"contract", "machine", "data", "registry"},
    "parent": {"contract", "machine", "data", "registry", "worker"},
    "__main__": {"parent"},
}
IN_A_STRING = re.compile(rf"(?:^|[\s;'\"])(?:from|import)\s+((?:{'|'.join(PACKAGES)})(?:\.\w+)*)\b")
LONGEST_MODULE, LARGEST_FOLDER = 300, 12


def modules(*packages: str) -> dict[str, Path]:
    """Dotted name -> file of every module."""
    files = [path for package in packages or PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


MODULES = modules()


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """(module, line) of all that a file imports, wherever in it, from strings of code too; the project's own only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        found: list[str] = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = IN_A_STRING.findall(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            found = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        for name in found:
            if name.split(".")[0] in PACKAGES:
                yield module_of(name), getattr(node, "lineno", 0)


def module_of(name: str) -> str:
    """The module that an imported name is, or is in."""
    while name not in MODULES and "." in name:
        name = name.rpartition(".")[0]
    return name


def layer(module: str) -> str:
    part = module.split(".")[1] if "." in module else "contract"
    return "framework" if part in FRAMEWORKS else "shared" if part in SHARED else part


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["vermin", "-t=3.6-", "--violations", "--no-tips", "runners", "tests/runners"],
    ],
    ids=" ".join,
)
def test_the_tools_find_nothing(command: list[str]) -> None:
    """ruff, mypy and vermin as pyproject.toml configures them."""
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    """The driver uses images; runners and report know only themselves; experiments may use both."""
    allowed = {package} | MAY_IMPORT.get(package, set())
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules(package).values()
        for name, line in imports(path)
        if name.split(".")[0] not in allowed
    ]
    assert found == []


def test_the_runners_layers_point_one_way() -> None:
    """contract < machine < data < nets < a framework, registry < worker < parent; a framework knows what it shares."""
    found = []
    for module, path in modules("runners").items():
        if module == "runners":
            continue
        own = layer(module)
        for name, line in imports(path):
            other = layer(name)
            folder, others = module.split(".")[1], name.split(".")[1]
            same = other == own and (own != "framework" or others in (folder, *SHARES[folder]))
            if not same and other not in LAYERS[own]:
                found.append(f"{path.relative_to(ROOT)}:{line}: {name}")
    assert found == []


def test_no_module_imports_itself_through_others() -> None:
    """There is no cycle of imports in any package."""
    graph = {module: {name for name, _ in imports(path)} - {module} for module, path in MODULES.items()}
    while graph:
        leaves = {module for module, names in graph.items() if not names & graph.keys()}
        assert leaves, f"a cycle is among {sorted(graph)}"
        graph = {module: names for module, names in graph.items() if module not in leaves}


@pytest.mark.parametrize("package", ["erabench", "images"])
def test_frameworks_are_declared_once(package: str) -> None:
    """Only the folder of a framework knows its name; everything else reads framework.json."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path in modules(package).values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in FRAMEWORKS
    ]
    assert found == []


def test_modules_and_folders_stay_small() -> None:
    """At most 300 lines per module and 12 modules per folder."""
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES.values()}
    long = {str(path.relative_to(ROOT)): count for path, count in lines.items() if count > LONGEST_MODULE}
    folders = Counter(str(path.parent.relative_to(ROOT)) for path in MODULES.values() if path.name != "__init__.py")
    large = {folder: count for folder, count in folders.items() if count > LARGEST_FOLDER}
    assert (long, large) == ({}, {})


def test_the_rules_see_imports_wherever_they_are(tmp_path: Path) -> None:
    """At the top, in a function, in a string that another interpreter runs, and by importlib."""
    source = tmp_path / "x.py"
    source.write_text(
        "import report.page\n"
        "def f():\n    from runners.machine import cpu, nvml\n"
        "command = ['python', '-c', 'import sys; from runners import registry as r; print(r)']\n"
        "import_module('erabench.cli')\n"
    )
    names = {name for name, _ in imports(source)}
    assert names == {"report.page", "runners.machine.cpu", "runners.machine.nvml", "runners", "erabench.cli"}
