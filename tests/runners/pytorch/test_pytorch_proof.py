"""The proof that the DenseNet recipe learns: on images made for a test, with a small net."""

import re

import pytest

pytest.importorskip("torch", reason="PyTorch is not in this environment")

from pytorch_helpers import small_data

from experiments import pytorch_proof as proof
from runners.data import cifar10

SMALL = ["--data", "nowhere", "--blocks", "2,2", "--growth", "4", "--epochs", "2", "--threads", "1", "--seed", "3"]


def test_the_proof_prints_every_epoch_and_a_verdict(monkeypatch, capsys):
    """Two epochs are too few to pass, which the exit status reports."""
    monkeypatch.setattr(cifar10, "load", lambda directory: small_data(64, 40))
    assert proof.main(SMALL + ["--train-images", "64", "--test-images", "40"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "made for a test; verified"
    assert [line.split()[0] for line in lines[2:5]] == ["epoch", "1", "2"]
    assert re.fullmatch(r"\d+ s in all; accuracy BELOW 0\.337, 5 standard deviations above chance; loss fell", lines[5])


def test_without_data_the_proof_names_what_is_missing(capsys):
    """One line and exit status 2."""
    assert proof.main(SMALL) == 2
    assert capsys.readouterr().err == "erabench: data-missing (file: cifar10-prepared/manifest.json)\n"
