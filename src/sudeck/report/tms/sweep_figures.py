"""The sweeps of every condition over each other, one figure a hemisphere, both on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.report.kit.figures import axes_mm, draw_svg
from sudeck.report.kit.palette import INK, QUIET, WASH
from sudeck.report.tms.panels import Panel, PanelSweeps, Side
from sudeck.report.tms.style import LEFT_MM, RIGHT_MM, STYLE, WIDTH_MM, side_title

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_ROW, _FOOT, _HEAD, _GAP = 21.0, 9.0, 4.5, 4.5
MOST_CONDITIONS: Final = 6
_MOST_LINES = 24
# A picture 75 mm wide shows no more points a sweep; a page should hold no more points of sweeps in all.
_MOST_POINTS, _LEAST_POINTS, _POINTS_A_PAGE = 600, 80, 80_000


def points_a_sweep(panels: Sequence[Panel]) -> int:
    """Return how many points of each sweep are drawn, so that a page stays small enough to be sent."""
    lines = 0
    for panel in panels:
        shown = conditions_shown(panel)
        for side in panel.sides:
            lines += sum(1 + min(len(s.emg_mv), _MOST_LINES) for s in side.sweeps if s.name in shown)
    return min(max(_POINTS_A_PAGE // max(lines, 1), _LEAST_POINTS), _MOST_POINTS)


def sweeps_figure(side: Side, *, panel: Panel, points: int, name: str) -> Markup:
    """Draw the sweeps of each condition over each other, with their mean, onset and search window."""
    shown = conditions_shown(panel)
    own = {sweeps.name: sweeps for sweeps in side.sweeps}
    height = _HEAD + _ROW * len(shown) + _FOOT + _GAP * _has_both_states(panel, shown)
    return draw_svg(
        lambda figure: _paint_sweeps(figure, [own.get(key) for key in shown], shown, side, panel, points),
        size_mm=(WIDTH_MM, height),
        name=name,
        description=f"sweeps by condition, {side_title(side)}",
    )


def conditions_shown(panel: Panel) -> list[str]:
    """Return the conditions that are drawn, in order: with pairs, these and their test pulse; else steps."""
    names = list(dict.fromkeys(sweeps.name for side in panel.sides for sweeps in side.sweeps))
    ordered = sorted(names, key=_natural)
    main = [name for name in ordered if "pair" in name or "test alone" in name or "active" in name]
    chosen = main if any("pair" in name for name in main) else ordered
    if len(chosen) <= MOST_CONDITIONS:
        return chosen
    # Spread over the range of what there is.
    places = np.linspace(0, len(chosen) - 1, MOST_CONDITIONS).round().astype(int)
    return [chosen[place] for place in places]


def _natural(name: str) -> tuple[bool, bool, float, str]:
    """Sort singles before pairs, each by its first number, contraction last."""
    numbers = [float(word) for word in name.replace(",", " ").split() if word.replace(".", "", 1).isdigit()]
    return "active" in name, "pair" in name, numbers[0] if numbers else 0.0, name


def _paint_sweeps(
    figure: Figure,
    rows: Sequence[PanelSweeps | None],
    names: Sequence[str],
    side: Side,
    panel: Panel,
    points: int,
) -> None:
    gap = _GAP * _has_both_states(panel, names)
    total = _HEAD + _ROW * len(rows) + _FOOT + gap
    colour = STYLE[side.group.hemisphere]["color"]
    last = max((row for row, sweeps in enumerate(rows) if sweeps is not None), default=0)
    for row, sweeps in enumerate(rows):
        # Contraction has a time axis of its own, so that the labels above it need room.
        bottom = total - _HEAD - _ROW * (row + 1) + 2.0 - gap * _is_active(panel, names[row])
        axes = axes_mm(figure, LEFT_MM, bottom, WIDTH_MM - LEFT_MM - RIGHT_MM, _ROW - 5.0)
        title = names[row] if sweeps is None or not sweeps.detail else f"{names[row]}, {sweeps.detail}"
        axes.text(0.0, 1.03, title, transform=axes.transAxes, va="bottom", fontsize=7, color=INK)
        if sweeps is None:
            axes.set_axis_off()
            axes.text(0.5, 0.4, "not recorded", transform=axes.transAxes, ha="center", color=QUIET)
            continue
        _paint_condition(axes, sweeps, colour, _reach(panel, names, active=sweeps.active), points)
        if row == last:
            axes.set_xlabel("time after the test pulse (ms)")
        elif (below := rows[row + 1]) is not None and below.active == sweeps.active:
            axes.tick_params(labelbottom=False)
        if row == len(rows) // 2:
            axes.set_ylabel("EMG (mV)")


def _is_active(panel: Panel, name: str) -> bool:
    return any(sweeps.active for side in panel.sides for sweeps in side.sweeps if sweeps.name == name)


def _has_both_states(panel: Panel, names: Sequence[str]) -> bool:
    return len({_is_active(panel, name) for name in names}) > 1


def _paint_condition(axes: Axes, sweeps: PanelSweeps, colour: str, reach: float, points: int) -> None:
    from matplotlib.collections import LineCollection

    axes.axvspan(*sweeps.search_ms, color=WASH, linewidth=0, zorder=0)
    axes.axvline(0.0, color=QUIET, linewidth=0.5)
    times, lines = _thinned(sweeps.time_ms, sweeps.emg_mv[:_MOST_LINES], points)
    each = [np.column_stack([times, line]) for line in lines]
    axes.add_collection(LineCollection(each, colors=QUIET, linewidths=0.35, alpha=0.75))
    times, mean = _thinned(sweeps.time_ms, sweeps.emg_mv.mean(axis=0)[None], _MOST_POINTS)
    axes.plot(times, mean[0], color=colour, linewidth=1.1)
    found = sweeps.latency_ms[np.isfinite(sweeps.latency_ms)]
    if found.size:
        axes.plot(found, np.full(found.size, -0.93 * reach), "|", color=colour, markersize=4, mew=0.5)
        axes.plot([np.median(found)], [-0.66 * reach], "^", color=colour, markersize=3.5)
    back = sweeps.return_ms[np.isfinite(sweeps.return_ms)]
    if back.size:
        axes.plot(back, np.full(back.size, 0.93 * reach), "|", color=colour, markersize=4, mew=0.5)
        axes.plot([np.median(back)], [0.66 * reach], "v", color=colour, markersize=3.5)
    n = len(sweeps.emg_mv)
    flagged = f", {sweeps.n_flagged} flagged" if sweeps.n_flagged else ""
    axes.text(
        1.0, 1.03, f"n = {n}{flagged}", transform=axes.transAxes, ha="right", va="bottom", fontsize=7,
        color=QUIET,
    )  # fmt: skip
    axes.set(xlim=(sweeps.time_ms[0], sweeps.time_ms[-1]), ylim=(-reach, reach))
    axes.locator_params(axis="y", nbins=3)


def _reach(panel: Panel, names: Sequence[str], *, active: bool) -> float:
    """Return the half height of all panels of one muscle state: the same for both hemispheres."""
    peaks = []
    for side in panel.sides:
        for sweeps in side.sweeps:
            if sweeps.active == active and sweeps.name in names:
                inside = (sweeps.time_ms > 5.0) & (sweeps.time_ms < 80.0)
                peaks += list(np.abs(sweeps.emg_mv[:, inside]).max(axis=1, initial=0.0))
    top = float(np.quantile(peaks, 0.95)) if peaks else 1.0
    return 1.15 * top if top > 0 else 1.0


def _thinned(
    time_ms: NDArray[np.float64], lines: NDArray[np.float64], points: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Thin lines to what a picture can show, keeping the extremes of every stretch."""
    step = int(np.ceil(time_ms.size / (points / 2)))
    if step <= 2:
        return time_ms, lines
    n = time_ms.size // step * step
    blocks = lines[:, :n].reshape(len(lines), -1, step)
    ends = np.stack([blocks.min(axis=2), blocks.max(axis=2)], axis=2)
    # The extreme that comes first is drawn first.
    swap = blocks.argmin(axis=2) > blocks.argmax(axis=2)
    ends[swap] = ends[swap][:, ::-1]
    times = time_ms[:n].reshape(-1, step)
    quarter = (times[:, -1] - times[:, 0]) / 4
    middle = times.mean(axis=1)
    return np.stack([middle - quarter, middle + quarter], axis=1).ravel(), ends.reshape(len(lines), -1)
