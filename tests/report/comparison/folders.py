"""Two folders of results with every verdict, a failure, a row without a partner and several differences."""

from pathlib import Path

from tests.report.building import around, changed, failed, reason, record, write


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
