"""Every registered model is held to the contract by walking the registry."""

import json
import os
import subprocess
import sys

import pytest

from runners import registry
from runners.contract import DEVICES, FRAMEWORKS, PROFILES, Model, Rule, UsageError
from runners.data import DATASETS

ALL = [(framework, key) for framework in FRAMEWORKS for key in registry.model_keys(framework)]
PUBLISHED = ["lstm", "lstm-aug", "ar", "ar-ols", "ar-polyfit", "bilstm", "densenet-24x3", "densenet-32-24-32"]


@pytest.mark.parametrize(("framework", "key"), ALL)
def test_a_model_keeps_the_contract(framework, key):
    """Name, data set, and settings, rule and time limit for every profile."""
    model = registry.load_model(framework, key)
    assert isinstance(model, Model)
    assert model.key == key
    assert model.dataset in DATASETS
    assert set(model.settings) == set(model.rules) == set(model.time_limit_s) == set(PROFILES)
    assert all(isinstance(rule, Rule) and rule.min_samples >= 1 for rule in model.rules.values())
    assert json.loads(json.dumps(model.settings)) == model.settings, "settings are plain JSON values"
    assert all(limit > 0 for limit in model.time_limit_s.values())
    assert set(model.devices) <= set(DEVICES)
    assert model.device_reason or set(model.devices) == set(DEVICES)


def test_the_published_rows_are_there_in_their_order():
    """Keys and places of the page of 2017."""
    models = sorted((registry.load_model(*pair) for pair in ALL), key=lambda model: model.position)
    assert [model.key for model in models if model.position <= len(PUBLISHED)] == PUBLISHED


def test_no_place_on_the_page_is_taken_twice():
    """Two models with one position would trade places from run to run."""
    positions = [registry.load_model(*pair).position for pair in ALL]
    assert len(positions) == len(set(positions))


def test_describing_every_model_imports_no_framework():
    """The parent has to name a model even where its framework does not import; and `make list` needs no packages."""
    script = (
        "import sys\n"
        "from runners import registry\n"
        "registry.table()\n"
        "heavy = {'numpy', 'torch', 'tensorflow', 'keras', 'statsmodels', 'pandas', 'scipy'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)\n"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, cwd=root)
    assert (done.communicate()[1].decode(), done.returncode) == ("", 0)


def test_an_unknown_model_names_those_there_are():
    """The culprit, the value and the cure."""
    with pytest.raises(UsageError) as error:
        registry.select(["ar", "resnet"])
    assert str(error.value) == "there is no model 'resnet'; choose from: " + ", ".join(key for _, key in ALL)


def test_the_list_is_in_the_page_s_order():
    """One line a model under a line of headings."""
    lines = registry.table().splitlines()
    assert lines[0].split() == ["MODEL", "FRAMEWORK", "ROW", "PARAMS", "LIBRARY", "DATA"]
    assert [line.split()[0] for line in lines[1 : len(PUBLISHED) + 1]] == PUBLISHED
