"""An environment is made once, whole or not at all, from nothing but its lock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "images" / "venv.py"
sys.path.insert(0, str(SCRIPT.parent))
sys.modules.pop("venv", None)  # the standard library has one of the same name
import venv


def make(folder: Path, lock: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, folder, lock], capture_output=True, text=True)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of nothing: an environment without a network."""
    path = tmp_path / "some.lock"
    path.write_text("# nothing\n")
    return path


def test_the_first_use_makes_it_and_the_second_finds_it(tmp_path: Path, lock: Path) -> None:
    """The second time there is nothing to say."""
    first, second = make(tmp_path / "env", lock), make(tmp_path / "env", lock)
    assert (first.returncode, second.returncode, second.stderr) == (0, 0, "")
    assert "(first use)" in first.stderr
    assert (tmp_path / "env/bin/python").exists()


def test_a_changed_lock_makes_it_anew(tmp_path: Path, lock: Path) -> None:
    """Nothing of the old one stays."""
    make(tmp_path / "env", lock)
    (tmp_path / "env/left-over").touch()
    lock.write_text("# something else\n")
    done = make(tmp_path / "env", lock)
    assert (done.returncode, (tmp_path / "env/left-over").exists()) == (0, False)
    assert "(its lock or its Python changed)" in done.stderr


def test_an_interrupted_one_is_made_anew(tmp_path: Path, lock: Path) -> None:
    """The stamp is written last, so half an environment has none."""
    make(tmp_path / "env", lock)
    (tmp_path / "env" / venv.STAMP).unlink()
    (tmp_path / "env/half").touch()
    assert make(tmp_path / "env", lock).returncode == 0
    assert not (tmp_path / "env/half").exists()


def test_a_missing_lock_is_named_with_its_cure(tmp_path: Path) -> None:
    """Exit status 2 and one line."""
    done = make(tmp_path / "env", tmp_path / "no.lock")
    assert (done.returncode, done.stderr) == (
        2,
        f"erabench: there is no lock '{tmp_path}/no.lock'; `make lock` makes it, or choose a stack that has it\n",
    )


def test_a_package_without_a_hash_is_not_installed(tmp_path: Path, lock: Path) -> None:
    """Pip refuses the whole lock, and the environment does not count as made."""
    lock.write_text("six==1.17.0\n")
    done = make(tmp_path / "env", lock)
    assert done.returncode == 2
    assert "Hashes are required in --require-hashes mode" in done.stderr
    assert not (tmp_path / "env" / venv.STAMP).exists()


@pytest.mark.parametrize(
    ("said", "cured"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "a package differs from its hash"),
        ("NewConnectionError: Temporary failure in name resolution", "the package index cannot be reached"),
        ("No module named ensurepip", "this Python lacks venv"),
        ("ERROR: No matching distribution found for torch==2.14.1", "the lock has no package for this Python"),
        ("something unheard of", "what it said stands above"),
    ],
)
def test_each_way_to_fail_has_its_cure(said: str, cured: str) -> None:
    """By what pip says of it."""
    assert venv.cure(said).startswith(cured)


def test_no_network_is_told_as_such_and_leaves_no_environment(tmp_path: Path, lock: Path) -> None:
    """An index on a port where nobody listens; the next run begins anew."""
    lock.write_text(f"erabench-there-is-no-such-package==1 --hash=sha256:{'0' * 64}\n")
    alone = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    environment = {**{name: value for name, value in os.environ.items() if not name.startswith("PIP_")}, **alone}
    command = [sys.executable, SCRIPT, tmp_path / "env", lock]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "the package index cannot be reached: check the network or proxy" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "env" / venv.STAMP).exists()


def test_a_python_that_is_not_there_is_named_with_its_cure() -> None:
    """The message tells what there is instead."""
    with pytest.raises(venv.SetupError, match=r"this needs Python 2\.0 or 2\.1, and there is only 3\.\d+\.\d+ "):
        venv.find_python(["2.0", "2.1"])


def test_this_python_is_taken_where_it_will_do() -> None:
    """No other is looked for."""
    assert venv.find_python(["2.0", "{}.{}".format(*sys.version_info)]) == sys.executable


def test_a_folder_that_cannot_be_written_is_told(lock: Path, tmp_path: Path) -> None:
    """Here a file stands where the folder should be."""
    (tmp_path / "file").touch()
    done = make(tmp_path / "file/env", lock)
    assert done.returncode == 2
    assert done.stderr.startswith(f"erabench: cannot write '{tmp_path}/file'")


def test_the_user_s_site_packages_are_out_of_reach(tmp_path: Path, lock: Path) -> None:
    """As `make bench` calls it, no module of theirs can be imported."""
    make(tmp_path / "env", lock)
    script = "import site, sys; print(site.ENABLE_USER_SITE, any('.local' in path for path in sys.path))"
    said = subprocess.run([tmp_path / "env/bin/python", "-s", "-c", script], capture_output=True, text=True)
    assert said.stdout == "False False\n"
