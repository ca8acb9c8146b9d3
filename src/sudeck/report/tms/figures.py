"""Figures of a report on magnetic stimulation: amplitudes by trial, threshold, recruitment, pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

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
from sudeck.report.kit.plot import SMALL, Mark, Plot, Span, Stroke, legend, sheet, text
from sudeck.report.tms.style import (
    FOOT_MM,
    LEFT_MM,
    PLOT_MM,
    STROKES,
    WIDTH_MM,
    colour_of,
    side_title,
)

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.report.tms.panels import Panel, Side
    from sudeck.tms.measures.measured import Trial
    from sudeck.tms.measures.paired_pulse import PairedPulse
    from sudeck.tms.signals.trials import Pulse

MARKS: Final[dict[str, Mark]] = {
    "single": Mark("o", INK),
    "active": Mark("x", GREEN, 0.6),
    "SICI": Mark("v", BLUE),
    "ICF": Mark("^", VERMILION),
    "SICF": Mark("P", ORANGE, 0.55),
    "LICI": Mark("D", PINK),
    "IHI": Mark("s", SKY_BLUE),
    "SAI": Mark("p", VIOLET, 0.6),
    "paired pulse": Mark("X", GREY, 0.6),
}
_RING: Final = Mark("o", QUIET, 1.05, fill="none")
_CROSS: Final = Mark("x", INK, 1.0)
_NOTHING: Final = Mark("v", QUIET, 0.6)
_MOST_TICKS: Final = 7
_KEY_MM: Final = 16.5  # of one rule beside a threshold


def amplitudes_figure(side: Side, *, panel: Panel) -> Markup:
    """Draw the amplitude of every trial in order, on a log axis, flagged trials ringed."""
    times = np.array([trial.pulse.time_s for trial in side.trials])
    # Several recordings have each a clock of their own: then the order stands for time.
    timed = bool(np.isfinite(times).all()) and len({trial.file for trial in side.trials}) == 1
    x = (times - times.min()) / 60.0 if timed else np.arange(times.size) + 1.0
    amplitude = np.array([trial["amplitude_mv"] for trial in side.trials])
    seen = amplitude > 0
    flagged = np.array([bool(trial.flags) for trial in side.trials]) & seen
    rejected = np.array([trial.rejected for trial in side.trials]) & seen
    kinds = [_kind(trial.pulse, side) for trial in side.trials]
    shown = dict.fromkeys(kinds)
    keys = [(MARKS[kind], kind) for kind in shown] + [(_RING, "flagged")] * bool(flagged.any())
    head, head_mm = legend(keys, LEFT_MM, 0.0, PLOT_MM)
    margin = 0.03 * float(np.ptp(x)) or 1.0
    plot = Plot(
        LEFT_MM, head_mm + 0.8, PLOT_MM, 31.0,
        Span(float(x.min()) - margin, float(x.max()) + margin), _amplitude_span(panel),
    )  # fmt: skip
    ticks = plot.y.named_ticks(_MOST_TICKS)
    drawn = [plot.grid(ticks)]
    floor = np.array([trial["noise_floor_mv"] for trial in side.trials if trial.pulse.state != "active"])
    if np.isfinite(floor).any():
        level = float(np.nanquantile(floor, 0.95))
        drawn.append(plot.along_all(level, Stroke(QUIET, 0.25, dash=(0.25, 0.5))))
    dots = [_nothing_seen(plot, x[amplitude == 0])]
    for kind in shown:
        rows = np.array([one == kind for one in kinds]) & seen
        dots.append(plot.marks(x[rows], amplitude[rows], MARKS[kind]))
    dots += [
        plot.marks(x[flagged], amplitude[flagged], _RING),
        plot.marks(x[rejected], amplitude[rejected], _CROSS),
    ]
    parts = [
        head,
        plot.inside(drawn),
        plot.inside(dots, cut=False),
        plot.y_axis(ticks, "amplitude (mV)"),
        plot.x_axis(plot.x.named_ticks(_MOST_TICKS), "time (min)" if timed else "trial"),
    ]
    return sheet(WIDTH_MM, plot.top + plot.height + FOOT_MM, parts, f"amplitude by trial, {side_title(side)}")


def threshold_figure(side: Side, kind: str) -> Markup:
    """Draw the posterior of a threshold over the pulses it rests on, other rules beside it."""
    threshold = side.group.thresholds[kind]
    posterior, estimate = threshold.posterior, threshold.estimate
    colour = colour_of(side.group.hemisphere)
    density = posterior.density / posterior.density.max()
    grid = posterior.threshold_mso
    reach = max(6 * posterior.sd_mso, 4.0)
    plot = Plot(
        LEFT_MM, 5.0, PLOT_MM, 29.0,
        Span(estimate.value - reach, estimate.value + reach), Span(-0.25, 1.25),
    )  # fmt: skip
    inside = (grid >= estimate.low) & (grid <= estimate.high)
    responded, silent = _pulses_by_response(side, kind)
    drawn = [
        plot.band(grid[inside], np.zeros(inside.sum()), density[inside], colour, 0.25),
        plot.line(grid, density, Stroke(colour)),
        plot.marks(responded, np.full(responded.size, 1.13), Mark("|", INK, 0.75)),
        plot.marks(silent, np.full(silent.size, -0.13), Mark("|", INK, 0.75)),
        plot.across_all(estimate.value, Stroke(colour, 0.28)),
    ]
    keys = []
    values = {one.measure: one.estimate.value for one in side.group.estimates}
    for method, shape in (("5/10 rule", "s"), ("ML-PEST", "D")):
        value = values.get(f"{kind} {method}")
        if value is not None:
            mark = Mark(shape, INK, 0.75, fill="#fff")
            drawn.append(plot.marks(value, 0.04, mark))
            keys.append((mark, method))
    title = f"{estimate.value:.1f} %MSO ({estimate.low:.1f} to {estimate.high:.1f})"
    key, _ = legend(keys, WIDTH_MM - _KEY_MM * len(keys), 1.0, WIDTH_MM)
    parts = [
        text(LEFT_MM, 3.4, title, bold=True, colour=INK),
        key,
        plot.inside(drawn),
        plot.y_axis([(-0.13, "none"), (1.13, "MEP")]),
        plot.x_axis(plot.x.named_ticks(_MOST_TICKS), "intensity (%MSO)"),
    ]
    return sheet(
        WIDTH_MM, plot.top + plot.height + FOOT_MM, parts, f"posterior of the {kind}, {side_title(side)}"
    )


def recruitment_figure(side: Side, *, panel: Panel) -> Markup:
    """Draw the recruitment curve with its interval over the trials; the group has one."""
    curve = side.group.curve
    assert curve is not None
    stroke = Stroke(colour_of(side.group.hemisphere))
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
    ends = np.r_[intensity, curve.intensity_mso]
    margin = 0.03 * float(np.ptp(ends)) or 1.0
    plot = Plot(
        LEFT_MM, 5.0, PLOT_MM, 35.0,
        Span(float(ends.min()) - margin, float(ends.max()) + margin), _amplitude_span(panel),
    )  # fmt: skip
    ticks = plot.y.named_ticks(_MOST_TICKS)
    drawn = [
        plot.grid(ticks),
        plot.marks(intensity[amplitude > 0], amplitude[amplitude > 0], Mark("o", QUIET, 0.36, opacity=0.8)),
        plot.band(curve.intensity_mso, curve.low_mv, curve.high_mv, stroke.colour, 0.2),
        plot.line(curve.intensity_mso, curve.amplitude_mv, stroke),
    ]
    if curve.plateau_reached:
        drawn.append(plot.across_all(curve.s50.value, Stroke(stroke.colour, 0.28, dash=(0.28, 0.5))))
        title = f"S50 {curve.s50.value:.1f} {curve.unit} ({curve.s50.low:.1f} to {curve.s50.high:.1f})"
    else:
        title = f"plateau not reached: S50 above {curve.s50.low:.1f} {curve.unit}"
    parts = [
        text(LEFT_MM, 3.4, title, bold=True, colour=INK),
        plot.inside(drawn),
        plot.inside([_nothing_seen(plot, intensity[amplitude == 0])], cut=False),
        plot.y_axis(ticks, "amplitude (mV)"),
        plot.x_axis(plot.x.named_ticks(_MOST_TICKS), f"intensity ({curve.unit})"),
    ]
    return sheet(WIDTH_MM, plot.top + plot.height + FOOT_MM, parts, f"recruitment curve, {side_title(side)}")


def pairs_figure(panel: Panel) -> Markup:
    """Draw conditioned over unconditioned amplitude against the interval, both hemispheres."""
    several = len(panel.sides) > 1
    every = [pair for side in panel.sides for pair in side.group.pairs]
    intervals = sorted({pair.isi_ms for pair in every})
    bounds = [_shown_bounds(pair) for pair in every]
    low = min(1.0, *(low for low, _ in bounds))
    high = max(1.0, *(high for _, high in bounds))
    plot = Plot(
        LEFT_MM, 2.0, 2 * WIDTH_MM - LEFT_MM - 28.0, 44.0,
        Span(0.75 * intervals[0], 1.4 * intervals[-1], log=True), Span(0.8 * low, 1.4 * high, log=True),
    )  # fmt: skip
    ticks = plot.y.named_ticks(_MOST_TICKS)
    drawn = [plot.grid(ticks), plot.along_all(1.0, Stroke(QUIET, 0.25))]
    tops: dict[tuple[str, float], float] = {}
    names = []
    for row, side in enumerate(panel.sides):
        stroke = STROKES[side.group.hemisphere]
        # The hemispheres stand a little apart, so that both intervals are seen.
        shift = {"left": 0.97, "right": 1.03}.get(side.group.hemisphere or "", 1.0) if several else 1.0
        drawn += _joined(plot, side, shift)
        beside: dict[float, int] = {}
        for pair in sorted(side.group.pairs, key=lambda pair: pair.isi_ms):
            # Conditions of one interval stand beside each other.
            at = pair.isi_ms * shift * 1.02 ** beside.setdefault(pair.isi_ms, 0)
            beside[pair.isi_ms] += 1
            low, high = _shown_bounds(pair)
            drawn.append(plot.line([at, at], [low, high], Stroke(stroke.colour, 0.39)))
            mark = Mark(MARKS[pair.measure].shape, stroke.colour, 0.95)
            drawn.append(plot.marks(at, pair.estimate.value, mark))
            key = pair.measure, pair.isi_ms
            tops[key] = max(tops.get(key, 0.0), high)
        if side.group.hemisphere is not None or several:
            y = 5.0 + 5.0 * row
            left = plot.left + plot.width + 2.0
            names.append(f'<path d="M{left} {y}h5" {stroke.attributes()}/>')
            name = side_title(side).replace(" hemisphere", "")
            names.append(text(left + 6.2, y + 0.9, name, size=SMALL, colour=stroke.colour, bold=True))
    for (measure, isi), top in tops.items():
        x, y = plot.at(isi, top)
        names.append(text(x, y - 1.2, measure, size=SMALL, anchor="middle", colour=INK))
    parts = [
        plot.inside(drawn),
        *names,
        plot.y_axis(ticks, "conditioned / test alone"),
        plot.x_axis(_apart(plot, intervals), "interval (ms)"),
    ]
    return sheet(
        2 * WIDTH_MM, plot.top + plot.height + FOOT_MM, parts,
        "paired-pulse ratios over the interval, both hemispheres",
    )  # fmt: skip


def _kind(pulse: Pulse, side: Side) -> str:
    if pulse.kind == "paired":
        for pair in side.group.pairs:
            if pulse.isi_ms is not None and abs(pair.isi_ms - pulse.isi_ms) < 1e-6:
                return pair.measure
        return "paired pulse"
    return "active" if pulse.state == "active" else "single"


def _amplitude_span(panel: Panel) -> Span:
    """Return the axis of amplitudes that all figures of a panel share."""
    values = np.array([trial["amplitude_mv"] for side in panel.sides for trial in side.trials])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return Span(0.01, 10.0, log=True)
    return Span(0.6 * float(values.min()), 1.7 * float(values.max()), log=True)


def _nothing_seen(plot: Plot, x: np.ndarray) -> str:
    """Draw trials without any response at the lower edge: a log axis has no zero."""
    return plot.marks(x, np.full(x.size, plot.y.low), _NOTHING)


def _pulses_by_response(side: Side, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the intensities with and without a response that a threshold rests on, spread a little."""
    own: list[Trial] = [
        trial
        for trial in side.trials
        if trial.pulse.test_mso is not None
        and not trial.rejected
        and trial.pulse.kind != "paired"
        and (trial.pulse.state == "active") == (kind == "AMT")
    ]
    intensity = np.array([trial.pulse.test_mso for trial in own], dtype=np.float64)
    denoised = np.array([trial["denoised_mv"] for trial in own])
    amplitude = np.where(np.isfinite(denoised), denoised, [trial["amplitude_mv"] for trial in own])
    responded = amplitude >= side.group.thresholds[kind].posterior.criterion_mv
    # Pulses of one intensity stand beside each other, so that each is seen.
    spread = np.array([0.12 * (np.sum(intensity[:i] == value) % 12 - 5) for i, value in enumerate(intensity)])
    placed = intensity + spread
    return placed[responded], placed[~responded]


