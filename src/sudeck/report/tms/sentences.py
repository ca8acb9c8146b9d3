"""What measured recordings say in sentences, and what they do not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sudeck.report.tms import words

if TYPE_CHECKING:
    from sudeck.tms.measures.measured import GroupMeasures, Measured
    from sudeck.tms.result import TmsResult

_INHIBITORY: Final = ("SICI", "LICI", "IHI", "SAI")
_PLAIN: Final = ("MEP", "active MEP", "CSP", "iSP")
_MOST_GROUPS = 4

CAVEATS: Final = (
    "An interval is about the trials of this session: how far the number would move with other trials of the "
    "same kind. It does not hold coil position, time of day or the day itself.",
    "A change in one person is real only beyond the smallest detectable change, which needs people measured "
    "twice: compare two sessions with sudeck tms compare.",
    "Which interval counts as SICI, ICF or LICI is a setting; what the recording does not state was not "
    "guessed.",
)


def sayings(result: TmsResult) -> tuple[str, ...]:
    """Return what the numbers say, a sentence each: thresholds, then pairs, hemisphere by hemisphere."""
    says: list[str] = []
    for group in result.groups[:_MOST_GROUPS]:
        where = words.group_text(group)
        where = where[:1].upper() + where[1:]
        says += [_threshold(name, where, group) for name in group.thresholds]
        says += [_pair(one, where) for one in group.estimates if one.measure in words.RATIOS]
        if not group.thresholds and not group.pairs:
            says += [_plain(one, where) for one in words.without_steps(group) if one.measure in _PLAIN]
        if group.curve is not None and not group.curve.plateau_reached:
            says.append(
                f"{where}: the recruitment curve did not reach its plateau; MEPmax and S50 are bounds."
            )
    left_out = len(result.groups) - _MOST_GROUPS
    if left_out > 0 and says:
        says.append(f"{left_out} more hemispheres and muscles are in the table.")
    return tuple(says) or ("Nothing could be estimated; the flags say why.",)


def _plain(one: Measured, where: str) -> str:
    value, unit = words.value_and_unit(one.estimate)
    at = f" at {one.intensity}" if one.intensity else ""
    return f"{where}: {words.MEANINGS[one.measure]}{at} {value} {unit} ({words.bounds_text(one.estimate)})."


def _threshold(name: str, where: str, group: GroupMeasures) -> str:
    estimate = group.thresholds[name].estimate
    return (
        f"{where}: {words.MEANINGS[name]} {estimate.value:.1f} %MSO "
        f"({estimate.low:.1f} to {estimate.high:.1f})."
    )


def _pair(one: Measured, where: str) -> str:
    estimate = one.estimate
    text = f"{where}: {one.measure} at {one.isi_ms:g} ms {estimate.value:.2f} ({words.bounds_text(estimate)})"
    inhibits = one.measure in _INHIBITORY
    if estimate.high < 1:
        return f"{text}, inhibition{'' if inhibits else ' where facilitation is usual'}."
    if estimate.low > 1:
        return f"{text}, facilitation{' where inhibition is usual' if inhibits else ''}."
    text += f"; these trials do not tell {'inhibition' if inhibits else 'facilitation'} from none"
    # What the true ratio had to be for an interval of this width to leave 1 out.
    limit = estimate.value / (estimate.high if inhibits else estimate.low) if estimate.low > 0 else 0.0
    if not 0 < limit < float("inf") or estimate.n is None:
        return f"{text}."
    change = "fall" if inhibits else "rise"
    return f"{text}: {estimate.n:g} trials of such scatter can not show less than a {change} to {limit:.2f}."
