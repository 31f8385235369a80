"""What goes into an image, and when it is rebuilt."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from images import recipe as module
from images import stack as stack_module
from images.recipe import DOCKERFILE, distribution, fill_context, named_wheels, recipe
from images.stack import Problem, base, frameworks, locks, settings, stacks


@pytest.mark.parametrize("stack", stacks())
def test_every_framework_of_every_stack_has_a_recipe(stack: str) -> None:
    """Base image, lock and check are there."""
    for framework in frameworks(stack):
        made = recipe(stack, framework)
        assert made.image == f"erabench/{framework}:{stack}"
        assert made.check.startswith("import ")
        assert re.fullmatch("[0-9a-f]{64}", made.sha256)


def test_a_recipe_changes_with_each_of_its_ingredients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a rebuilt image never passes for the old one."""
    made = recipe("gtx1080", "classical")
    lock = tmp_path / "classical.lock"
    lock.write_text(made.lock.read_text() + "\n")
    others = [
        made._replace(base="another"),
        made._replace(locks=(made.locks[0], lock)),
        made._replace(locks=(made.lock,)),
        made._replace(python_versions="3.7"),
        made._replace(check="import os"),
    ]
    hashes = {made.sha256, *(other.sha256 for other in others)}
    for name in ("Dockerfile", "install.sh"):
        changed = tmp_path / name
        changed.write_text((DOCKERFILE.parent / name).read_text() + "\n")
        with monkeypatch.context() as patch:
            patch.setattr(module, *(("DOCKERFILE", changed) if name == "Dockerfile" else ("INSTALLER", (changed,))))
            hashes.add(made.sha256)
    assert len(hashes) == 8


def test_the_base_image_can_be_overridden_for_one_framework_or_for_all() -> None:
    """The more specific name goes first, and the environment before the stack."""
    both = {"BASE": "all/of:them", "BASE_KERAS": "only/keras:1"}
    assert base("gtx1080", "keras", both) == "only/keras:1"
    assert base("gtx1080", "pytorch", both) == "all/of:them"
    assert base("gtx1080", "keras", {}).startswith("tensorflow/tensorflow:1.15.5-gpu-py3@sha256:")
    assert base("gtx1080", "pytorch", {}).startswith("pytorch/pytorch:0.4.1-cuda9-cudnn7-devel@sha256:")


def test_a_stack_without_a_base_image_is_named_with_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for a framework that is new."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "stack.env").write_text("# nothing\nPYTHON_VERSIONS=3.11 3.12\n")
    (tmp_path / "bare" / "keras.lock").write_text("")
    monkeypatch.setattr(stack_module, "STACKS", tmp_path)
    with pytest.raises(Problem, match="stack bare names no base image for keras; set BASE_KERAS to one"):
        recipe("bare", "keras")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PYTHON_VERSIONS 3.11\n", "stack.env: 'PYTHON_VERSIONS 3.11' is no setting; write NAME=value, or # before"),
        ("# 3.11 = new\n\nBASE=some/base:1\n", "stack.env: PYTHON_VERSIONS is missing; add the versions"),
    ],
)
def test_a_damaged_stack_is_named_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    """People write stacks of their own (docs/stacks.md)."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "stack.env").write_text(text)
    monkeypatch.setattr(stack_module, "STACKS", tmp_path)
    with pytest.raises(Problem, match=f"^{tmp_path}/own/{said}"):
        settings("own")


def test_the_locks_of_an_environment_end_with_its_own() -> None:
    """Before it the setuptools that old source packages build with, where a stack has such a lock."""
    assert [path.name for path in locks("gtx1080", "keras")] == ["bootstrap.lock", "keras.lock"]
    assert [path.name for path in locks("cpu", "tests")] == ["tests.lock"]


def test_an_unknown_stack_or_framework_is_named_with_those_there_are() -> None:
    """Nothing is guessed."""
    with pytest.raises(Problem, match=r"^STACK=gtx980: no such stack; choose from: 2018, .*, cpu, current, gtx1080$"):
        frameworks("gtx980")
    with pytest.raises(
        Problem,
        match=r"no lock for framework 'chainer'; choose from: classical, jax, keras, keras_jax, keras_torch, pytorch$",
    ):
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
    with pytest.raises(Problem, match=r"WHEELS=\S+missing: no such directory"):
        named_wheels(recipe("cpu", "keras"), tmp_path / "missing")
    with pytest.raises(Problem, match=r"none of its files is named by images/stacks/cpu/keras\.lock"):
        named_wheels(recipe("cpu", "keras"), tmp_path)


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
def test_a_file_name_gives_package_and_version(filename: str, expected: tuple[str, str]) -> None:
    """Wheels and source distributions."""
    assert distribution(filename) == expected


def test_the_dockerfile_takes_base_and_packages_from_the_stack_alone() -> None:
    """No package manager, no download, no code, no framework's name; an ordinary user and no health check."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    assert "FROM ${BASE}" in text
    assert not re.search(r"\b(ADD|apt|apt-get|apk|conda|curl|wget|git)\b", text)
    assert not re.search("|".join(frameworks("cpu")), text)
    assert re.findall(r"^COPY (.*)$", text, re.MULTILINE) == ["install.sh shrink.py *.lock /opt/erabench-build/"]
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] == "10001:10001"
    assert "HEALTHCHECK NONE" in text
