"""The child's work: order of the counters, marks, and what becomes of errors. A framework made of air stands in."""

import pytest

pytest.importorskip("numpy")

from jobs import make_record

from runners import energy, environment, nvml, rapl, worker
from runners.contract import Backend, Quality, Rule, Steps

RULE = Rule(min_warmup=1, warmup_s=0, min_samples=6, min_time_s=0, max_samples=6, shortest_sample_s=0)


class Air:
    """A framework that keeps a diary. Every step improves the loss by one."""

    def __init__(self, peak=None):
        self.diary = []
        self.loss = 100.0
        self.peak = peak or {}

    def backend(self):
        return Backend(
            name="air",
            synchronize=lambda: self.diary.append("synchronize"),
            reset_memory=lambda: self.diary.append("reset"),
            read_memory=lambda: self.diary.append("read") or self.peak,
            versions=dict,
            kernel_path=dict,
            seed=lambda seed: None,
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


class Silent:
    """A sender that nobody hears."""

    def send(self, event, **fields):
        pass

    def samples(self, phase, rule, began):
        return lambda samples: None


READING = environment.read_conditions()


def time_air(air, card=None, **fields):
    record = make_record(device="gpu" if card else "cpu")
    worker.time_model(air.steps(**fields), air.backend(), RULE, record, card, Silent())
    return record


def test_the_memory_counters_are_reset_before_and_read_after():
    """Peak figures are those of the timed steps alone."""
    air = Air({"peak_allocated_bytes": 5, "peak_reserved_bytes": 7})
    record = time_air(air)
    assert (air.diary[0], air.diary[-1]) == ("reset", "read")
    assert air.diary.count("reset") == air.diary.count("read") == 1
    assert (record["memory"]["peak_allocated_bytes"], record["memory"]["peak_reserved_bytes"]) == (5, 7)


def test_every_step_is_synchronized_before_and_after():
    """The order is the same on every device."""
    air = Air()
    time_air(air)
    assert air.diary[1:7] == ["synchronize", "train", "synchronize"] * 2


def test_a_loss_is_kept_for_every_step_and_the_time_counts_if_it_fell():
    """Warm-up first."""
    train = time_air(Air())["timing"]["train"]
    assert train["losses"] == [99.0, 98.0, 97.0, 96.0, 95.0, 94.0, 93.0]
    assert (train["counts"], train["reason"]) == (True, None)


def test_a_model_that_does_not_learn_gives_a_reason_instead_of_a_time():
    """The samples stay in the record; the page shows the reason."""
    air = Air()
    train = time_air(air, state=lambda: b"the same")["timing"]["train"]
    assert (train["counts"], train["reason"]) == (False, "training did not change the model's parameters")
    assert len(train["samples_s"]) == 6


CARD = nvml.Card("GTX", "535", "6.1", 8 << 30, 1 << 30, 1700, 60, [], 1000, None)


def test_the_card_s_memory_is_read_before_and_after(monkeypatch):
    """Used and total bytes of the whole device."""
    monkeypatch.setattr(nvml, "read_card", lambda: CARD._replace(memory_used=3 << 30))
    memory = time_air(Air(), CARD)["memory"]
    assert (memory["device_before_bytes"], memory["device_after_bytes"]) == (1 << 30, 3 << 30)
    assert memory["device_total_bytes"] == 8 << 30


def test_a_card_that_was_held_back_is_marked(monkeypatch):
    """With the driver's reasons."""
    monkeypatch.setattr(nvml, "read_card", lambda: CARD._replace(throttle=["power cap"]))
    marks = [mark for mark in time_air(Air(), CARD)["marks"] if mark["key"] == "throttled"]
    assert [mark["phase"] for mark in marks] == ["train", "predict"]
    assert marks[0]["reason"] == "the card was held back by: power cap"


def test_what_went_on_while_it_warmed_up_is_no_condition_of_the_samples(monkeypatch):
    """The first reading is of the warm machine: a hot compiler before it leaves no mark."""
    air = Air()
    monkeypatch.setattr(environment, "read_conditions", lambda: air.diary.append("conditions") or READING)
    time_air(air)
    steps = [entry for entry in air.diary if entry in ("conditions", "train", "predict")]
    assert steps == ["train", "conditions"] + ["train"] * 6 + ["conditions"] + ["predict", "conditions"] + [
        "predict"
    ] * 6 + ["conditions"]


def test_a_card_whose_driver_goes_away_leaves_gaps_not_zeros(monkeypatch):
    """What could not be read is null."""
    monkeypatch.setattr(nvml, "read_card", lambda: None)
    record = time_air(Air(), CARD)
    assert record["memory"]["device_after_bytes"] is None
    assert record["energy"] is None


def test_a_card_s_energy_is_its_counter_s_difference():
    """Millijoules to joules; a counter that is absent, went back or stands still gives nothing."""
    after = CARD._replace(energy_mj=5000)
    assert nvml.joules(CARD, after) == 4.0
    for before, later in ((after, CARD), (CARD, CARD), (CARD._replace(energy_mj=None), after), (CARD, None)):
        assert nvml.joules(before, later) is None


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """One step is long enough a window for the counters."""
    monkeypatch.setattr(energy, "WINDOW_S", 0.0)


@pytest.fixture
def counters(monkeypatch):
    """Seven joules more each time that the packages' counters or the card's are read."""
    readings = [0]

    def more():
        readings[0] += 7
        return readings[0]

    monkeypatch.setattr(rapl, "read", lambda: {"intel-rapl:0": rapl.Counter(more() * 1000000, 10**12)})
    monkeypatch.setattr(nvml, "read_card", lambda: CARD._replace(energy_mj=more() * 1000))


def test_energy_has_a_window_of_its_own_after_the_timing(counters, monkeypatch):
    """As many steps as fill it, each waited for, and at least one; seven joules over all of them."""
    monkeypatch.setattr(energy, "WINDOW_S", 5.0)
    calls, now = [], iter([0.0, 2.0, 4.0, 6.0, 6.0])
    step, synchronize = (lambda batch: calls.append(batch)), (lambda: calls.append("wait"))
    assert energy.per_batch("cpu", step, lambda: "step", synchronize, lambda: next(now)) == pytest.approx(7 / 3)
    assert calls == ["step", "wait"] * 3
    monkeypatch.setattr(rapl, "read", lambda: None)
    assert energy.per_batch("cpu", pytest.fail, pytest.fail, pytest.fail) is None, "no step where nobody counts"


def test_the_processor_s_energy_is_recorded_on_the_cpu(counters):
    """Joules a batch, and who counted them."""
    assert time_air(Air())["energy"] == {
        "train_joules_per_batch": 7.0,
        "predict_joules_per_batch": 7.0,
        "source": "RAPL package counters",
    }


def test_the_card_s_energy_is_recorded_on_the_gpu(counters):
    """The processor's has no part in it."""
    assert time_air(Air(), CARD)["energy"] == {
        "train_joules_per_batch": 7.0,
        "predict_joules_per_batch": 7.0,
        "source": "NVML total energy consumption",
    }


def test_without_counters_there_is_no_energy(counters, monkeypatch):
    """Null and not zero; likewise if they vanish half-way."""
    whole = rapl.read()
    for readings in ([None] * 4, [whole, None] * 2):
        queue = iter(readings)
        monkeypatch.setattr(rapl, "read", lambda queue=queue: next(queue))
        assert time_air(Air())["energy"] is None


def test_conditions_hold_the_card_s_part_and_null_on_the_cpu(monkeypatch):
    """Every field is always there."""
    monkeypatch.setattr(nvml, "read_card", lambda: CARD)
    found = time_air(Air(), CARD)["timing"]["train"]["conditions"]
    assert (found["card_clock_mhz_before"], found["card_temperature_c_after"]) == (1700, 60)
    monkeypatch.setattr(nvml, "read_card", lambda: pytest.fail("a run on the CPU asks no card"))
    on_cpu = time_air(Air())["timing"]["train"]["conditions"]
    assert set(on_cpu) == set(found)
    assert {value for name, value in on_cpu.items() if name.startswith("card_")} == {None}


def test_a_card_whose_clock_fell_during_a_phase_is_marked(monkeypatch):
    """During prediction here."""
    clocks = iter([1700] * 5 + [1200] * 4)  # before and after each phase, and around the window for energy
    monkeypatch.setattr(nvml, "read_card", lambda: CARD._replace(clock_mhz=next(clocks)))
    marks = [mark for mark in time_air(Air(), CARD)["marks"] if mark["key"] == "falling-card-clock"]
    assert [(mark["phase"], mark["reason"]) for mark in marks] == [
        ("predict", "the card's clock fell by 29 % from before to after")
    ]


@pytest.mark.parametrize(
    ("is_reset", "peaks", "expected"), [(True, [9, 5], 5), (False, [9, 9], None), (False, [9, 12], 12)]
)
def test_a_peak_from_before_the_timed_steps_is_not_theirs(monkeypatch, is_reset, peaks, expected):
    """Where the kernel does not set the peak back, only a higher one is known to be of the timed steps."""
    peaks = iter(peaks)
    monkeypatch.setattr(environment.Resident, "peak", lambda: next(peaks))
    monkeypatch.setattr(environment.Resident, "reset_peak", lambda: is_reset)
    assert time_air(Air())["memory"]["peak_resident_bytes"] == expected


def test_an_epoch_is_multiplied_out_unless_it_was_measured():
    """And says which."""
    steps = Air().steps(train_batches=100, test_batches=10)
    timing = {"train": {"median_s": 0.5, "counts": True}, "predict": {"median_s": 0.1, "counts": True}}
    assert worker._whole_passes(steps, Quality(epoch_seconds=42.0), timing) == {
        "epoch": {"seconds": 42.0, "batches": 100, "how": "measured"},
        "test_set": {"seconds": 1.0, "batches": 10, "how": "multiplied"},
    }
    timing["train"]["counts"] = False
    assert worker._whole_passes(steps, Quality(), timing)["epoch"] is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (type("ResourceExhaustedError", (Exception,), {})("OOM when allocating tensor"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), False),
    ],
)
def test_want_of_memory_is_told_from_other_errors(error, expected):
    """Python's, PyTorch's of every age, and TensorFlow's."""
    assert worker._is_out_of_memory(error) is expected
