"""Writes the golden pages anew, after a change of the page that is meant:

    python -m tests.report.golden.make

and then read ``git diff tests/report/golden`` line by line: it is the change that readers will see.
"""

import tempfile
from pathlib import Path

from report import compare
from report.load import load_results
from report.messages import LOCALES
from report.page import build_page, render_page
from report.published import published_figures

FOLDER = Path(__file__).parent
FIXTURES = FOLDER.parent / "fixtures"

PAGES = (("one", "ko"), ("one", "en"), ("many", "ko"), ("many", "en"))
"""Fixture folder and language; the page is ``<folder>.<language>.markdown``."""


def page(fixture: str, language: str) -> str:
    """The page about a fixture folder, without pictures (their tests are their own)."""
    loaded = load_results(FIXTURES / fixture)
    assert loaded.problems == ()
    return render_page(build_page(loaded.results, published_figures(), tunings=loaded.tunings), language)


def comparison(language: str) -> str:
    """The page that compares the two folders of ``test_compare``."""
    from tests.report.test_compare import two_folders

    with tempfile.TemporaryDirectory() as folder:
        a, b = two_folders(Path(folder))
        site = Path(folder, "site")
        compare.main(["--a", str(a), "--b", str(b), "--site", str(site), "--locale", language])
        return (site / "pages" / "comparison.markdown").read_text(encoding="utf-8")


if __name__ == "__main__":
    for fixture, language in PAGES:
        (FOLDER / f"{fixture}.{language}.markdown").write_text(page(fixture, language), encoding="utf-8")
    for language in LOCALES:
        (FOLDER / f"comparison.{language}.markdown").write_text(comparison(language), encoding="utf-8")
