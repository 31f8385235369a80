"""The fleet file: what it gives, and what it refuses, by name and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleet.config import load
from fleet.plan import Cell, make_plan
from images.stack import Problem

EXAMPLES = Path(__file__).resolve().parents[2] / "fleet" / "examples"
GOOD = """\
[fleet]
scheduler = "slurm"
[[node]]
type = "h100"
slurm = ["--gres=gpu:h100:1"]
stacks = ["current"]
"""


def refused(tmp_path: Path, text: str) -> str:
    """Return what is said about a fleet file, without its path."""
    path = tmp_path / "fleet.toml"
    path.write_text(text)
    with pytest.raises(Problem) as caught:
        load(path)
    return str(caught.value).replace(f"{path}:", "")


def test_the_slurm_example_is_a_plan_per_type_stack_and_framework() -> None:
    """Each type has a cell per framework of its stacks; cells of a node carry its name."""
    fleet = load(EXAMPLES / "slurm.toml")
    cells = make_plan(fleet, {"epyc": ["n1", "n2"]})
    names = [cell.id for cell in cells]
    assert names == [
        "epyc@n1/cpu.classical", "epyc@n1/cpu.keras", "epyc@n1/cpu.pytorch",
        "epyc@n2/cpu.classical", "epyc@n2/cpu.keras", "epyc@n2/cpu.pytorch",
        "h100/current.classical", "h100/current.keras", "h100/current.pytorch",
    ]  # fmt: skip
    assert cells[-2].expected == [f"{row}.{device}" for row in cells[-2].rows for device in ("cpu", "gpu")]
    assert fleet.folder == EXAMPLES / "slurm.run"


def test_the_kubernetes_example_is_read() -> None:
    """Labels select nodes; GPUs and resources are limits."""
    fleet = load(EXAMPLES / "kubernetes.toml")
    assert fleet.kubernetes.namespace == "bench"
    assert [one.gpus for one in fleet.types] == [0, 1]
    assert fleet.types[0].resources == {"cpu": "14", "memory": "48Gi"}


def test_a_split_by_rows_is_a_cell_per_row(tmp_path: Path) -> None:
    """With split = "row" and chosen rows only those are cells."""
    path = tmp_path / "fleet.toml"
    path.write_text(GOOD.replace("[[node]]", 'split = "row"\nrows = ["ar", "lstm"]\n[[node]]', 1))
    cells = make_plan(load(path), {})
    assert [cell.id for cell in cells] == ["h100/current.classical.ar", "h100/current.keras.lstm"]
    assert [cell.rows for cell in cells] == [("ar",), ("lstm",)]


def test_a_cell_is_the_same_after_a_round_trip_and_with_another_time(tmp_path: Path) -> None:
    """The fingerprint tells definitions apart, but not time limits."""
    path = tmp_path / "fleet.toml"
    prints = []
    for line in ("", 'time = "01:00:00"', 'profile = "full"'):
        path.write_text(GOOD.replace("[[node]]", f"{line}\n[[node]]", 1))
        cell = make_plan(load(path), {})[0]
        prints.append(cell.fingerprint)
    assert prints[0] == prints[1] != prints[2]
    assert Cell.from_json(vars(cell) | {"rows": list(cell.rows)}) == cell


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("stacks", "stack", r"6: \[\[node\]\] 'h100' stack: unknown key; did you mean 'stacks'\?"),
        ('"current"', '"curent"', r"6: \[\[node\]\] 'h100' stacks: 'curent' is not one of: .*cpu"),
        ('"slurm"', '"pbs"', "2: .*scheduler: 'pbs' is not one of: slurm, kubernetes"),
        ("slurm = [", "engine = \"lxc\"\nslurm = [", "5: .*engine: 'lxc' is not one of: venv, docker, podman"),
        ("--gres=gpu:h100:1", "--account=lab", "5: .*slurm: selects no nodes: give the type's own option"),
        ("--gres=gpu:h100:1", "gres=gpu:h100:1", "5: .*slurm: 'gres=gpu:h100:1' is not an option of sbatch"),
        ('1"]', '1", "--array=0-9"]', "5: .*slurm: '--array=0-9' is set by the fleet itself"),
        ('1"]', '1", "-o x"]', "5: .*slurm: '-o x' is set by the fleet itself"),
        ('1"]', '1", "--clusters=other"]', "5: .*slurm: '--clusters=other' is set by the fleet itself"),
        ('1"]', '1", "--qos=a\\u0000"]', "5: .*slurm: holds a NUL character"),
        ("[[node]]", 'time = "25:61:00"\n[[node]]', r"3: \[fleet\] time: '25:61:00' is not a time; write HH:MM:SS"),
        ("[[node]]", 'time = "00:00:10"\n[[node]]', "3: .*time: '00:00:10' is out of range: at least one minute"),
        ("[[node]]", "version = 2\n[[node]]", "3: .*version: this erabench reads version 1 of the fleet file, not 2"),
        ("[[node]]", "retries = -1\n[[node]]", "3: .*retries: -1 is not between 0 and 100"),
        ("[[node]]", 'retries = "2"\n[[node]]', "3: .*retries: is not a whole number"),
        ("[[node]]", 'rows = ["lstn"]\n[[node]]', "3: .*rows: no row 'lstn'; choose from: .*lstm"),
        ("[[node]]", 'data = "~/data"\n[[node]]', "3: .*data: '~/data' begins with ~, which is not expanded here"),
        ("[[node]]", "[slrum]\n[[node]]", r"3: slrum: unknown key; did you mean 'slurm'\?"),
        ('type = "h100"', 'type = "../h100"', "4: .*type: '../h100' becomes the machine's name"),
        ('type = "h100"', "", r"3: \[\[node\]\] type: is missing"),
        ("stacks", 'expect = {card = "x"}\nstacks', "6: .*expect: unknown key 'card'; known keys: cpu, driver, gpu"),
        ("stacks", 'nodes = "all"\nstacks', "6: .*nodes: 'all' is not one of: any, each"),
        ("stacks", 'nodes = ["a b"]\nstacks', "6: .*nodes: 'a b' is not a node's name"),
        ("stacks", "devices = []\nstacks", "6: .*devices: is empty"),
        ("[[node]]", "[node]", r"3: node: is not a list of tables; write \[\[node\]\]"),
        ("[fleet]", "[fleet", "not valid TOML"),
        (GOOD[GOOD.index("[[node]]") :], "", r"no \[\[node\]\]"),
        ("current", "cur\\u0000rent", "stacks: "),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_by_name_and_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Every mistake names its line, the key, the value and what to write."""
    assert re.search(said, refused(tmp_path, GOOD.replace(old, new, 1)))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """The file is read to its end; the lines come in order."""
    text = GOOD.replace("stacks", "stack").replace('"slurm"', '"pbs"') + GOOD[GOOD.index("[[node]]") :]
    lines = refused(tmp_path, text).splitlines()
    assert [line.split(":")[0] for line in lines] == ["2", "3", "6", "8"]
    assert "a second [[node]] of type 'h100'" in lines[-1]


def test_kubernetes_wants_labels_an_image_and_no_engine_in_the_pod(tmp_path: Path) -> None:
    """What a pod cannot do is refused before anything is submitted."""
    text = GOOD.replace('"slurm"', '"kubernetes"') + 'engine = "docker"\n'
    said = refused(tmp_path, text)
    assert "kubernetes: selects no nodes: give labels" in said
    assert "image: is missing" in said
    assert "engine: 'docker' cannot run inside a sealed pod" in said


def test_a_missing_file_names_the_cure(tmp_path: Path) -> None:
    """No file, and a folder instead of one."""
    with pytest.raises(Problem, match=r"no such file; name one with FLEET=, or copy one of fleet/examples/"):
        load(tmp_path / "none.toml")
    with pytest.raises(Problem, match="cannot be read"):
        load(tmp_path)
