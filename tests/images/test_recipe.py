"""What goes into an image, and when it is made anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import recipe as module
from machines import ROOT
from recipe import distribution, fill_context, recipe
from stack import Problem, frameworks, stacks

DOCKERFILES = sorted((ROOT / "images").glob("*/Dockerfile"))


@pytest.mark.parametrize("stack", stacks())
def test_every_framework_of_every_stack_has_a_recipe(stack: str) -> None:
    """Base, lock and Dockerfile are there; so is the report's."""
    for framework in [*frameworks(stack), "report"]:
        made = recipe(stack, framework)
        assert made.image == f"erabench/{framework}:{stack}"
        assert re.fullmatch("[0-9a-f]{64}", made.sha256)
        assert made.dockerfile in DOCKERFILES


def test_a_recipe_changes_with_each_of_its_ingredients(tmp_path: Path) -> None:
    """So a rebuilt image never passes for the old one."""
    made = recipe("gtx1080", "classical")
    lock = tmp_path / "classical.lock"
    lock.write_text(made.lock.read_text() + "\n")
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(made.dockerfile.read_text() + "\n")
    others = [
        made._replace(base="another"),
        made._replace(lock=lock),
        made._replace(dockerfile=dockerfile),
        made._replace(bootstrap=None),
        made._replace(python_versions="3.7"),
    ]
    assert len({made.sha256, *(other.sha256 for other in others)}) == 6


def test_the_base_can_be_overridden_for_one_framework_or_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearer word counts; the report's base is its own."""
    monkeypatch.setenv("BASE", "all/of:them")
    monkeypatch.setenv("BASE_KERAS", "only/keras:1")
    assert recipe("gtx1080", "keras").base == "only/keras:1"
    assert recipe("gtx1080", "pytorch").base == "all/of:them"
    assert recipe("gtx1080", "report").base.startswith("python:3.11")


def test_an_unknown_framework_is_named_with_those_there_are() -> None:
    """Nothing is guessed."""
    said = "'chainer' is no framework of stack cpu. Take one of: classical, keras, pytorch, report."
    with pytest.raises(Problem, match=re.escape(said)):
        recipe("cpu", "chainer")


def test_a_build_sees_only_the_installer_the_locks_and_the_wheels_they_name(tmp_path: Path) -> None:
    """Neither the code nor another stack's wheels."""
    wheels, context = tmp_path / "wheels", tmp_path / "context"
    wheels.mkdir()
    context.mkdir()
    for name in ("numpy-1.13.3-cp36-cp36m-manylinux1_x86_64.whl", "numpy-2.4.6-cp311-cp311-linux_x86_64.whl",
                 "python_dateutil-2.6.1-py2.py3-none-any.whl", "pip-21.3.1-py3-none-any.whl", "notes.txt"):  # fmt: skip
        (wheels / name).write_text("")
    fill_context(recipe("gtx1080", "classical"), context, wheels)
    assert sorted(str(path.relative_to(context)) for path in context.rglob("*") if path.is_file()) == [
        "bootstrap.lock",
        "classical.lock",
        "install.sh",
        "shrink.py",
        "wheels/numpy-1.13.3-cp36-cp36m-manylinux1_x86_64.whl",
        "wheels/pip-21.3.1-py3-none-any.whl",
        "wheels/python_dateutil-2.6.1-py2.py3-none-any.whl",
    ]


def test_a_wheel_directory_that_does_not_help_is_named(tmp_path: Path) -> None:
    """Missing, or with nothing of the lock in it."""
    with pytest.raises(Problem, match=r"WHEELS=\S+missing: there is no such directory"):
        module.named_wheels(recipe("cpu", "keras"), tmp_path / "missing")
    with pytest.raises(Problem, match=r"it holds nothing that images/stacks/cpu/keras\.lock names"):
        module.named_wheels(recipe("cpu", "keras"), tmp_path)


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("torch-2.14.1-cp311-cp311-manylinux_2_28_x86_64.whl", ("torch", "2.14.1")),
        ("Keras_Applications-1.0.8-py3-none-any.whl", ("keras-applications", "1.0.8")),
        ("termcolor-1.1.0.tar.gz", ("termcolor", "1.1.0")),
        ("python-dateutil-2.6.1.zip", ("python-dateutil", "2.6.1")),
        ("strange.whl", ("", "")),
    ],
)
def test_a_file_name_tells_package_and_version(filename: str, expected: tuple[str, str]) -> None:
    """Wheels and source distributions."""
    assert distribution(filename) == expected


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_a_dockerfile_takes_base_and_packages_from_the_stack_alone(path: Path) -> None:
    """No package manager, no download, no code; an ordinary user and no health check."""
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE)
    instructions = [line.split()[0] for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    assert "FROM ${BASE}" in text
    assert not re.search(r"\b(apt|apt-get|apk|conda|curl|wget|git)\b", text)
    assert re.findall(r"^COPY (.*)$", text, re.MULTILINE) == ["install.sh shrink.py *.lock /opt/erabench-build/"]
    assert "ADD" not in instructions
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] == "10001:10001"
    assert "HEALTHCHECK NONE" in text
    for label in ("source", "revision", "base.name", "base.digest"):
        assert f"org.opencontainers.image.{label}=" in text
    assert "erabench.stack=" in text
    assert "erabench.lock-sha256=" in text
