"""One row on one device: what ``<machine>/<stack>/<row>.<device>.json`` contains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import force_setattr

from report.records.common import (
    Duration,
    Environment,
    Line,
    Measured,
    Moment,
    Name,
    Number,
    PhaseName,
    PhaseWarning,
    Positive,
    ProcessStatus,
    Provenance,
    Reason,
    Record,
    Seconds,
    Sha256,
    Status,
    Text,
    Values,
    Whole,
)
from report.records.model import Model, Sameness
from report.records.series import Counted

ScoreName = Literal["loss", "accuracy"]
Numbers = tuple[Number | None, ...]
Times = Sequence[Seconds]
"""A long series: of results from ``load_results`` only its length is known, see ``report.records.series``."""


class Score(Record, frozen=True):
    """One protocol's loss and accuracy; of a baseline, ``name`` says whose."""

    protocol: Line
    loss: Number | None
    accuracy: Number | None
    note: Reason | None = None
    baseline: bool = False
    name: Text = ""

    def value(self, which: ScoreName) -> float | None:
        """Return the loss or the accuracy."""
        return self.loss if which == "loss" else self.accuracy


class SeedScore(Record, frozen=True):
    """What training with one seed gave."""

    seed: int
    seconds: Duration | None
    loss: Number | None
    accuracy: Number | None
    recursive_loss: Number | None = None
    recursive_accuracy: Number | None = None


class RollingOrigin(Record, frozen=True):
    """Errors of forecasts from every origin in the test part, published scale; of a baseline, ``name`` says whose."""

    name: Text
    baseline: bool
    origins: Positive
    horizon: Positive
    mae: Number | None
    rmse: Number | None
    mase: Number | None
    mae_quartiles: Numbers = ()
    rmse_quartiles: Numbers = ()
    mase_quartiles: Numbers = ()


class Quality(Record, frozen=True):
    """How well the model did; ``protocol`` names the score that the page's Loss and Accuracy show."""

    protocol: Text
    loss_metric: Text
    accuracy_metric: Text
    scores: tuple[Score, ...]
    by_seed: tuple[SeedScore, ...]
    epochs: Whole | None
    history: Annotated[Mapping[str, Numbers], Meta(description="of the median seed, one value per epoch")]
    forecasts: Annotated[Mapping[str, Numbers], Meta(description="of the median seed by protocol, and 'truth'")]
    test_seconds: Duration | None
    epoch_seconds: Duration | None
    reason: Annotated[Reason, Meta(description="why there is no loss or accuracy")] | None
    notes: tuple[Reason, ...]
    rolling_origin: tuple[RollingOrigin, ...] = ()

    def score(self, protocol: str) -> Score | None:
        """Return the model's own score under ``protocol``; None if it has none."""
        return next((s for s in self.scores if s.protocol == protocol and not s.baseline), None)


class Conditions(Record, frozen=True):
    """Other activity on the machine while a phase was timed; None if unknown."""

    wall_s: Duration | None = None
    cpus: Number | None = None
    other_load_cpus: Number | None = None
    steal_cpus: Number | None = None
    minor_faults: Number | None = None
    major_faults: Number | None = None
    voluntary_switches: Number | None = None
    involuntary_switches: Number | None = None
    cpu_mhz_before: Number | None = None
    cpu_mhz_after: Number | None = None
    governor_before: Line | None = None
    governor_after: Line | None = None
    cpu_temperature_c_before: Number | None = None
    cpu_temperature_c_after: Number | None = None
    cpu_throttled: Number | None = None
    cgroup_throttled: Number | None = None
    gpu_clock_mhz_before: Number | None = None
    gpu_clock_mhz_after: Number | None = None
    gpu_temperature_c_before: Number | None = None
    gpu_temperature_c_after: Number | None = None
    gpu_throttle_before: tuple[Line, ...] | None = None
    gpu_throttle_after: tuple[Line, ...] | None = None
    gpu_power_cap_s: Number | None = None
    gpu_thermal_slowdown_s: Number | None = None


class Phase(Record, frozen=True):
    """The training steps or predictions of one process; seconds per ``unit``."""

    unit: Literal["batch", "fit"]
    batch_size: Positive
    inner_loops: Annotated[Positive, Meta(description="steps per sample; the times are already divided by it")]
    warmup_s: Times
    samples_s: Annotated[Times, Meta(min_length=1)]
    stopped_by: Literal["precision", "budget", "count"]
    median_s: Seconds
    interval_s: Annotated[tuple[Duration, Duration], Meta(description="95 %, within this process")] | None
    iqr_s: Duration
    losses: Annotated[Sequence[Number | None], Meta(description="after each training step, warm-up too")]
    valid: Annotated[bool, Meta(description="false: the model did not train, so its time may not be shown")]
    reason: Annotated[Reason, Meta(description="why it is not valid")] | None
    conditions: Conditions | None = None
    fastest_s: Seconds = 1e9
    """The shortest sample, which ratios compare (decision 0015). Not part of the record: computed when it is read."""

    def __post_init__(self) -> None:
        if not isinstance(self.samples_s, Counted):  # one that another process read comes without its samples
            force_setattr(self, "fastest_s", min(self.samples_s))


