"""What a healthy circuit should show, as data: round figures of the literature's usual size, with a spread.

They are no measurements of one study. The spread says how far a circuit may be away from the figure and
still be counted as healthy; it is a standard deviation on the natural-log scale. Drug effects are stated as
a ratio to the same measure without the drug. Of the interactions of three pulses (`interactions`)
two are fitted: IHI after the pulses of SICI and of ICF, as ratios to IHI alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that a measure of an arm should have.

    Attributes
    ----------
    arm : str
        A name of `drugs.ARMS`; other than ``"baseline"``, `value` is a ratio to the baseline.
    measure : str
        ``"RMT"`` or a name of `protocols.MEASURES`.
    value, log_sd : float
    """

    arm: str
    measure: str
    value: float
    log_sd: float

    @property
    def name(self) -> str:
        """Arm and measure."""
        return self.measure if self.arm == "baseline" else f"{self.arm}: {self.measure}"

    @property
    def limits(self) -> tuple[float, float]:
        """The figure less and plus two spreads: inside them a target counts as met."""
        from math import exp

        return self.value * exp(-2 * self.log_sd), self.value * exp(2 * self.log_sd)


def _curve(name: str, log_sd: float, values: dict[float, float]) -> tuple[Target, ...]:
    return tuple(Target("baseline", f"{name}_{at:g}", value, log_sd) for at, value in values.items())


BASELINE: Final[tuple[Target, ...]] = (
    # One RMT is the unit of intensity: a definition more than a finding.
    Target("baseline", "RMT", 1.0, 0.01),
    # In mV; what is measured is the shape, over the response at 1.2 RMT: medians of 27 healthy people up to
    # 1.5 RMT (0.60, 1.49, 2.16 at 1.1, 1.3, 1.4) and of 21 with Parkinson's disease up to 1.8 (0.41, 1.73,
    # 2.78, 4.04 at 1.6, 4.85 at 1.8), from their public single trials. It saturates. At 1.0 people show 0.2,
    # where a circuit without noise shows the 50 µV that define the threshold.
    *_curve("MEP", 0.12, {1.1: 0.5, 1.2: 1.0, 1.3: 1.6, 1.4: 2.4, 1.6: 3.6, 1.8: 4.0}),
    *_curve("SICI", 0.12, {1: 0.40, 2: 0.35, 3: 0.40, 4: 0.60, 5: 0.75, 6: 0.90}),
    *_curve("ICF", 0.08, {8: 1.20, 10: 1.45, 12: 1.55, 15: 1.50, 20: 1.25, 25: 1.10, 30: 1.00}),
    *_curve("LICI", 0.15, {50: 0.70, 100: 0.30, 150: 0.45, 200: 0.75}),
    *_curve("IHI", 0.10, {6: 0.95, 8: 0.70, 10: 0.55, 15: 0.60, 20: 0.65, 30: 0.65}),
    *_curve("IHI", 0.10, {40: 0.60, 50: 0.65, 70: 0.85}),
    Target("baseline", "CSP", 150.0, 0.10),
)

# Signs and sizes: NMDA antagonists lower ICF and leave the threshold; benzodiazepines raise SICI, baclofen
# raises LICI and the silent period (reviewed by Ziemann and colleagues 2015, Clinical Neurophysiology
# 126:1847-1868). The sizes are round.
DRUGS: Final[tuple[Target, ...]] = (
    Target("nmda_block", "RMT", 1.0, 0.005),
    Target("nmda_block", "MEP_1.2", 1.0, 0.035),
    # Memantine leaves the silent period as it is, dextromethorphan lengthens it slightly (Ziemann 1998,
    # Neurology 51:1320; Schwenkreis 1999, Neuroscience Letters 270:137).
    Target("nmda_block", "CSP", 1.0, 0.06),
    Target("nmda_block", "SICI_2", 0.93, 0.05),
    Target("nmda_block", "SICI_3", 0.93, 0.05),
    Target("nmda_block", "ICF_10", 0.75, 0.04),
    Target("nmda_block", "ICF_12", 0.75, 0.04),
    Target("nmda_block", "ICF_15", 0.75, 0.04),
    Target("gaba_a", "RMT", 1.0, 0.005),
    Target("gaba_a", "SICI_2", 0.70, 0.06),
    Target("gaba_a", "SICI_3", 0.70, 0.06),
    Target("gaba_b", "RMT", 1.0, 0.005),
    Target("gaba_b", "LICI_100", 0.70, 0.06),
    Target("gaba_b", "LICI_150", 0.70, 0.06),
    Target("gaba_b", "CSP", 1.15, 0.03),
    # Höffken and colleagues 2013 (Experimental Brain Research 225:47-53): S-ketamine in 11 healthy people,
    # SICI reduced, ICF tends to rise, threshold unchanged. The abstract prints no sizes; these are guesses.
    Target("acute_ketamine", "RMT", 1.0, 0.007),
    Target("acute_ketamine", "SICI_2", 1.15, 0.08),
    Target("acute_ketamine", "SICI_3", 1.15, 0.08),
    Target("acute_ketamine", "ICF_10", 1.08, 0.06),
    Target("acute_ketamine", "ICF_12", 1.08, 0.06),
)
# Two interactions are fitted, as ratios to IHI alone: it is the same after the pulses of ICF, and weaker
# after those of SICI, by a size that is a guess (Journal of Physiology 2007, PMC2075444).
INTERACTIONS: Final[tuple[Target, ...]] = (
    Target("baseline", "IHI_10_after_ICF", 1.0, 0.07),
    Target("baseline", "IHI_10_after_SICI", 1.3, 0.15),
)
TARGETS: Final = BASELINE + DRUGS + INTERACTIONS
