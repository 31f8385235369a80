"""The tables of reasons, notes and warnings agree with the code that uses them."""

import ast
import os

import pytest

from runners import contract
from runners.contract import OptionUnavailable, Reason, RowError, readable

HERE = os.path.dirname(os.path.abspath(contract.__file__))
TABLES = {"REASONS": contract.REASONS, "NOTES": contract.NOTES, "WARNINGS": contract.WARNINGS}
ERRORS = ("RowError", "DataUnavailable", "DeviceUnavailable", "OptionUnavailable")
KNOWN = {key: names for table in TABLES.values() for key, names in table.items()}
FROM_A_TABLE = {"other-load", "stolen-time", "paging", "preempted", "falling-clock", "falling-gpu-clock"}
"""Keys that worker/warnings.py reads from a tuple; its own tests have them all."""


def used():
    """(key, names of values or None, place) of every reason, note, warning and error in the runners' code."""
    for at, _, names in os.walk(HERE):
        for name in sorted(names):
            path = os.path.join(at, name)
            if not name.endswith(".py"):
                continue
            with open(path, encoding="utf-8") as file:
                tree = ast.parse(file.read())
            for node in ast.walk(tree):
                if isinstance(node, ast.Call):
                    place = "{}:{}".format(os.path.relpath(path, HERE), node.lineno)
                    for key, values in of_call(node):
                        yield key, values, place


def of_call(node):
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if name == "_replace":  # of a reason, since nothing else has a key in lower case with dashes
        changed = [one.value for one in node.keywords if one.arg == "key" and getattr(one.value, "s", "") in KNOWN]
        yield from ((ast.literal_eval(value), None) for value in changed)
    if name not in ("Reason",) + ERRORS or not node.args:
        return
    key = (
        ast.literal_eval(node.args[0]) if not isinstance(node.args[0], (ast.Name, ast.Attribute, ast.Starred)) else None
    )
    if key is None:
        return
    if name in ERRORS:
        values = [keyword.arg for keyword in node.keywords]
    elif len(node.args) == 1:
        values = []
    elif isinstance(node.args[1], ast.Dict):
        values = [ast.literal_eval(one) for one in node.args[1].keys]
    else:
        values = None  # a variable: its own test has it
    yield key, values


def test_every_key_in_the_code_is_in_a_table_with_its_values():
    """So the report can have a sentence for each."""
    wrong = [
        "{} {}: {}".format(place, key, values)
        for key, values, place in used()
        if key not in KNOWN or (values is not None and sorted(values) != sorted(KNOWN[key]))
    ]
    assert wrong == []


def test_every_key_in_a_table_is_used():
    """Nothing is left behind when a reason goes."""
    assert sorted(set(KNOWN) - {key for key, _, _ in used()} - FROM_A_TABLE) == []


def test_no_key_is_in_two_tables():
    """A key means one thing."""
    assert len(KNOWN) == sum(len(table) for table in TABLES.values())


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason("loss-not-finite"), "loss-not-finite"),
        (Reason("data-missing", {"file": "a.npy"}), "data-missing (file: a.npy)"),
        (Reason("loss-not-falling", {"last": 2.0, "first": 1.0}), "loss-not-falling (first: 1.0, last: 2.0)"),
    ],
)
def test_the_terminal_shows_a_reason_generically(reason, expected):
    """The sentences are the report's."""
    assert readable(reason) == expected


def test_an_error_carries_its_reason_and_status():
    """A device or an option that is missing skips the row; anything else fails it."""
    error = OptionUnavailable("option-missing", framework="Keras", version="1", option="xla")
    assert (error.status, error.reason.key, error.reason.values["option"]) == ("skipped", "option-missing", "xla")
    assert str(error) == "option-missing (framework: Keras, option: xla, version: 1)"
    assert RowError("loss-diverged").status == "failed"
