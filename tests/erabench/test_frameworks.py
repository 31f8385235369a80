"""`make frameworks`: which rows it measures, what it leaves out, and that a bench keeps its own rows."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from machines import ROOT
from made_up import Bench

from erabench import frameworks
from erabench.bench import run as module
from erabench.frameworks import Framework, select, select_nets
from images.stack import Problem

KNOWN = [
    Framework("keras", ("cpu",), ("lstm", "bilstm"), ("lstm",), {"densenet-keras": "densenet"}),
    Framework("new", ("cpu",), (), (), {"lstm-new": "lstm"}),
    Framework("pytorch", ("cpu",), ("densenet", "other"), ("densenet",), {"lstm-pytorch": "lstm"}),
]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three frameworks that share two nets."""
    monkeypatch.setattr(frameworks, "frameworks", lambda: KNOWN)


@pytest.mark.usefixtures("known")
def test_a_bench_has_the_published_rows_and_model_selects_any() -> None:
    """A twin is measured where somebody names it."""
    assert select([]) == {"keras": ["lstm", "bilstm"], "pytorch": ["densenet", "other"]}
    assert select(["lstm", "lstm-new"]) == {"keras": ["lstm"], "new": ["lstm-new"]}
    with pytest.raises(Problem, match="MODEL=lstm-x: no such row; choose from: lstm, "):
        select(["lstm-x"])


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("nets", "names", "chosen"),
    [
        (
            [],
            [],
            {"keras": ["lstm", "densenet-keras"], "new": ["lstm-new"], "pytorch": ["densenet", "lstm-pytorch"]},
        ),
        (["lstm"], [], {"keras": ["lstm"], "new": ["lstm-new"], "pytorch": ["lstm-pytorch"]}),
        (["densenet"], [], {"keras": ["densenet-keras"], "pytorch": ["densenet"]}),
        (["lstm"], ["new", "pytorch"], {"new": ["lstm-new"], "pytorch": ["lstm-pytorch"]}),
    ],
)
def test_a_comparison_has_the_nets_that_several_frameworks_share(
    nets: list[str], names: list[str], chosen: dict[str, list[str]]
) -> None:
    """The published row of a net is one of them."""
    assert select_nets(nets, names) == chosen


@pytest.mark.usefixtures("known")
def test_a_net_or_framework_that_nobody_shares_is_refused() -> None:
    """With the choice."""
    with pytest.raises(Problem, match="NET=bilstm: no such net; choose from: densenet, lstm"):
        select_nets(["bilstm"], [])
    with pytest.raises(Problem, match="FRAMEWORK=new: no such framework; choose from: keras, pytorch"):
        select_nets(["densenet"], ["new"])


def compare(made: Bench, **variables: str) -> int:
    """The exit status of `make frameworks`."""
    return module.compare_frameworks(made.asked(**variables))


def test_the_rows_are_measured_and_proven(made: Bench) -> None:
    """In rounds, as a bench measures them; the runners are told to prove."""
    assert compare(made, NET="lstm", FRAMEWORK="pytorch,keras", DEVICE="cpu") == 0
    assert {name: words[1] for name, words in made.engines["docker"].ran.items()} == {
        "keras": "lstm",
        "pytorch": "lstm-pytorch",
    }
    assert all("--prove" in words for words in made.engines["docker"].ran.values())
    assert made.fetched == ["airline"]


def test_what_the_reference_computed_does_not_stay(made: Bench) -> None:
    """It is there for the frameworks of one comparison; checkpoints of a training stay."""
    kept = made.folder / "machine/cpu/.checkpoints"
    for name in ("references", "lstm.cpu.0123"):
        (kept / name).mkdir(parents=True)
        (kept / name / "file").write_text("")
    assert compare(made, NET="lstm", DEVICE="cpu") == 0
    assert [folder.name for folder in kept.iterdir()] == ["lstm.cpu.0123"]


def test_tuned_tries_the_speed_settings_after_the_rounds(made: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the rows that have any."""
    assert compare(made, NET="lstm", DEVICE="cpu") == 0
    assert "--prove" in made.engines["docker"].ran["keras_jax"]
    monkeypatch.setenv("TUNED", "1")
    assert compare(made, NET="lstm", DEVICE="cpu") == 0
    tuned = {name for name, words in made.engines["docker"].ran.items() if "--tune" in words}
    assert tuned == {"jax", "keras", "keras_torch", "pytorch"}
    assert "--prove" in made.engines["docker"].ran["keras_jax"]


def test_tuned_without_any_setting_is_refused_before_anything_is_measured(
    made: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what was given."""
    monkeypatch.setenv("TUNED", "1")
    with pytest.raises(Problem, match="NET=lstm FRAMEWORK=keras_jax: nothing to tune; choose rows of: jax, "):
        compare(made, NET="lstm", FRAMEWORK="keras_jax")
    assert not made.engines["docker"].ran


def test_a_framework_without_a_lock_is_left_out_and_said(
    made: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no failure, unless somebody named it. Several are in the order of their names."""
    monkeypatch.setattr(module, "frameworks", lambda _: ["keras", "pytorch"])
    assert compare(made, NET="lstm") == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert said[0] == "erabench: jax: stack cpu has no lock for it; left out: lstm-jax"
    assert [line.split(": ")[1] for line in said] == ["jax", "keras_jax", "keras_torch"]
    assert compare(made, NET="lstm", FRAMEWORK="jax") == 2
    assert "stack cpu has no lock for jax; its rows are left out" in capsys.readouterr().err


def test_a_reader_of_the_list_may_go() -> None:
    """As head does: that is no error."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "erabench", "list"]
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}  # with a buffer the error comes at the end
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
