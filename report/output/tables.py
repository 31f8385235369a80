"""A table for other programs as CSV, JSON and Parquet, with a dictionary that describes its columns.

``python -m report.output.tables FOLDER`` writes the table that it is sent: a large report leaves the writing to such a
process. It holds the table and nothing else, where a fork would soon hold a copy of every result.
"""

from __future__ import annotations

import csv
import io
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO

from msgspec.json import decode, encode
from msgspec.json import format as indented

from report import beside
from report.output import files

Value = str | int | float | bool | None
Column = Mapping[str, str]  # its name, type, unit and description

FILES = ("results.csv", "results.json", "results.parquet", "dictionary.json")
_TYPES = {"string": "string", "integer": "int64", "number": "float64", "boolean": "bool"}  # pyarrow's names
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")  # spreadsheets of East Asian locales take the wide ones too
_END = b"null\n"  # after the last row: without it the sender is gone and the table incomplete


def write(columns: Sequence[Column], rows: Iterable[Sequence[Value]], folder: Path) -> None:
    """Write FILES to ``folder``; each row has a value per column.

    A gap is an empty cell or null. JSON and Parquet hold texts as they are; in the CSV file a text that a spreadsheet
    would run as a formula begins with an apostrophe. Raises OSError where ``folder`` cannot be written; every file is
    written completely or not at all, and one that would not change is left alone.
    """
    by_column: list[Sequence[Value]] = list(zip(*rows, strict=True)) or [()] * len(columns)
    as_csv, as_json, as_parquet, described = (folder / name for name in FILES)
    dictionary = indented(encode(columns)) + b"\n"
    files.write(as_csv, _as_csv(by_column, columns))
    same = files.holds(described, [dictionary]) and files.holds(as_json, _as_json(by_column, columns))
    if not (same and as_parquet.is_file()):
        _write_parquet(by_column, columns, as_parquet)
        with files.atomic_write(as_json) as file:
            file.writelines(_as_json(by_column, columns))
    files.write(described, dictionary)


@contextmanager
def written(columns: Sequence[Column], rows: Iterable[Sequence[Value]], folder: Path, results: int) -> Iterator[None]:
    """Write the files; those of many ``results`` are written while the block runs.

    Raises OSError, at the latest at the end of the block, and ChildProcessError if the second process was killed.
    """
    if results < beside.WORTH_IT:
        write(columns, rows, folder)
        yield
        return
    command = [sys.executable, "-s", "-m", __name__, str(folder.absolute())]
    root = Path(__file__).parents[2]
    with Popen(command, cwd=root, stdin=PIPE, stdout=PIPE, start_new_session=True) as process:  # Ctrl-C is for this one
        try:
            if process.stdin:
                with suppress(BrokenPipeError):  # it is gone; how it ended is the reason
                    _send(columns, rows, process.stdin)
            yield
            error = process.stdout.read() if process.stdout else b""
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        ended = f"its second process ended with status {process.returncode}"
        raise ChildProcessError(beside.KILLED if process.returncode < 0 else ended)
    if error:
        raise OSError(*decode(error))


def _send(columns: Sequence[Column], rows: Iterable[Sequence[Value]], pipe: IO[bytes]) -> None:
    with pipe:
        for item in chain([columns], rows):
            pipe.write(encode(item) + b"\n")
        pipe.write(_END)


def main() -> int:
    """Write the table from standard input; an OSError goes to standard output as errno, reason and file."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a file that is being written is removed
    received = [decode(line) for line in sys.stdin.buffer]
    if not received or received.pop() is not None:
        return 1
    columns, *rows = received
    try:
        write(columns, rows, Path(sys.argv[1]))
    except OSError as error:
        sys.stdout.buffer.write(encode([error.errno, error.strerror, error.filename]))
    return 0


def _as_csv(by_column: Sequence[Sequence[Value]], columns: Sequence[Column]) -> str:
    text = io.StringIO()
    cells = csv.writer(text)  # its line ends, CR LF, are what RFC 4180 asks for and make it quote a lone CR
    cells.writerow(column["name"] for column in columns)
    safe = [map(_harmless, v) if c["type"] == "string" else v for v, c in zip(by_column, columns, strict=True)]
    cells.writerows(zip(*safe, strict=True))
    return text.getvalue()


def _as_json(by_column: Sequence[Sequence[Value]], columns: Sequence[Column]) -> Iterator[bytes]:
    names = [column["name"] for column in columns]
    yield b"[\n"
    separator = b""
    for values in zip(*by_column, strict=True):
        yield separator + encode(dict(zip(names, values, strict=True)))
        separator = b",\n"
    yield b"\n]\n"


def _write_parquet(by_column: Sequence[Sequence[Value]], columns: Sequence[Column], path: Path) -> None:
    import pyarrow.parquet  # takes 0.3 s, and is not needed if no figure has changed

    schema = pyarrow.schema(
        pyarrow.field(
            column["name"],
            _TYPES[column["type"]],
            metadata={"unit": column["unit"], "description": column["description"]},
        )
        for column in columns
    )
    arrays = [pyarrow.array(values, field.type) for values, field in zip(by_column, schema, strict=True)]
    with files.atomic_write(path) as file:
        pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), file)


def _harmless(value: Value) -> Value:
    """Return a cell that no spreadsheet runs: a text that begins like a formula gets an apostrophe (OWASP)."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


if __name__ == "__main__":
    sys.exit(main())
