"""What must hold on a real GPU. Needs an interpreter that holds a framework; no network, no container, no pytest.

FRAMEWORK=pytorch python3 -m unittest -v tests.gpu.test_gpu, or for every framework: make test-gpu
"""

import functools
import shutil
import statistics
import tempfile
import unittest
from types import SimpleNamespace

from runners.contract import PHASES, Reason, RowError, Steps, readable
from runners.machine import nvml
from runners.registry import framework
from runners.worker import synchronization
from runners.worker.__main__ import _is_out_of_memory
from tests.gpu import machine

PROCESSES = 3  # of each of two benches that must agree
AGREEMENT = 0.8, 1.25  # of their medians, where all processes of one bench are faster than all of the other
POWER_W = 5.0, 2000.0


def setUpModule():
    machine.need_framework()
    machine.SCRATCH = tempfile.mkdtemp()
    machine.DATA = machine.data_folder(machine.SCRATCH)


def tearDownModule():
    shutil.rmtree(machine.SCRATCH)


def per_row(test):
    """The test as a sub-test per row, given the row's record and its process."""

    @functools.wraps(test)
    def run(self):
        for name in self.names:
            with self.subTest(row=name):
                record = self.first[name]
                self.assertEqual(record["status"], "ok", record["reason"])
                test(self, record, record["processes"][0])

    return run


on_gpu = unittest.skipUnless(machine.DEVICE == "gpu", "DEVICE is not gpu")


class Bench(unittest.TestCase):
    """Every row of the framework, measured in two benches. Before ``Device``, which holds the GPU's memory."""

    @classmethod
    def setUpClass(cls):
        cls.names, cls.missing = machine.rows(machine.DATA)
        if not cls.names:
            raise unittest.SkipTest("no data set for {}; set DATA_DIR".format(", ".join(cls.missing)))
        described = machine.in_several_frameworks(cls.names)
        cls.first = machine.bench(machine.DATA, described, "--prove")
        cls.first.update(machine.bench(machine.DATA, [name for name in cls.names if name not in described]))
        reasons = [readable(Reason(**one["reason"])) for one in cls.first.values() if one["status"] == "skipped"]
        if len(reasons) == len(cls.names):
            raise unittest.SkipTest(reasons[0])

    def test_every_row_has_its_data(self):
        """No row is left out."""
        if self.missing:
            self.skipTest("no data set for {}; set DATA_DIR".format(", ".join(self.missing)))

    @per_row
    def test_every_row_trains(self, record, process):
        """Each row's loss falls while it is timed."""
        self.assertTrue(process["train"]["valid"], process["train"]["reason"])
        self.assertLess(process["train"]["losses"][-1], process["train"]["losses"][0])

    @per_row
    def test_a_net_is_the_described_one(self, record, process):
        """A row that is measured in several frameworks computes the net of its description on this device too."""
        if record["sameness"] is not None:
            self.assertTrue(record["sameness"]["same"], record["sameness"]["reason"])

    @on_gpu  # other programs keep a CPU busy
    def test_a_second_bench_agrees(self):
        """Two benches of the framework's cheapest row, in turns, report the same times as far as processes agree."""
        row = framework(machine.FRAMEWORK).cheapest_row
        if row not in self.names:
            self.skipTest("no data set for {}; set DATA_DIR".format(row))
        one, other = machine.benches_in_turns(machine.DATA, row, PROCESSES)
        for phase in PHASES:
            first, second = ([process[phase]["median_s"] for process in record["processes"]] for record in (one, other))
            ratio = statistics.median(second) / statistics.median(first)
            overlap = min(first) <= max(second) and min(second) <= max(first)
            self.assertTrue(overlap or AGREEMENT[0] <= ratio <= AGREEMENT[1], "{}: {} {}".format(phase, first, second))

    @on_gpu
    @per_row
    def test_memory_counters_agree_with_the_driver(self, record, process):
        """What the framework counts lies within what NVML counts for the whole GPU."""
        memory = process["memory"]
        self.assertGreater(memory["peak_allocated_bytes"], 0)
        self.assertLess(memory["peak_allocated_bytes"], memory["gpu_used_after_bytes"])
        self.assertLess(memory["gpu_used_after_bytes"], memory["gpu_total_bytes"])
        if memory["peak_reserved_bytes"] is not None:
            self.assertLessEqual(memory["peak_allocated_bytes"], memory["peak_reserved_bytes"])
            self.assertLess(memory["peak_reserved_bytes"], memory["gpu_used_after_bytes"])

    @on_gpu
    @per_row
    def test_energy_is_a_power_that_a_gpu_can_draw(self, record, process):
        """The joules of a step over its seconds are the watts of a GPU."""
        gpu = nvml.read()
        if gpu is None or gpu.energy_mj is None:
            self.skipTest("NVML counts no energy here (it needs nvidia-ml-py and a GPU from 2017 on)")
        watts = process["energy"]["train_joules_per_batch"] / process["train"]["median_s"]
        self.assertTrue(POWER_W[0] < watts < POWER_W[1], "{:.0f} W".format(watts))

    @on_gpu
    @per_row
    def test_clock_and_throttling_are_recorded(self, record, process):
        """Each timed phase holds the GPU's clock and why it was throttled."""
        for phase in PHASES:
            conditions = process[phase]["conditions"]
            self.assertGreater(conditions["gpu_clock_mhz_after"], 0)
            self.assertLessEqual(set(conditions["gpu_throttle_after"]), set(nvml.THROTTLE_REASONS.values()))
            for name in ("gpu_power_cap_s", "gpu_thermal_slowdown_s"):
                self.assertLessEqual(conditions[name] or 0.0, conditions["wall_s"] + 1.0)

    @on_gpu
    @per_row
    def test_cudnn_computes(self, record, process):
        """The nets run on cuDNN's kernels."""
        if machine.FRAMEWORK not in ("pytorch", "keras"):
            self.skipTest("the record of {} does not name cuDNN".format(machine.FRAMEWORK))
        execution = record["execution"]
        self.assertIn(True, (execution.get("cudnn"), execution.get("lstm") == "cuDNN"))


