"""Whole benches for the tests of the page, made of the records in tests/report/building.py.

``one`` is the computer of the published page with every kind of cell: figures on CPU and GPU, failures, warnings, gaps,
skipped rows, synthetic data, energy, GPU memory, and tunings that gained something, were not confirmed, or failed.
``many`` has two computers, one with two stacks, one with a smoke run. The figures are made up, but for the scores that
are known exactly. ``python -m tests.report.benches`` rewrites the golden pages.
"""

import tempfile
from pathlib import Path
from typing import Any

from report.__main__ import main
from report.page.build import Page, Section, build_page
from report.page.rows import groups
from report.records import load_results
from report.render import terminal
from report.render.locale import locale
from report.render.markdown import render_page
from report.render.pictures import draw
from tests.report.building import (
    Json,
    around,
    attempt,
    energy,
    memory,
    phase,
    process,
    quality,
    reason,
    record,
    score,
    side,
    warning,
    write,
)
from tests.report.building import tuning as tuning_of

GOLDEN = Path(__file__).parent / "golden"
NAIVE = (("recursive", 0.01793, 0.1768), ("one-step", 0.00796, 0.6345))
AUTOREGRESSION = (("recursive", 0.01347857, 0.38114552), ("one-step", 0.00159427, 0.92680115))
MADE_UP = {"name": "cifar10", "source": "generated", "sha256": "8" * 64, "synthetic": True, "note": None}


def forecast(protocol: str, scores: Any, *more: Json, **changes: Any) -> Json:
    """An airline row's quality: scores under both protocols, the seasonal naive forecast, and forecasts."""
    truth = [round(0.5 + 0.01 * month, 2) for month in range(44)]
    lines = {"truth": truth, "recursive": [0.9 * v for v in truth], "one-step": [0.97 * v for v in truth]}
    naive = [score(*each, baseline="seasonal naive") for each in NAIVE]
    return quality(protocol, *(score(*each) for each in scores), *more, *naive, forecasts=lines, **changes)


def trained(loss: float, accuracy: float, spread: float, **changes: Any) -> Json:
    """An LSTM's quality over three seeds that lie ``spread`` of their loss apart."""
    seeds = [
        {
            "seed": seed,
            "seconds": 8.0,
            "loss": loss * (1 + factor),
            "accuracy": 1 - (1 - accuracy) * (1 + factor),
            "recursive_loss": 0.0121 * (1 + 2 * factor),
            "recursive_accuracy": 0.4444 - factor / 2,
        }
        for seed, factor in enumerate((-spread, 0.0, spread))
    ]
    history = {"loss": [round(0.2 / (1 + epoch), 6) for epoch in range(30)]}
    scores = (("recursive", 0.0121, 0.4444), ("one-step", loss, accuracy))
    return forecast("one-step", scores, by_seed=seeds, epochs=30, history=history, **changes)


def row(key: str, device: str = "cpu", train: Any = 0.01, predict: Any = 0.004, count: int = 5, **changes: Any) -> Json:
    """A result of one of ``ROWS`` on the published computer; a phase of seconds, of changes to one, or None.

    ``each`` among the changes replaces fields of every process.
    """
    each = changes.pop("each", {})
    gpu = {"name": "NVIDIA GeForce GTX 1080", "memory_bytes": 2**33, "driver": "580.95.05", "compute_capability": "6.1"}
    made = record(key, device, "gtx-box", "gtx1080")
    made["environment"] |= {"cpu": "Intel(R) Core(TM) i7-6700K CPU @ 4.00GHz", "logical_cpus": 8, "threads": 4}
    made["environment"] |= {"gpu": gpu, "memory_bytes": 2**35, "os": "Ubuntu 16.04.7 LTS"}
    made["processes"] = [
        process(1 + place, 1.0, 1.0, train=_phase(train, place, count), predict=_phase(predict, place, count), **each)
        for place in range(count)
    ]
    return {**made, "profile": "full", "engine": "docker", "quality": quality(""), **changes}


def _phase(given: Any, place: int, count: int) -> Json | None:
    changes = dict(given) if isinstance(given, dict) else {"median_s": given}
    if changes["median_s"] is None:
        return None
    median = around(changes.pop("median_s"), count)[place]
    return phase(median, **{"count": 20, **changes})


def gap(key: str, device: str, status: str, why: Json, **changes: Any) -> Json:
    """A result without figures."""
    empty = {"quality": None, "processes": [], "execution": None}
    return row(key, device, **{"status": status, "reason": why, **empty, **changes})


def tuning(key: str, device: str, chosen: list[str], *attempts: Json, **changes: Any) -> Json:
    """What ``make tune`` writes about one of ``ROWS`` on the published computer."""
    result = row(key, device)
    made = {name: result[name] for name in ("machine", "stack", "engine", "profile", "environment")}
    made |= {"chosen": chosen, "threads": 4, "max_relative_error": None, "confirmation": None}
    return tuning_of(*attempts, row=key, device=device, **made | changes)


