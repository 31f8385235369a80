"""Writes the golden files again, after a change that is meant; then read ``git diff tests/report/comparison/golden``.

python -m tests.report.comparison
"""

import tempfile
from pathlib import Path

from tests.report.comparison.folders import GOLDEN, golden

with tempfile.TemporaryDirectory() as folder:
    for name, content in golden(Path(folder)).items():
        (GOLDEN / name).write_text(content, encoding="utf-8")