class Memory(Record, frozen=True):
    """Bytes; None if not counted."""

    peak_allocated_bytes: Whole | None
    peak_reserved_bytes: Whole | None
    gpu_used_before_bytes: Whole | None
    gpu_used_after_bytes: Whole | None
    gpu_total_bytes: Whole | None
    resident_before_bytes: Whole | None
    peak_resident_bytes: Whole | None


class Energy(Record, frozen=True):
    """Joules per batch, where a counter exists."""

    train_joules_per_batch: Number | None
    predict_joules_per_batch: Number | None
    source: Line


class Startup(Record, frozen=True):
    """Seconds until the framework is ready, until the net is, and of its first training step, which compiles."""

    import_s: Duration | None
    prepare_s: Duration | None
    first_step_s: Duration | None = None


class Process(Record, frozen=True):
    """One fresh process that measured the row."""

    started: Moment | None
    duration_s: Duration | None
    round: Annotated[Positive, Meta(description="of the bench")]
    order: Annotated[Whole, Meta(description="place among the rows of that round")] | None
    order_seed: Annotated[int, Meta(description="what the order of rows was drawn with")] | None
    status: Annotated[ProcessStatus, Meta(description="disturbed: another process of the same round counts")]
    reason: Reason | None
    train: Phase | None
    predict: Phase | None
    memory: Memory | None
    energy: Energy | None
    warnings: tuple[PhaseWarning, ...]
    environment_sha256: Sha256 | None
    code_sha256: Sha256 | None
    startup: Startup | None = None

    def phase(self, name: PhaseName) -> Phase | None:
        """Return the training or the prediction."""
        return self.train if name == "train" else self.predict


class Data(Record, frozen=True):
    """Which data, from where, and whether they were generated because the real ones could not be fetched."""

    name: Name
    source: Line
    sha256: Sha256
    synthetic: bool
    note: Reason | None


class Total(Record, frozen=True):
    """Seconds for a complete epoch or test set."""

    seconds: Seconds
    batches: Positive
    how: Literal["measured", "extrapolated"]


class NodeSpread(Record, frozen=True):
    """How far one phase's figures lie apart on several nodes of one type; this record is of the middle one."""

    phase: PhaseName
    nodes: Positive
    low_s: Seconds
    high_s: Seconds
    outliers: Annotated[Mapping[Line, Number], Meta(description="node: its difference from the median, relative")] = {}
    without: Annotated[Mapping[Line, Status], Meta(description="node that has no figure: how it ended")] = {}


class Result(Measured, frozen=True):
    """One row on one device, measured by one or more processes. Every field is always there; null: not measured."""

    model: Model
    status: Status
    reason: Annotated[Reason, Meta(description="never null unless the status is ok")] | None
    log: Annotated[Text, Meta(description="the end of what a failed process printed")] | None
    settings: Annotated[Values, Meta(description="of the row; batch_size, seed, threads, stopping_rule")]
    quality: Quality | None
    epoch: Total | None
    test_set: Total | None
    processes: Annotated[
        tuple[Process, ...], Meta(description="oldest first; the first one also trained to quality", max_length=1000)
    ]
    data: Data | None
    environment: Environment | None
    execution: Annotated[Values, Meta(description="what actually ran: threads, cudnn, tf32, memory_format, ...")] | None
    provenance: Provenance
    sameness: Annotated[Sameness, Meta(description="of a row measured beside other frameworks")] | None = None
    nodes: Annotated[tuple[NodeSpread, ...], Meta(description="of a fleet that measured each node", max_length=2)] = ()
    path: str = ""
    """The file that it was read from. Not part of the record: the loader sets it and ignores what the file has."""

    def __post_init__(self) -> None:
        """Check that the fields agree. Raises ValueError, which msgspec reports with the place."""
        if self.status != "ok":
            if self.reason is None:
                raise ValueError(f"reason: null, although the status is {self.status}")
            return
        for name in ("quality", "data", "environment", "processes"):
            if not getattr(self, name):
                raise ValueError(f"{name}: none, although the status is ok")

    @property
    def key(self) -> str:
        """The row's key, such as ``lstm``."""
        return self.model.key

    @property
    def file(self) -> str:
        """Where the record lies below the results folder."""
        return f"{self.machine}/{self.stack}/{self.model.key}.{self.device}.json"

    @property
    def started(self) -> str | None:
        """When the first process started; None if none did."""
        return next((process.started for process in self.processes if process.started), None)

    @property
    def finished(self) -> tuple[Process, ...]:
        """The processes that ended well and count, oldest first."""
        return tuple([process for process in self.processes if process.status == "ok"])

    def phases(self, name: PhaseName) -> tuple[Phase, ...]:
        """Return the valid phases of the finished processes: what a figure rests on."""
        every = [process.phase(name) for process in self.finished]
        return tuple([phase for phase in every if phase is not None and phase.valid])
