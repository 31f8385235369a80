"""Timing in the worker: order of the counters, warnings, and what is recorded. A framework made of air stands in."""

from types import SimpleNamespace

import pytest
from jobs import make_job

from runners.contract import Backend, DeviceUnavailable, Quality, Reason, RowError, Rule, Steps
from runners.machine import load, memory, nvml, rapl
from runners.worker import __main__ as worker
from runners.worker import energy, events, synchronization, timing

RULE = Rule(min_warmup=1, warmup_s=0, min_samples=6, min_time_s=0, max_samples=6, shortest_sample_s=0)
GPU = nvml.Gpu("GTX", "535", "6.1", 8 << 30, 1 << 30, 1700, 60, [], 1000, None)


class Air:
    """A framework that keeps a diary. Every step improves the loss by one."""

    def __init__(self, peak=None, asynchronous=False):
        self.diary = []
        self.loss = 100.0
        self.peak, self.asynchronous = peak or {}, asynchronous

    def backend(self):
        return Backend(
            synchronize=lambda: self.diary.append("synchronize"),
            reset_memory=lambda: self.diary.append("reset"),
            read_memory=lambda: self.diary.append("read") or self.peak,
            versions=dict,
            execution=dict,
            seed=lambda seed: None,
            asynchronous=self.asynchronous,
        )

    def train(self, batch):
        self.diary.append("train")
        self.loss -= 1
        return self.loss

    def steps(self, **fields):
        usual = {
            "train": self.train,
            "train_batch": lambda: None,
            "read_loss": lambda answer: answer,
            "predict": lambda batch: self.diary.append("predict"),
            "predict_batch": lambda: None,
            "state": lambda: str(self.loss).encode(),
            "parameters": 1,
        }
        return Steps(**dict(usual, **fields))

    def time(self, gpu=None, with_energy=True, proves=True, **fields):
        """What the worker records of training and prediction."""
        device = "gpu" if gpu else "cpu"
        timed = timing.Timing(self.steps(**fields), self.backend(), device, RULE, Silent())
        return events.plain(timed.run(gpu, with_energy, proves))


class Silent:
    """A sender that nobody hears."""

    def send(self, event, **fields):
        pass

    def samples(self, phase, rule):
        return lambda samples, elapsed_s: None


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """One step is long enough a window for the energy counters."""
    monkeypatch.setattr(energy, "WINDOW_S", 0.0)


def test_the_memory_counters_are_reset_before_and_read_after():
    """Peaks are those of the timed steps alone."""
    air = Air({"peak_allocated_bytes": 5, "peak_reserved_bytes": 7})
    found = air.time()["memory"]
    assert (air.diary[0], air.diary[-1]) == ("reset", "read")
    assert air.diary.count("reset") == air.diary.count("read") == 1
    assert (found["peak_allocated_bytes"], found["peak_reserved_bytes"]) == (5, 7)


def test_every_step_is_synchronized_before_and_after():
    """The order is the same on every device, and a device that does not run asynchronously gets no further steps."""
    air = Air()
    air.time()
    assert air.diary[1:7] == ["synchronize", "train", "synchronize"] * 2
    assert air.diary.count("train") == 7


def test_an_asynchronous_device_proves_its_synchronization_after_the_warm_up(monkeypatch):
    """In a row's first process and before any sample; a device that fails the proof fails the row."""
    proven = []
    monkeypatch.setattr(synchronization, "prove", lambda steps, synchronize: proven.append(air.diary[:]))
    air = Air(asynchronous=True)
    air.time()
    assert proven == [["reset", "synchronize", "train", "synchronize"]]
    air.time(proves=False)
    assert len(proven) == 1, "a later process of the row proves nothing"
    monkeypatch.undo()
    with pytest.raises(RowError, match="not-synchronized"):
        Air(asynchronous=True).time()


def test_a_loss_is_kept_for_every_step_and_the_time_is_valid_if_it_fell():
    """The warm-up's losses come first."""
    train = Air().time()["train"]
    assert train["losses"] == [99.0, 98.0, 97.0, 96.0, 95.0, 94.0, 93.0]
    assert (train["valid"], train["reason"], train["unit"]) == (True, None, "batch")


def test_a_net_that_does_not_learn_gives_a_reason_instead_of_a_time():
    """The samples stay in the record."""
    train = Air().time(state=lambda: b"the same")["train"]
    assert (train["valid"], train["reason"]) == (False, {"key": "parameters-unchanged", "values": {}})
    assert len(train["samples_s"]) == 6


