"""Every framework and row, including those that are added later, meets the contract."""

import os
import subprocess
import sys

import pytest

from runners import registry
from runners.contract import DEVICES, PROFILES
from runners.data import DATASETS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FRAMEWORKS = registry.frameworks()
ALL = [(name, key) for name, framework in FRAMEWORKS.items() for key in framework.every_row]
PUBLISHED = ["lstm", "lstm-aug", "ar", "ar-ols", "ar-polyfit", "bilstm", "densenet-24x3", "densenet-32-24-32"]


@pytest.mark.parametrize("name", list(FRAMEWORKS))
def test_a_framework_is_declared_completely(name):
    """Its file agrees with its folder: devices, cheapest row, and a tuning module exactly where it is tunable."""
    framework = FRAMEWORKS[name]
    assert framework.name == name
    assert set(framework.devices) <= set(DEVICES)
    assert framework.cheapest_row in framework.every_row
    folder = os.path.join(ROOT, "runners", name)
    assert bool(framework.tunable) == os.path.exists(os.path.join(folder, "tuning.py"))
    options = framework.options
    assert len({option.key for option in options}) == len(options)
    assert bool(framework.tunable) == bool(options)
    assert set(framework.tunable) <= set(framework.every_row)
    assert {name for option in options for name in option.datasets} <= set(DATASETS)


@pytest.mark.parametrize(("name", "key"), ALL)
def test_a_row_meets_the_contract(name, key):
    """Each profile has settings, a stopping rule, a number of processes and a time limit."""
    model = registry.load_model(name, key)
    assert (model.key, model.dataset in DATASETS) == (key, True)
    for field in (model.settings, model.rules, model.processes, model.time_limit_s):
        assert sorted(field) == sorted(PROFILES)
    assert model.processes["smoke"] == 1
    assert 3 <= model.processes["quick"] <= model.processes["full"] == 10
    parts = model.implementation.split(".")
    assert parts[:2] == ["runners", name]
    assert os.path.exists(os.path.join(ROOT, *parts) + ".py")


def test_the_published_rows_are_there_in_the_published_order():
    """Keys and places are those of the page of 2017, and no place is taken twice."""
    models = sorted((registry.load_model(*pair) for pair in ALL), key=lambda model: model.order)
    assert [model.key for model in models if model.order <= len(PUBLISHED)] == PUBLISHED
    assert len({model.order for model in models}) == len(models)


def test_describing_every_row_imports_no_framework():
    """The parent must name a row even where its framework does not import, and `make list` needs no packages."""
    script = (
        "import sys\n"
        "from runners import registry\n"
        "registry.table()\n"
        "heavy = {'numpy', 'torch', 'tensorflow', 'keras', 'statsmodels', 'pandas', 'scipy'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)\n"
    )
    done = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, cwd=ROOT)
    assert (done.communicate()[1].decode(), done.returncode) == ("", 0)


def test_rows_are_selected_once_each():
    """A repeated key selects one row; no key selects all."""
    assert [model.key for model in registry.select("classical", ["ar-ols", "ar", "ar-ols"])] == ["ar-ols", "ar"]
    assert tuple(model.key for model in registry.select("keras", [])) == FRAMEWORKS["keras"].rows


def test_the_list_is_in_the_page_s_order():
    """One line per row follows a line of headings."""
    lines = registry.table().splitlines()
    assert lines[0].split() == ["MODEL", "FRAMEWORK", "ROW", "PARAMS", "LIBRARY", "DATA"]
    assert [line.split()[0] for line in lines[1 : len(PUBLISHED) + 1]] == PUBLISHED


@pytest.mark.parametrize("name", list(FRAMEWORKS))
def test_a_twin_is_a_published_row_in_another_framework(name):
    """Its declaration and framework.json agree, data and settings are those of its row, and a bench leaves it out."""
    framework = FRAMEWORKS[name]
    published = {row: one.name for one in FRAMEWORKS.values() for row in one.rows}
    for key in framework.rows:
        assert registry.load_model(name, key).twin_of is None
    for key, net in framework.twins.items():
        model = registry.load_model(name, key)
        original = registry.load_model(published[net], net)
        assert (model.twin_of, model.dataset, model.title) == (net, original.dataset, original.title)
        parts = [(one.settings, one.rules, one.processes) for one in (model, original)]
        for profile in ("smoke", "full") if name == "keras_torch" else PROFILES:  # whose steps are slow: less in quick
            assert [part[profile] for part in parts[0]] == [part[profile] for part in parts[1]]
        for setting in ("units", "blocks", "growth", "timing_learning_rate"):
            assert model.settings["quick"].get(setting) == original.settings["quick"].get(setting)
        assert key not in [one.key for one in registry.select(name, [])]
