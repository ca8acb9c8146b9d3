"""Mediation, as a labelled exploration: a path through a change is an assumption the data can not test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.mechanism.mixed_likelihood import Floats

EXPLORATORY: Final = (
    "Exploratory: the paths assume that nothing unmeasured moves both the change and the outcome, which a "
    "study without a control arm can not show."
)
MIN_PATIENTS = 8


@dataclass(frozen=True)
class Mediation:
    """Paths from a cause through a mediator to an outcome, each with a bootstrap interval.

    Attributes
    ----------
    a, b, indirect, direct : Estimate
        Cause to mediator; mediator to outcome given the cause; their product; cause to outcome given the
        mediator.
    caution : str
        What the numbers do not show; printed with them.
    """

    a: Estimate
    b: Estimate
    indirect: Estimate
    direct: Estimate
    caution: str = EXPLORATORY

    def __str__(self) -> str:
        return "\n".join([str(self.a), str(self.b), str(self.indirect), str(self.direct), self.caution])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "exploratory": True,
            "caution": self.caution,
            "a": self.a.to_dict(),
            "b": self.b.to_dict(),
            "indirect": self.indirect.to_dict(),
            "direct": self.direct.to_dict(),
        }


def explore_mediation(
    cause: ArrayLike,
    mediator: ArrayLike,
    outcome: ArrayLike,
    *,
    level: float = 0.95,
    bootstraps: int = 4000,
    rng: np.random.Generator | int | None = 0,
) -> Mediation:
    """Split the effect of a cause (dose) on an outcome (relief) into a path through a mediator and the rest.

    Parameters
    ----------
    cause, mediator, outcome : array (patients,)
        Rows with a missing value are left out.
    level : float
    bootstraps : int
    rng : numpy Generator or seed

    Raises
    ------
    InputError
        If lengths differ, fewer than eight patients are complete, or cause and mediator are collinear.

    Examples
    --------
    >>> dose, change, relief = [0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 1, 2, 2, 3, 3, 5], [1, 0, 1, 3, 2, 3, 4, 5]
    >>> paths = explore_mediation(dose, change, relief)
    >>> round(paths.indirect.value, 3), round(paths.direct.value, 3)
    (0.709, 0.541)
    """
    columns = [np.asarray(values, dtype=float) for values in (cause, mediator, outcome)]
    if len({len(column) for column in columns}) != 1:
        raise InputError(
            "mediation", "cause, mediator and outcome differ in length", "give one row a patient"
        )
    data = np.column_stack(columns)
    data = data[np.isfinite(data).all(axis=1)]
    n = len(data)
    if n < MIN_PATIENTS:
        raise InputError("mediation", f"{n} complete patient(s)", f"it needs {MIN_PATIENTS} or more")
    value = _paths(data[None])[0]
    if not np.isfinite(value).all():
        raise InputError("mediation", "cause and mediator are collinear or do not vary", "choose others")
    pick = np.random.default_rng(rng).integers(0, n, size=(bootstraps, n))
    resampled = _paths(data[pick])
    resampled = resampled[np.isfinite(resampled).all(axis=1)]
    low, high = np.quantile(resampled, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    names = ("cause to mediator", "mediator to outcome", "indirect effect", "direct effect")
    a, b, indirect, direct = (
        Estimate(
            name,
            float(v),
            float(min(lo, v)),
            float(max(hi, v)),
            level=level,
            method="least squares, percentile bootstrap; exploratory",
            n=n,
            n_unit="patients",
        )
        for name, v, lo, hi in zip(names, value, low, high, strict=True)
    )
    return Mediation(a, b, indirect, direct)


def _paths(samples: Floats) -> Floats:
    """Return a, b, a·b and the direct path of each sample, (samples, 4); NaN where not determined."""
    x, m, y = np.moveaxis(samples - samples.mean(axis=1, keepdims=True), 2, 0)
    xx, mm, xm = (x * x).sum(axis=1), (m * m).sum(axis=1), (x * m).sum(axis=1)
    xy, my = (x * y).sum(axis=1), (m * y).sum(axis=1)
    determinant = xx * mm - xm**2
    with np.errstate(divide="ignore", invalid="ignore"):
        usable = determinant > 1e-12 * xx * mm
        a = np.where(usable, xm / xx, np.nan)
        b = np.where(usable, (xx * my - xm * xy) / determinant, np.nan)
        direct = np.where(usable, (mm * xy - xm * my) / determinant, np.nan)
    return np.column_stack([a, b, a * b, direct])
