"""What the parent, the worker and the frameworks agree on.

Python 3.6 and the standard library only: the parent must be able to describe a row, and its failure, even where the
row's framework cannot be imported.
"""

from hashlib import sha256
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

SCHEMA_VERSION = 2
"""Version of the record; its history is in ``report/schema/README.md``."""

DEVICES = ("cpu", "gpu")
PROFILES = ("smoke", "quick", "full")
PHASES = ("train", "predict")

BATCH_SIZE = 32
"""The published page's batch size, for every row (2017-08-05, legend entry BATCH)."""


class Reason(NamedTuple):
    """A statement as data: the report owns the sentence. ``key`` and the names of ``values`` are in a table below."""

    key: str
    values: Dict[str, Any] = {}


REASONS = {  # why there is no figure: of a record, a process, a phase, a quality or a tuning attempt
    "device-not-offered": ("framework", "device"),
    "time-limit": ("seconds",),
    "killed": ("signal",),
    "killed-for-memory": ("signal",),
    "no-result": ("exit_status",),
    "malformed-output": ("text",),
    "malformed-record": (),
    "exception": ("type", "message"),
    "loss-not-finite": (),
    "loss-not-falling": ("first", "last"),
    "parameters-unchanged": (),
    "disturbed": ("percent",),
    "not-synchronized": ("ratio",),
    "synthetic-data": (),
    "outputs-differ": ("difference", "tolerance"),
    "repeat-failed": ("side", "reason"),
    "not-the-same-net": ("quantity", "precision", "difference", "tolerance"),
    "other-parameters": ("names",),
    # of the data sets
    "data-missing": ("file",),
    "data-damaged": ("file",),
    # of the frameworks
    "gpu-not-visible": ("framework", "version"),
    "gpu-unusable": ("framework", "version", "message"),
    "build-without-gpu": ("framework", "version"),
    "build-without-gpu-code": ("framework", "version", "gpu", "capability", "built_for"),
    "option-missing": ("framework", "version", "option"),
    "option-automatic": ("framework", "version", "option"),
    "compiler-missing": ("language", "compilers"),
    "loss-diverged": ("loss", "epoch", "batch", "learning_rate"),
    "checkpoint-damaged": ("file",),
    "full-profile-only": (),
    "too-slow-on-cpu": ("batches",),
    "only-timed": ("row",),
}

NOTES = {  # what a reader of a row needs to know: of a quality, a score or a data set
    "lstm-scale": (),
    "lstm-aug-published": (),
    "lstm-aug-here": ("powers",),
    "median-of-seeds": ("seeds",),
    "bilstm-change": (),
    "bilstm-part": ("windows", "minutes"),
    "test-minutes": ("minutes",),
    "test-images": ("images",),
    "batch-of-16": (),
    "trained-to-target": ("epochs", "images", "seconds", "accuracy", "target"),
    "trained-without-target": ("epochs", "images", "seconds", "accuracy", "target"),
    "interrupted": ("times",),
    "ar-ols-slips": ("r2",),
    "ar-ols-is-ar": (),
    "sarimax-extra": (),
    # of the data sets
    "filled-minutes": (),
    "images-from-tree": ("train", "test"),
    "images-random": (),
}

WARNINGS = {  # what a reader of a time should know
    "unstable": ("percent",),
    "drifting": ("percent",),
    "bimodal": ("low_s", "high_s"),
    "imprecise": ("by", "samples", "percent"),
    "other-load": ("processors",),
    "stolen-time": ("processors",),
    "cgroup-throttled": ("times",),
    "paging": ("rate",),
    "preempted": ("rate",),
    "governor": ("governor",),
    "falling-clock": ("percent",),
    "falling-gpu-clock": ("percent",),
    "hot": ("degrees",),
    "throttled-processor": ("times",),
    "throttled": ("reasons",),
    "foreign-process": ("processes",),
}


class UsageError(Exception):
    """A wrong argument or an unusable path, in plain English: what, where, the value, the fix."""


class RowError(Exception):
    """A row cannot be measured, for a reason of ``REASONS``: ``RowError("loss-diverged", loss=..., ...)``."""

    status = "failed"

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(readable(Reason(key, values)))
        self.reason = Reason(key, values)


