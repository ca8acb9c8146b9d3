"""How measures are made from trials: every choice in one place, with its default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sudeck.tms.measures.paired_pulse_rules import DEFAULT_RULES, PairedPulseRules
from sudeck.tms.thresholds.posterior import ACTIVE_CRITERION_MV, RESTING_CRITERION_MV
from sudeck.tms.thresholds.prior import ACTIVE_HAND, RESTING_HAND, ThresholdPrior


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """How measures are made from trials.

    Attributes
    ----------
    rules : PairedPulseRules
        Which interval and conditioning intensity counts as which measure.
    resting_prior, active_prior : ThresholdPrior
    resting_criterion_mv, active_criterion_mv : float
        Amplitude that counts as a response, for the two thresholds.
    floor_mv : float or None
        Amplitude at and below which a response can not be told from noise; unless given, what 95 % of the
        trials stay below before the pulse.
    level : float
        Coverage of all intervals.
    """

    rules: PairedPulseRules = DEFAULT_RULES
    resting_prior: ThresholdPrior = RESTING_HAND
    active_prior: ThresholdPrior = ACTIVE_HAND
    resting_criterion_mv: float = RESTING_CRITERION_MV
    active_criterion_mv: float = ACTIVE_CRITERION_MV
    floor_mv: float | None = None
    level: float = 0.95

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return {
            "rules": self.rules.to_dict(),
            "resting_prior": str(self.resting_prior),
            "active_prior": str(self.active_prior),
            "resting_criterion_mv": self.resting_criterion_mv,
            "active_criterion_mv": self.active_criterion_mv,
            "floor_mv": self.floor_mv,
            "level": self.level,
        }
