"""The sweeps of every condition over each other, one figure a hemisphere, both on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.report.kit.palette import INK, QUIET, WASH
from sudeck.report.kit.plot import SMALL, Mark, Plot, Span, Stroke, sheet, text, text_width, upright
from sudeck.report.tms.style import FOOT_MM, LEFT_MM, PLOT_MM, RIGHT_MM, WIDTH_MM, colour_of, side_title

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

    from sudeck.report.tms.panels import Panel, PanelSweeps, Side

_HEAD, _GAP, _TITLE, _APART = 0.5, 4.5, 4.0, 1.0
MOST_CONDITIONS: Final = 18
# Many conditions are drawn lower, so that a figure stays on a page.
_HIGHEST_ROW, _LOWEST_ROW, _ROWS_MM = 21.0, 14.0, 160.0
_MOST_LINES = 24
# A picture 75 mm wide shows no more points a sweep; a page should hold no more points of sweeps in all.
_MOST_POINTS, _LEAST_POINTS, _POINTS_A_PAGE = 600, 80, 80_000
# Responses of less than this share of the scale are drawn larger, by as much as has room; that is said.
_SMALL_SHARE: Final = 0.25
_MAGNIFIED: Final = (50, 20, 10, 5, 2)


def points_a_sweep(panels: Sequence[Panel]) -> int:
    """Return how many points of each sweep are drawn, so that a page stays small enough to be sent."""
    lines = 0
    for panel in panels:
        for side in panel.sides:
            shown = _rows(panel, side)
            lines += sum(1 + min(len(s.emg_mv), _MOST_LINES) for s in side.sweeps if s.name in shown)
    return min(max(_POINTS_A_PAGE // max(lines, 1), _LEAST_POINTS), _MOST_POINTS)


def sweeps_figure(side: Side, *, panel: Panel, points: int) -> Markup:
    """Draw the sweeps of each condition over each other, with their mean, onset and search window."""
    shown = _rows(panel, side)
    own = {sweeps.name: sweeps for sweeps in side.sweeps}
    colour = colour_of(side.group.hemisphere)
    last = max((row for row, name in enumerate(shown) if name in own), default=0)
    row_mm = min(_HIGHEST_ROW, max(_LOWEST_ROW, _ROWS_MM / max(len(shown), 1)))
    parts, top = [], _HEAD
    for row, name in enumerate(shown):
        sweeps = own.get(name)
        # Contraction has a time axis of its own, so that the numbers above it need room.
        changes = row < last and _is_active(panel, name) != _is_active(panel, shown[row + 1])
        if sweeps is None and name:
            middle = LEFT_MM + PLOT_MM / 2, top + _TITLE + (row_mm - _TITLE) / 2
            parts.append(text(*middle, f"{name}: not recorded", size=SMALL, anchor="middle", colour=QUIET))
        elif sweeps is not None:
            magnified = _magnified(panel, name, _reach(panel, active=sweeps.active))
            reach = _reach(panel, active=sweeps.active) / magnified
            box = LEFT_MM, top + _TITLE, PLOT_MM, row_mm - _TITLE - _APART
            plot = Plot(*box, Span(float(sweeps.time_ms[0]), float(sweeps.time_ms[-1])), Span(-reach, reach))
            label = "time after the test pulse (ms)" if row == last else ""
            parts += [
                *_title(sweeps, top, magnified),
                plot.inside(_lines(sweeps, plot, colour, points)),
                plot.y_axis(plot.y.named_ticks(3)),
                plot.x_axis(plot.x.named_ticks(7), label, named=row == last or changes),
            ]
        top += row_mm + _GAP * changes
    parts.append(upright(2.8, (_HEAD + _TITLE + top) / 2, "EMG (mV)"))
    return sheet(WIDTH_MM, top - _APART + FOOT_MM, parts, f"sweeps by condition, {side_title(side)}")


def n_left_out(panel: Panel) -> int:
    """Return how many conditions are not drawn, of the hemisphere that has most."""
    return max(len({s.name for s in side.sweeps} - set(_rows(panel, side))) for side in panel.sides)


def _rows(panel: Panel, side: Side) -> list[str]:
    """Return the conditions of a hemisphere in the order in which they are drawn; no name is an empty row.

    Steps of intensity are of each hemisphere by itself, for each has its own threshold; all others stand
    beside those of the same name. Of too many, some steps spread over their range.
    """
    steps = [sorted((s.name for s in one.sweeps if _is_step(s.name)), key=_natural) for one in panel.sides]
    others = sorted({s.name for one in panel.sides for s in one.sweeps if not _is_step(s.name)}, key=_natural)
    others = _spread(others, MOST_CONDITIONS)
    most = min(max(map(len, steps)), max(MOST_CONDITIONS - len(others), 0))
    own = _spread(sorted((s.name for s in side.sweeps if _is_step(s.name)), key=_natural), most)
    return [*own, *[""] * (most - len(own)), *others]


def _spread(names: list[str], most: int) -> list[str]:
    if len(names) <= most:
        return names
    return [names[place] for place in np.linspace(0, len(names) - 1, most).round().astype(int)]


def _is_step(name: str) -> bool:
    return not any(word in name for word in ("pair", "test alone", "active"))


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
            drawn.append(plot.marks(np.median(known), sign * 0.7 * reach, Mark(shape, colour, 0.55)))
    return drawn


def _title(sweeps: PanelSweeps, top: float, magnified: int) -> list[str]:
    """Name a condition, its trials, and by how much it is drawn larger."""
    name = f"{sweeps.name}, {sweeps.detail}" if sweeps.detail else sweeps.name
    said = f"n = {len(sweeps.emg_mv)}" + (f", {sweeps.n_flagged} flagged" if sweeps.n_flagged else "")
    right, y = WIDTH_MM - RIGHT_MM, top + 2.6
    parts = [
        text(LEFT_MM, y, name, size=SMALL, colour=INK),
        text(right, y, said, size=SMALL, anchor="end", colour=QUIET),
    ]
    if magnified > 1:
        left = right - text_width(said) - 1.0
        parts.append(text(left, y, f"×{magnified}", size=SMALL, anchor="end", colour=INK, bold=True))
    return parts


def _is_active(panel: Panel, name: str) -> bool:
    return any(sweeps.active for side in panel.sides for sweeps in side.sweeps if sweeps.name == name)


def _reach(panel: Panel, *, active: bool) -> float:
    """Return the half height of the rows of one muscle state, in both hemispheres; every mean is within."""
    own = [s for side in panel.sides for s in side.sweeps if s.active == active]
    peaks = [peak for sweeps in own for peak in _peaks(sweeps.time_ms, sweeps.emg_mv)]
    means = [_peaks(sweeps.time_ms, sweeps.emg_mv.mean(axis=0)[None])[0] for sweeps in own]
    top = max(float(np.quantile(peaks, 0.95)), *means) if peaks else 1.0
    return 1.15 * top if top > 0 else 1.0


def _magnified(panel: Panel, name: str, reach: float) -> int:
    """Return by how much a condition is drawn larger than the others, in both hemispheres alike."""
    own = [s for side in panel.sides for s in side.sweeps if s.name == name]
    peaks = [peak for sweeps in own for peak in _peaks(sweeps.time_ms, sweeps.emg_mv)]
    share = float(np.quantile(peaks, 0.95)) / reach if peaks else 1.0
    if share <= 0 or share >= _SMALL_SHARE:
        return 1
    return next((by for by in _MAGNIFIED if by * share <= 0.8), 1)


def _peaks(time_ms: NDArray[np.float64], lines: NDArray[np.float64]) -> list[float]:
    """Return how far each sweep goes after the artefact."""
    inside = (time_ms > 5.0) & (time_ms < 80.0)
    peaks: list[float] = np.abs(lines[:, inside]).max(axis=1, initial=0.0).tolist()
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
