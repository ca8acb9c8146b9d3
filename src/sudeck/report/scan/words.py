"""What a measured scan says, in plain words, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sudeck.core.estimate import Estimate
from sudeck.core.published import COHORT_SIZE, PUBLISHED_RATIOS, SOURCE
from sudeck.core.quantile import normal_quantile
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS, ScanPhase, opposite
from sudeck.report.kit.text import percent
from sudeck.scan.result import ScanResult

PHASE_NAMES: dict[ScanPhase, str] = {
    "vascular": "vascular phase (flow)",
    "tissue": "tissue phase (blood pool)",
    "bone": "bone phase (delayed)",
}
SIX_RATIOS = (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS)
RATIO_DECIMALS = 3  # as the published cut-offs are printed
_COMPARED = {"higher": "higher on the affected side", "lower": "lower on the affected side"}


def meaning(name: str) -> str:
    """Return in a few words what one of the six ratios is."""
    for phase, ratio in PHASE_RATIOS.items():
        if ratio == name:
            return f"affected over healthy, {phase} phase"
    over, under = RATIOS_OF_RATIOS[name]
    return f"{over} over {under} phase"


def level_text(result: ScanResult) -> str:
    """Return the coverage that the intervals claim, e.g. ``95 %``."""
    level = next((estimate.level for estimate in result.estimates.values()), 0.95)
    return f"{100 * level:g} %"


def subject_words(result: ScanResult) -> str:
    """Return what was measured: ``whole right foot against the left``."""
    limb = result.limb or "limb"
    region = f"whole {result.affected} {limb}" if result.region == "whole" else f"{result.affected} {limb}"
    detail = "" if result.region == "whole" else f", region {result.region}"
    return f"{region} against the {opposite(result.affected)}{detail}"


def sayings(result: ScanResult) -> tuple[str, ...]:
    """Return what the six numbers say, a sentence each: the phases first, then the published cut-offs."""
    return (*_phase_sayings(result), *_cutoff_sayings(result))


def caveats(result: ScanResult) -> tuple[str, ...]:
    """Return what the numbers do not say."""
    correlations = [f"{ratio.r} for {ratio.name}" for ratio in PUBLISHED_RATIOS.values()]
    says = [
        "A probability here is about the error of this measurement alone (counting and placement of the "
        "regions): how likely the true ratio lies above the cut-off. It is not the probability that the "
        "patient responds to a treatment.",
        f"The cut-offs come from {COHORT_SIZE} patients given ketamine, in whom pain relief went with these "
        f"ratios (r = {_listed(correlations)}; {SOURCE}). The abstract states neither "
        "sensitivity nor specificity.",
    ]
    if result.region != "whole" or result.provenance.settings.get("background") == "region":
        says.append(
            "The publication does not say how its regions were drawn; another region or background rule than "
            "its own may shift the ratios against its cut-offs."
        )
    return tuple(says)


def _phase_sayings(result: ScanResult) -> list[str]:
    found: dict[str, list[str]] = {"higher": [], "lower": [], "equal": []}
    for phase, name in PHASE_RATIOS.items():
        estimate = result.estimates.get(name)
        if estimate is not None:
            found[_against(_shared(estimate, len(PHASE_RATIOS)), 1.0)].append(
                f"{phase} phase ({_times(estimate)})"
            )
    says = [
        f"Uptake is {_COMPARED[how]} in the {_listed(phases)}."
        for how, phases in found.items()
        if phases and how in _COMPARED
    ]
    if found["equal"]:
        says.append(
            f"In the {_listed(found['equal'])} the measurement error does not tell the two sides apart."
        )
    return says


def _cutoff_sayings(result: ScanResult) -> list[str]:
    verdicts = result.verdicts()
    if any(flag.severity == "serious" for flag in result.flags):
        return ["A serious finding stands, so no ratio is held against its published cut-off."]
    if not verdicts:
        return ["No ratio of ratios could be measured, so none is held against its published cut-off."]
    groups: dict[str, list[str]] = {"higher": [], "lower": [], "equal": []}
    for name, verdict in verdicts.items():
        how = _against(result.estimates[name], verdict.cutoff)
        detail = "" if how != "equal" else f" (probability of being above it {percent(verdict.probability)})"
        groups[how].append(f"{name}{detail}")
    forms = {
        "higher": ("{} lies above its published cut-off.", "{} lie above their published cut-offs."),
        "lower": ("{} lies below its published cut-off.", "{} lie below their published cut-offs."),
        "equal": (
            "{}: the interval includes the published cut-off, so this scan does not settle it.",
            "{}: the intervals include the published cut-offs, so this scan does not settle them.",
        ),
    }
    return [forms[how][len(names) > 1].format(_listed(names)) for how, names in groups.items() if names]


def _shared(estimate: Estimate, sentences: int) -> Estimate:
    """Widen an interval so that several sentences share its error: all are true as often as it alone is."""
    wider = normal_quantile(1 - (1 - estimate.level) / sentences) / normal_quantile(estimate.level)
    low, high = (
        estimate.value * (bound / estimate.value) ** wider for bound in (estimate.low, estimate.high)
    )
    return replace(estimate, low=low, high=high)


def _against(estimate: Estimate, limit: float) -> str:
    if estimate.low > limit:
        return "higher"
    return "lower" if estimate.high < limit else "equal"


def _times(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} times the healthy side"


def _listed(items: Iterable[str]) -> str:
    first = list(items)
    return first[0] if len(first) == 1 else f"{', '.join(first[:-1])} and {first[-1]}"
