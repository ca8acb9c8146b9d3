"""Figures drawn by Matplotlib: the same bytes every time, identifiers apart, nobody's settings touched."""

from __future__ import annotations

import re

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from sudeck.report.kit.figures import axes_mm, draw_svg


def drawn(name: str) -> Markup:
    def paint(figure: Figure) -> None:
        axes_mm(figure, 10.0, 10.0, 60.0, 30.0).plot([0, 1, 2], [1, 3, 2])

    return draw_svg(paint, size_mm=(80.0, 50.0), name=name, description="a line & its axes")


def test_figures_repeat_and_keep_their_identifiers_apart() -> None:
    first, other = drawn("first"), drawn("other")
    assert first == drawn("first")
    sets = [set(re.findall(r'id="([^"]+)"', text)) for text in (first, other)]
    assert all(sets)
    assert not sets[0] & sets[1]
    assert 'aria-label="a line &amp; its axes"' in first
    assert "http" not in first


def test_drawing_leaves_the_settings_of_others_alone() -> None:
    before = dict(mpl.rcParams)
    drawn("one")
    assert dict(mpl.rcParams) == before
