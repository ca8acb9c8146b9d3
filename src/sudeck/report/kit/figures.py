"""Matplotlib figures as inline SVG: one style, the same bytes every time, no address of anything outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import as_file, files
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette for all kinds of colour vision; line styles differ too, for grey print.
AFFECTED_LINE: Final = "solid"
HEALTHY_LINE: Final[tuple[float, tuple[float, float]]] = (0.0, (3.2, 1.4))
_MM_PER_INCH = 25.4


def draw_svg(
    paint: Callable[[Figure], None], *, size_mm: tuple[float, float], name: str, description: str
) -> Markup:
    """Draw a figure in the style of Sudeck and return it as SVG to stand inside a page.

    Parameters
    ----------
    paint : callable
        Takes the empty figure and draws on it.
    size_mm : (float, float)
        Width and height on paper.
    name : str
        Unique on the page: keeps the internal references of several figures apart.
    description : str
        What the figure shows, for those who can not see it.
    """
    import matplotlib as mpl
    from markupsafe import Markup, escape
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: Any = {**_style(), "svg.hashsalt": f"sudeck-{name}"}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(size_mm[0] / _MM_PER_INCH, size_mm[1] / _MM_PER_INCH))
        FigureCanvasSVG(figure)
        paint(figure)
        text = StringIO()
        figure.savefig(text, format="svg")
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    # A page needs no name spaces, no fixed size, and only the identifiers that are referred to.
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"| version="1.1"', "", svg, count=3)
    svg = re.sub(r'<svg width="[^"]*" height="[^"]*"', "<svg", svg, count=1)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    # The metadata hold a date and addresses.
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1)
    return Markup(svg)


def axes_mm(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes at a place in mm from the lower left corner: figures of one kind then all look alike."""
    figure_width, figure_height = figure.get_size_inches() * _MM_PER_INCH
    return figure.add_axes(
        (left / figure_width, bottom / figure_height, width / figure_width, height / figure_height)
    )


@cache
def _style() -> dict[str, Any]:
    """Return the settings of ``style/figures.mplstyle``."""
    from matplotlib import rc_params_from_file

    with as_file(files("sudeck.report").joinpath("style/figures.mplstyle")) as path:
        settings: Any = rc_params_from_file(path, use_default_template=False)
    return dict(settings)
