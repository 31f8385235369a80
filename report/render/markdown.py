"""The page as Markdown for Jekyll, GitHub and any CommonMark reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, count
from pathlib import Path
from typing import Any

import jinja2

from report.page.build import DETAILED_SECTIONS, PAGE_NAME, Page, Section
from report.page.models import COLUMNS
from report.page.protocols import protocol
from report.render import layout
from report.render.locale import Locale
from report.render.pictures import Picture
from report.text import Joined, Safe, Text, message

PROBLEMS_SHOWN = 100

_TEMPLATES = Path(__file__).parents[1] / "templates"


@dataclass
class Links:
    """Reference links to files in a page's own folder, gathered while it is rendered and defined at its end."""

    locale: Locale
    several: bool = False  # whether labels need the machine's name
    folder: str = PAGE_NAME
    targets: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Label and file, by the label in small letters: Markdown does not tell labels by their case."""

    def link(self, text: Text, file: str) -> Safe:
        """Return a link to a file, whose name is made of checked parts."""
        ending = ".json" if "/" in file else ""  # of a record
        whole = file.removesuffix(ending)
        labels = chain([self.short(file).removesuffix(ending), whole], (f"{whole} {number}" for number in count(2)))
        label = next(one for one in labels if self.targets.setdefault(one.casefold(), (one, file)) == (one, file))
        return Safe(f"[{self.locale.markdown(text)}][{label}]")

    def definitions(self) -> Safe:
        """Return the definitions of all links so far."""
        return Safe("\n".join(f"[{label}]: {self.folder}/{file}" for label, file in self.targets.values()))

    def short(self, file: str) -> str:
        """Return what a file is called, unless another file is already called so."""
        return file if self.several else file.split("/", 2)[-1]


def render_page(page: Page, locale: Locale, pictures: Sequence[Picture] = ()) -> str:
    """Return the page in one language, front matter included."""
    links = Links(locale, len(page.sections) > 1)

    def pictures_of(section: Section | None, *kinds: str) -> Safe:
        place = None if section is None else section.place
        shown = [found for kind in kinds for found in pictures if (found.kind, found.place) == (kind, place)]
        return Safe("\n\n".join(f"!{links.link(picture.alt, picture.name)}" for picture in shown))

    return render(
        "page.md.j2",
        links,
        page=page,
        columns=COLUMNS,
        problems_shown=PROBLEMS_SHOWN,
        detailed_sections=DETAILED_SECTIONS,
        headings=(Safe("##"), Safe("###")),
        pictures=pictures_of,
        protocol=protocol,
    )


def render(template: str, links: Links, **data: Any) -> str:
    """Return a Markdown template filled in its links' language. Every value it prints is translated and escaped."""
    data |= {"language": links.locale.name, "link": links.link, "definitions": links.definitions}
    return layout.tidy(fill(template, links.locale.markdown, **data))


def fill(template: str, say: Callable[[Any], str], **data: Any) -> str:
    """Return a template filled; ``say`` makes text of every value that it prints."""
    return _templates().get_template(template).render(say=say, **data)


@jinja2.pass_context
def _say(context: jinja2.runtime.Context, value: Any) -> str:
    """Render what a template prints: nothing gets onto the page unescaped."""
    say: Callable[[Any], str] = context["say"]
    return say(value)


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        finalize=_say,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(gettext=message, listed=Joined)  # gettext: what {% trans %} and _() call
    return environment
