"""Patients against healthy reference values that the user supplies; none are built in.

Norms depend on the laboratory's stimulator, coil, muscle and intensities: no published table fits all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import t_quantile
from sudeck.mechanism.change_models import CHANGE_TEXT, MIN_PAIRS
from sudeck.mechanism.measure_table import HEMISPHERES, MeasureTable, tabulate_measures

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class HealthyReference:
    """Healthy people's values of one measure, taken in the same laboratory with the same settings.

    Attributes
    ----------
    geometric_mean : float
    log_sd : float
        Standard deviation between people of the natural logarithm.
    n : int
        Healthy people.
    """

    geometric_mean: float
    log_sd: float
    n: int

    def __post_init__(self) -> None:
        if not (self.geometric_mean > 0 and self.log_sd >= 0 and self.n >= 2):
            raise InputError(
                "healthy reference", "it is not positive or rests on fewer than two people", "correct it"
            )


@dataclass(frozen=True)
class ReferenceComparison:
    """Patients over healthy people for one measure, hemisphere and visit.

    Attributes
    ----------
    measure, hemisphere, visit : str
    ratio : Estimate
        Geometric mean of the patients over that of healthy people.
    p, df : float
        Welch's t test of the logarithms.
    n : int
        Patients.
    outside : int
        Patients beyond 1.96 standard deviations of healthy people.
    """

    measure: str
    hemisphere: str
    visit: str
    ratio: Estimate
    p: float
    df: float
    n: int
    outside: int

    def __str__(self) -> str:
        return f"{self.ratio}, P = {self.p:.3g}; {self.outside} of {self.n} outside the healthy range"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "measure": self.measure,
            "hemisphere": self.hemisphere,
            "visit": self.visit,
            "ratio": self.ratio.value,
            "low": self.ratio.low,
            "high": self.ratio.high,
            "level": self.ratio.level,
            "p": self.p,
            "df": self.df,
            "n": self.n,
            "outside": self.outside,
        }


def compare_with_healthy(
    table: pd.DataFrame | MeasureTable, reference: Mapping[str, HealthyReference], *, level: float = 0.95
) -> tuple[ReferenceComparison, ...]:
    """Compare each measure, hemisphere and visit with healthy values.

    Parameters
    ----------
    table : DataFrame or MeasureTable
        See `tabulate_measures`.
    reference : Mapping[str, HealthyReference]
        By measure; measures without one are left out.
    level : float

    Returns
    -------
    tuple of ReferenceComparison
        For every combination with three or more patients whose values vary.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"participant_id": [1, 2, 3, 4], "visit": "pre", "hemisphere": "pain",
    ...                       "measure": "SICI", "value": [0.9, 0.8, 1.0, 0.7]})
    >>> print(compare_with_healthy(table, {"SICI": HealthyReference(0.5, 0.4, 20)})[0].ratio)
    SICI at pre, pain-side hemisphere, over healthy 1.685 (95 % interval 1.306 to 2.174)
    """
    from scipy import stats

    measures = table if isinstance(table, MeasureTable) else tabulate_measures(table)
    found = []
    for measure in measures.measures:
        healthy = reference.get(measure)
        if healthy is None:
            continue
        for side in HEMISPHERES:
            for visit in measures.visits:
                logs = np.array([o.log_value for o in measures.of(measure, (visit,)) if o.hemisphere == side])
                n = len(logs)
                if n < MIN_PAIRS or np.ptp(logs) <= 1e-9:
                    continue
                parts = logs.var(ddof=1) / n, healthy.log_sd**2 / healthy.n
                se = math.sqrt(sum(parts))
                df = sum(parts) ** 2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (healthy.n - 1))
                difference = float(logs.mean()) - math.log(healthy.geometric_mean)
                ratio = Estimate.from_log(
                    f"{measure} at {visit}, {CHANGE_TEXT[side]}, over healthy",
                    difference,
                    se,
                    level=level,
                    quantile=t_quantile(level, df),
                    method="Welch's t interval of logarithms",
                    n=n,
                    n_unit="patients",
                )
                distance = np.abs(logs - math.log(healthy.geometric_mean))
                found.append(
                    ReferenceComparison(
                        measure,
                        side,
                        visit,
                        ratio,
                        float(2 * stats.t.sf(abs(difference) / se, df)),
                        float(df),
                        n,
                        int((distance > 1.96 * healthy.log_sd).sum()),
                    )
                )
    return tuple(found)
