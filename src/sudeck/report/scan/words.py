"""What a measured scan says, in plain words, and what it does not say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from sudeck.core.claim import Claim, Sentence, described
from sudeck.core.estimate import Estimate
from sudeck.core.published import COHORT_SIZE, PUBLISHED_RATIOS, SOURCE
from sudeck.core.quantile import normal_quantile
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS, ScanPhase, opposite
from sudeck.report.kit.text import clock_text, percent
from sudeck.scan.ratios.joint_regions import region_title
from sudeck.scan.result import PhaseMeasurement, ScanResult

PHASE_NAMES: dict[ScanPhase, str] = {
    "vascular": "vascular phase (flow)",
    "tissue": "tissue phase (blood pool)",
    "bone": "bone phase (delayed)",
}
SIX_RATIOS = (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS)
RATIO_DECIMALS = 3  # as the published cut-offs are printed
_SHORT: dict[ScanPhase, str] = {"vascular": "flow", "tissue": "pool", "bone": "delayed"}
# Who pays for a false sentence of the page.
_PHASES = "scan page: three phases share the error of one interval"
_CUTOFFS = "scan page: each cut-off has the error of its own interval"
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
    detail = "" if result.region == "whole" else f", region {region_title(result.region)}"
    return f"{region} against the {opposite(result.affected)}{detail}"


def start_words(phase: PhaseMeasurement, result: ScanResult) -> str:
    """Return when a phase began, as far as it is known."""
    if phase.clock == "injection":
        return f"From {clock_text(phase.start_s)} after injection"
    if phase.phase == "vascular" or phase.start_s > 0 or "vascular" in result.phases:
        return f"From {clock_text(phase.start_s)} after the start of the flow"
    return "Time after injection not stated"


def time_words(result: ScanResult) -> str:
    """Return how long after the injection each phase began."""
    if all(phase.clock == "injection" for phase in result.phases.values()):
        parts = [f"{_SHORT[name]} {clock_text(phase.start_s)}" for name, phase in result.phases.items()]
        return f"{', '.join(parts)} after injection{_flow_window(result)}"
    parts = [
        f"{_SHORT[name]}: {start_words(phase, result)[0].lower()}{start_words(phase, result)[1:]}"
        for name, phase in result.phases.items()
    ]
    return f"{'; '.join(parts)}{_flow_window(result)}"


def _flow_window(result: ScanResult) -> str:
    """Return how much of the flow was measured, as VPr depends on it."""
    flow = result.phases.get("vascular")
    return "" if flow is None or not flow.duration_s else f"; flow measured for {clock_text(flow.duration_s)}"


def reason_words(name: str, result: ScanResult) -> str:
    """Return why a ratio was not measured, as a sentence that follows its name."""
    reason = result.refused.get(name, "Nothing says why.")
    phase = next((phase for phase, ratio in PHASE_RATIOS.items() if ratio == name), None)
    reason = reason.removeprefix(f"{phase} phase: ").removeprefix("scan: ")
    return reason[:1].upper() + reason[1:]


def site_words(result: ScanResult) -> str:
    """Return what is known of the injection site: no file states it, but a spot may show it."""
    spots = [flag.subject for flag in result.flags if flag.code == "hot-spot-masked"]
    if not spots:
        return "not stated in the files; no hot spot in the field"
    return f"not stated in the files; a hot spot in the {_listed(dict.fromkeys(spots))} phase"


def size_words(result: ScanResult) -> str:
    """Return how much larger the affected limb is, as registration found it."""
    mirror = result.phases[result.reference].pose.mirror if result.reference in result.phases else None
    if mirror is None or mirror.equal_size:
        return "taken as equal"
    larger = -100 * math.log(mirror.transform.scale)
    error = 100 * mirror.standard_errors()["log_scale"]
    how = "longer" if larger >= 0 else "shorter"
    area = next((flag.value for flag in result.flags if flag.code == "limb-size"), None)
    covers = "" if area is None else f", {100 * (area - 1):+.0f} % of area"
    return f"affected {abs(larger):.1f} % {how} (± {error:.1f}){covers}; uptake is per area"


def camera_words(result: ScanResult) -> str:
    """Return what was assumed of the camera."""
    camera = result.provenance.settings.get("camera")
    if not isinstance(camera, Mapping):
        return ""
    return (
        f"resolution {camera['fwhm_mm']:g} ± {camera['fwhm_sd_mm']:g} mm, scattered share "
        f"{camera['scatter_share']:.2f} ± {camera['scatter_share_sd']:.2f} over "
        f"{camera['scatter_fwhm_mm']:g} ± {camera['scatter_fwhm_sd_mm']:g} mm"
    )


def sentences(result: ScanResult) -> tuple[Sentence, ...]:
    """Return what the six numbers say, a sentence each: the phases first, then the published cut-offs.

    Claims name their quantity ``"uptake BPr"`` or ``"image BPr/TPr"``.
    """
    says = (*_phase_sentences(result), *_cutoff_sentences(result))
    return described(says)


def caveats(result: ScanResult) -> tuple[Sentence, ...]:
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
    return described(says)


def _phase_sentences(result: ScanResult) -> list[str]:
    """Say on which side there is more: of uptake where it could be had, of counts in the image elsewhere.

    The image ratio is pulled towards 1 and away from it by what is not uptake.
    """
    of_uptake = {name: one for name, one in result.uptake_estimates.items() if name in result.estimates}
    of_image = {name: one for name, one in result.estimates.items() if name not in of_uptake}
    return [
        *_compared(of_uptake, "Uptake is", "uptake"),
        *_compared(of_image, "The mean count in the image is", "image"),
    ]


def _compared(estimates: Mapping[str, Estimate], what: str, quantity: str) -> list[str]:
    found: dict[str, list[str]] = {"higher": [], "lower": [], "equal": []}
    claims: dict[str, list[Claim]] = {"higher": [], "lower": [], "equal": []}
    alone = False
    for phase, name in PHASE_RATIOS.items():
        estimate = estimates.get(name)
        if estimate is not None:
            how = _against(_shared(estimate, len(PHASE_RATIOS)), 1.0)
            found[how].append(f"{phase} phase ({_times(estimate)})")
            if how in _COMPARED:
                claims[how].append(_claim(f"{quantity} {name}", how, 1.0, _PHASES))
            elif _against(estimate, 1.0) in _COMPARED:
                alone = True
    says: list[str] = [
        Sentence(f"{what} {_COMPARED[how]} in the {_listed(phases)}.", *claims[how])
        for how, phases in found.items()
        if phases and how in _COMPARED
    ]
    if found["equal"]:
        # The interval beside it is of one phase: where that leaves 1 out, it is said why nothing is claimed.
        why = ", since three phases share an error of 5 %" if alone else ""
        says.append(
            f"In the {_listed(found['equal'])} the measurement error does not tell the two sides apart{why}."
        )
    return says


def _cutoff_sentences(result: ScanResult) -> list[str]:
    verdicts = result.verdicts()
    if any(flag.severity == "serious" for flag in result.flags):
        return ["A serious finding stands, so no ratio is held against its published cut-off."]
    if not verdicts:
        return ["No ratio of ratios could be measured, so none is held against its published cut-off."]
    groups: dict[str, list[str]] = {"higher": [], "lower": [], "equal": []}
    claims: dict[str, list[Claim]] = {"higher": [], "lower": [], "equal": []}
    for name, verdict in verdicts.items():
        how = _against(result.estimates[name], verdict.cutoff)
        detail = "" if how != "equal" else f" (probability of being above it {percent(verdict.probability)})"
        groups[how].append(f"{name}{detail}")
        if how != "equal":
            claims[how].append(_claim(f"image {name}", how, verdict.cutoff, _CUTOFFS))
    forms = {
        "higher": ("{} lies above its published cut-off.", "{} lie above their published cut-offs."),
        "lower": ("{} lies below its published cut-off.", "{} lie below their published cut-offs."),
        "equal": (
            "{}: the interval includes the published cut-off, so this scan does not settle it.",
            "{}: the intervals include the published cut-offs, so this scan does not settle them.",
        ),
    }
    return [
        Sentence(forms[how][len(names) > 1].format(_listed(names)), *claims[how])
        for how, names in groups.items()
        if names
    ]


def _claim(estimand: str, how: str, limit: float, budget: str) -> Claim:
    if how == "higher":
        return Claim(f"{estimand} is above {limit:g}", estimand, "above", budget, low=limit)
    return Claim(f"{estimand} is below {limit:g}", estimand, "below", budget, high=limit)


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
