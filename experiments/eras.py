"""Whether the rows run with the releases of every year, and compute the same: `make eras` in profile smoke.

    python -m experiments.eras                 every year, nets lstm and ar; needs the packages of all of them
    python -m experiments.eras 2018 2020 2026

Fails if a row does not run, or if AR's scores, which are exact, differ between two years beyond eleven digits. Years
whose Python is missing are listed and left out.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NETS = "lstm,ar"
DIGITS = 11


def measured(years: list[str], folder: Path) -> dict[str, dict[str, Any]]:
    """Run `make eras` into ``folder``; return its records by "2018/ar". Exits if it could not come to its end."""
    words = ["--net", NETS, "--profile", "smoke", "--engine", "venv", "--machine", "here", "--keep", "1"]
    places = ["--results", str(folder / "results"), "--site", str(folder / "site")]
    era = ["--era", ",".join(years)] if years else []
    command = [sys.executable, "-s", "-m", "erabench", "eras", *era, *words, "--locale", "en", *places]
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    found = sorted((folder / "results" / "here").glob("*/*.cpu.json"))
    asked = years or [path.name for path in (ROOT / "images" / "stacks").glob("20??")]
    if status not in (0, 1) or {path.parent.name for path in found} != set(asked):
        sys.exit(f"erabench: make eras ended with status {status} before every year was measured")
    return {f"{path.parent.name}/{path.name.split('.')[0]}": json.loads(path.read_text("utf-8")) for path in found}


def problems(records: dict[str, dict[str, Any]]) -> list[str]:
    """What is wrong with the records of the years that could be measured."""
    ran = {name: record for name, record in records.items() if record["status"] != "skipped"}
    failed = [f"{name}: {record['status']} {record['reason']}" for name, record in ran.items() if record["reason"]]
    scores = {
        name: [f"{score['accuracy']:.{DIGITS}g}" for score in record["quality"]["scores"]]
        for name, record in ran.items()
        if name.endswith("/ar") and record["quality"]
    }
    if len(set(map(str, scores.values()))) > 1:
        failed.append(f"AR's scores differ between years: {scores}")
    return failed if ran else ["no year could be measured"]


def main() -> int:
    """Print what was found; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        records = measured(sys.argv[1:], Path(folder))
    for name, record in records.items():
        versions = (record["environment"] or {}).get("versions")
        print(f"{name}: {record['status']} {versions or record['reason']}")
    found = problems(records)
    print("\n".join(found) or "every year that has a Python here runs, and AR is the same")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
