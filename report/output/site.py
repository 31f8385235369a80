"""The page's files below a site's folder: written, or compared with the existing ones."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from report.eras import output as eras_output
from report.eras.years import Eras, eras, is_era
from report.output import exports, files, html, tables
from report.page.build import PAGE_NAME, Page, build_page
from report.page.rows import MachineStack, groups
from report.records import BadInput, Loaded, Result, Tuning
from report.render.locale import locale
from report.render.markdown import render_page
from report.render.pictures import draw

HTML_FILE = Path("index.html")
PAGE_FILE = Path("pages", f"{PAGE_NAME}.markdown")
ASSETS = Path("pages", PAGE_NAME)
"""Beside the page, so that its links are relative and work in Jekyll, on GitHub and in a file browser alike.

The folder is the report's own: what an earlier page linked to and this one does not is deleted from it.
"""

_DIFFERENCES_SHOWN = 40


def own_folder(folder: Path, results: Iterable[Path]) -> Path:
    """Return ``folder``, which a report may empty. Raises BadInput if it is a link or has results in it."""
    if folder.is_symlink() or any(given.resolve().is_relative_to(folder.resolve()) for given in results):
        raise BadInput(f"{folder} is the page's own folder and gets emptied: keep the results elsewhere")
    return folder


def make_site(loaded: Loaded, folder: Path, language: str, results: Path) -> Page:
    """Write the page below ``folder``, and beside it the records, pictures and tables that it links to.

    The page is written last, so it never links to a missing file. Raises OSError and BadInput.
    """
    assets = own_folder(folder / ASSETS, [results])
    found, everything = eras(loaded.results), tuple(groups(loaded.results))
    cells = (exports.cells(row) for group in everything for row in group.every_row)
    with tables.written(exports.columns(), cells, assets, len(loaded.results)):
        page = _main_page(everything, loaded, found)
        wanted = {copy_record(record, assets) for record in _linked(loaded, page, found)}
        pictures = tuple(draw(page, locale(language)))
        for picture in pictures:
            files.write(assets / picture.name, picture.svg)
            wanted.add(f"{assets}/{picture.name}")
        wanted.update(map(str, eras_output.write(found, folder, language)))
        markdown = render_page(page, locale(language), pictures)
        document = html.page(markdown, language, pictures)
    files.write(folder / PAGE_FILE, markdown)
    files.write(folder / HTML_FILE, document)
    prune(assets, wanted | {f"{assets}/{name}" for name in tables.FILES})
    return page


def _linked(loaded: Loaded, page: Page, found: Sequence[Eras]) -> Iterator[Result | Tuning]:
    """Yield the records that the pages link to."""
    shown = {(section.group.machine, section.group.stack) for section in page.sections}
    machines = {one.machine for one in found}
    records: Iterable[Result | Tuning] = (*loaded.results, *(loaded.tunings if page.detailed else ()))
    for record in records:
        if (record.machine, record.stack) in shown or (record.machine in machines and is_era(record.stack)):
            yield record


def _main_page(everything: Sequence[MachineStack], loaded: Loaded, found: Sequence[Eras]) -> Page:
    """Return the main page; if there are other stacks, it leaves those of the years to the page of eras."""
    machines = {one.machine for one in found}

    def is_main(one: MachineStack | Tuning) -> bool:
        return one.machine not in machines or not is_era(one.stack)

    if not any(map(is_main, everything)):
        machines = set()
    tunings = tuple(filter(is_main, loaded.tunings))
    years = sorted({year for one in found for year in one.years})
    return replace(build_page(filter(is_main, everything), loaded.problems, tunings), years=tuple(years))


def copy_record(record: Result | Tuning, folder: Path) -> str:
    """Put a record's file below ``folder`` where it lies below the results, and return its path there.

    A hard link where the file system allows, because 10,000 copies take ten seconds (runners replace a record by
    renaming, so that the linked file stays as it is). By size and time the next run recognizes either.
    """
    place = f"{folder}/{record.file}"
    path = os.path.realpath(record.path) if os.path.islink(record.path) else record.path
    partial = place  # what is not there yet needs no second step, which would take twice the time
    with suppress(FileNotFoundError):
        old, new = os.lstat(place), os.stat(path)
        if (old.st_size, old.st_mtime_ns) == (new.st_size, new.st_mtime_ns):
            return place
        partial = f"{place}.part"
        os.unlink(partial)
    try:
        _link(path, partial)
    except OSError:  # another file system, or one without links, or somebody else's file
        os.makedirs(os.path.dirname(place), exist_ok=True)
        partial = f"{place}.part"
        shutil.copy2(path, partial)
    if partial != place:
        os.replace(partial, place)
    return place


def _link(path: str, place: str) -> None:
    try:
        os.link(path, place)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.link(path, place)


def prune(folder: Path, wanted: set[str]) -> None:
    """Delete what an earlier report left in ``folder``: its files that are not ``wanted``, and folders left empty."""
    left = list(stale(folder, wanted))
    for path in left:
        path.unlink()
    for parent, _, _ in os.walk(folder, topdown=False) if left else ():
        with suppress(OSError):
            os.rmdir(parent)


def stale(folder: Path, wanted: set[str]) -> Iterator[Path]:
    """Yield files in ``folder`` of the kinds that a report makes, which are not ``wanted``."""
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            if name.endswith((".json", ".svg", ".csv", ".parquet")) and f"{parent}/{name}" not in wanted:
                yield Path(parent, name)


def differences(made: Path, there: Path) -> Iterator[str]:
    """Yield how the files below ``there`` differ from those just ``made``; a unified diff for the page itself."""
    wanted = {path.relative_to(made) for path in made.rglob("*") if path.is_file()}
    for name in sorted(wanted):
        old, new = there / name, made / name
        if not old.is_file():
            yield f"missing: {old}"
        elif old.read_bytes() != new.read_bytes():
            yield from _difference(old, new) if name == PAGE_FILE else [f"differs: {old}"]
    left = [there / name for name in eras_output.FILES if name not in wanted and (there / name).is_file()]
    for path in (*left, *stale(there / ASSETS, {str(there / name) for name in wanted})):
        yield f"no longer belongs to the page: {path}"


def _difference(old: Path, new: Path) -> Iterable[str]:
    before = old.read_text(encoding="utf-8", errors="replace").splitlines()
    after = new.read_text(encoding="utf-8").splitlines()
    lines = list(difflib.unified_diff(before, after, str(old), "made from the results", lineterm=""))
    more = len(lines) - _DIFFERENCES_SHOWN
    return [*lines[:_DIFFERENCES_SHOWN], *([f"... and {more} more lines"] if more > 0 else [])]
