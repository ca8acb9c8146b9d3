"""Figures of a comparison: before and after side by side, each trial a dot, what is detectable a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.report.kit.palette import BAND, INK, QUIET
from sudeck.report.kit.plot import Mark, Plot, Span, Stroke, sheet, text
from sudeck.report.tms import words
from sudeck.report.tms.comparison_words import is_error_unknown
from sudeck.report.tms.style import LEFT_MM, PLOT_MM, WIDTH_MM, colour_of
from sudeck.tms.measures.paired_trials import (
    test_intensity,
    to_other_hemisphere,
    unconditioned_trials,
)
from sudeck.tms.measures.trial_kinds import strength_of

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

    from sudeck.tms.comparison import MeasuredChange
    from sudeck.tms.measures.measured import Measured, Trial

_PLOT_MM: Final = 40.0
_MOST_TICKS: Final = 6
# Places of before and after; the next hemisphere stands so far to the right.
_STEP: Final = 2.7
_COUNT_COLUMNS: Final = {"MEP latency": "latency_ms", "CSP": "csp_ms"}


def change_figure(
    changes: Sequence[MeasuredChange], before: Sequence[Trial], after: Sequence[Trial]
) -> Markup:
    """Draw the change of one measure, each hemisphere by itself.

    Parameters
    ----------
    changes : sequence of MeasuredChange
        Of one measure, a hemisphere each; contrast ``"change"``.
    before, after : sequence of Trial
        Of the two visits; empty where there are none to be had.
    """
    log = changes[0].change.estimate.scale == "log"
    sides = [
        _ChangedSide.of(change, place * _STEP, before, after, log=log) for place, change in enumerate(changes)
    ]
    reach = [value for side in sides for value in side.reach]
    margin = 1.9 if len(changes) == 1 else 0.6
    box = LEFT_MM, 2.5, PLOT_MM, _PLOT_MM
    plot = Plot(*box, Span(-margin, (len(changes) - 1) * _STEP + 1 + margin), _span(reach, log=log))
    ticks = plot.y.named_ticks(_MOST_TICKS)
    behind = [plot.grid(ticks), *(_band(plot, side) for side in sides)]
    if changes[0].measure in words.RATIOS:
        behind.append(plot.along_all(1.0, Stroke(QUIET, 0.25)))
    first = changes[0].before
    unit = first.estimate.unit if first else ""
    what = "conditioned / test alone" if changes[0].measure in words.RATIOS else changes[0].measure
    visits = [(side.at + x, word) for side in sides for x, word in ((0, "before"), (1, "after"))]
    names = [_side_name(plot, side) for side in sides if side.hemisphere]
    parts = [
        plot.inside(behind),
        plot.inside([_dots(plot, side) for side in sides], cut=False),
        plot.inside([_estimates(plot, side) for side in sides]),
        plot.y_axis(ticks, f"{what} ({unit})" if unit else what),
        plot.x_axis(visits),
        *names,
    ]
    foot = 8.6 if names else 4.6
    return sheet(WIDTH_MM, plot.top + plot.height + foot, parts, f"{changes[0].measure} before and after")


def trial_values(one: Measured, trials: Sequence[Trial]) -> NDArray[np.float64]:
    """Return what each trial says of an estimate, in its unit; empty where it does not come trial by trial.

    A conditioned response is taken over the geometric mean of the responses to the test pulse alone.
    Rejected trials are left out, as they are of the estimate.
    """
    own = [trial for trial in trials if not trial.rejected and _is_of(trial, one)]
    single = [trial for trial in own if trial.pulse.kind != "paired"]
    resting = [trial for trial in single if trial.pulse.state != "active"]
    if one.measure in {"MEP", "active MEP"}:
        alike = resting if one.measure == "MEP" else [t for t in single if t.pulse.state == "active"]
        strength = strength_of(alike)
        found = [trial["amplitude_mv"] for trial in alike if strength(trial) == one.intensity]
    elif one.measure in _COUNT_COLUMNS:
        chosen = resting if one.measure == "MEP latency" else [t for t in single if not t.ipsilateral]
        if one.intensity:
            strength = strength_of([trial for trial in chosen if np.isfinite(trial["csp_ms"])])
            chosen = [trial for trial in chosen if strength(trial) == one.intensity]
        found = [trial[_COUNT_COLUMNS[one.measure]] for trial in chosen]
    elif one.measure in words.RATIOS:
        found = _ratios(one, own)
    else:
        found = []
    values = np.array(found, dtype=np.float64)
    return values[np.isfinite(values)]


def _is_of(trial: Trial, one: Measured) -> bool:
    pulse = trial.pulse
    named = (trial.participant, pulse.visit, pulse.hemisphere, pulse.muscle or trial.channel)
    named_alike = named == (one.participant, one.visit, one.hemisphere, one.muscle)
    beside = one.channel in {"", trial.channel} and one.file in {"", trial.file}
    return named_alike and beside and pulse.muscle_side == one.muscle_side


def _ratios(one: Measured, own: Sequence[Trial]) -> list[float]:
    pairs = [trial for trial in own if _is_pair_of(trial, one)]
    states = {trial.pulse.state or "rest" for trial in pairs}
    singles = [t for t in own if t.pulse.kind == "single" and (t.pulse.state or "rest") in states]
    try:
        alone = [_amplitude(trial) for trial in unconditioned_trials(pairs, singles)] if pairs else []
    except InputError:
        return []
    seen = [value for value in alone if value > 0]
    middle = float(np.exp(np.mean(np.log(seen)))) if seen else np.nan
    return [_amplitude(trial) / middle for trial in pairs]


def _is_pair_of(trial: Trial, one: Measured) -> bool:
    pulse = trial.pulse
    if pulse.kind != "paired" or pulse.isi_ms is None or one.isi_ms is None:
        return False
    strengths = [
        f"{value:g} {unit}"
        for value, unit in ((pulse.conditioning_rmt, "%RMT"), (pulse.conditioning_mso, "%MSO"))
        if value is not None
    ]
    like = abs(pulse.isi_ms - one.isi_ms) < 1e-6
    strong = one.conditioning in {"", "afferent"} or one.conditioning in {*strengths, pulse.condition}
    strong = strong and one.intensity in {"", test_intensity(trial), pulse.condition}
    across = to_other_hemisphere(trial) == (one.measure == "IHI")
    return like and strong and across and pulse.afferent == (one.measure == "SAI")


def _amplitude(trial: Trial) -> float:
    return trial["denoised_mv"] if np.isfinite(trial["denoised_mv"]) else trial["amplitude_mv"]


@dataclass(frozen=True)
class _ChangedSide:
    """One hemisphere as it is drawn: before at a place, after one to its right."""

    at: float
    hemisphere: str
    visits: tuple[_DrawnVisit, ...]
    band: tuple[float, float] | None

    @classmethod
    def of(
        cls, change: MeasuredChange, at: float, before: Sequence[Trial], after: Sequence[Trial], *, log: bool
    ) -> _ChangedSide:
        if change.before is None or change.after is None:
            return cls(at, change.hemisphere or "", (), None)
        visits = (
            _DrawnVisit.of(at, change.before, before, log=log),
            _DrawnVisit.of(at + 1, change.after, after, log=log),
        )
        limit, value = change.change.smallest_detectable, change.before.estimate.value
        band = (value / limit, value * limit) if log else (value - limit, value + limit)
        known = not is_error_unknown(change) and bool(np.isfinite(limit))
        return cls(at, change.hemisphere or "", visits, band if known else None)

    @property
    def reach(self) -> list[float]:
        """Every height that has to be on the axis."""
        return [*(self.band or ()), *(value for visit in self.visits for value in visit.reach)]


@dataclass(frozen=True)
class _DrawnVisit:
    """An estimate at one visit with its interval, and the trials that can be drawn."""

    at: float
    value: float
    bounds: tuple[float, ...]
    seen: NDArray[np.float64]
    n_without: int

    @classmethod
    def of(cls, at: float, one: Measured, trials: Sequence[Trial], *, log: bool) -> _DrawnVisit:
        values = trial_values(one, trials)
        seen = values[values > 0] if log else values
        low, value, high = one.estimate.low, one.estimate.value, one.estimate.high
        low, high = max(low, value / 20) if log else low, min(high, value * 20) if log else high
        bounds = tuple(bound for bound in (low, high) if np.isfinite(bound))
        return cls(at, value, bounds, seen, values.size - seen.size)

    @property
    def reach(self) -> list[float]:
        """Every height that has to be on the axis."""
        return [*self.bounds, self.value, *self.seen.tolist()]


def _span(reach: Sequence[float], *, log: bool) -> Span:
    low, high = min(reach), max(reach)
    if log:
        room = max((high / low) ** 0.07, 1.02)
        return Span(low / room, high * room, log=True)
    room = 0.07 * (high - low or 1.0)
    return Span(low - room, high + room)


def _side_name(plot: Plot, side: _ChangedSide) -> str:
    x, foot = plot.at(side.at + 0.5, plot.y.low)
    name = f"{side.hemisphere} hemisphere"
    return text(x, foot + 7.3, name, anchor="middle", colour=colour_of(side.hemisphere), bold=True)


def _band(plot: Plot, side: _ChangedSide) -> str:
    """Shade about the value before what can not be told from it."""
    if side.band is None:
        return ""
    ends, edge = [side.at - 0.4, side.at + 1.4], Stroke(QUIET, 0.21, dash=(0.21, 0.4))
    low, high = side.band
    lines = (plot.line(ends, [end, end], edge) for end in side.band)
    return "".join([plot.band(ends, [low, low], [high, high], BAND), *lines])


def _dots(plot: Plot, side: _ChangedSide) -> str:
    """Draw each trial beside its visit; at the lower edge where it shows no response."""
    dot = Mark("o", colour_of(side.hemisphere), 0.4, opacity=0.45)
    parts = []
    for visit in side.visits:
        # Beside each other, so that each trial is seen; the same every time.
        spread = [0.11 + 0.05 * (index * 2 % 5) for index in range(visit.seen.size)]
        parts.append(plot.marks(visit.at + np.array(spread), visit.seen, dot))
        if visit.n_without:
            parts.append(plot.marks(visit.at, plot.y.low, Mark("v", QUIET, 0.7)))
    return "".join(parts)


def _estimates(plot: Plot, side: _ChangedSide) -> str:
    at, values = [visit.at for visit in side.visits], [visit.value for visit in side.visits]
    intervals = (
        plot.line([visit.at] * len(visit.bounds), visit.bounds, Stroke(INK, 0.5)) for visit in side.visits
    )
    circle = Mark("o", INK, 0.8, fill="#fff")
    return "".join([*intervals, plot.line(at, values, Stroke(INK, 0.28)), plot.marks(at, values, circle)])
