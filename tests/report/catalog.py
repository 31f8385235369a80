"""The sentences of the report and their translations.

python -m tests.report.catalog brings report/locale/ko.po up to date: new sentences wait for their translation, those
that nothing says any more are dropped.
"""

import tomllib
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

REPORT = Path(__file__).parents[2] / "report"
KOREAN = REPORT / "locale" / "ko.po"
KEYWORDS: dict[str, None] = {"message": None, "N_": None, "_": None, "gettext": None}


def sentences() -> dict[str, str]:
    """Return every sentence that the report marks for translation, and the file that it is in."""
    found: dict[str, str] = {}
    for path in [*sorted(REPORT.glob("*/**/*.py")), REPORT / "text.py"]:
        for _, text, _, _ in extract_from_file("python", path, keywords=KEYWORDS):
            found.setdefault(str(text), path.relative_to(REPORT).as_posix())
    for path in sorted((REPORT / "templates").glob("*.j2")):
        with open(path, "rb") as file:
            for _, _, text, _ in babel_extract(file, list(KEYWORDS), [], {"trim_blocks": "true"}):
                sentence = text[0] if isinstance(text, tuple) else text  # of a call with values
                if sentence:  # a call with a variable has none
                    found.setdefault(sentence, path.relative_to(REPORT).as_posix())
    published = tomllib.loads((REPORT / "page" / "published.toml").read_text("utf-8"))
    known = [row["known"] for row in published["rows"]]
    claims = [text for finding in published["findings"] for text in (finding["claim"], *finding["evidence"])]
    return found | dict.fromkeys([*known, *claims], "page/published.toml")


def catalog() -> Catalog:
    """Return the translations that there are."""
    with open(KOREAN, "rb") as file:
        return read_po(file, locale="ko")


def main() -> None:
    """Write the catalog with exactly the sentences that there are."""
    before = catalog()
    made = Catalog(locale="ko", fuzzy=False, header_comment="# 보고서의 한국어 문장. 원문은 소스의 영어 문장이다.")
    for sentence, _ in sorted(sentences().items(), key=lambda item: (item[1], item[0])):
        entry = before.get(sentence)
        made.add(sentence, entry.string if entry else "")
        made[sentence].flags.clear()  # Babel takes "10 % or" for a format
    with open(KOREAN, "wb") as file:
        write_po(file, made, width=110, include_lineno=False, omit_header=True)


if __name__ == "__main__":
    main()