def _joined(plot: Plot, side: Side, shift: float) -> list[str]:
    """Join pairs of one known conditioning intensity over the interval, where each interval has one."""
    lines: dict[tuple[float | None, bool], list[PairedPulse]] = {}
    for pair in sorted(side.group.pairs, key=lambda pair: pair.isi_ms):
        lines.setdefault((pair.conditioning_intensity, pair.measure == "IHI"), []).append(pair)
    stroke = STROKES[side.group.hemisphere]
    thin = Stroke(stroke.colour, 0.25, stroke.dash, opacity=0.6)
    return [
        plot.line([pair.isi_ms * shift for pair in own], [pair.estimate.value for pair in own], thin)
        for (strength, _), own in lines.items()
        if strength is not None and len({pair.isi_ms for pair in own}) == len(own)
    ]


def _shown_bounds(pair: PairedPulse) -> tuple[float, float]:
    """Return the interval of a ratio; what is open ends at a twentieth and at twenty times the value."""
    value = pair.estimate.value
    return max(pair.estimate.low, value / 20, 1e-3), min(pair.estimate.high, value * 20, 1e3)


def _apart(plot: Plot, intervals: list[float]) -> list[tuple[float, str]]:
    """Name the intervals; one that has no room beside its neighbour only has a tick."""
    named_ticks, free = [], -np.inf
    for isi in intervals:
        name = f"{isi:g}"
        place = plot.at(isi, plot.y.low)[0]
        half = 0.75 * len(name)
        fits = place - half > free + 0.6
        named_ticks.append((isi, name if fits else ""))
        free = place + half if fits else free
    return named_ticks