def test_the_gpu_s_memory_is_read_before_and_after(monkeypatch):
    """Used and total bytes of the device."""
    monkeypatch.setattr(nvml, "read", lambda: GPU._replace(memory_used=3 << 30))
    found = Air().time(GPU)["memory"]
    assert (found["gpu_used_before_bytes"], found["gpu_used_after_bytes"]) == (1 << 30, 3 << 30)
    assert found["gpu_total_bytes"] == 8 << 30


def test_a_throttled_gpu_gives_a_warning_per_phase(monkeypatch):
    """With the driver's reasons."""
    monkeypatch.setattr(nvml, "read", lambda: GPU._replace(throttle=["power cap"]))
    found = [warning for warning in Air().time(GPU)["warnings"] if warning["key"] == "throttled"]
    expected = {"key": "throttled", "values": {"reasons": "power cap"}}
    assert found == [dict(expected, phase="train"), dict(expected, phase="predict")]


def test_a_gpu_whose_clock_fell_during_a_phase_gives_a_warning(monkeypatch):
    """During prediction here."""
    clocks = iter([1700] * 3 + [1200] * 2)  # before and after each phase, and once at the end
    monkeypatch.setattr(nvml, "read", lambda: GPU._replace(clock_mhz=next(clocks)))
    warnings = Air().time(GPU, with_energy=False)["warnings"]
    found = [warning for warning in warnings if warning["key"] == "falling-gpu-clock"]
    assert [(warning["phase"], round(warning["values"]["percent"])) for warning in found] == [("predict", 29)]


def test_what_happened_during_the_warm_up_is_no_condition_of_the_samples(monkeypatch):
    """The first reading is of the warm machine: a compiler that ran before it gives no warning."""
    air, reading = Air(), load.read()
    monkeypatch.setattr(load, "read", lambda: air.diary.append("conditions") or reading)
    air.time()
    found = [entry for entry in air.diary if entry in ("conditions", "train", "predict")]
    train, predict = (["conditions"] + [phase] * 6 + ["conditions"] for phase in ("train", "predict"))
    assert found == ["train"] + train + ["predict"] + predict


def test_a_driver_that_is_lost_leaves_gaps_not_zeros(monkeypatch):
    """What could not be read is null."""
    monkeypatch.setattr(nvml, "read", lambda: None)
    found = Air().time(GPU)
    assert (found["memory"]["gpu_used_after_bytes"], found["energy"]) == (None, None)


def test_conditions_have_the_gpu_s_part_which_is_null_on_the_cpu(monkeypatch):
    """Every field is always there."""
    monkeypatch.setattr(nvml, "read", lambda: GPU)
    found = Air().time(GPU)["train"]["conditions"]
    assert (found["gpu_clock_mhz_before"], found["gpu_temperature_c_after"]) == (1700, 60)
    monkeypatch.setattr(nvml, "read", lambda: pytest.fail("a run on the CPU asks no GPU"))
    on_cpu = Air().time()["train"]["conditions"]
    assert set(on_cpu) == set(found)
    assert {value for name, value in on_cpu.items() if name.startswith("gpu_")} == {None}


def test_a_gpu_s_energy_is_its_counter_s_difference():
    """Millijoules to joules; a counter that is absent, went back or does not move gives nothing."""
    after = GPU._replace(energy_mj=5000)
    assert nvml.joules(GPU, after) == 4.0
    for before, later in ((after, GPU), (GPU, GPU), (GPU._replace(energy_mj=None), after), (GPU, None)):
        assert nvml.joules(before, later) is None


@pytest.fixture
def counters(monkeypatch):
    """Seven joules more each time that the packages' counters or the GPU's are read."""
    readings = [0]

    def more():
        readings[0] += 7
        return readings[0]

    monkeypatch.setattr(rapl, "read", lambda: {"intel-rapl:0": rapl.Counter(more() * 1000000, 10**12)})
    monkeypatch.setattr(nvml, "read", lambda: GPU._replace(energy_mj=more() * 1000))


def test_energy_has_a_window_of_its_own_after_the_timing(counters, monkeypatch):
    """As many synchronized steps as fill it, and at least one; seven joules over all of them."""
    monkeypatch.setattr(energy, "WINDOW_S", 5.0)
    calls, now = [], iter([0.0, 2.0, 4.0, 6.0, 6.0])
    step, synchronize = (lambda batch: calls.append(batch)), (lambda: calls.append("wait"))
    assert energy.per_batch("cpu", step, lambda: "step", synchronize, lambda: next(now)) == pytest.approx(7 / 3)
    assert calls == ["step", "wait"] * 3
    monkeypatch.setattr(rapl, "read", lambda: None)
    assert energy.per_batch("cpu", pytest.fail, pytest.fail, pytest.fail) is None, "no step without a counter"