class DataUnavailable(RowError):
    """A data set is missing or fails its checksum."""


class DeviceUnavailable(RowError):
    """The framework cannot use the device: the row is skipped."""

    status = "skipped"


class OptionUnavailable(RowError):
    """The framework's version has no such option: a tuned variant with it is skipped."""

    status = "skipped"


def readable(reason: Reason) -> str:
    """``key (name: value, ...)``, for the terminal."""
    values = ", ".join("{}: {}".format(name, value) for name, value in sorted(reason.values.items()))
    return "{} ({})".format(reason.key, values) if values else reason.key


class Rule(NamedTuple):
    """When the timing loop may stop. Times in seconds.

    Sampling ends as soon as the 95 % confidence interval of the median reaches no further than ``half_width`` (a share
    of the median) to either side, but not before ``min_samples`` and ``min_time_s``; and at the latest after
    ``budget_s`` or ``max_samples``, once ``min_samples`` are there.
    """

    min_warmup: int = 3
    warmup_s: float = 0.5
    min_samples: int = 10
    max_samples: int = 2000
    min_time_s: float = 0.5  # a shorter run misses what the machine does now and then
    budget_s: float = 10.0
    half_width: float = 0.02
    shortest_sample_s: float = 1e-3  # a shorter step runs several times per sample


class Model(NamedTuple):
    """One row, as the module ``runners.<framework>.<key>`` (``-`` as ``_``) exports it under the name ``MODEL``.

    That module imports nothing heavy. ``implementation`` names the module that the worker imports, with the functions
    ``prepare(context) -> Steps`` and ``train_to_quality(context) -> Quality``; that of a net which other frameworks
    have too also has ``prove(context)``, which returns the record's ``sameness``.
    """

    key: str  # "densenet-24x3": names the file, the result and the make variable
    title: str  # "DenseNet": the page's first column
    params: str  # "3 x 24 dense"
    library: str  # "PyTorch"
    dataset: str  # a key of runners.data.DATASETS
    implementation: str  # "runners.pytorch.densenet.row"
    settings: Dict[str, Dict[str, Any]]  # profile -> plain JSON values; recorded, and part of the fingerprint
    rules: Dict[str, Rule]  # profile -> when the timing in one process may stop
    processes: Dict[str, int]  # profile -> fresh processes that time the row
    time_limit_s: Dict[str, float]  # profile -> seconds after which a process is stopped
    twin_of: Optional[str] = None  # key of the published row whose net this is in another framework
    order: int = 100  # the row's place on the page; published rows have 1 to 8
    notes: Tuple[Reason, ...] = ()  # put before the notes of its quality, whatever came out


class Context(NamedTuple):
    """What an implementation's functions are given."""

    backend: "Backend"
    model: Model
    device: str
    profile: str
    settings: Dict[str, Any]  # the model's for this profile
    seed: int
    data: Any  # the NamedTuple that the data set's load() returns
    progress: Callable[[str, int, int], None]  # (phase, done, total): for the display
    checkpoints: Optional[str] = None  # a writable folder, kept between runs; None where there is none


class Backend(NamedTuple):
    """What a framework's ``backend.py`` exports through ``open_backend(device, threads)``.

    ``synchronize`` returns when all work that was started has finished. ``reset_memory`` sets the peak counters to
    zero; ``read_memory`` returns bytes under the names of the record's ``memory`` field (``peak_allocated_bytes``,
    ``peak_reserved_bytes``). The defaults are for a device on which calls return finished and no bytes are counted.
    """

    versions: Callable[[], Dict[str, str]]
    execution: Callable[[], Dict[str, Any]]  # how the framework computed: threads, TF32, oneDNN, ...; after the timing
    seed: Callable[[int], None]  # seeds every generator that the framework and NumPy have
    synchronize: Callable[[], None] = lambda: None
    reset_memory: Callable[[], None] = lambda: None
    read_memory: Callable[[], Dict[str, int]] = dict
    asynchronous: bool = False  # True: calls return before their work is done, so synchronization must be proven