@on_gpu
class Device(unittest.TestCase):
    """The GPU under the framework, in this process."""

    @classmethod
    def setUpClass(cls):
        machine.BACKEND = machine.open_backend()

    def test_the_framework_s_synchronization_waits(self):
        """The proof passes with the framework's synchronization and refuses one that returns at once."""
        if machine.FRAMEWORK == "keras_jax":
            self.skipTest("a step of Keras on JAX returns its loss in host memory")
        work = machine.Work()
        nothing = {name: None for name in Steps._fields if name not in Steps._field_defaults}
        steps = Steps(**dict(nothing, train=work.start, train_batch=lambda: None, read_loss=work.read))
        work.read(work.start(None))  # the first one builds
        synchronization.prove(steps, machine.BACKEND.synchronize)
        with self.assertRaises(RowError) as caught:
            synchronization.prove(steps, lambda: None)
        self.assertEqual(caught.exception.reason.key, "not-synchronized")

    def test_peak_memory_counts_an_allocation(self):
        """An array of 256 MiB raises the peak to at least so much; JAX's cannot be reset, so it may rise by less."""
        machine.BACKEND.reset_memory()
        before = machine.BACKEND.read_memory()["peak_allocated_bytes"]
        kept = machine.Work().allocate(1 << 28)
        after = machine.BACKEND.read_memory()["peak_allocated_bytes"]
        self.assertGreater(after, before)
        self.assertGreaterEqual(after, 1 << 28)
        del kept

    def test_too_large_an_array_is_out_of_memory(self):
        """An array larger than the GPU's memory raises what a row reports as out of memory."""
        gpu = nvml.read()
        if gpu is None:
            self.skipTest("NVML does not answer; install nvidia-ml-py")
        with self.assertRaises(Exception) as caught:
            machine.BACKEND.synchronize() or machine.Work().allocate(2 * gpu.memory_total)
        self.assertTrue(_is_out_of_memory(caught.exception), repr(caught.exception))

    def test_a_full_gpu_makes_a_row_out_of_memory(self):
        """A row that finds 1 GiB free ends as out_of_memory, with a record."""
        if machine.FRAMEWORK != "pytorch":
            self.skipTest("only the DenseNet in PyTorch needs so much: JAX and TensorFlow take the whole GPU")
        gpu = nvml.read()
        if gpu is None:
            self.skipTest("NVML does not answer; install nvidia-ml-py")
        machine.images()
        kept = machine.Work().allocate(gpu.memory_total - gpu.memory_used - (1 << 30))
        record = machine.bench(machine.DATA, ["densenet-32-24-32"], profile="quick")["densenet-32-24-32"]
        del kept
        self.assertEqual(record["status"], "out_of_memory", record["reason"])

    def test_batches_are_page_locked(self):
        """A batch lies in page-locked memory, and its copy on the GPU is the same."""
        if machine.FRAMEWORK != "pytorch":
            self.skipTest("{} copies from its own buffers".format(machine.FRAMEWORK))
        from runners.pytorch.densenet.row import batches

        made = batches(SimpleNamespace(settings={"batch_size": 32}, data=machine.images(), seed=1, device="gpu"))
        for tensor in made:
            self.assertTrue(tensor.is_pinned())
            copy = tensor.to("cuda", non_blocking=True)
            machine.BACKEND.synchronize()
            self.assertTrue(bool((copy.cpu() == tensor).all()))
