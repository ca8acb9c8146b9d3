"""Figures of a report on magnetic stimulation: amplitudes by trial, threshold, recruitment, pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.report.kit.figures import axes_mm, draw_svg
from sudeck.report.kit.palette import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PINK,
    QUIET,
    SKY_BLUE,
    VERMILION,
    VIOLET,
)
from sudeck.report.tms.panels import Panel, Side
from sudeck.report.tms.style import LEFT_MM, RIGHT_MM, STYLE, WIDTH_MM, side_title

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

MARKERS: Final[dict[str, dict[str, Any]]] = {
    "SICI": {"color": BLUE, "marker": "v"},
    "ICF": {"color": VERMILION, "marker": "^"},
    "SICF": {"color": ORANGE, "marker": "P"},
    "LICI": {"color": PINK, "marker": "D"},
    "IHI": {"color": SKY_BLUE, "marker": "s"},
    "SAI": {"color": VIOLET, "marker": "p"},
    "paired pulse": {"color": GREY, "marker": "X"},
}


def amplitudes_figure(side: Side, *, panel: Panel, name: str) -> Markup:
    """Draw the amplitude of every trial in order, on a log axis, flagged trials ringed."""
    return draw_svg(
        lambda figure: _paint_amplitudes(figure, side, panel),
        size_mm=(WIDTH_MM, 46.0),
        name=name,
        description=f"amplitude by trial, {side_title(side)}",
    )


def threshold_figure(side: Side, kind: str, *, name: str) -> Markup:
    """Draw the posterior of a threshold over the pulses it rests on, other rules beside it."""
    return draw_svg(
        lambda figure: _paint_threshold(figure, side, kind),
        size_mm=(WIDTH_MM, 44.0),
        name=name,
        description=f"posterior of the {kind}, {side_title(side)}",
    )


def recruitment_figure(side: Side, *, panel: Panel, name: str) -> Markup:
    """Draw the recruitment curve with its interval over the trials."""
    return draw_svg(
        lambda figure: _paint_recruitment(figure, side, panel),
        size_mm=(WIDTH_MM, 50.0),
        name=name,
        description=f"recruitment curve, {side_title(side)}",
    )


def pairs_figure(panel: Panel, *, name: str) -> Markup:
    """Draw conditioned over unconditioned amplitude against the interval, both hemispheres."""
    return draw_svg(
        lambda figure: _paint_pairs(figure, panel),
        size_mm=(2 * WIDTH_MM, 58.0),
        name=name,
        description="paired-pulse ratios over the interval, both hemispheres",
    )


def _paint_amplitudes(figure: Figure, side: Side, panel: Panel) -> None:
    axes = axes_mm(figure, LEFT_MM, 9.0, WIDTH_MM - LEFT_MM - RIGHT_MM, 30.5)
    times = np.array([trial.pulse.time_s for trial in side.trials])
    # Several recordings have each a clock of their own: then the order stands for time.
    timed = bool(np.isfinite(times).all()) and len({trial.file for trial in side.trials}) == 1
    x = (times - times.min()) / 60.0 if timed else np.arange(times.size) + 1.0
    amplitude = np.array([trial["amplitude_mv"] for trial in side.trials])
    floor = np.array([trial["noise_floor_mv"] for trial in side.trials if trial.pulse.state != "active"])
    kinds = [_kind(trial.pulse, side) for trial in side.trials]
    for kind in dict.fromkeys(kinds):
        rows = np.array([one == kind for one in kinds]) & (amplitude > 0)
        look = MARKERS.get(kind, {"color": INK, "marker": "o"})
        if kind == "active":
            look = {"color": GREEN, "marker": "x"}
        axes.plot(x[rows], amplitude[rows], linestyle="none", markersize=2.8, label=kind, **look)
    flagged = np.array([bool(trial.flags) for trial in side.trials]) & (amplitude > 0)
    if flagged.any():
        axes.plot(
            x[flagged], amplitude[flagged], "o", markersize=6, mfc="none", mec=QUIET, mew=0.7,
            label="flagged",
        )  # fmt: skip
    rejected = np.array([trial.rejected for trial in side.trials]) & (amplitude > 0)
    if rejected.any():
        axes.plot(x[rejected], amplitude[rejected], "x", markersize=6, color=INK, mew=0.9)
    if np.isfinite(floor).any():
        axes.axhline(float(np.nanquantile(floor, 0.95)), color=QUIET, linewidth=0.7, linestyle="dotted")
    axes.set_yscale("log")
    low, high = _amplitude_limits(panel)
    axes.set(ylim=(low, high), xlabel="time (min)" if timed else "trial", ylabel="amplitude (mV)")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 0.98), ncols=6, handletextpad=0.2, columnspacing=0.9,
                borderaxespad=0.0)  # fmt: skip
    axes.grid(axis="y")
    plain_numbers(axes.yaxis)


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
    axes = axes_mm(figure, LEFT_MM, 9.0, WIDTH_MM - LEFT_MM - RIGHT_MM, 28.5)
    threshold = side.group.thresholds[kind]
    posterior, estimate = threshold.posterior, threshold.estimate
    style = STYLE[side.group.hemisphere]
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
        and not trial.rejected
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
        axes.plot(intensity[rows] + spread[rows], np.full(rows.sum(), height), "|", color=INK, markersize=4)
    beside = {one.measure: one.estimate.value for one in side.group.estimates}
    for method, mark in (("5/10 rule", "s"), ("ML-PEST", "D")):
        value = beside.get(f"{kind} {method}")
        if value is not None:
            axes.plot([value], [0.04], mark, color=INK, mfc="white", markersize=4, clip_on=False,
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
    axes = axes_mm(figure, LEFT_MM, 9.0, WIDTH_MM - LEFT_MM - RIGHT_MM, 35.0)
    curve = side.group.curve
    if curve is None:
        return
    style = STYLE[side.group.hemisphere]
    name = "test_rmt" if curve.unit == "%RMT" else "test_mso"
    own = [
        trial
        for trial in side.trials
        if getattr(trial.pulse, name) is not None
        and not trial.rejected
        and trial.pulse.kind != "paired"
        and trial.pulse.state != "active"
    ]
    intensity = np.array([getattr(trial.pulse, name) for trial in own], dtype=np.float64)
    amplitude = np.array([trial["amplitude_mv"] for trial in own])
    seen = amplitude > 0
    axes.plot(intensity[seen], amplitude[seen], "o", color=QUIET, markersize=2, alpha=0.8)
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
    plain_numbers(axes.yaxis)


def _paint_pairs(figure: Figure, panel: Panel) -> None:
    from matplotlib.ticker import NullLocator

    axes = axes_mm(figure, LEFT_MM, 9.0, 2 * WIDTH_MM - LEFT_MM - 28.0, 44.0)
    axes.axhline(1.0, color=QUIET, linewidth=0.7)
    intervals = sorted({pair.isi_ms for side in panel.sides for pair in side.group.pairs})
    several = len(panel.sides) > 1
    lows, highs = [1.0], [1.0]
    named: dict[tuple[str, float], list[float]] = {}
    for side in panel.sides:
        style = STYLE[side.group.hemisphere]
        # The hemispheres stand a little apart, so that both intervals are seen.
        shift = {"left": 0.97, "right": 1.03}.get(side.group.hemisphere or "", 1.0) if several else 1.0
        pairs = sorted(side.group.pairs, key=lambda pair: pair.isi_ms)
        strengths = dict.fromkeys((pair.conditioning_intensity, pair.measure == "IHI") for pair in pairs)
        for strength in strengths:
            own = [p for p in pairs if (p.conditioning_intensity, p.measure == "IHI") == strength]
            x = np.array([pair.isi_ms for pair in own]) * shift
            y = np.array([pair.estimate.value for pair in own])
            axes.plot(x, y, linewidth=0.7, alpha=0.6, **style)
        beside: dict[float, int] = {}
        for pair in pairs:
            low, value, high = pair.estimate.low, pair.estimate.value, pair.estimate.high
            lows.append(max(low, value / 20))
            highs.append(min(high, value * 20))
            # Conditions of one interval stand beside each other.
            at = pair.isi_ms * shift * 1.02 ** beside.setdefault(pair.isi_ms, 0)
            beside[pair.isi_ms] += 1
            axes.plot([at, at], [max(low, 1e-3), min(high, 1e3)], color=style["color"], linewidth=1.1)
            axes.plot([at], [value], MARKERS[pair.measure]["marker"], color=style["color"], markersize=4.5)
            named.setdefault((pair.measure, pair.isi_ms), []).append(min(high, value * 20))
    for (measure, isi), tops in named.items():
        place = (isi, max(tops))
        axes.annotate(measure, place, xytext=(0, 3), textcoords="offset points", ha="center", fontsize=7)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set(ylim=(0.8 * min(lows), 1.4 * max(highs)), xlim=(0.75 * intervals[0], 1.4 * intervals[-1]))
    axes.set_xticks(intervals, [f"{isi:g}" for isi in intervals])
    axes.xaxis.set_minor_locator(NullLocator())
    plain_numbers(axes.yaxis)
    axes.grid(axis="y")
    axes.set(xlabel="interval (ms)", ylabel="conditioned / test alone")
    for row, side in enumerate(panel.sides):
        if side.group.hemisphere is None and not several:
            continue  # nothing to tell it from
        style = STYLE[side.group.hemisphere]
        axes.plot([1.02, 1.06], [0.93 - 0.1 * row] * 2, transform=axes.transAxes, clip_on=False, **style)
        name = side_title(side).replace(" hemisphere", "")
        axes.text(1.075, 0.93 - 0.1 * row, name, transform=axes.transAxes, va="center",
                  color=style["color"], fontweight="bold")  # fmt: skip


def plain_numbers(axis: Any) -> None:
    """Write 0.05, 0.1, 1 on a log axis, not powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
