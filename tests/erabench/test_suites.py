"""Suites of tests that are run by name, and the tools that npm installs for the tests."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest

from erabench import suites
from erabench.suites import NPM_TOOLS, install_npm_packages
from images.stack import Problem

NPM = """#!/bin/sh
echo "$@" >> {log}
[ -e {broken} ] && { echo "npm error code ENOTFOUND" >&2; exit 1; }
mkdir -p "$3/node_modules" && touch "$3/node_modules/.package-lock.json"
"""


@pytest.fixture(name="folder")
def folder_with_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock, and an npm that notes what it is asked for."""
    (tmp_path / "package-lock.json").write_text("{}")
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(NPM.replace("{log}", str(tmp_path / "log")).replace("{broken}", str(tmp_path / "broken")))
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:{os.environ['PATH']}")
    return tmp_path


@pytest.mark.parametrize(("options", "errors"), [(["-k", "nothing-has-this-name"], 0), ([], 1)])
def test_a_suite_without_a_selected_test_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], errors: int
) -> None:
    """One without any test is."""
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n" if options else "")
    made = SimpleNamespace(interpreter=sys.executable)
    monkeypatch.setattr(suites, "prepared", lambda suite: (made, []))
    assert suites.run(suites.Suite("x", "", "", [str(tmp_path)]), options)["error"] == errors


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("eras", ["eras"]),
        ("keras on gtx1080", ["keras on gtx1080"]),
        ("jax", ["jax on cpu"]),
        ("keras_", ["keras_jax on cpu", "keras_torch on cpu"]),
        ("nothing", []),
    ],
)
def test_a_word_selects_the_suites_that_have_it(word: str, names: list[str]) -> None:
    """As a whole word where there is one, so that "eras" does not run Keras' suites; otherwise by its letters."""
    assert [suite.name for suite in suites.selected(word)] == names


def test_with_no_word_all_but_the_containers_run() -> None:
    """They need an engine."""
    everything = [suite.name for suite in suites.suites()]
    assert [suite.name for suite in suites.selected("")] == everything[:-1]
    assert everything[-1] == "containers"


def test_a_suite_that_there_is_not_is_named() -> None:
    """With those that there are."""
    with pytest.raises(Problem, match=r"no suite's name contains 'hots'; choose from: host, "):
        suites.test(Namespace(words=["hots"]))


def test_npm_is_asked_once_and_again_when_the_lock_is_newer(folder: Path) -> None:
    """By the lock alone (npm ci), and no script of a package runs."""
    for _ in range(2):
        install_npm_packages(folder)
    (asked,) = (folder / "log").read_text().splitlines()
    assert asked.startswith(f"ci --prefix {folder} --ignore-scripts")
    there = (folder / "node_modules" / ".package-lock.json").stat()
    os.utime(folder / "package-lock.json", ns=(there.st_atime_ns, there.st_mtime_ns + 10**9))
    install_npm_packages(folder)
    assert len((folder / "log").read_text().splitlines()) == 2


def test_an_npm_that_fails_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The other tests run all the same."""
    (folder / "broken").touch()
    install_npm_packages(folder)
    assert capsys.readouterr().err == (
        f"erabench: npm could not install the tools in {folder}, so their tests are skipped: npm error code ENOTFOUND\n"
    )


def test_without_npm_nothing_happens(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests that need its packages are skipped with their reason."""
    monkeypatch.setenv("PATH", str(folder / "nowhere"))
    install_npm_packages(folder)
    assert not (folder / "log").exists()


def test_the_lock_has_a_hash_for_every_package_and_names_no_registry() -> None:
    """Whatever registry npm is configured for, it has to deliver these files."""
    lock = json.loads((NPM_TOOLS / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 10
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]
