"""What measured recordings say in sentences, and what they do not say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sudeck.core.claim import INTERVAL, Claim, Sentence
from sudeck.core.estimate import Estimate
from sudeck.report.tms import words

if TYPE_CHECKING:
    from sudeck.tms.measures.measured import GroupMeasures, Measured
    from sudeck.tms.result import TmsResult

_INHIBITORY: Final = ("SICI", "LICI", "IHI", "SAI")
_PLAIN: Final = ("MEP", "active MEP", "CSP", "iSP")
_MOST_GROUPS = 4
_PAIRS: Final = "recording page: each pair has the error of its own interval"

CAVEATS: Final = (
    "An interval is about the trials of this session: how far the number would move with other trials of the "
    "same kind. It does not hold coil position, time of day or the day itself.",
    "A change in one person is real only beyond the smallest detectable change, which needs people measured "
    "twice: compare two sessions with sudeck tms compare.",
    "Which interval counts as SICI, ICF or LICI is a setting; what the recording does not state was not "
    "guessed.",
)


def sentences(result: TmsResult) -> tuple[Sentence, ...]:
    """Return what the numbers say, a sentence each: thresholds, then pairs, hemisphere by hemisphere.

    Claims name their quantity as `quantity_of` does.
    """
    says: list[Sentence] = []
    for group in result.groups[:_MOST_GROUPS]:
        where = words.group_text(group)
        where = where[:1].upper() + where[1:]
        says += [_threshold(name, where, group) for name in group.thresholds]
        says += [_pair(one, where, group) for one in group.estimates if one.measure in words.RATIOS]
        if not group.thresholds and not group.pairs:
            says += [_plain(one, where, group) for one in words.without_steps(group) if one.measure in _PLAIN]
        if group.curve is not None and not group.curve.plateau_reached:
            text = f"{where}: the recruitment curve did not reach its plateau; MEPmax and S50 are bounds."
            says.append(Sentence(text))
    left_out = len(result.groups) - _MOST_GROUPS
    if left_out > 0 and says:
        says.append(Sentence(f"{left_out} more hemispheres and muscles are in the table."))
    return tuple(says) or (Sentence("Nothing could be estimated; the flags say why."),)


def quantity_of(measure: str, group: GroupMeasures, at: str = "") -> str:
    """Return the name of a measure under which its truth is given: ``SICI, left, pre``."""
    name = f"{measure} at {at}" if at else measure
    return ", ".join(filter(None, (name, group.hemisphere, (group.visit or "").removeprefix("ses-"))))


def _lies(quantity: str, estimate: Estimate) -> Claim:
    high = math.inf if math.isnan(estimate.high) else estimate.high
    return Claim(f"{quantity} lies in its interval", quantity, "within", INTERVAL, estimate.low, high)


def _plain(one: Measured, where: str, group: GroupMeasures) -> Sentence:
    value, unit = words.value_and_unit(one.estimate)
    at = f" at {one.intensity}" if one.intensity else ""
    text = f"{where}: {words.MEANINGS[one.measure]}{at} {value} {unit} ({words.bounds_text(one.estimate)})."
    return Sentence(text, _lies(quantity_of(one.measure, group, one.intensity), one.estimate))


def _threshold(name: str, where: str, group: GroupMeasures) -> Sentence:
    estimate = group.thresholds[name].estimate
    text = (
        f"{where}: {words.MEANINGS[name]} {estimate.value:.1f} %MSO "
        f"({estimate.low:.1f} to {estimate.high:.1f})."
    )
    return Sentence(text, _lies(quantity_of(name, group), estimate))


def _pair(one: Measured, where: str, group: GroupMeasures) -> Sentence:
    estimate, quantity = one.estimate, quantity_of(one.measure, group)
    lies = _lies(quantity, estimate)
    at = words.pair_text(one, group)
    text = f"{where}: {one.measure} at {at} {estimate.value:.2f} ({words.bounds_text(estimate)})"
    inhibits = one.measure in _INHIBITORY
    if estimate.high < 1:
        inhibited = Claim(f"{one.measure} inhibits", quantity, "below", _PAIRS, high=1.0)
        text += f", inhibition{'' if inhibits else ' where facilitation is usual'}."
        return Sentence(text, lies, inhibited)
    if estimate.low > 1:
        facilitated = Claim(f"{one.measure} facilitates", quantity, "above", _PAIRS, low=1.0)
        text += f", facilitation{' where inhibition is usual' if inhibits else ''}."
        return Sentence(text, lies, facilitated)
    text += f"; these trials do not tell {'inhibition' if inhibits else 'facilitation'} from none"
    # What the true ratio had to be for an interval of this width to leave 1 out.
    limit = estimate.value / (estimate.high if inhibits else estimate.low) if estimate.low > 0 else 0.0
    if not 0 < limit < float("inf") or estimate.n is None:
        return Sentence(f"{text}.", lies)
    change = "fall" if inhibits else "rise"
    text += f": {estimate.n:g} trials of such scatter can not show less than a {change} to {limit:.2f}."
    return Sentence(text, lies)
