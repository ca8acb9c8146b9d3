"""The sweeps of every condition over each other, one figure a hemisphere, both on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.report.kit.palette import INK, QUIET, WASH
from sudeck.report.kit.plot import SMALL, Mark, Plot, Span, Stroke, sheet, text, upright
from sudeck.report.tms.style import FOOT_MM, LEFT_MM, PLOT_MM, RIGHT_MM, WIDTH_MM, colour_of, side_title

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

    from sudeck.report.tms.panels import Panel, PanelSweeps, Side

_HEAD, _GAP, _TITLE, _APART = 0.5, 4.5, 4.0, 1.0
MOST_CONDITIONS: Final = 18
# Many conditions are drawn lower, so that a figure stays on a page.
_HIGHEST_ROW, _LOWEST_ROW, _ROWS_MM = 21.0, 12.5, 150.0
_MOST_LINES = 24
# A picture 75 mm wide shows no more points a sweep; a page should hold no more points of sweeps in all.
_MOST_POINTS, _LEAST_POINTS, _POINTS_A_PAGE = 600, 80, 80_000
# Responses of less than this share of the scale are drawn larger, by the largest of these that leaves them
# this share; how much is said beside them.
_SMALL_SHARE: Final = 0.25
_MAGNIFIED: Final = (50, 20, 10, 5, 2)


def points_a_sweep(panels: Sequence[Panel]) -> int:
    """Return how many points of each sweep are drawn, so that a page stays small enough to be sent."""
    lines = 0
    for panel in panels:
        shown = conditions_shown(panel)
        for side in panel.sides:
            lines += sum(1 + min(len(s.emg_mv), _MOST_LINES) for s in side.sweeps if s.name in shown)
    return min(max(_POINTS_A_PAGE // max(lines, 1), _LEAST_POINTS), _MOST_POINTS)


def sweeps_figure(side: Side, *, panel: Panel, points: int) -> Markup:
    """Draw the sweeps of each condition over each other, with their mean, onset and search window."""
    shown = conditions_shown(panel)
    own = {sweeps.name: sweeps for sweeps in side.sweeps}
    colour = colour_of(side.group.hemisphere)
    last = max((row for row, name in enumerate(shown) if name in own), default=0)
    row_mm = min(_HIGHEST_ROW, max(_LOWEST_ROW, _ROWS_MM / max(len(shown), 1)))
    height = row_mm - _TITLE - _APART
    parts, top = [], _HEAD
    for row, name in enumerate(shown):
        sweeps, changes = own.get(name), row + 1 < len(shown) and _changes_state(panel, *shown[row : row + 2])
        title = name if sweeps is None or not sweeps.detail else f"{name}, {sweeps.detail}"
        parts.append(text(LEFT_MM, top + 2.6, title, size=SMALL, colour=INK))
        if sweeps is None:
            middle = LEFT_MM + PLOT_MM / 2, top + _TITLE + height / 2
            parts.append(text(*middle, "not recorded", anchor="middle", colour=QUIET))
        else:
            whole = _reach(panel, shown, active=sweeps.active)
            magnified = _magnified(panel, name, whole)
            time, reach = sweeps.time_ms, whole / magnified
            box = LEFT_MM, top + _TITLE, PLOT_MM, height
            plot = Plot(*box, Span(float(time[0]), float(time[-1])), Span(-reach, reach))
            parts += [plot.inside(_lines(sweeps, plot, colour, points)), *_beside(sweeps, top, magnified)]
            parts.append(plot.y_axis(plot.y.named_ticks(3)))
            # Contraction has a time axis of its own, so that the numbers above it need room.
            numbered = row == last or changes or shown[row + 1] not in own
            label = "time after the test pulse (ms)" if row == last else ""
            parts.append(plot.x_axis(plot.x.named_ticks(7), label, named=numbered))
        top += row_mm + _GAP * changes
    parts.append(upright(2.8, (_HEAD + _TITLE + top) / 2, "EMG (mV)"))
    return sheet(WIDTH_MM, top - _APART + FOOT_MM, parts, f"sweeps by condition, {side_title(side)}")


def conditions_shown(panel: Panel) -> list[str]:
    """Return the conditions that are drawn, in order; of too many, pairs and their test, or some."""
    names = list(dict.fromkeys(sweeps.name for side in panel.sides for sweeps in side.sweeps))
    ordered = sorted(names, key=_natural)
    if len(ordered) <= MOST_CONDITIONS:
        return ordered
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


def _lines(sweeps: PanelSweeps, plot: Plot, colour: str, points: int) -> list[str]:
    """Draw the sweeps of one condition, and what was found in them."""
    reach = plot.y.high
    times, lines = _thinned(sweeps.time_ms, sweeps.emg_mv[:_MOST_LINES], points)
    mean_times, mean = _thinned(sweeps.time_ms, sweeps.emg_mv.mean(axis=0)[None], _MOST_POINTS)
    drawn = [
        plot.band(sweeps.search_ms, [-reach] * 2, [reach] * 2, WASH),
        plot.across_all(0.0, Stroke(QUIET, 0.18)),
        plot.line(times, lines, Stroke(QUIET, 0.13, opacity=0.75)),
        plot.line(mean_times, mean, Stroke(colour, 0.39)),
    ]
    for found, sign, shape in ((sweeps.latency_ms, -1, "^"), (sweeps.return_ms, 1, "v")):
        known = found[np.isfinite(found)]
        if known.size:
            drawn.append(plot.marks(known, np.full(known.size, sign * 0.93 * reach), Mark("|", colour, 0.6)))
            drawn.append(plot.marks(np.median(known), sign * 0.7 * reach, Mark(shape, colour, 0.6)))
    return drawn


def _beside(sweeps: PanelSweeps, top: float, magnified: int) -> list[str]:
    """Say above a condition how many trials it has, and by how much it is drawn larger."""
    said = f"n = {len(sweeps.emg_mv)}" + (f", {sweeps.n_flagged} flagged" if sweeps.n_flagged else "")
    right = WIDTH_MM - RIGHT_MM
    parts = [text(right, top + 2.6, said, size=SMALL, anchor="end", colour=QUIET)]
    if magnified > 1:
        larger = f"drawn {magnified} times larger"
        parts.append(
            text(right - 0.8, top + _TITLE + 2.8, larger, size=SMALL, anchor="end", colour=INK, bold=True)
        )
    return parts


def _is_active(panel: Panel, name: str) -> bool:
    return any(sweeps.active for side in panel.sides for sweeps in side.sweeps if sweeps.name == name)


def _changes_state(panel: Panel, name: str, following: str) -> bool:
    return _is_active(panel, name) != _is_active(panel, following)


def _reach(panel: Panel, names: Sequence[str], *, active: bool) -> float:
    """Return the half height of all panels of one muscle state: the same for both hemispheres."""
    peaks = [peak for name in names for peak in _peaks(panel, name, active=active)]
    top = float(np.quantile(peaks, 0.95)) if peaks else 1.0
    return 1.15 * top if top > 0 else 1.0


def _magnified(panel: Panel, name: str, reach: float) -> int:
    """Return by how much a condition is drawn larger than the others, in both hemispheres alike."""
    peaks = [peak for active in (False, True) for peak in _peaks(panel, name, active=active)]
    share = float(np.quantile(peaks, 0.95)) / reach if peaks else 1.0
    if share <= 0 or share >= _SMALL_SHARE:
        return 1
    return next((by for by in _MAGNIFIED if by * share <= 0.8), 1)


def _peaks(panel: Panel, name: str, *, active: bool) -> list[float]:
    """Return how far each sweep of a condition goes after the artefact."""
    peaks: list[float] = []
    for side in panel.sides:
        for sweeps in side.sweeps:
            if sweeps.active == active and sweeps.name == name:
                inside = (sweeps.time_ms > 5.0) & (sweeps.time_ms < 80.0)
                peaks += np.abs(sweeps.emg_mv[:, inside]).max(axis=1, initial=0.0).tolist()
    return peaks


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
