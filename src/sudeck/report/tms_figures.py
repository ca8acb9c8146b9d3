"""Figures of a report on magnetic stimulation: sweeps, amplitudes by trial, threshold, recruitment, pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.report.figures import axes_mm, draw_svg
from sudeck.report.tms_panels import Panel, Side, Sweeps

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

# Not the colours of the affected and the healthy side: a hemisphere is neither.
_STYLE: Final[dict[str | None, dict[str, Any]]] = {
    "left": {"color": "#00795A", "linestyle": "solid"},
    "right": {"color": "#9C3E8E", "linestyle": (0.0, (3.2, 1.4))},
    None: {"color": "#333333", "linestyle": "solid"},
}
_INK, _QUIET, _WASH = "#1C2024", "#8A9098", "#EEF0F2"
_MARKERS: Final[dict[str, dict[str, Any]]] = {
    "SICI": {"color": "#0072B2", "marker": "v"},
    "ICF": {"color": "#D55E00", "marker": "^"},
    "SICF": {"color": "#E69F00", "marker": "P"},
    "LICI": {"color": "#CC79A7", "marker": "D"},
    "IHI": {"color": "#56B4E9", "marker": "s"},
    "paired pulse": {"color": "#666666", "marker": "X"},
}
_WIDTH = 90.0
_LEFT, _RIGHT = 12.5, 2.0
_ROW, _FOOT, _HEAD, _GAP = 21.0, 9.0, 4.5, 4.5
MOST_CONDITIONS = 6
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
        size_mm=(_WIDTH, height),
        name=name,
        description=f"sweeps by condition, {_title(side)}",
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


def amplitudes_figure(side: Side, *, panel: Panel, name: str) -> Markup:
    """Draw the amplitude of every trial in order, on a log axis, flagged trials ringed."""
    return draw_svg(
        lambda figure: _paint_amplitudes(figure, side, panel),
        size_mm=(_WIDTH, 46.0),
        name=name,
        description=f"amplitude by trial, {_title(side)}",
    )


def threshold_figure(side: Side, kind: str, *, name: str) -> Markup:
    """Draw the posterior of a threshold over the pulses it rests on, other rules beside it."""
    return draw_svg(
        lambda figure: _paint_threshold(figure, side, kind),
        size_mm=(_WIDTH, 44.0),
        name=name,
        description=f"posterior of the {kind}, {_title(side)}",
    )


def recruitment_figure(side: Side, *, panel: Panel, name: str) -> Markup:
    """Draw the recruitment curve with its interval over the trials."""
    return draw_svg(
        lambda figure: _paint_recruitment(figure, side, panel),
        size_mm=(_WIDTH, 50.0),
        name=name,
        description=f"recruitment curve, {_title(side)}",
    )


def pairs_figure(panel: Panel, *, name: str) -> Markup:
    """Draw conditioned over unconditioned amplitude against the interval, both hemispheres."""
    return draw_svg(
        lambda figure: _paint_pairs(figure, panel),
        size_mm=(2 * _WIDTH, 58.0),
        name=name,
        description="paired-pulse ratios over the interval, both hemispheres",
    )


def _title(side: Side) -> str:
    return f"{side.group.hemisphere} hemisphere" if side.group.hemisphere else "hemisphere not stated"


def _natural(name: str) -> tuple[bool, bool, float, str]:
    """Sort singles before pairs, each by its first number, contraction last."""
    numbers = [float(word) for word in name.replace(",", " ").split() if word.replace(".", "", 1).isdigit()]
    return "active" in name, "pair" in name, numbers[0] if numbers else 0.0, name


def _paint_sweeps(
    figure: Figure, rows: Sequence[Sweeps | None], names: Sequence[str], side: Side, panel: Panel, points: int
) -> None:
    gap = _GAP * _has_both_states(panel, names)
    total = _HEAD + _ROW * len(rows) + _FOOT + gap
    colour = _STYLE[side.group.hemisphere]["color"]
    last = max((row for row, sweeps in enumerate(rows) if sweeps is not None), default=0)
    for row, sweeps in enumerate(rows):
        # Contraction has a time axis of its own, so that the labels above it need room.
        bottom = total - _HEAD - _ROW * (row + 1) + 2.0 - gap * _is_active(panel, names[row])
        axes = axes_mm(figure, _LEFT, bottom, _WIDTH - _LEFT - _RIGHT, _ROW - 5.0)
        title = names[row] if sweeps is None or not sweeps.detail else f"{names[row]}, {sweeps.detail}"
        axes.text(0.0, 1.03, title, transform=axes.transAxes, va="bottom", fontsize=7, color=_INK)
        if sweeps is None:
            axes.set_axis_off()
            axes.text(0.5, 0.4, "not recorded", transform=axes.transAxes, ha="center", color=_QUIET)
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


def _paint_condition(axes: Axes, sweeps: Sweeps, colour: str, reach: float, points: int) -> None:
    from matplotlib.collections import LineCollection

    axes.axvspan(*sweeps.search_ms, color=_WASH, linewidth=0, zorder=0)
    axes.axvline(0.0, color=_QUIET, linewidth=0.5)
    times, lines = _thinned(sweeps.time_ms, sweeps.emg_mv[:_MOST_LINES], points)
    each = [np.column_stack([times, line]) for line in lines]
    axes.add_collection(LineCollection(each, colors=_QUIET, linewidths=0.35, alpha=0.75))
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
        color=_QUIET,
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


def _paint_amplitudes(figure: Figure, side: Side, panel: Panel) -> None:
    axes = axes_mm(figure, _LEFT, 9.0, _WIDTH - _LEFT - _RIGHT, 30.5)
    times = np.array([trial.pulse.time_s for trial in side.trials])
    # Several recordings have each a clock of their own: then the order stands for time.
    timed = bool(np.isfinite(times).all()) and len({trial.file for trial in side.trials}) == 1
    x = (times - times.min()) / 60.0 if timed else np.arange(times.size) + 1.0
    amplitude = np.array([trial["amplitude_mv"] for trial in side.trials])
    floor = np.array([trial["noise_floor_mv"] for trial in side.trials if trial.pulse.state != "active"])
    kinds = [_kind(trial.pulse, side) for trial in side.trials]
    for kind in dict.fromkeys(kinds):
        rows = np.array([one == kind for one in kinds]) & (amplitude > 0)
        look = _MARKERS.get(kind, {"color": _INK, "marker": "o"})
        if kind == "active":
            look = {"color": "#009E73", "marker": "x"}
        axes.plot(x[rows], amplitude[rows], linestyle="none", markersize=2.8, label=kind, **look)
    flagged = np.array([bool(trial.flags) for trial in side.trials]) & (amplitude > 0)
    if flagged.any():
        axes.plot(
            x[flagged], amplitude[flagged], "o", markersize=6, mfc="none", mec=_QUIET, mew=0.7,
            label="flagged",
        )  # fmt: skip
    if np.isfinite(floor).any():
        axes.axhline(float(np.nanquantile(floor, 0.95)), color=_QUIET, linewidth=0.7, linestyle="dotted")
    axes.set_yscale("log")
    low, high = _amplitude_limits(panel)
    axes.set(ylim=(low, high), xlabel="time (min)" if timed else "trial", ylabel="amplitude (mV)")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 0.98), ncols=6, handletextpad=0.2, columnspacing=0.9,
                borderaxespad=0.0)  # fmt: skip
    axes.grid(axis="y")
    _plain_numbers(axes.yaxis)


def _kind(pulse: Any, side: Side) -> str:
    if pulse.kind == "paired":
        for pair in side.group.pairs:
            if pulse.isi_ms is not None and abs(pair.isi_ms - pulse.isi_ms) < 1e-6:
                return pair.measure
        return "paired pulse"
    return "active" if pulse.state == "active" else "single"


def _amplitude_limits(panel: Panel) -> tuple[float, float]:
    values = np.array([trial["amplitude_mv"] for side in panel.sides for trial in side.trials])
    values = values[np.isfinite(values) & (values > 0)]
    return (0.6 * float(values.min()), 1.7 * float(values.max())) if values.size else (0.01, 10.0)


def _paint_threshold(figure: Figure, side: Side, kind: str) -> None:
    axes = axes_mm(figure, _LEFT, 9.0, _WIDTH - _LEFT - _RIGHT, 28.5)
    threshold = side.group.thresholds[kind]
    posterior, estimate = threshold.posterior, threshold.estimate
    style = _STYLE[side.group.hemisphere]
    density = posterior.density / posterior.density.max()
    grid = posterior.threshold_mso
    inside = (grid >= estimate.low) & (grid <= estimate.high)
    axes.fill_between(grid, density, where=inside.tolist(), color=style["color"], alpha=0.25, linewidth=0)
    axes.plot(grid, density, color=style["color"])
    active = kind == "AMT"
    own = [
        trial
        for trial in side.trials
        if trial.pulse.test_mso is not None
        and trial.pulse.kind != "paired"
        and (trial.pulse.state == "active") == active
    ]
    intensity = np.array([trial.pulse.test_mso for trial in own], dtype=np.float64)
    denoised = np.array([trial["denoised_mv"] for trial in own])
    amplitude = np.where(np.isfinite(denoised), denoised, [trial["amplitude_mv"] for trial in own])
    responded = amplitude >= posterior.criterion_mv
    # Pulses of one intensity are spread a little, so that each is seen.
    spread = np.array([0.12 * (np.sum(intensity[:i] == value) % 12 - 5) for i, value in enumerate(intensity)])
    for rows, height in ((responded, 1.13), (~responded, -0.13)):
        axes.plot(intensity[rows] + spread[rows], np.full(rows.sum(), height), "|", color=_INK, markersize=4)
    beside = {one.measure: one.estimate.value for one in side.group.estimates}
    for method, mark in (("5/10 rule", "s"), ("ML-PEST", "D")):
        value = beside.get(f"{kind} {method}")
        if value is not None:
            axes.plot([value], [0.04], mark, color=_INK, mfc="white", markersize=4, clip_on=False,
                      label=method)  # fmt: skip
    axes.axvline(estimate.value, color=style["color"], linewidth=0.8)
    reach = max(6 * posterior.sd_mso, 4.0)
    axes.set(xlim=(estimate.value - reach, estimate.value + reach), ylim=(-0.25, 1.25))
    axes.set_yticks([-0.13, 1.13], ["none", "MEP"])
    axes.set(xlabel="intensity (%MSO)")
    axes.set_title(f"{estimate.value:.1f} %MSO ({estimate.low:.1f} to {estimate.high:.1f})", loc="left")
    if beside:
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.0,
                    handletextpad=0.1)  # fmt: skip


def _paint_recruitment(figure: Figure, side: Side, panel: Panel) -> None:
    axes = axes_mm(figure, _LEFT, 9.0, _WIDTH - _LEFT - _RIGHT, 35.0)
    curve = side.group.curve
    if curve is None:
        return
    style = _STYLE[side.group.hemisphere]
    name = "test_rmt" if curve.unit == "%RMT" else "test_mso"
    own = [
        trial
        for trial in side.trials
        if getattr(trial.pulse, name) is not None
        and trial.pulse.kind != "paired"
        and trial.pulse.state != "active"
    ]
    intensity = np.array([getattr(trial.pulse, name) for trial in own], dtype=np.float64)
    amplitude = np.array([trial["amplitude_mv"] for trial in own])
    seen = amplitude > 0
    axes.plot(intensity[seen], amplitude[seen], "o", color=_QUIET, markersize=2, alpha=0.8)
    axes.fill_between(
        curve.intensity_mso, curve.low_mv, curve.high_mv, color=style["color"], alpha=0.2, linewidth=0
    )
    axes.plot(curve.intensity_mso, curve.amplitude_mv, color=style["color"])
    axes.set_yscale("log")
    low, high = _amplitude_limits(panel)
    axes.set(ylim=(low, high))
    if curve.plateau_reached:
        axes.axvline(curve.s50.value, color=style["color"], linewidth=0.8, linestyle="dotted")
        title = f"S50 {curve.s50.value:.1f} {curve.unit} ({curve.s50.low:.1f} to {curve.s50.high:.1f})"
    else:
        title = f"plateau not reached: S50 above {curve.s50.low:.1f} {curve.unit}"
    axes.set_title(title, loc="left")
    axes.set(xlabel=f"intensity ({curve.unit})", ylabel="amplitude (mV)")
    axes.grid(axis="y")
    _plain_numbers(axes.yaxis)


def _paint_pairs(figure: Figure, panel: Panel) -> None:
    from matplotlib.ticker import NullLocator

    axes = axes_mm(figure, _LEFT, 9.0, 2 * _WIDTH - _LEFT - 28.0, 44.0)
    axes.axhline(1.0, color=_QUIET, linewidth=0.7)
    intervals = sorted({pair.isi_ms for side in panel.sides for pair in side.group.pairs})
    several = len(panel.sides) > 1
    lows, highs = [1.0], [1.0]
    named: dict[tuple[str, float], list[float]] = {}
    for side in panel.sides:
        style = _STYLE[side.group.hemisphere]
        # The hemispheres stand a little apart, so that both intervals are seen.
        shift = {"left": 0.97, "right": 1.03}.get(side.group.hemisphere or "", 1.0) if several else 1.0
        pairs = sorted(side.group.pairs, key=lambda pair: pair.isi_ms)
        strengths = dict.fromkeys((pair.conditioning_intensity, pair.measure == "IHI") for pair in pairs)
        for strength in strengths:
            own = [p for p in pairs if (p.conditioning_intensity, p.measure == "IHI") == strength]
            x = np.array([pair.isi_ms for pair in own]) * shift
            y = np.array([pair.estimate.value for pair in own])
            axes.plot(x, y, linewidth=0.7, alpha=0.6, **style)
        for pair in pairs:
            low, value, high = pair.estimate.low, pair.estimate.value, pair.estimate.high
            lows.append(max(low, value / 20))
            highs.append(min(high, value * 20))
            at = pair.isi_ms * shift
            axes.plot([at, at], [max(low, 1e-3), min(high, 1e3)], color=style["color"], linewidth=1.1)
            axes.plot([at], [value], _MARKERS[pair.measure]["marker"], color=style["color"], markersize=4.5)
            named.setdefault((pair.measure, pair.isi_ms), []).append(min(high, value * 20))
    for (measure, isi), tops in named.items():
        place = (isi, max(tops))
        axes.annotate(measure, place, xytext=(0, 3), textcoords="offset points", ha="center", fontsize=7)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set(ylim=(0.8 * min(lows), 1.4 * max(highs)), xlim=(0.75 * intervals[0], 1.4 * intervals[-1]))
    axes.set_xticks(intervals, [f"{isi:g}" for isi in intervals])
    axes.xaxis.set_minor_locator(NullLocator())
    _plain_numbers(axes.yaxis)
    axes.grid(axis="y")
    axes.set(xlabel="interval (ms)", ylabel="conditioned / test alone")
    for row, side in enumerate(panel.sides):
        style = _STYLE[side.group.hemisphere]
        axes.plot([1.02, 1.06], [0.93 - 0.1 * row] * 2, transform=axes.transAxes, clip_on=False, **style)
        axes.text(1.075, 0.93 - 0.1 * row, _title(side).replace(" hemisphere", ""), transform=axes.transAxes,
                  va="center", color=style["color"], fontweight="bold")  # fmt: skip


def _plain_numbers(axis: Any) -> None:
    """Write 0.05, 0.1, 1 on a log axis, not powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
