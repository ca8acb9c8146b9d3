"""Figures of a comparison: before and after side by side, each trial a dot, what is detectable a band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.report.kit.figures import axes_mm, draw_svg
from sudeck.report.kit.palette import BAND, INK, QUIET
from sudeck.report.tms import words
from sudeck.report.tms.comparison_words import is_error_unknown
from sudeck.report.tms.figures import plain_numbers
from sudeck.report.tms.style import LEFT_MM, RIGHT_MM, STYLE, WIDTH_MM
from sudeck.tms.measures.paired_trials import is_afferent, to_other_hemisphere, unconditioned_trials
from sudeck.tms.measures.trial_kinds import strength_of

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from sudeck.tms.comparison import MeasuredChange
    from sudeck.tms.measures.measured import Measured, Trial

_HEIGHT_MM: Final = 52.0
# Places of before and after; the next hemisphere stands so far to the right.
_STEP: Final = 2.7
_COUNT_COLUMNS: Final = {"MEP latency": "latency_ms", "CSP": "csp_ms"}


def change_figure(
    changes: Sequence[MeasuredChange], before: Sequence[Trial], after: Sequence[Trial], *, name: str
) -> Markup:
    """Draw the change of one measure, each hemisphere by itself.

    Parameters
    ----------
    changes : sequence of MeasuredChange
        Of one measure, a hemisphere each; contrast ``"change"``.
    before, after : sequence of Trial
        Of the two visits; empty where there are none to be had.
    """
    return draw_svg(
        lambda figure: _paint(figure, changes, before, after),
        size_mm=(WIDTH_MM, _HEIGHT_MM),
        name=name,
        description=f"{changes[0].measure} before and after",
    )


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
    across = to_other_hemisphere(trial) == (one.measure == "IHI")
    return like and strong and across and is_afferent(trial) == (one.measure == "SAI")


def _amplitude(trial: Trial) -> float:
    return trial["denoised_mv"] if np.isfinite(trial["denoised_mv"]) else trial["amplitude_mv"]


def _paint(
    figure: Figure, changes: Sequence[MeasuredChange], before: Sequence[Trial], after: Sequence[Trial]
) -> None:
    axes = axes_mm(figure, LEFT_MM, 9.5, WIDTH_MM - LEFT_MM - RIGHT_MM, _HEIGHT_MM - 12.0)
    log = changes[0].change.estimate.scale == "log"
    reach: list[float] = []
    none: list[float] = []
    for place, change in enumerate(changes):
        if change.before is None or change.after is None:
            continue
        at = place * _STEP
        colour = STYLE[change.hemisphere]["color"]
        if not is_error_unknown(change) and np.isfinite(change.change.smallest_detectable):
            reach += _band(axes, change, at)
        middle = []
        for x, one, trials in ((at, change.before, before), (at + 1, change.after, after)):
            values = trial_values(one, trials)
            seen = values[values > 0] if log else values
            axes.plot(x + _spread(seen), seen, "o", color=colour, markersize=2.2, alpha=0.45, mew=0)
            none += [x] * (values.size - seen.size)
            low, value, high = one.estimate.low, one.estimate.value, one.estimate.high
            low, high = max(low, value / 20) if log else low, min(high, value * 20) if log else high
            shown = [bound for bound in (low, high) if np.isfinite(bound)]
            axes.plot([x] * len(shown), shown, color=INK, linewidth=1.4, zorder=4)
            axes.plot([x], [value], "o", color=INK, markersize=4.6, mfc="white", mew=1.2, zorder=5)
            reach += [*shown, value, *map(float, seen)]
            middle.append(value)
        axes.plot([at, at + 1], middle, color=INK, linewidth=0.8, zorder=3)
    low, high = min(reach), max(reach)
    room = (high / low) ** 0.07 if log else 0.07 * (high - low or 1.0)
    axes.set_yscale("log" if log else "linear")
    axes.set_ylim((low / max(room, 1.02), high * max(room, 1.02)) if log else (low - room, high + room))
    if none:
        floor = axes.get_ylim()[0]
        axes.plot(none, [floor] * len(none), "v", color=QUIET, markersize=4, clip_on=False)
    if changes[0].measure in words.RATIOS:
        axes.axhline(1.0, color=QUIET, linewidth=0.7, zorder=0)
    _name_axes(axes, changes, log=log)


def _band(axes: Axes, change: MeasuredChange, at: float) -> list[float]:
    """Shade about the value before what can not be told from it; return its ends."""
    value = change.before.estimate.value if change.before else float("nan")
    limit = change.change.smallest_detectable
    log = change.change.estimate.scale == "log"
    ends = [value / limit, value * limit] if log else [value - limit, value + limit]
    axes.fill_between([at - 0.4, at + 1.4], ends[0], ends[1], color=BAND, linewidth=0, zorder=0)
    for end in ends:
        axes.plot([at - 0.4, at + 1.4], [end, end], color=QUIET, linewidth=0.6, linestyle="dotted", zorder=1)
    return ends


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return small shifts beside each other, so that each trial is seen; the same every time."""
    return np.array([0.11 + 0.05 * (index * 2 % 5) for index in range(values.size)], dtype=np.float64)


def _name_axes(axes: Axes, changes: Sequence[MeasuredChange], *, log: bool) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    ticks = [place * _STEP + x for place in range(len(changes)) for x in (0, 1)]
    axes.set_xticks(ticks, ["before", "after"] * len(changes))
    side = 1.9 if len(changes) == 1 else 0.6
    axes.set_xlim(-side, (len(changes) - 1) * _STEP + 1 + side)
    for place, change in enumerate(changes):
        if change.hemisphere:
            style: dict[str, Any] = {"color": STYLE[change.hemisphere]["color"], "fontweight": "bold"}
            axes.text(place * _STEP + 0.5, -0.15, f"{change.hemisphere} hemisphere", ha="center", va="top",
                      transform=axes.get_xaxis_transform(), **style)  # fmt: skip
    first = changes[0].before
    unit = first.estimate.unit if first else ""
    what = "conditioned / test alone" if changes[0].measure in words.RATIOS else changes[0].measure
    axes.set_ylabel(f"{what} ({unit})" if unit else what)
    axes.grid(axis="y")
    if not log:
        return
    low, high = axes.get_ylim()
    if high / low > 8:
        plain_numbers(axes.yaxis)
        return
    # Within less than a decade round numbers of a linear scale read better.
    steps = [tick for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high]
    axes.yaxis.set_major_locator(FixedLocator(steps))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
