"""One self-contained HTML page from a Jinja template: the foundation of every report.

The page carries its style and its figures inside, forbids itself any network access, and depends on nothing
but its input: equal input gives equal bytes. Everything a template prints is escaped, and characters that
could deceive or break a reader (controls, direction marks, lone surrogates of odd file names) are replaced.
"""

from __future__ import annotations

import json
import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sudeck.core.provenance import Provenance
from sudeck.report.kit.text import group_thousands, printable

if TYPE_CHECKING:
    from jinja2 import Environment


def render_page(template: str, *, title: str, provenance: Provenance, **content: Any) -> str:
    """Render a report.

    Parameters
    ----------
    template : str
        File name in ``sudeck/report/templates``; it extends ``page.html.j2``.
    title : str
        Heading of the page.
    provenance : Provenance
        Printed by the page itself: version and time of the measurement.
    **content
        What the template needs. Text is escaped; only `markupsafe.Markup` passes as it is.

    Returns
    -------
    str
        One HTML file that refers to nothing outside itself.
    """
    page = environment().get_template(template)
    return page.render(title=title, provenance=provenance, css=report_css(), **content)


def relative_link(target: Path, place: Path) -> str:
    """Return the link from the page at `place` to another file."""
    from urllib.parse import quote

    return quote(Path(os.path.relpath(target.resolve(), place.parent.resolve())).as_posix())


@cache
def environment() -> Environment:
    """Return the Jinja environment of all reports: strict, escaping, reading the package's templates."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("sudeck.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
    )
    made.filters["thousands"] = group_thousands
    made.filters["setting"] = _setting
    return made


def _clean(value: Any) -> Any:
    """Replace deceiving characters in plain text; markup was made by Sudeck and passes."""
    return value if not isinstance(value, str) or hasattr(value, "__html__") else printable(value)


def _setting(value: object) -> str:
    if value is None:
        return "not stated"
    if value in ([], {}, ()):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@cache
def report_css() -> Any:
    """Return the one style sheet of every report, as it stands between style tags."""
    from markupsafe import Markup

    return Markup(files("sudeck.report").joinpath("style/report.css").read_text(encoding="utf-8"))
