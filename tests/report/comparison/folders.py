"""Two folders of results with every verdict, a failure, a row without a partner and several differences, compared."""

import contextlib
import io
from pathlib import Path

from report.comparison.__main__ import main
from tests.report.building import around, changed, failed, reason, record, write

GOLDEN = Path(__file__).parent / "golden"


def run(a: Path, b: Path, site: Path) -> int:
    """The exit status of the command."""
    return main(["--a", str(a), "--b", str(b), "--site", str(site), "--locale", "en"])


def page(site: Path) -> str:
    """The page that was written."""
    return (site / "pages" / "comparison.markdown").read_text(encoding="utf-8")


def golden(root: Path) -> dict[str, str]:
    """File name to content: the page about the two folders, and what is printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert run(*two_folders(root), root / "site") == 0
    return {
        "comparison.en.markdown": page(root / "site"),
        "comparison.en.txt": printed.getvalue().replace(str(root), "…"),
    }


def two_folders(folder: Path) -> tuple[Path, Path]:
    """Write them below ``folder``; return a and b."""
    new = [
        record("lstm", machine="newbox", train_s=around(0.005), execution={"threads": 2, "oneDNN": True}),
        record("ar", machine="newbox", train_s=around(0.06)),
        record("bilstm", machine="newbox", test_set={"seconds": 4.0, "batches": 10, "how": "measured"}),
    ]
    changed(new[2], "data.sha256", "e" * 64)
    for made in new:
        changed(made, "environment.cpu", "Example CPU 4000 | {{ site.title }}")
    why = reason("exception", type="OSError", message="<b>out of space</b> {% raw %}")
    write(folder / "new", *new, failed("densenet-24x3", machine="newbox", reason=why))
    old = [record(row) for row in ("lstm", "ar", "bilstm", "densenet-24x3")]
    return write(folder / "old", *old, record("lstm", "gpu")), folder / "new"
