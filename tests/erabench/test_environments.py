"""An environment is made once from nothing but its lock, complete or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from machines import ROOT

from erabench.environments import build, locks, pip
from erabench.environments.build import STAMP, Environment, advice, defect, make
from erabench.environments.python import find_python
from images.stack import Problem

PACKAGE = build.entry(ROOT / "images/tests.lock", "iniconfig")  # a package of one file, in a lock of the project's own
UV = locks.own("host").folder / "bin" / "uv"  # `make test` has made it
NO_INDEX = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment of nothing, which needs no network; uv has a cache of its own."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    lock = tmp_path / "some.lock"
    lock.write_text("# nothing\n")
    return Environment(tmp_path / "env", (lock,), sys.executable)


def test_it_is_made_at_first_use_and_found_at_the_second(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second time nothing is printed."""
    make(environment, UV)
    assert "(first use)" in capsys.readouterr().err
    make(environment, UV)
    assert capsys.readouterr().err == ""
    assert subprocess.run([environment.interpreter, "-c", ""], check=True).returncode == 0


def test_a_changed_lock_rebuilds_it(environment: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of the old one stays."""
    make(environment, UV)
    (environment.folder / "left-over").touch()
    environment.locks[0].write_text("# something else\n")
    make(environment, UV)
    assert not (environment.folder / "left-over").exists()
    assert "(its lock or its Python changed)" in capsys.readouterr().err


def test_an_interrupted_one_is_rebuilt(environment: Environment) -> None:
    """The stamp is written last, so half an environment has none."""
    make(environment, UV)
    (environment.folder / STAMP).unlink()
    assert defect(environment) == "it is incomplete"
    make(environment, UV)
    assert defect(environment) == ""


def test_what_is_no_environment_is_not_removed(environment: Environment) -> None:
    """VENVS may name a folder in which a folder of the user has an environment's name."""
    environment.folder.mkdir(parents=True)
    (environment.folder / "thesis.txt").touch()
    with pytest.raises(Problem, match="was not made by erabench; choose another VENVS, or remove it"):
        make(environment, UV)
    assert (environment.folder / "thesis.txt").exists()


@pytest.mark.parametrize("change", ["removed", "added", "edited"])
def test_a_tampered_one_is_rebuilt_as_the_lock_has_it(environment: Environment, change: str) -> None:
    """Also when the edit went through a hard link into uv's cache."""
    environment.locks[0].write_text(PACKAGE)
    make(environment, UV)
    packages = environment.packages
    original = (packages / "iniconfig" / "__init__.py").read_text()
    if change == "removed":
        (packages / "iniconfig" / "__init__.py").unlink()
    elif change == "added":
        (packages / "surprise.py").touch()
    else:
        with (packages / "iniconfig" / "__init__.py").open("a") as file:
            file.write("# edited\n")
    assert defect(environment) == "its files were changed"
    make(environment, UV)
    assert (packages / "iniconfig" / "__init__.py").read_text() == original
    assert not (packages / "surprise.py").exists()
    assert defect(environment) == ""


def test_byte_code_is_no_change(environment: Environment) -> None:
    """Python writes it at the first import."""
    environment.locks[0].write_text(PACKAGE)
    make(environment, UV)
    subprocess.run([environment.interpreter, "-c", "import iniconfig"], env={}, check=True)
    assert list(environment.packages.rglob("*.pyc"))
    assert defect(environment) == ""


def test_what_is_imported_first_has_its_byte_code(environment: Environment) -> None:
    """As after pip, so that the first process that is timed compiles nothing."""
    environment.locks[0].write_text(PACKAGE)
    make(environment._replace(first_import="import iniconfig; import missing"), UV)
    assert list(environment.packages.rglob("iniconfig/__pycache__/__init__.*.pyc"))
    assert defect(environment) == ""


def test_its_files_are_links_into_uv_s_cache(environment: Environment) -> None:
    """Eight gigabytes exist once, however many environments use them."""
    environment.locks[0].write_text(PACKAGE)
    make(environment, UV)
    assert (environment.packages / "iniconfig" / "__init__.py").stat().st_nlink > 1


def test_a_missing_lock_is_named_with_its_cure(tmp_path: Path) -> None:
    """Nothing is made."""
    with pytest.raises(Problem, match=r"no\.lock is missing; make lock makes it, or choose a stack that has it"):
        make(Environment(tmp_path / "env", (tmp_path / "no.lock",), sys.executable), UV)
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize(
    ("lock", "why"),
    [
        ("iniconfig==2.3.0\n", "the lock has a package without a hash"),
        (f"{PACKAGE.splitlines()[0]}\n    --hash=sha256:{'0' * 64}\n", "a package differs from its hash in the lock"),
    ],
)
def test_a_package_that_its_hash_does_not_prove_is_not_installed(environment: Environment, lock: str, why: str) -> None:
    """It may have been altered on its way; the environment does not count as made."""
    environment.locks[0].write_text(lock)
    with pytest.raises(Problem, match=why):
        make(environment, UV)
    assert defect(environment) != ""


def test_no_network_is_reported_as_such(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the index that pip is configured with is a port on which nobody listens: uv asks it too."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    for name, value in NO_INDEX.items():
        monkeypatch.setenv(name, value)
    environment.locks[0].write_text(f"erabench-there-is-no-such-package==1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(Problem, match="the package index cannot be reached"):
        make(environment, UV)
    assert defect(environment) != ""


@pytest.mark.parametrize(
    ("output", "cure"),
    [
        ("failed to copy file: No space left on device (os error 28)", "the disk is full"),
        ("Hash mismatch for `six==1.17.0`", "a package differs from its hash"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "a package differs from its hash"),
        ("error sending request for url: dns error", "the package index cannot be reached"),
        ("NewConnectionError: Temporary failure in name resolution", "the package index cannot be reached"),
        ("Could not find a version that satisfies uv==0.13.9 (from versions: none)", "the package index cannot be"),
        ("client error (Connect): invalid peer certificate: UnknownIssuer", "the package index is not trusted"),
        ("No module named ensurepip", "this Python lacks venv"),
        ("error: No solution found when resolving dependencies", "the lock has no package for this Python"),
        ("something unknown", "fix the error above"),
    ],
)
def test_each_way_to_fail_has_its_cure(output: str, cure: str) -> None:
    """By what uv and pip print."""
    assert advice(output).startswith(cure)


def test_a_folder_that_cannot_be_written_is_named(environment: Environment, tmp_path: Path) -> None:
    """Here a file is in its place."""
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match=rf"cannot write '{tmp_path}/file/env'.*choose another VENVS"):
        make(environment._replace(folder=tmp_path / "file/env"), UV)


def test_a_python_that_is_missing_is_named_with_its_cure() -> None:
    """The message names what was found instead."""
    with pytest.raises(Problem, match=r"Python 2\.0 or 2\.1 is needed, and only 3\.\d+\.\d+ "):
        find_python(["2.0", "2.1"])


def test_this_python_is_taken_if_it_fits() -> None:
    """No other is looked for."""
    assert find_python(["2.0", "{}.{}".format(*sys.version_info)]) == sys.executable


def test_the_user_s_packages_are_out_of_reach(environment: Environment) -> None:
    """As the bench starts Python, none of them can be imported."""
    make(environment, UV)
    program = "import site, sys; print(site.ENABLE_USER_SITE, any('.local' in path for path in sys.path))"
    done = subprocess.run([environment.interpreter, "-s", "-c", program], capture_output=True, text=True)
    assert done.stdout == "False False\n"


def test_the_host_s_environment_gets_uv_from_pip_and_the_rest_from_uv(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once; and it goes before what the user has installed."""
    lock = tmp_path / "host.lock"
    lock.write_text(build.entry(ROOT / "images/host.lock", "uv") + PACKAGE)
    environment = environment._replace(folder=tmp_path / "host", locks=(lock,))
    monkeypatch.setattr(locks, "own", lambda _: environment)
    monkeypatch.setattr(sys, "path", list(sys.path))
    locks.host.cache_clear()
    assert locks.uv() == tmp_path / "host/bin/uv"
    assert sys.path[0] == str(environment.packages)
    assert (environment.packages / "iniconfig").is_dir()
    locks.host.cache_clear()


def test_pip_s_configuration_becomes_uv_s() -> None:
    """Later sections are stronger; what pip alone needs is left out."""
    listing = """\
:env:.index-url='https://one.example/simple'
global.index-url='https://two.example/simple'
global.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'
global.disable-pip-version-check='1'
install.find-links='/wheels /more'
install.trusted_host='one.example'
global.cert='/etc/ca.pem'
download.no-index='true'
"""
    assert pip.translated(listing) == {
        "UV_DEFAULT_INDEX": "https://one.example/simple",
        "UV_INDEX": "https://a.example/simple https://b.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_INSECURE_HOST": "one.example",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }


def test_what_the_user_tells_uv_goes_before_what_pip_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set stays as it is."""
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    assert "UV_DEFAULT_INDEX" not in pip.as_uv_settings(UV.with_name("python"))
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    assert pip.as_uv_settings(UV.with_name("python"))["UV_DEFAULT_INDEX"] == "https://pip.example/simple"


def test_an_index_that_is_switched_off_is_off_for_uv_too() -> None:
    """uv has an option for it, and no variable."""
    assert pip.options(pip.translated("global.no-index='true'\n")) == ["--no-index"]
    assert pip.options({}) == []


AFTER_THE_IMPORT = """
import sys
from pathlib import Path
from erabench.environments.locks import HOST_IMPORT
exec(HOST_IMPORT)
before = set(sys.modules)
from report.__main__ import main
status = main(["--results", "docs/example/results", "--site", sys.argv[1]])
files = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
print(sorted(name for name, file in files.items() if "/site-packages/" in file), status)
"""


def test_the_host_s_environment_has_byte_code_of_what_the_report_imports(tmp_path: Path) -> None:
    """A page in Korean imports no package beyond the import that is run once in a new environment."""
    command = [str(locks.own("host").interpreter), "-c", AFTER_THE_IMPORT, str(tmp_path)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[] 0"
