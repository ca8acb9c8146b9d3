"""What the console and the page of a comparison say, in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sudeck.core.claim import Sentence
from sudeck.report.kit.text import number
from sudeck.report.tms import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sudeck.tms.change import LogChange
    from sudeck.tms.comparison import Comparison, Contrast, MeasuredChange

VERDICTS: Final = {
    "real": "real",
    "within measurement error": "within error",
    "beyond trial error only": "beyond trial error",
}
CONTRASTS: Final[dict[Contrast, str]] = {
    "change": "Post against pre",
    "hemispheres": "Left against right hemisphere",
    "hemisphere × time": "Whether the left changed more than the right",
}
UNKNOWN_ERROR: Final = Sentence(
    "The error between sessions is unknown for some measures, so the smallest detectable change "
    "holds the error of the trials alone and is a lower limit; no change of these is called real. "
    "Name people measured twice with --retest."
)


def is_shown(one: MeasuredChange) -> bool:
    """Tell a main measure from second methods, the shape of the curve and steps of recruitment."""
    step = one.measure == "MEP" and one.intensity.endswith("%MSO")
    return not (one.measure.endswith(words.BESIDE) or one.measure in {"slope", "area"} or step)


def is_error_unknown(one: MeasuredChange) -> bool:
    """Tell whether nobody was measured twice, so that the smallest detectable change is a lower limit."""
    return any(flag.code == "session-error-unknown" for flag in one.change.flags)


def comparisons_text(found: Comparison) -> Sentence:
    """Say how many comparisons were made, and how many of them chance alone would set apart."""
    shown = [one for one in found.changes if is_shown(one)]
    level = shown[0].change.estimate.level if shown else 0.95
    by_chance = (1 - level) * len(shown)
    return Sentence(
        f"{len(shown)} comparisons are shown. Where nothing changed, {by_chance:.1f} of so many "
        f"{100 * level:g} % intervals leave out no change by chance alone; the comparisons depend on each "
        "other."
    )


def change_texts(change: LogChange) -> tuple[str, str, str]:
    """Return value, interval and smallest detectable change; ratios with ×, differences with their unit."""
    estimate = change.estimate
    if estimate.scale == "log":
        value = f"×{number(estimate.value, 2)}"
        limit = f"×/÷{number(change.smallest_detectable, 2)}"
        return value, f"{number(estimate.low, 2)} to {number(estimate.high, 2)}", limit
    shown = number(estimate.value, 1)
    sign = "+" if estimate.value > 0 and shown != "0.0" else ""
    value = f"{sign}{shown} {estimate.unit}".strip()
    bounds = f"{number(estimate.low, 1)} to {number(estimate.high, 1)}"
    return value, bounds, f"±{number(change.smallest_detectable, 1)}"


def in_order_of_measures(changes: Sequence[MeasuredChange]) -> list[MeasuredChange]:
    """Return contrasts in the order in which measures are told."""
    return sorted(changes, key=lambda one: words.place_of_measure(one.measure))