@pytest.mark.parametrize(
    ("gpu", "source"), [(None, "RAPL package counters"), (GPU, "NVML total energy consumption")], ids=["cpu", "gpu"]
)
def test_energy_is_that_of_the_device_that_computes(counters, gpu, source):
    """Joules per batch and their counter; none in a process that is timing only."""
    joules = {"train_joules_per_batch": 7.0, "predict_joules_per_batch": 7.0}
    assert Air().time(gpu)["energy"] == dict(joules, source=source)
    assert Air().time(gpu, with_energy=False)["energy"] is None


def test_without_counters_there_is_no_energy(counters, monkeypatch):
    """Null and not zero, also where they vanish in between."""
    found = rapl.read()
    for readings in ([None] * 4, [found, None] * 2):
        queue = iter(readings)
        monkeypatch.setattr(rapl, "read", lambda queue=queue: next(queue))
        assert Air().time()["energy"] is None


@pytest.mark.parametrize(
    ("is_reset", "peaks", "expected"), [(True, [9, 5], 5), (False, [9, 9], None), (False, [9, 12], 12)]
)
def test_a_peak_from_before_the_timed_steps_is_not_theirs(monkeypatch, is_reset, peaks, expected):
    """Where the kernel does not reset the peak, only a higher one is known to be of the timed steps."""
    peaks = iter(peaks)
    monkeypatch.setattr(memory, "peak_resident_bytes", lambda: next(peaks))
    monkeypatch.setattr(memory, "reset_peak", lambda: is_reset)
    assert Air().time()["memory"]["peak_resident_bytes"] == expected


def test_an_epoch_is_extrapolated_unless_it_was_measured():
    """The record says which."""
    steps = Air().steps(train_batches=100, test_batches=10)
    train, predict = {"median_s": 0.5, "valid": True}, {"median_s": 0.1, "valid": True}
    assert timing.complete_passes(steps, Quality(epoch_seconds=42.0), train, predict) == {
        "epoch": {"seconds": 42.0, "batches": 100, "how": "measured"},
        "test_set": {"seconds": 1.0, "batches": 10, "how": "extrapolated"},
    }
    assert timing.complete_passes(steps, Quality(), dict(train, valid=False), predict)["epoch"] is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (type("ResourceExhaustedError", (Exception,), {})("OOM when allocating tensor"), True),
        (type("JaxRuntimeError", (Exception,), {})("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes."), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), False),
    ],
)
def test_running_out_of_memory_is_recognized(error, expected):
    """Python's error, PyTorch's of every version, and TensorFlow's."""
    assert worker._is_out_of_memory(error) is expected


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (DeviceUnavailable("gpu-not-visible", framework="Air"), "skipped", ("gpu-not-visible", {"framework": "Air"})),
        (RowError("loss-diverged", batch=3), "failed", ("loss-diverged", {"batch": 3})),
        (ValueError("no"), "failed", ("exception", {"type": "ValueError", "message": "no"})),
        (MemoryError(), "out_of_memory", ("exception", {"type": "MemoryError", "message": ""})),
    ],
)
def test_an_error_becomes_a_result_with_a_status_and_a_reason(monkeypatch, error, status, reason):
    """A reason of the table where the row gives one, else the exception."""
    sent = []

    class Sender(Silent):
        def __init__(self, descriptor):
            pass

        def send(self, event, **fields):
            sent.append((event, events.plain(fields)))

    def run(job, result, sender):
        raise error

    monkeypatch.setattr(worker, "run", run)
    monkeypatch.setattr(worker, "_die_with_parent", lambda: None)
    monkeypatch.setattr(events, "Sender", Sender)
    monkeypatch.setattr(worker.sys, "argv", ["worker", "--events", "9"])
    monkeypatch.setattr(worker.json, "load", lambda stream: make_job())
    assert worker.main() == 0
    result = sent[-1][1]["result"]
    assert (result["status"], result["reason"]) == (status, {"key": reason[0], "values": reason[1]})


def test_synthetic_data_give_no_quality_and_a_row_s_notes_come_first():
    """A loss on made-up data would mean nothing."""
    model = SimpleNamespace(notes=(Reason("lstm-scale"),))
    implementation = SimpleNamespace(train_to_quality=lambda context: Quality(notes=[Reason("bilstm-change")]))
    for synthetic, expected in ((True, []), (False, ["lstm-scale", "bilstm-change"])):
        data = SimpleNamespace(source=SimpleNamespace(synthetic=synthetic))
        context = SimpleNamespace(data=data, model=model, backend=Air().backend(), seed=1)
        quality = worker.train_to_quality(implementation, context)
        assert [note.key for note in quality.notes] == expected
        assert (quality.reason is not None) == synthetic
