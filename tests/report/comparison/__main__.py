"""Writes the golden files again, after a change that is meant; then read ``git diff tests/report/comparison/golden``.

python -m tests.report.comparison
"""

import contextlib
import io
import tempfile
from pathlib import Path

from report.comparison.__main__ import main
from tests.report.comparison.folders import two_folders

with tempfile.TemporaryDirectory() as folder:
    a, b = two_folders(Path(folder))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(["--a", str(a), "--b", str(b), "--site", f"{folder}/site", "--locale", "en"])
    golden = Path(__file__).parent / "golden"
    (golden / "comparison.en.txt").write_text(printed.getvalue().replace(folder, "…"), encoding="utf-8")
    written = Path(folder, "site", "pages", "comparison.markdown")
    (golden / "comparison.en.markdown").write_text(written.read_text(encoding="utf-8"), encoding="utf-8")
