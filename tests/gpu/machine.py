"""What the tests on a GPU need: prepared data without a network, a bench of a framework's rows, and heavy work."""

import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest
from importlib import import_module

import numpy as np

from runners.contract import DataUnavailable, DeviceUnavailable
from runners.data import cifar10, dataset
from runners.registry import framework, frameworks, load_model

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FRAMEWORK = os.environ.get("FRAMEWORK", "")
DEVICE = os.environ.get("DEVICE", "gpu")  # "cpu" tries those tests that do not need a GPU
BACKEND = SCRATCH = DATA = None  # set by the test module before its first test
SIDE = 4096  # a product of matrices of this size takes milliseconds, and microseconds to start


def need_framework():
    """Skip unless FRAMEWORK names a framework that this interpreter holds."""
    if not FRAMEWORK:
        raise unittest.SkipTest("FRAMEWORK is not set; run: make test-gpu")
    try:
        exec(framework(FRAMEWORK).check)
    except ImportError as error:
        raise unittest.SkipTest("{} has no {}: {}".format(sys.executable, FRAMEWORK, error))


def open_backend():
    """The framework's backend; skips where it cannot use the device."""
    try:
        return import_module("runners.{}.backend".format(FRAMEWORK)).open_backend(DEVICE, None)
    except DeviceUnavailable as error:
        raise unittest.SkipTest(str(error))


def data_folder(scratch):
    """The folder DATA_DIR, or one with random images in place of CIFAR-10, which needs no network."""
    given = os.environ.get("DATA_DIR")
    if given:
        return os.path.abspath(given)
    folder = os.path.join(scratch, cifar10.FOLDER, "random")
    os.makedirs(folder)
    random = np.random.RandomState(1)
    paths = []
    for name in cifar10.ARRAYS:
        shape = (64, 32, 32, 3) if name.endswith("images") else (64,)
        paths.append(os.path.join(folder, name + ".npy"))
        np.save(paths[-1], random.randint(0, 256 if len(shape) > 1 else 10, shape).astype(np.uint8))
    manifest = {"folder": "random", "origin": "synthetic", "source": "random", "sha256": cifar10._sha256(paths)}
    with open(os.path.join(scratch, cifar10.FOLDER, "manifest.json"), "w") as file:
        json.dump(manifest, file)
    return scratch


def images():
    """CIFAR-10 as the rows read it; skips where DATA_DIR does not have it."""
    try:
        return dataset("cifar10").load(DATA)
    except DataUnavailable:
        raise unittest.SkipTest("DATA_DIR has no CIFAR-10; unset it for random images")


def rows(data):
    """The framework's rows whose data set is in the folder, and the others."""
    there, missing = [], []
    for row in framework(FRAMEWORK).every_row:
        try:
            dataset(load_model(FRAMEWORK, row).dataset).describe(data)
            there.append(row)
        except DataUnavailable:
            missing.append(row)
    return there, missing


def in_several_frameworks(names):
    """Those rows whose net other frameworks compute too, so that it has a description to be proven against."""
    nets = {net for one in frameworks().values() for net in one.twins.values()}
    return [row for row in names if framework(FRAMEWORK).twins.get(row, row) in nets]


def bench(data, names, *more, profile="smoke", results=None):
    """Measure the rows as `make bench` does, one process each; returns row -> record. ``more``: further arguments."""
    if not names:
        return {}
    results = results or tempfile.mkdtemp(dir=SCRATCH)
    command = [sys.executable, "-s", "-m", "runners", FRAMEWORK, "--rows", ",".join(names), "--devices", DEVICE]
    command += ["--profile", profile, "--results", results, "--data", data, *more]
    subprocess.call(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    found = {}
    for path in glob.glob(os.path.join(results, "*", "*", "*.json")):
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        found[record["model"]["key"]] = record
    return found


def benches_in_turns(data, row, processes):
    """The records of two benches of a row, whose processes took turns."""
    folders = [tempfile.mkdtemp(dir=SCRATCH) for _ in range(2)]
    for number in range(1, processes + 1):
        more = "--seeds", "1", "--round", str(number)
        found = [bench(data, [row], *more, profile="quick", results=folder)[row] for folder in folders]
    return found


class Work:
    """Work that a GPU needs milliseconds for, in the framework under test. ``read`` waits for its end."""

    def __init__(self):
        getattr(self, "_" + {"keras_torch": "pytorch", "keras_jax": "jax"}.get(FRAMEWORK, FRAMEWORK))()

    def _pytorch(self):
        import torch

        matrix = torch.ones(SIDE, SIDE, device="cuda")
        self.start = lambda batch: matrix.mm(matrix)
        self.read = lambda answer: float(answer[0, 0])
        self.allocate = lambda count: torch.zeros(count, dtype=torch.uint8, device="cuda")

    def _keras(self):
        import tensorflow as tf

        if not tf.executing_eagerly():
            raise unittest.SkipTest("TensorFlow 1 returns only when the work is done")
        matrix = tf.ones((SIDE, SIDE))
        self.start = lambda batch: tf.matmul(matrix, matrix)
        self.read = lambda answer: float(answer[0, 0].numpy())
        self.allocate = lambda count: tf.zeros(count, tf.uint8)

    def _jax(self):
        from jax import numpy as jnp

        from runners.jax import device

        matrix = jnp.ones((SIDE, SIDE))

        def start(batch):
            answer = jnp.matmul(matrix, matrix)
            device.started(answer)
            return answer

        self.start = start
        self.read = lambda answer: float(answer[0, 0])
        self.allocate = lambda count: jnp.zeros(count, jnp.uint8).block_until_ready()
