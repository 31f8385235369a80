"""The processor packages' energy, from a folder made like Linux's power capping framework."""

import shutil

import pytest

from runners.machine import rapl

RANGE = 262143328850  # as an Intel package tells it; it lasts 262 s at 1000 W


@pytest.fixture
def zones(tmp_path):
    """Set the counters of two packages, with what else a machine has; returns the folder."""

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
        return str(tmp_path)

    return zones


def test_packages_are_summed_and_parts_of_them_left_out(zones):
    """12 and 30 joules are 42; core, dram, psys and the second way to a package add nothing."""
    before = rapl.read(zones(1000000, 5000000))
    after = rapl.read(zones(13000000, 35000000))
    assert sorted(before) == ["intel-rapl:0", "intel-rapl:1"]
    assert rapl.joules(before, after, 2.0) == 42.0


def test_a_package_of_several_dies_is_one_counter_a_die(zones, tmp_path):
    """Its name is package-0-die-1."""
    root = zones(1, 1)
    (tmp_path / "intel-rapl:1" / "name").write_text("package-0-die-1\n")
    assert sorted(rapl.read(root)) == ["intel-rapl:0", "intel-rapl:1"]


def test_a_counter_that_wraps_continues_from_its_range(zones):
    """One joule up to the end and two after it, with one of the other package."""
    before = rapl.read(zones(RANGE - 1000000, 0))
    after = rapl.read(zones(2000000, 1000000))
    assert rapl.joules(before, after, 2.0) == 4.0


def test_a_phase_in_which_a_counter_may_have_wrapped_twice_has_no_energy(zones):
    """Longer than a package of 1000 W takes for the whole range."""
    before, after = rapl.read(zones(1, 1)), rapl.read(zones(2, 2))
    assert rapl.joules(before, after, 262.0) == 2e-6
    assert rapl.joules(before, after, 263.0) is None


def test_a_counter_that_does_not_move_gives_no_energy(zones):
    """Some virtual machines have one; that is not zero joules."""
    assert rapl.joules(rapl.read(zones(5, 5)), rapl.read(zones(6, 5)), 2.0) is None


@pytest.mark.parametrize("name", ["energy_uj", "max_energy_range_uj"])
@pytest.mark.parametrize("content", [None, "", "unknown"])
def test_a_package_that_cannot_be_read_leaves_no_sum_of_the_others(zones, tmp_path, name, content):
    """Part of the machine's energy would look like all of it."""
    root = zones(1, 1)
    path = tmp_path / "intel-rapl:1" / name
    path.unlink()  # root reads whatever the permissions say, so a folder stands in for a file that may not be read
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    assert rapl.read(root) is None


def test_no_counters_at_all_are_none(zones, tmp_path):
    """No such folder, as in most virtual machines; an empty one, as Docker shows it; zones without a package."""
    assert rapl.read(str(tmp_path / "absent")) is None
    assert rapl.read(str(tmp_path)) is None
    root = zones(1, 1)
    for zone in ("intel-rapl:0", "intel-rapl:1"):
        shutil.rmtree(str(tmp_path / zone))
    assert rapl.read(root) is None


def test_a_package_that_vanishes_or_appears_in_between_gives_no_energy(zones, tmp_path):
    """Neither reading covers all packages."""
    root = zones(1, 1)
    both = rapl.read(root)
    shutil.rmtree(str(tmp_path / "intel-rapl:1"))
    one = rapl.read(root)
    assert sorted(one) == ["intel-rapl:0"]
    assert rapl.joules(both, one, 2.0) is None
    assert rapl.joules(one, both, 2.0) is None
    assert rapl.joules(both, None, 2.0) is None
    assert rapl.joules(None, both, 2.0) is None


def test_this_machine_is_read_without_an_error():
    """It has counters or none."""
    found = rapl.read()
    assert found is None or all(counter.energy_uj >= 0 for counter in found.values())