UNSTABLE = warning("unstable", "train", percent=14.1)
OTHER_LOAD = warning("other-load", "all", processors=0.42)


def tuned_lstm(**changes: Any) -> Json:
    """The LSTM on the CPU: an option kept, one of other outputs, one that failed, one that was no faster."""
    on_top = {"with": ["unroll"]}
    attempts = (
        attempt(None, 0.0213, 0.00712, warnings=[OTHER_LOAD]),
        attempt("unroll", 0.00852, 0.00356, kept=True, max_relative_error=2.4e-7),
        attempt("xla", 0.00611, 0.0031, status="different", max_relative_error=0.0213, **on_top),
        attempt("tf-function", None, None, status="failed", reason=reason("killed", signal="SIGSEGV"), **on_top),
        attempt("threads-1", 0.0091, 0.00344, warnings=[UNSTABLE, warning("odd-fan", "all")], **on_top),
    )
    confirmation = {
        "as_written": side([0.0214, 0.0212, 0.0213], [0.00711, 0.00715, 0.00712]),
        "tuned": side([0.00851, 0.00856, 0.00852], [0.00356, 0.00355, 0.00356], UNSTABLE, UNSTABLE),
    }
    made = {"max_relative_error": 2.4e-7, "confirmation": confirmation, **changes}
    return tuning("lstm", "cpu", ["unroll"], *attempts, **made)


def tunings() -> list[Json]:
    """A gain, one that the pairs of processes do not confirm, and a row that failed as written."""
    late = reason("time-limit", seconds=14400)
    pairs = {
        "as_written": side([0.00139, 0.00138, 0.00139], [0.0003] * 3, OTHER_LOAD),
        "tuned": side([0.00132, 0.0014, 0.00131], [0.00029, 0.0003, 0.0003]),
    }
    as_written, kept = attempt(None, 0.00139, 0.0003), attempt("nondeterministic", 0.00131, 0.00029, kept=True)
    chosen = ["nondeterministic"]
    return [
        tuned_lstm(),
        tuning("bilstm", "gpu", chosen, as_written, kept, confirmation=pairs, max_relative_error=0.0),
        tuning("bilstm", "cpu", [], attempt(None, None, None, status="timeout", reason=late), reason=late),
    ]


def one() -> list[Json]:
    """The published page's computer, with every kind of cell."""
    lstm = trained(0.00128, 0.94123, 0.04, notes=[reason("lstm-scale")])
    slips = score("as-published", 0.05613363, -0.18177911, note=reason("ar-ols-slips", r2=-1.35184659))
    household = quality(
        "one-step",
        score("one-step", 0.0004411, 0.94262, note=reason("test-minutes", minutes=622578)),
        score("one-step", 0.00045903, 0.94029, baseline="persistence"),
        score("one-step", 0.00045151, 0.94127, baseline="linear AR(60)"),
        by_seed=[{"seed": 1, "seconds": 3000.0, "loss": 0.0004411, "accuracy": 0.94262}],
        epochs=12,
        history={"loss": [round(0.001 / (1 + epoch), 6) for epoch in range(12)]},
    )
    seed = [{"seed": 1, "seconds": 9000.0, "loss": None, "accuracy": 0.9021}]
    images = quality("held-out", score("held-out", None, 0.9021), accuracy_metric="top-1", by_seed=seed, epochs=40)
    augmented = trained(0.0041, 0.81175, 0.3, notes=[reason("lstm-aug-published")])
    classical = forecast("recursive", AUTOREGRESSION)
    slipped = forecast("recursive", AUTOREGRESSION, slips, notes=[reason("ar-ols-is-ar")])
    straight = forecast("recursive", (("recursive", 0.00875667, 0.59794672), ("one-step", 0.00371, 0.8297)))
    unscored = quality("", reason=reason("too-slow-on-cpu", batches=1563))
    crossed = quality("held-out", score("held-out", 0.01, 0.99), loss_metric="cross-entropy", epochs=1)

    resident = memory(resident_before_bytes=90_000_000, peak_resident_bytes=412_000_000)
    small = {**resident, "peak_allocated_bytes": 61_000_000, "gpu_used_before_bytes": 310_000_000}
    large = {**small, "peak_allocated_bytes": 5_402_000_000, "peak_reserved_bytes": 5_436_000_000}
    counted = {"memory": small, "energy": energy(0.5127, None, "NVML total energy consumption")}
    restless = {"warnings": [warning("unstable", "train", percent=20.1)]}
    odd = warning("odd-fan", "all", note="the fan | stood {{ still }} <b>today</b>")
    hot = {"memory": large, "warnings": [warning("throttled", "train", reasons="power cap"), odd]}

    fit = {"median_s": 0.00098, "unit": "fit"}
    uneven = {**fit, "median_s": 0.00012, "spread": 0.2, "stopped_by": "budget"}
    cheat = {"median_s": 31.2, "valid": False, "reason": reason("loss-not-falling", first=2.31, last=9.4)}
    totals = {
        "epoch": {"seconds": 63.1, "batches": 45394, "how": "extrapolated"},
        "test_set": {"seconds": 5.91, "batches": 19456, "how": "measured"},
    }
    killed = reason("killed", signal="SIGSEGV")
    not_offered = reason("device-not-offered", framework="statsmodels and NumPy", device="gpu")
    no_room = reason("exception", type="OutOfMemoryError", message="8.1 GB")
    most = {"memory": {**resident, "peak_allocated_bytes": 1_079_500_000}}
    return [
        row("lstm", "cpu", 0.0213, 0.00712, quality=lstm, each={"memory": resident}),
        row("lstm", "gpu", 0.0104, 0.0051, quality=lstm, each=counted, execution={"peak_memory": "process"}),
        row("lstm-aug", "cpu", 0.0215, 0.00715, quality=augmented),
        gap("lstm-aug", "gpu", "failed", killed, log="Segfault"),
        row("ar", "cpu", fit, 0.000083, quality=classical),
        gap("ar", "gpu", "skipped", not_offered),
        row("ar-ols", "cpu", {**fit, "median_s": 0.00021}, 0.000083, quality=slipped),
        row("ar-polyfit", "cpu", uneven, 0.00004, quality=straight, each=restless),
        gap("bilstm", "cpu", "timeout", reason("time-limit", seconds=14400)),
        row("bilstm", "gpu", 0.00139, 0.0003, quality=household, each=most, **totals),
        row("densenet-24x3", "cpu", cheat, 6.05, 3, quality=unscored),
        row("densenet-24x3", "gpu", 0.341, 0.118, 3, quality=images, each=hot),
        row("densenet-32-24-32", "cpu", {"median_s": 27.9, "batch_size": 16}, None, 1, quality=crossed, data=MADE_UP),
        gap("densenet-32-24-32", "gpu", "out_of_memory", no_room),
        *tunings(),
    ]


