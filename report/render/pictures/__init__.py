"""The page's pictures, drawn as SVG: the same bytes for the same results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from report.page.build import PAGE_NAME, Page, Section
from report.records import complete
from report.render.locale import Locale
from report.render.pictures import dots, panels
from report.render.pictures.panels import Whole
from report.render.pictures.svg import Say
from report.text import Text

KINDS: Mapping[str, Callable[[Section, Whole, Say], tuple[str, Text] | None]] = {
    "seconds": lambda section, _, say: dots.seconds(section, say),
    "forecasts": panels.forecasts,
    "samples": panels.samples,
    "losses": panels.losses,
    "frameworks": lambda section, _, say: dots.frameworks(section, say),
}
"""Kind -> the function that draws it and returns its description; None if there is nothing to draw."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, and where it belongs."""

    kind: str
    place: int | None  # of its section; None: of the page
    name: str  # below the page's folder
    svg: str
    alt: Text

    @property
    def file(self) -> str:
        """The file, as the page names it."""
        return f"{PAGE_NAME}/{self.name}"


def draw(page: Page, locale: Locale) -> Iterator[Picture]:
    """Draw what there is to draw; of a page about very many machines only the overview."""
    if page.overviews:
        drawn = dots.machines(page.overviews, locale.plain)
        if drawn:
            yield Picture("machines", None, "machines.svg", *drawn)
    for section in page.sections if page.detailed else ():
        found = (complete(result) for result in section.group.results if result.status == "ok")
        whole = {result.file: result for result in found if result is not None}
        for kind, function in KINDS.items():
            drawn = function(section, whole, locale.plain)
            if drawn:
                name = f"{section.group.machine}/{section.group.stack}/{kind}.svg"
                yield Picture(kind, section.place, name, *drawn)
