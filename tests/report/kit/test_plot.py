"""Plots written as SVG: where a value stands, which numbers an axis has, what is cut off."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sudeck.report.kit.plot import Mark, Plot, Span, Stroke, legend, sheet

PLOT = Plot(10.0, 5.0, 50.0, 20.0, Span(0.0, 100.0), Span(-1.0, 1.0))


def places(path: str) -> list[tuple[float, float]]:
    """Return the corners of the first line of a path, as they are drawn."""
    data = re.search(r'd="M(\S+) (\S+)l([^"M]*)', path)
    assert data is not None
    steps = np.array(data[3].split(), dtype=float).reshape(-1, 2)
    return [tuple(p) for p in np.vstack([[float(data[1]), float(data[2])], steps]).cumsum(axis=0)]


def test_a_value_stands_where_its_axis_says() -> None:
    assert PLOT.at(50.0, 1.0) == (35.0, 5.0)
    log = Plot(0.0, 0.0, 40.0, 30.0, Span(0.01, 100.0, log=True), Span(0.0, 1.0))
    assert log.at(1.0, 0.0) == pytest.approx((20.0, 30.0))


def test_a_line_is_drawn_to_a_hundredth_of_a_millimetre_without_drift() -> None:
    x = np.linspace(0.0, 100.0, 997)
    y = np.sin(x)
    drawn = np.array(places(PLOT.line(x, y, Stroke("#000"))))
    assert np.abs(drawn[:, 0] - 50.0 * x).max() <= 0.5
    assert np.abs(drawn[:, 1] - 1000.0 * (1 - y)).max() <= 0.5


def test_a_line_is_broken_where_a_value_is_missing() -> None:
    path = PLOT.line([0, 1, 2, 3, 4, 5], [0.0, 0.1, np.nan, 0.2, 0.3, np.nan], Stroke("#000"))
    assert path.count("M") == 2
    assert PLOT.line([0, 1], [np.nan, np.nan], Stroke("#000")) == ""
    assert PLOT.marks([1.0, np.nan], [0.0, 0.0], Mark("o")).count("M") == 1


def test_no_number_of_a_page_is_endless() -> None:
    log = Plot(0.0, 0.0, 10.0, 10.0, Span(0.0, 1.0), Span(0.1, 10.0, log=True))
    for drawn in (
        log.line([0, 1], [0.0, 1.0], Stroke("#000")),
        PLOT.line([0, 1e300], [0, 1], Stroke("#000")),
    ):
        assert "inf" not in drawn
        assert "nan" not in drawn
        assert len(drawn) < 200


@pytest.mark.parametrize(
    ("span", "most", "expected"),
    [
        (Span(-3.4, 3.4), 3, ["−2", "0", "2"]),
        (Span(-0.07, 0.07), 3, ["−0.05", "0.00", "0.05"]),
        (Span(0.002, 15.0, log=True), 7, ["0.01", "0.1", "1", "10"]),
        (Span(1e-6, 1e3, log=True), 4, None),
        (Span(0.036, 0.17, log=True), 7, None),
        (Span(2.0, 8.4, log=True), 7, None),
        (Span(44.9999, 45.0001), 5, None),
    ],
)
def test_numbers_of_an_axis_are_few_round_inside_and_apart(span: Span, most: int, expected) -> None:
    ticks = span.named_ticks(most)
    assert 2 <= len(ticks) <= most
    assert all(span.low <= value <= span.high for value, _ in ticks)
    assert len({name for _, name in ticks}) == len(ticks)
    assert np.diff(span.share([value for value, _ in ticks])).min() > 0.5 / most
    if expected:
        assert [name for _, name in ticks] == expected


def test_what_stands_at_the_edge_is_whole_and_lines_are_cut() -> None:
    assert 'overflow="visible"' in PLOT.inside([], cut=False)
    assert "overflow" not in PLOT.inside([])


def test_every_shape_of_a_mark_is_drawn() -> None:
    drawn = {shape: Mark(shape).path([(1.0, 2.0)]) for shape in ("o", *"sD^vpPXx|")}
    assert len(set(drawn.values())) == len(drawn)
    assert all(path.startswith('<path d="M1.00 2.00m') for path in drawn.values())
    assert Mark("o").path([]) == ""


def test_a_legend_begins_a_new_line_before_it_leaves_the_figure() -> None:
    items = [(Mark("o"), "paired pulse")] * 7
    one, low = legend(items[:1], 0.0, 0.0, 70.0)
    many, high = legend(items, 0.0, 0.0, 70.0)
    assert high > 2 * low > 0
    assert max(float(x) for x in re.findall(r'<text x="([\d.]+)"', many)) + 16 < 70.0
    assert legend([], 0.0, 0.0, 70.0) == ("", 0.0)
    assert one.count("<text") == 1


def test_words_are_escaped() -> None:
    plot = PLOT.x_axis([(1.0, "<b>")], "a & b")
    assert "<b>" not in plot
    assert "a &amp; b" in plot
    assert 'aria-label="&lt;x&gt;"' in sheet(10.0, 10.0, [], "<x>")
