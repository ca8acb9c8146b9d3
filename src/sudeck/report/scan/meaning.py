"""What the ratios mean: the phases, the region, and the band of people without disease."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sudeck.core.claim import Sentence, described
from sudeck.scan.ratios.joint_regions import region_title
from sudeck.scan.result import ScanResult


@dataclass(frozen=True)
class HealthyBand:
    """Ratio of two sides in people without disease of the limb.

    Attributes
    ----------
    ratio : str
        ``"VPr"`` or ``"TPr"``.
    region : str
    low, high : float
    """

    ratio: str
    region: str
    low: float
    high: float


# 50 patients referred for a bone scan without known disease of leg or hip, Tc-99m HDP, regions of standard
# size; shares of the two sides turned into ratios. The level of the interval is not stated in the abstract.
HEALTHY_FEET: Final = (
    HealthyBand("VPr", "ankle", 0.59, 1.70),
    HealthyBand("VPr", "mid-foot", 0.49, 2.03),
    HealthyBand("TPr", "ankle", 0.75, 1.33),
    HealthyBand("TPr", "mid-foot", 0.67, 1.50),
)


def meanings(result: ScanResult) -> tuple[Sentence, ...]:
    """Return what flow, pool and bone uptake are, and what is known of healthy people, a sentence each."""
    says = [
        "The phases show blood flow, blood pool, and flow times the activity of osteoblasts; none shows "
        "inflammation. A ratio of ratios rises when bone rises and as well when flow or pool falls, as in "
        "disuse and in late stages (Demangeat et al., J Nucl Med 1988;29:26-32): beside each stands which.",
        _region_words(result),
    ]
    if result.limb == "foot":
        bands = "; ".join(
            f"{band.ratio} {band.low:.2f} to {band.high:.2f} ({band.region})" for band in HEALTHY_FEET
        )
        says.append(
            "In 50 people without disease of the leg the two feet differed by: "
            f"{bands} (level of the interval not stated). With such scatter more than half of healthy feet "
            "have TPr/VPr above .935: the published cut-offs are not limits of normality. For the bone phase "
            "no such band is known."
        )
    else:
        says.append("For hands no band of people without disease is known, in any phase.")
    return described(says)


def _region_words(result: ScanResult) -> str:
    if result.region == "whole" and result.limb == "hand":
        return (
            "Region: whole hand. Four fifths and more of its bone uptake lie in wrist and metacarpals "
            "(carpus .69, metacarpus .16, finger joints .16 of the counts in 156 hands; Anzola et al. 2017, "
            "doi 10.1016/j.rcreu.2016.10.005), so that it says little about the fingers, and ratios of other "
            "regions in the literature are not comparable."
        )
    source = result.region_source
    if source is not None:
        return (
            f"Region: {source.title}, as {source.citation}, doi {source.doi}, took them; how far it reaches "
            "around the joints is Sudeck's own. Ratios of other regions are not comparable."
        )
    return (
        f"Region: {region_title(result.region)}, {result.limb or 'limb'}. Ratios of other regions, here or "
        "in the literature, are not comparable."
    )
