"""Ten thousand results: little memory, and time that grows with their number and no faster."""

import json
import subprocess
import sys
from pathlib import Path

from tests.report.benches import one, tuned_lstm

ROOT = Path(__file__).parents[2]
MEASURE = """
import gc, os, re, sys
gc.disable()  # as python -m report does
from report.__main__ import main
status = main(["--results", sys.argv[1], "--site", sys.argv[2]])
peak = re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read()).group(1)
print(sum(os.times()[:4]), int(peak) / 1024, status, file=sys.stderr)
"""
"""VmHWM and not ru_maxrss, which a child begins with its parent's."""


def report(results: Path, site: Path) -> tuple[float, float]:
    """(processor seconds, megabytes at most) of a complete report, the start of Python included.

    The seconds are those of both processes, the megabytes those of the first, which keeps everything.
    """
    command = [sys.executable, "-c", MEASURE, str(results), str(site)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, megabytes, status = done.stderr.split()
    assert status == "0"
    return float(seconds), float(megabytes)


def write_machines(root: Path, count: int) -> Path:
    """``count`` results, 14 per machine: those of ``one`` on real data; and a tuning per machine."""
    tuned = json.dumps(tuned_lstm())
    records = [made for made in one() if "attempts" not in made]
    texts = [(made, json.dumps(made)) for made in records if not (made["data"] or {}).get("synthetic")]
    for number in range(count):
        made, text = texts[number % len(texts)]
        folder = root / f"m{number // len(texts)}" / "gtx1080"
        if not number % len(texts):
            (folder / "tuning").mkdir(parents=True)
            (folder / "tuning" / "lstm.cpu.json").write_text(tuned)
        (folder / f"{made['model']['key']}.{made['device']}.json").write_text(text)
    return root


def test_ten_thousand_results_make_a_page(tmp_path: Path) -> None:
    """Under 300 MB, and at most twice the share of time that a tenth of them takes."""
    tenth, _ = report(write_machines(tmp_path / "tenth", 1_000), tmp_path / "tenth-site")
    seconds, megabytes = report(write_machines(tmp_path / "all", 10_000), tmp_path / "all-site")
    assert megabytes < 300
    assert seconds < 20 * tenth
