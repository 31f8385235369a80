"""What runners agree on: models, backends, and the result record.

Python 3.6 and the standard library only: this module is imported by the parent, which must be able to
describe a model (and its failure) even where the model's framework cannot be imported.
"""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

SCHEMA_VERSION = 1
"""Version of the result record; the history stands in ``report/schema/README.md``."""

FRAMEWORKS = ("classical", "keras", "pytorch")
DEVICES = ("cpu", "gpu")
PROFILES = ("smoke", "quick", "full")
STATUSES = ("ok", "failed", "timeout", "out_of_memory", "skipped")

BATCH_SIZE = 32
"""The published page's batch size, for every model (2017-08-05, legend entry BATCH)."""


class UsageError(Exception):
    """A wrong argument or input file. The message names the culprit, the value and the cure."""


class DeviceUnavailable(Exception):
    """The framework cannot use the device asked for: the row is skipped, with the message as its reason."""


class OptionUnavailable(Exception):
    """The framework's version has no such option: a tuned variant with it is skipped, with the message as reason."""


class DataUnavailable(Exception):
    """A data set is missing or fails its checksum. The message names the file and the cure."""


class Rule(NamedTuple):
    """When the timing loop may stop. Times in seconds.

    Sampling ends as soon as the 95 % confidence interval of the median reaches no further than
    ``half_width`` (a share of the median) to either side, but not before ``min_samples`` and ``min_time_s``;
    and at the latest after ``budget_s`` or ``max_samples``, once ``min_samples`` are there.
    """

    min_warmup: int = 3
    warmup_s: float = 0.5
    min_samples: int = 10
    max_samples: int = 2000
    min_time_s: float = 0.5  # a shorter look at the machine misses what it does now and then
    budget_s: float = 10.0
    half_width: float = 0.02
    shortest_sample_s: float = 1e-3  # a shorter step is run several times a sample


class Model(NamedTuple):
    """One row of the page, as a framework's model file exports it under the name ``MODEL``.

    A model file imports nothing heavy at its top: ``prepare`` and ``train_to_quality`` import the
    framework when they are called, which only the child process does.
    """

    key: str  # "densenet-24x3": names the file, the result and the make variable
    title: str  # "DenseNet": the page's first column
    params: str  # "3 x 24 dense"
    library: str  # "PyTorch"
    dataset: str  # a key of runners.data.DATASETS
    settings: Dict[str, Dict[str, Any]]  # profile -> plain JSON values; recorded, and part of the cache key
    rules: Dict[str, Rule]  # profile -> when its timing may stop
    time_limit_s: Dict[str, float]  # profile -> seconds after which the child is stopped
    prepare: Callable[["Context"], "Steps"]
    train_to_quality: Callable[["Context"], "Quality"]
    position: int = 100  # the row's place on the page; published rows have 1 to 8
    devices: Tuple[str, ...] = DEVICES
    device_reason: str = ""  # why a device is missing from `devices`


class Context(NamedTuple):
    """What a model's functions are given."""

    backend: "Backend"
    device: str
    profile: str
    settings: Dict[str, Any]
    seed: int
    data: Any  # the NamedTuple that the data set's load() returns
    progress: Callable[[str, int, int], None]  # (phase, done, total): for the display
    checkpoints: Optional[str] = None  # a writable folder, kept between runs; None where there is none


class Backend(NamedTuple):
    """What a framework's ``backend.py`` exports through ``open_backend(device, threads)``.

    ``synchronize`` returns when every kernel that was started has finished. ``reset_memory`` sets the
    peak counters to zero; ``read_memory`` gives bytes under the names of the record's ``memory`` field
    (``peak_allocated_bytes``, ``peak_reserved_bytes``), or nothing where the framework counts none.
    """

    name: str
    synchronize: Callable[[], None]
    reset_memory: Callable[[], None]
    read_memory: Callable[[], Dict[str, int]]
    versions: Callable[[], Dict[str, str]]
    kernel_path: Callable[[], Dict[str, Any]]
    seed: Callable[[int], None]  # seeds every generator the framework and NumPy have


class Steps(NamedTuple):
    """A model made ready for timing, untrained, on its device.

    ``train(batch)`` does one whole training step from host memory and returns a handle from which
    ``read_loss`` makes a float after the clock has stopped. ``predict(batch)`` returns the answer in
    host memory. The ``*_batch`` functions hand out the next batch in host memory, outside the clock.
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
    train_batches: Optional[int] = None  # batches an epoch; set where the page quotes seconds an epoch
    test_batches: Optional[int] = None  # batches a test set; likewise
    iterative: bool = True  # False: closed form, so the loss has no way to fall from step to step
    details: Dict[str, Any] = {}  # what else describes the model: layers' sizes, windows, ...
    outputs: Optional[Callable[[], Any]] = None  # what the untrained net answers to `predict_batch`, before rounding


class Option(NamedTuple):
    """A setting of the framework that may make a model faster and may not change what it computes.

    A framework with any exports ``tuning.options(device, threads, cores)``: a list in the order in which they are
    tried. ``settings`` are laid over the model's, ``variables`` over the child's environment.
    """

    key: str  # "channels-last"
    settings: Dict[str, Any] = {}
    variables: Dict[str, str] = {}
    threads: Optional[int] = None  # instead of the row's


class Score(NamedTuple):
    """How well one protocol was met. ``loss`` and ``accuracy`` are on the published scale."""

    protocol: str  # "one-step", "recursive", "as-published", "held-out"
    loss: Optional[float]
    accuracy: Optional[float]
    note: str = ""
    baseline: bool = False  # True: not this model's score but one to hold it against; `name` says whose
    name: str = ""


class Quality(NamedTuple):
    """What training gave, and how it was judged. An empty one has a ``reason``."""

    protocol: str = ""  # which of `scores` the page's Loss and Accuracy show
    loss_metric: str = ""  # "mse", "cross-entropy"
    accuracy_metric: str = ""  # "r2", "top-1"
    scores: List[Score] = []  # medians over the seeds, where there are several
    by_seed: List[Dict[str, Any]] = []  # {"seed", "seconds", "loss", "accuracy"}
    epochs: Optional[int] = None
    history: Dict[str, List[float]] = {}  # of the median seed: "loss" an epoch, ...
    forecasts: Dict[str, List[float]] = {}  # protocol -> test forecasts of the median seed; "truth" among them
    rolling_origin: List[Dict[str, Any]] = []  # errors a year ahead: see runners.data.airline.rolling_origin
    test_seconds: Optional[float] = None  # the whole test set, measured
    epoch_seconds: Optional[float] = None  # a whole epoch, measured
    reason: str = ""
    notes: List[str] = []  # sentences a reader of the row needs; shown below the table


def result_record(job: Dict[str, Any]) -> Dict[str, Any]:
    """A result as JSON holds it, with the identity that ``job`` gives and every other field empty.

    Every field is always there, so that a reader never has to ask whether a key exists; what was not
    measured is ``None``. ``report/schema/result.schema.json`` is the same contract for the reader.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "machine": job["machine"],
        "stack": job["stack"],
        "engine": job["engine"],
        "profile": job["profile"],
        "framework": job["framework"],
        "device": job["device"],
        "model": job["model"],
        "status": "failed",
        "reason": None,
        "log": None,
        "started": None,
        "duration_s": None,
        "settings": job["settings"],
        "quality": None,
        "timing": None,
        "memory": None,
        "energy": None,
        "kernel_path": None,
        "data": None,
        "marks": [],
        "environment": None,
        "provenance": job["provenance"],
    }
