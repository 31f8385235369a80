"""The processor packages' energy, from a folder made like Linux's power capping framework."""

import shutil

import pytest

from runners.machine import rapl

RANGE = 262143328850  # as an Intel package tells it; it lasts 262 s at 1000 W


@pytest.fixture
def zones(tmp_path, monkeypatch):
    """Set the counters of two packages, with what else a machine has; returns what is read from them."""
    monkeypatch.setattr(rapl, "ROOT", str(tmp_path))

    def zones(first, second):
        for zone, name, energy in (
            ("intel-rapl", None, None),  # the control type itself
            ("intel-rapl:0", "package-0", first),
            ("intel-rapl:0:0", "core", 7000000),
            ("intel-rapl:0:1", "dram", 7000000),
            ("intel-rapl:1", "package-1", second),
            ("intel-rapl:1:0", "dram", 7000000),
            ("intel-rapl:2", "psys", 7000000),
            ("intel-rapl-mmio:0", "package-0", first),  # the same counter by another way
        ):
            folder = tmp_path / zone
            folder.mkdir(exist_ok=True)
            if name is not None:
                (folder / "name").write_text(name + "\n")
                (folder / "energy_uj").write_text("{}\n".format(energy))
                (folder / "max_energy_range_uj").write_text("{}\n".format(RANGE))
        return rapl.read()

    return zones


@pytest.mark.parametrize(
    ("first", "second", "seconds", "joules"),
    [
        ((1000000, 13000000), (5000000, 35000000), 2.0, 12.0 + 30.0),
        ((RANGE - 1000000, 2000000), (0, 1000000), 2.0, 1.0 + 2.0 + 1.0),  # the first one wraps
        ((1, 2), (1, 2), 262.0, 2e-6),
        ((1, 2), (1, 2), 263.0, None),  # one may have wrapped twice: a package of 1000 W does so in this time
        ((5, 6), (5, 5), 2.0, None),  # one does not move, as in some virtual machines: that is not zero joules
    ],
)
def test_joules_are_the_sum_over_the_packages(zones, first, second, seconds, joules):
    """Core, dram, psys and the second way to a package add nothing."""
    before, after = (zones(*counters) for counters in zip(first, second))
    assert sorted(before) == ["intel-rapl:0", "intel-rapl:1"]
    assert rapl.joules(before, after, seconds) == joules


def test_a_package_of_several_dies_is_one_counter_a_die(zones, tmp_path):
    """Its name is package-0-die-1."""
    zones(1, 1)
    (tmp_path / "intel-rapl:1" / "name").write_text("package-0-die-1\n")
    assert sorted(rapl.read()) == ["intel-rapl:0", "intel-rapl:1"]


@pytest.mark.parametrize("name", ["energy_uj", "max_energy_range_uj"])
@pytest.mark.parametrize("content", [None, "", "unknown"])
def test_a_package_that_cannot_be_read_leaves_no_sum_of_the_others(zones, tmp_path, name, content):
    """Part of the machine's energy would look like all of it."""
    zones(1, 1)
    path = tmp_path / "intel-rapl:1" / name
    path.unlink()  # root reads whatever the permissions say, so a folder stands in for a file that may not be read
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    assert rapl.read() is None


def test_no_counters_at_all_are_none(zones, tmp_path, monkeypatch):
    """No such folder, as in most virtual machines; an empty one, as Docker shows it; zones without a package."""
    assert rapl.read() is None
    zones(1, 1)
    for zone in ("intel-rapl:0", "intel-rapl:1"):
        shutil.rmtree(str(tmp_path / zone))
    assert rapl.read() is None
    monkeypatch.setattr(rapl, "ROOT", str(tmp_path / "absent"))
    assert rapl.read() is None


def test_a_package_that_vanishes_or_appears_in_between_gives_no_energy(zones, tmp_path):
    """Neither reading covers all packages."""
    both = zones(1, 1)
    shutil.rmtree(str(tmp_path / "intel-rapl:1"))
    one = rapl.read()
    assert sorted(one) == ["intel-rapl:0"]
    assert rapl.joules(both, one, 2.0) is None
    assert rapl.joules(one, both, 2.0) is None
    assert rapl.joules(both, None, 2.0) is None


def test_this_machine_is_read_without_an_error():
    """It has counters or none."""
    found = rapl.read()
    assert found is None or all(counter.energy_uj >= 0 for counter in found.values())
