"""The locks of the years: nothing in them is younger than its year, and the frameworks are the year's last releases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.version import Version

from images import dated, lock, stack
from images.recipe import pins
from images.stack import STACKS, Problem, eras, frameworks, settings

YEARS = [str(year) for year in range(2018, 2027)]
LOCKS = sorted(path for year in eras() for path in (STACKS / year).glob("*.lock"))
LINE = re.compile(r"([a-z0-9.-]+)==(\S+) --hash=sha256:[0-9a-f]{64}  # (\d{4}-\d\d-\d\d)")
RELEASES = Path(__file__).parent / "releases.txt"


def dates(path: Path) -> dict[str, str]:
    """Package -> the day on which its file was uploaded."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = [LINE.fullmatch(line) for line in lines]
    assert None not in found, lines
    return {match[1]: match[3] for match in found if match}


def test_every_year_has_a_stack_with_the_three_frameworks() -> None:
    """From 2018 to 2026, each up to a day of that year."""
    assert eras() == YEARS
    assert {year for year in YEARS if not {"keras", "pytorch", "classical"} <= set(frameworks(year))} == set()
    assert [settings(year)["UNTIL"][:4] for year in YEARS] == YEARS


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_package_is_younger_than_its_year_but_for_those_that_the_stack_names(path: Path) -> None:
    """Names exactly those, each with a day that it is not younger than either."""
    options = settings(path.parent.name)
    newer = dict(word.split("=") for word in options.get("NEWER", "").split())
    late = {name: day for name, day in dates(path).items() if day > options["UNTIL"]}
    assert set(late) <= set(newer)
    assert all(day <= newer[name] for name, day in late.items())


def test_what_a_stack_excuses_is_in_one_of_its_locks() -> None:
    """No excuse is left over."""
    for year in eras():
        locked = {name for path in (STACKS / year).glob("*.lock") for name in dates(path)}
        assert {word.split("=")[0] for word in settings(year).get("NEWER", "").split()} <= locked


def releases() -> dict[str, list[tuple[Version, str]]]:
    """Package -> its final releases with the day of their first upload, as the index had them."""
    found: dict[str, list[tuple[Version, str]]] = {}
    for line in RELEASES.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, version, day = line.split()
            found.setdefault(name, []).append((Version(version), day))
    return found


@pytest.mark.parametrize("year", YEARS)
def test_the_frameworks_are_the_last_releases_of_the_year(year: str) -> None:
    """By version, as uploaded until the stack's day; the stack names those that are not."""
    until, older = settings(year)["UNTIL"], settings(year).get("OLDER", "").split()
    compared = []
    for path in (STACKS / year).glob("*.lock"):
        for name, version in pins(path):
            if name in releases():
                last = max(release for release, day in releases()[name] if day <= until)
                assert (Version(version) == last) != (name in older), f"{name} {version}, the last one is {last}"
                compared.append(name)
    assert len(set(compared)) >= 3


def test_all_locks_of_the_years_together_are_small() -> None:
    """One hash per package: with all hashes it would be half a megabyte."""
    assert sum(path.stat().st_size for path in LOCKS) < 100_000


def package(*files: str, name: str = "demo", sdist: bool = False, day: str = "2020-05-06") -> str:
    """One package of a resolution. A file's hash is its place, so that a test sees which file was chosen."""
    time = f"upload-time = {day}T10:00:00Z, " if day else ""
    hashes = [f'hashes = {{ sha256 = "{number}" }}' for number in range(len(files))]
    wheels = [f'{{ url = "https://index/{file}", {time}{known} }}' for file, known in zip(files, hashes, strict=True)]
    source = f'sdist = {{ url = "https://index/demo-1.0.tar.gz", {time}hashes = {{ sha256 = "source" }} }}\n'
    return f'[[packages]]\nname = "{name}"\nversion = "1.0"\n{source * sdist}wheels = [{", ".join(wheels)}]\n'


@pytest.mark.parametrize(
    ("files", "python", "place"),
    [
        (("demo-1.0-py3-none-any.whl", "demo-1.0-cp38-cp38-manylinux1_x86_64.whl"), "3.8", "1"),
        (("demo-1.0-cp38-cp38-manylinux1_x86_64.whl", "demo-1.0-cp38-cp38-manylinux2014_x86_64.whl"), "3.8", "1"),
        (("demo-1.0-cp36-cp36m-manylinux1_x86_64.whl", "demo-1.0-cp38-cp38-manylinux1_x86_64.whl"), "3.6", "0"),
        (("demo-1.0-cp37-abi3-manylinux_2_28_x86_64.whl", "demo-1.0-cp38-cp38-win_amd64.whl"), "3.10", "0"),
        (("demo-1.0-cp38-cp38-manylinux_2_31_x86_64.whl", "demo-1.0-cp38-cp38-win32.whl"), "3.8", "source"),
        ((), "3.8", "source"),
    ],
)
def test_the_most_specific_file_that_fits_is_locked(files: tuple[str, ...], python: str, place: str) -> None:
    """A wheel before the source distribution, for one Python on x86-64 Linux."""
    assert list(dated.lines(package(*files, sdist=True), python)) == [f"demo==1.0 --hash=sha256:{place}  # 2020-05-06"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (package("demo-1.0-cp38-cp38-win_amd64.whl"), r"demo==1\.0 has no file for Python 3\.8 on Linux; pin another"),
        (package("demo-1.0-py3-none-any.whl", day=""), r"does not state when demo==1\.0 was uploaded"),
    ],
)
def test_a_package_without_a_file_or_a_day_is_named_with_the_fix(text: str, message: str) -> None:
    """No lock is made without them."""
    with pytest.raises(Problem, match=message):
        list(dated.lines(text, "3.8"))


def test_uv_is_asked_for_nothing_younger_than_the_year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A made-up uv writes what it was asked; the lock has one line per package, by name."""
    folder = tmp_path / "images" / "stacks" / "2018"
    folder.mkdir(parents=True)
    (folder / "stack.env").write_text((STACKS / "2018" / "stack.env").read_text())
    (folder / "some.in").write_text("demo==1.0\n")
    for module in (lock, stack):
        monkeypatch.setattr(module, "ROOT", tmp_path)
        monkeypatch.setattr(module, "STACKS", tmp_path / "images" / "stacks")
    files = package("demo-1.0-py3-none-any.whl") + package("abc-1.0-py3-none-any.whl", name="abc")
    (tmp_path / "answer").write_text('lock-version = "1.0"\n' + files)
    uv = tmp_path / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\ncp {tmp_path}/answer "$5"\n')
    uv.chmod(0o755)
    assert lock.lock("2018", str(uv)) == [folder / "some.lock"]
    asked = (tmp_path / "asked").read_text()
    assert "--exclude-newer 2018-12-31T23:59:59Z --exclude-newer-package setuptools=2021-12-31" in asked
    assert "--python-version 3.6 --python-platform x86_64-manylinux_2_28" in asked
    assert (folder / "some.lock").read_text().splitlines()[1:] == [
        "abc==1.0 --hash=sha256:0  # 2020-05-06",
        "demo==1.0 --hash=sha256:0  # 2020-05-06",
    ]
