"""What the console and the report say of a measurement of magnetic stimulation, in the same words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sudeck.core.estimate import Estimate
from sudeck.report.kit.text import decimals_of, interval_text, number

if TYPE_CHECKING:
    from sudeck.tms.measures.measured import GroupMeasures, Measured
    from sudeck.tms.result import TmsResult
    from sudeck.tms.thresholds.motor_threshold import Threshold

# The order in which measures are told, and what each is.
MEANINGS: Final[dict[str, str]] = {
    "RMT": "resting motor threshold",
    "AMT": "active motor threshold",
    "MEP": "motor evoked potential",
    "MEP of unstated kind": "responses to stimuli of which nothing says whether they were single or paired",
    "active MEP": "motor evoked potential during contraction",
    "MEP latency": "pulse to onset of the response",
    "SICI": "short-interval intracortical inhibition",
    "ICF": "intracortical facilitation",
    "SICF": "short-interval intracortical facilitation",
    "LICI": "long-interval intracortical inhibition",
    "IHI": "interhemispheric inhibition",
    "SAI": "short-latency afferent inhibition",
    "paired pulse": "pair that interval and intensities give no name",
    "CSP": "cortical silent period",
    "iSP": "ipsilateral silent period",
    "S50": "intensity of half of MEPmax",
    "MEPmax": "plateau of the recruitment curve",
    "slope": "steepest slope of the recruitment curve",
    "area": "area under the recruitment curve",
}
# More MEP intensities than this are a recruitment curve.
_MOST_STEPS: Final = 3
_USUAL_TEST: Final = 1.2
CURVE: Final = ("S50", "MEPmax", "slope", "area")
RATIOS: Final = ("SICI", "ICF", "SICF", "LICI", "IHI", "SAI", "paired pulse")
# What counts as a second method of the same measure.
BESIDE: Final = (" 5/10 rule", " ML-PEST", " ratio of means")


def is_beside(one: Measured) -> bool:
    """Tell whether an estimate is by a second method, there for comparison."""
    return one.measure.endswith(BESIDE)


def in_order(estimates: Iterable[Measured]) -> list[Measured]:
    """Return estimates in the order in which they are told; second methods after the first."""
    return sorted(estimates, key=place_of)


def place_of(one: Measured) -> tuple[int, str, float, float, str, str, bool]:
    """Return the key by which estimates are ordered: measure, conditioning, interval, intensity, method.

    Estimates of conditions that only have a name stay in the order of the recording.
    """
    strength = float(one.intensity.split()[0]) if _is_intensity(one.intensity) else 0.0
    first = one.conditioning if _is_intensity(one.conditioning) else ""
    names = ("", "") if one.isi_ms is None else (one.conditioning, one.intensity)
    return place_of_measure(one.measure), first, one.isi_ms or 0.0, strength, *names, is_beside(one)


def _is_intensity(text: str) -> bool:
    """Tell an intensity from the name of a condition, which stands there where none is known."""
    return re.fullmatch(r"[\d.e+-]+ %(MSO|RMT)", text) is not None


def place_of_measure(measure: str) -> int:
    """Return the rank of a measure, or of the one that a second method belongs to."""
    order = list(MEANINGS)
    base = base_of(measure)
    return order.index(base) if base in order else len(order)


def without_steps(group: GroupMeasures) -> list[Measured]:
    """Return the estimates of a group; of many MEP intensities only the one that is asked for.

    That is the test pulse alone of its pairs, else what is nearest to 120 % of the threshold. The others are
    told by the recruitment curve.
    """
    steps = [one for one in group.estimates if one.measure == "MEP" and _is_intensity(one.intensity)]
    if len(steps) <= _MOST_STEPS:
        return list(group.estimates)
    tests = {one.intensity for one in group.estimates if one.isi_ms is not None}
    kept = [one for one in steps if one.intensity in tests] or [
        min(steps, key=lambda one: abs(_share_of_threshold(one, group) - _USUAL_TEST))
    ]
    return [one for one in group.estimates if one not in steps or one in kept]


def _share_of_threshold(one: Measured, group: GroupMeasures) -> float:
    """Return the intensity over the threshold; infinite where either is not known."""
    number_text, _, unit = one.intensity.partition(" ")
    if unit == "%RMT":
        return float(number_text) / 100
    if unit == "%MSO" and "RMT" in group.thresholds:
        return float(number_text) / group.thresholds["RMT"].estimate.value
    return float("inf")


def base_of(measure: str) -> str:
    """Return the measure that a second method belongs to.

    Examples
    --------
    >>> base_of("RMT 5/10 rule"), base_of("SICI tracked"), base_of("iSP depth")
    ('RMT', 'SICI', 'iSP')
    """
    if measure in MEANINGS:
        return measure
    return next(
        (name for name in sorted(MEANINGS, key=len, reverse=True) if measure.startswith(f"{name} ")), measure
    )


def how_text(one: Measured) -> str:
    """Return the interval and intensities of a measure: ``2.5 ms, 80 %RMT before 120 %RMT``."""
    parts = [] if one.isi_ms is None else [f"{one.isi_ms:g} ms"]
    if one.measure.startswith("paired pulse") and not one.conditioning.endswith(("%RMT", "%MSO")):
        return ", ".join(filter(None, (*parts, one.conditioning, "intensities not stated")))
    if one.conditioning and one.intensity:
        parts.append(f"{one.conditioning} before {one.intensity}")
    elif one.conditioning:
        parts.append(f"after {one.conditioning.replace('afferent', 'a nerve stimulus')}")
    elif one.intensity:
        parts.append(one.intensity)
    return ", ".join(parts)


def pair_text(one: Measured, group: GroupMeasures) -> str:
    """Return the interval of a pair; its intensities or name too where the group has several of it."""
    like = [other for other in group.estimates if (other.measure, other.isi_ms) == (one.measure, one.isi_ms)]
    apart = strength_text(one) if len(like) > 1 else ""
    return f"{one.isi_ms:g} ms ({apart})" if apart else f"{one.isi_ms:g} ms"


def strength_text(one: Measured, rmt: Threshold | None = None) -> str:
    """Return the intensities of a measure; in %MSO also as a share of the measured threshold."""
    if one.conditioning and one.intensity:
        return f"{one.conditioning.split()[0]} before {one.intensity}"
    if one.conditioning:
        return f"after {one.conditioning}" if _is_intensity(one.conditioning) else one.conditioning
    if rmt is None or not one.intensity.endswith("%MSO"):
        return one.intensity
    share = 100 * float(one.intensity.split()[0]) / rmt.estimate.value
    return f"{one.intensity}, {share:.0f} % of the RMT"


def group_text(group: GroupMeasures) -> str:
    """Return what a group is: ``left hemisphere, FDI``, with person and visit where there are any."""
    muscle = " ".join(filter(None, (group.muscle_side, group.muscle)))
    muscle = f"{muscle} ({group.channel})" if group.channel else muscle
    return ", ".join(
        filter(None, (group.file, group.participant, group.visit, hemisphere_text(group), muscle))
    )


def hemisphere_text(group: GroupMeasures) -> str:
    """Return the hemisphere of a group in words."""
    return f"{group.hemisphere} hemisphere" if group.hemisphere else "hemisphere not stated"


def value_and_unit(estimate: Estimate) -> tuple[str, str]:
    """Return the value with as many decimals as its interval deserves, and its unit."""
    shown = in_readable_unit(estimate)
    return number(shown.value, _decimals(shown)), shown.unit


def bounds_text(estimate: Estimate) -> str:
    """Return the interval; an open upper end as *above*."""
    shown = in_readable_unit(estimate)
    if shown.high == float("inf"):
        return f"above {number(shown.low, _decimals(shown))}"
    return interval_text(shown)


def _decimals(estimate: Estimate) -> int:
    """Return the decimals that the interval deserves; of an open one, its closed side."""
    if estimate.high == float("inf") and estimate.low < estimate.value:
        return decimals_of(replace(estimate, high=2 * estimate.value - estimate.low))
    return decimals_of(estimate)


def in_readable_unit(estimate: Estimate) -> Estimate:
    """Return millivolts below a tenth as microvolts."""
    if estimate.unit != "mV" or abs(estimate.value) >= 0.1:
        return estimate
    low, value, high = (1e3 * bound for bound in (estimate.low, estimate.value, estimate.high))
    return replace(estimate, value=value, low=low, high=high, unit="µV")


def subject_words(result: TmsResult) -> str:
    """Return what was measured: how many recordings, trials, people."""
    files = len(result.provenance.sources)
    people = len({group.participant for group in result.groups})
    parts = [_count(files, "recording"), _count(len(result.trials), "trial")]
    if people > 1:
        parts.append(f"{people} people")
    return ", ".join(parts)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def left_out_text(result: TmsResult) -> str:
    """Say how many trials a person rejected, and that no other was left out."""
    if not result.n_rejected:
        return "none was left out"
    return f"{result.n_rejected} rejected by a person, no other left out"
