"""Parts that pages of several apps share: the sections that upper apps registered, drawn into one page."""

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.template.loader import render_to_string

from marb.core.sections import sections


class DrawnSection(NamedTuple):
    """A registered section with its content as HTML, made by its own template."""

    name: str
    title: str
    content: str


def draw_sections(kind: str, record: Any, request: HttpRequest) -> list[DrawnSection]:
    """Draw what other apps add to the page of a record; a section that answers no template is left out."""
    drawn = []
    for section in sections(kind):
        template, context = section.render(record, request) if section.render else ("", {})
        if template:
            drawn.append(DrawnSection(section.name, section.title, render_to_string(template, context, request)))
    return drawn
