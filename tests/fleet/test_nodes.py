"""Which nodes a type's selector means, for `nodes = "each"`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from fake_scheduler import fleet_of

from fleet.config import load
from fleet.schedulers import slurm_nodes
from fleet.schedulers.slurm_nodes import NoNodes, Undetermined, nodes_of

SINFO = """\
a1|epyc,big|(null)|all
a1|epyc,big|(null)|other
a2|epyc|gpu:h100:8(S:0-1)|all
a3|rome|gpu:a100:4,nic:1|all
b1|epyc|gpu:h100:1|other
"""


@pytest.fixture(autouse=True)
def sinfo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer as a cluster with two partitions."""

    def ask(command: Sequence[str]) -> str:
        answers = {"scontrol": "a1\na2\n", "--format=%P|%l": "all*|1:00:00\nother|infinite\n"}
        return answers.get(command[0]) or answers.get(command[-1]) or SINFO

    monkeypatch.setattr(slurm_nodes, "ask", ask)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--constraint=epyc"], ["a1", "a2"]),
        (["-C epyc&big"], ["a1"]),
        (["--constraint=big|rome"], ["a1", "a3"]),
        (["--gres=gpu:h100:1"], ["a2"]),
        (["--gres=gpu:1,nic:1"], ["a3"]),
        (["--constraint=epyc", "--partition=all,other"], ["a1", "a2", "b1"]),
        (["-pother"], ["a1", "b1"]),
        (["-w a[1-2]"], ["a1", "a2"]),
    ],
)
def test_a_selector_means_the_nodes_that_sinfo_lists(tmp_path: Path, options: list[str], names: list[str]) -> None:
    """Features, generic resources, partitions and node lists; each node once."""
    assert found(tmp_path, options) == names


def test_a_selector_that_sinfo_cannot_answer_is_refused(tmp_path: Path) -> None:
    """With the line, and the way out."""
    for option in ("--gpus=h100:1", "--exclude=a1", "-x a1", "--constraint=[a|b]"):
        with pytest.raises(Undetermined, match=r'fleet.toml:\d+: .* "each" cannot list the nodes of .*; name them:'):
            found(tmp_path, ["--partition=all", option])
    with pytest.raises(NoNodes, match="no node of the cluster has --constraint=arm"):
        found(tmp_path, ["--constraint=arm"])


def found(folder: Path, options: list[str]) -> list[str]:
    """Return the nodes of a type with these options."""
    file = fleet_of(folder, "a").path
    file.write_text(file.read_text().replace('"--constraint=a"', ", ".join(f'"{one}"' for one in options)))
    fleet = load(file)
    return nodes_of(fleet, fleet.types[0])
