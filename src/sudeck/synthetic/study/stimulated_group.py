"""A group examined with magnetic stimulation before and after treatment: a table whose truth is known.

Logarithms of RMT, MEP, SICI and ICF are drawn for both hemispheres and visits: a person's level, a person's
change, a wobble between visits that is nobody's measurement error, and the measurement error that the table
states. It is as pixels and volts gave it, in stated errors (`residuals`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from sudeck.synthetic.study.residuals import of_measure

if TYPE_CHECKING:
    import pandas as pd

Place = tuple[str, str]  # measure, hemisphere
Tails = Literal["normal", "heavy"]

MEASURES: Final = ("RMT", "MEP", "SICI", "ICF")
HEMISPHERES: Final = ("pain", "other")
PUBLISHED_STIMULATED: Final = 19
# Of the natural logarithm, between people and of one measurement with its dozen or so trials: RMT about 10 %
# and 2 %; an MEP about a factor of two and a quarter; ratios of two means of ten trials in between.
_LEVEL: Final = {"RMT": math.log(55.0), "MEP": math.log(0.9), "SICI": math.log(0.5), "ICF": math.log(1.6)}
_BETWEEN: Final = {"RMT": 0.12, "MEP": 0.6, "SICI": 0.25, "ICF": 0.2}
_ERROR: Final = {"RMT": 0.02, "MEP": 0.2, "SICI": 0.18, "ICF": 0.15}
_CHANGE: Final = {"RMT": 0.01, "MEP": 0.1, "SICI": 0.25, "ICF": 0.2}  # between people, of the true change
# Between two visits of one person without any treatment, beyond the error of measurement: thresholds 4 to 5 %
# (test and retest of threshold tracking), MEP and ratios a good deal more.
_WOBBLE: Final = {"RMT": 0.045, "MEP": 0.35, "SICI": 0.25, "ICF": 0.2}
_DEGREES: Final = 3.0  # of freedom of heavy tails


@dataclass(frozen=True)
class StimulationSettings:
    """What the stimulated group of a world is made of, on the natural-log scale.

    Attributes
    ----------
    n : int
        Patients, the first of the cohort.
    change : Mapping of (measure, hemisphere) to float
        Mean true change; none where not named.
    weak_before : Mapping of measure to float
        By how much the pain side lies above the other before treatment.
    with_relief : Mapping of (measure, hemisphere) to float
        Correlation of the true change with relief.
    wobble : float
        Share of the wobble between visits that people have.
    floor : Mapping of measure to float
        Below it nothing can be measured: what is less is read as this.
    tails : {"normal", "heavy"}
        Of wobble and error; heavy is Student's t with 3 degrees of freedom, of the same variance. Otherwise
        the wobble is normal, and errors are as pixels and volts gave them.
    """

    n: int = PUBLISHED_STIMULATED
    change: Mapping[Place, float] = field(default_factory=dict)
    weak_before: Mapping[str, float] = field(default_factory=dict)
    with_relief: Mapping[Place, float] = field(default_factory=dict)
    wobble: float = 0.0
    floor: Mapping[str, float] = field(default_factory=dict)
    tails: Tails = "normal"

    def variance_of_noise(self, measure: str) -> float:
        """Return the variance of a measured log change that is no true change: wobble, and two errors."""
        error = _ERROR[measure] * float(of_measure(measure).std())
        return (self.wobble * _WOBBLE[measure]) ** 2 + 2 * error**2

    def people_differ_in(self, measure: str) -> bool:
        """Tell whether people differ in the change at least half as much as it is measured wrong."""
        return _CHANGE[measure] ** 2 + (self.wobble * _WOBBLE[measure]) ** 2 >= _ERROR[measure] ** 2

    @staticmethod
    def variance_of_change(measure: str) -> float:
        """Return the variance, between people, of the true log change."""
        return _CHANGE[measure] ** 2


def draw_measures(
    settings: StimulationSettings, ids: list[str], relief: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw ``participant_id, visit, hemisphere, measure, value, log_se`` of each patient.

    Parameters
    ----------
    settings : StimulationSettings
    ids : list of str
    relief : ndarray
        Of each, in standard deviations from the mean.
    rng : numpy.random.Generator
    """
    import pandas as pd

    n = len(ids)

    def noise() -> np.ndarray:
        if settings.tails == "normal":
            return rng.standard_normal(n)
        return rng.standard_t(_DEGREES, n) / math.sqrt(_DEGREES / (_DEGREES - 2))

    parts = []
    for measure in MEASURES:
        person = rng.standard_normal(n)  # what both hemispheres of one person share
        for side in HEMISPHERES:
            weak = settings.weak_before.get(measure, 0.0) if side == "pain" else 0.0
            own = (person + rng.standard_normal(n)) / math.sqrt(2)
            level = _LEVEL[measure] + weak + _BETWEEN[measure] * own
            r = settings.with_relief.get((measure, side), 0.0)
            moved = r * relief + math.sqrt(1 - r * r) * rng.standard_normal(n)
            change = settings.change.get((measure, side), 0.0) + _CHANGE[measure] * moved
            for visit, mean in (("pre", level), ("post", level + change)):
                error = _ERROR[measure] * np.exp(0.2 * rng.standard_normal(n) - 0.04)
                wobble = settings.wobble * _WOBBLE[measure] / math.sqrt(2)
                residual = rng.choice(of_measure(measure), n) if settings.tails == "normal" else noise()
                measured = mean + wobble * noise() + error * residual
                parts.append(
                    pd.DataFrame(
                        {
                            "participant_id": ids,
                            "visit": visit,
                            "hemisphere": side,
                            "measure": measure,
                            "value": np.maximum(np.exp(measured), settings.floor.get(measure, 0.0)),
                            "log_se": error,
                        }
                    )
                )
    return pd.concat(parts, ignore_index=True)