class Steps(NamedTuple):
    """A row made ready for timing, untrained, on its device.

    ``train(batch)`` does one complete training step from host memory and returns a handle from which ``read_loss``
    makes a float after the clock has stopped. ``predict(batch)`` returns the answer in host memory. The ``*_batch``
    functions hand out the next batch in host memory, outside the clock.
    """

    train: Callable[[Any], Any]
    train_batch: Callable[[], Any]
    read_loss: Callable[[Any], float]
    predict: Callable[[Any], Any]
    predict_batch: Callable[[], Any]
    state: Callable[[], bytes]  # changes whenever a trainable parameter changes
    parameters: int  # trainable ones
    batch_size: int = BATCH_SIZE
    train_unit: str = "batch"  # "fit" where training has no batches
    train_batches: Optional[int] = None  # batches per epoch; set where the page quotes seconds per epoch
    test_batches: Optional[int] = None  # batches per test set; likewise
    iterative: bool = True  # False: closed form, so the loss cannot fall from step to step
    details: Dict[str, Any] = {}  # what else describes the model: sizes of layers, windows, ...
    execution: Callable[[], Dict[str, Any]] = dict  # how this net ran, beside the backend's; called after the timing


class Option(NamedTuple):
    """A setting of the framework that may make a row faster and may not change what it computes.

    A tunable framework lists them in its ``framework.json``, in the order in which they are tried, and its
    ``tuning.py`` exports ``prepare(context, settings) -> Variant``, where ``settings`` are those of the options under
    trial, laid over one another; with none it is the row as written.
    """

    key: str  # "channels-last"
    settings: Dict[str, Any] = {}
    variables: Dict[str, str] = {}  # laid over the process's environment
    threads: Optional[int] = None  # instead of the row's
    devices: Sequence[str] = DEVICES  # where it is tried
    datasets: Sequence[str] = ()  # of the rows that it is for; empty: of all


class Variant(NamedTuple):
    """A row with options, made ready for timing."""

    steps: Steps
    outputs: Callable[[], Any]  # what the untrained net answers to ``predict_batch``, before rounding, without TF32


class Score(NamedTuple):
    """How well one protocol was met. ``loss`` and ``accuracy`` are on the published scale."""

    protocol: str  # "one-step", "recursive", "as-published", "held-out"
    loss: Optional[float]
    accuracy: Optional[float]
    note: Optional[Reason] = None
    baseline: bool = False  # True: a baseline to compare this row's score with; ``name`` is the baseline's
    name: str = ""


class Quality(NamedTuple):
    """What training gave, and how it was judged. An empty one has a ``reason``."""

    protocol: str = ""  # which of ``scores`` the page's Loss and Accuracy show
    loss_metric: str = ""  # "mse", "cross-entropy"
    accuracy_metric: str = ""  # "r2", "top-1"
    scores: List[Score] = []  # medians over the seeds, where there are several
    by_seed: List[Dict[str, Any]] = []  # {"seed", "seconds", "loss", "accuracy"}
    epochs: Optional[int] = None
    history: Dict[str, List[float]] = {}  # of the median seed: "loss" per epoch, ...
    forecasts: Dict[str, List[float]] = {}  # protocol -> test forecasts of the median seed; "truth" among them
    rolling_origin: List[Dict[str, Any]] = []  # errors a year ahead: see runners.data.airline.rolling_origin
    test_seconds: Optional[float] = None  # the complete test set, measured
    epoch_seconds: Optional[float] = None  # a complete epoch, measured
    reason: Optional[Reason] = None
    notes: List[Reason] = []


Implementation = Tuple[Callable[[Context], Steps], Callable[[Context], Quality], Callable[[Context], Dict[str, Any]]]
"""``prepare``, ``train_to_quality`` and ``prove`` as a row's ``implementation`` has them: see ``Model``."""


def digest(arrays: Iterable[Any]) -> bytes:
    """A checksum of a net's arrays, for ``Steps.state``: a large net is not copied as a whole."""
    found = sha256()
    for array in arrays:
        found.update(array.tobytes())
    return found.digest()
