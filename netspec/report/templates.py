"""The jinja2 templates of reports. Everything put into them is escaped; a missing name is an error."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from netspec.diagnostics.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: object) -> str:
    """The template's text. Raises jinja2.TemplateError: a bug of netspec."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("netspec_templates", ""),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["printable"] = printable
    return environment