def many() -> list[Json]:
    """Two computers, one of them with two stacks; the other one's figures come from a smoke run."""
    environment = {**row("ar")["environment"], "gpu": None}
    laptop = {"machine": "laptop", "stack": "cpu", "engine": "venv", "profile": "smoke", "environment": environment}
    cloud = {"machine": "cloud", "engine": "venv", "profile": "quick"}
    cloud["environment"] = {**environment, "cpu": "AMD EPYC"}
    fit = {"median_s": 0.0011, "unit": "fit"}
    classical = forecast("recursive", AUTOREGRESSION)
    unseen = reason("gpu-not-visible", framework="TensorFlow", version="2.21.0")
    return [
        row("ar", "cpu", fit, 0.00009, quality=classical, stack="cpu", **cloud),
        row("ar", "cpu", {**fit, "median_s": 0.0008}, 0.00008, quality=classical, stack="current", **cloud),
        row("lstm", "cpu", 0.02, 0.007, 1, quality=trained(0.00128, 0.94123, 0.04), **laptop),
        gap("lstm", "gpu", "skipped", unseen, **laptop),
    ]


def page_of(root: Path, *records: Json) -> Page:
    """The page about these records, all of which must be valid."""
    loaded = load_results(write(root, *records))
    assert loaded.problems == ()
    return build_page(groups(loaded.results), tunings=loaded.tunings)


def section_of(root: Path, *records: Json) -> Section:
    """The one section of the page about these records."""
    (section,) = page_of(root, *records).sections
    return section


def markdown_of(root: Path, *records: Json, language: str = "en") -> str:
    """The page about these records as Markdown."""
    return render_page(page_of(root, *records), locale(language))


def made(results: Path, folder: Path, *options: str) -> int:
    """The exit status of a report of ``results`` into ``folder``."""
    return main(["--results", str(results), "--site", str(folder), *options])


def golden(root: Path) -> dict[str, str]:
    """File name to content of everything that is held as a whole."""
    files = {}
    pages = {"one": page_of(root / "one", *one()), "many": page_of(root / "many", *many())}
    for name, page in pages.items():
        for language in ("ko", "en"):
            pictures = list(draw(page, locale(language)))
            files[f"{name}.{language}.markdown"] = render_page(page, locale(language), pictures)
    printed = terminal.lines(pages["one"], locale("en"), Path("results"), Path("site", "index.html"))
    return {**files, "one.en.txt": "\n".join(printed) + "\n"}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for file, content in golden(Path(folder)).items():
            (GOLDEN / file).write_text(content, encoding="utf-8")
