"""Declared covariates: what else could move the measures (midazolam, dose, days since an infusion)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.statistics.mixed.mixed_likelihood import Floats

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Covariates:
    """Covariates of each patient, as distances from the value at which results are stated.

    Attributes
    ----------
    names, texts : tuple of str
        Names; names with the value results are stated at.
    by_patient : Mapping[patient, array (covariates,)]
        Patients with every covariate; empty when none is declared.
    flags : tuple of Flag
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]
    by_patient: Mapping[Hashable, Floats]
    flags: tuple[Flag, ...]

    @property
    def count(self) -> int:
        """How many covariates are declared."""
        return len(self.names)

    def has(self, patient: Hashable) -> bool:
        """Whether the patient has every declared covariate."""
        return not self.names or patient in self.by_patient

    def complete(self, patients: Sequence[Hashable]) -> NDArray[np.bool_]:
        """Return which of the patients have every declared covariate."""
        return np.array([self.has(patient) for patient in patients], dtype=bool)

    def values(self, patients: Sequence[Hashable]) -> Floats:
        """Return the covariates of patients who have them all, (patients, covariates)."""
        if not self.names:
            return np.zeros((len(patients), 0))
        return np.array([self.by_patient[patient] for patient in patients]).reshape(len(patients), -1)


def read_covariates(patients: pd.DataFrame | None, reference: Mapping[str, float | str]) -> Covariates:
    """Read declared covariates from the table of patients.

    Parameters
    ----------
    patients : DataFrame or None
        One row a patient, with ``participant_id``.
    reference : Mapping[str, float or "mean"]
        Covariate and the value at which results are stated.

    Raises
    ------
    InputError
        If the table, a column or a usable reference value is missing, or a patient occurs twice.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"participant_id": ["a", "b"], "midazolam_mg": [0.0, 5.0]})
    >>> read_covariates(table, {"midazolam_mg": "mean"}).values(["b"]).tolist()
    [[2.5]]
    """
    if not reference:
        return Covariates((), (), {}, ())
    if patients is None or "participant_id" not in patients.columns:
        raise InputError("covariates", "no table of patients with participant_id", "give one row a patient")
    for name in reference:
        if name not in patients.columns:
            raise InputError(
                f"covariate {name}", "it is not a column", "check its name in the table of patients"
            )
    if patients["participant_id"].duplicated().any():
        raise InputError("table of patients", "a participant_id occurs twice", "keep one row a patient")
    columns, texts = [], []
    for name, at in reference.items():
        try:
            column = patients[name].to_numpy(dtype=float)
        except (TypeError, ValueError):
            raise InputError(f"covariate {name}", "it is not a number", "code it as a number") from None
        if not np.isfinite(column).any():
            raise InputError(f"covariate {name}", "it has no values", "fill it in or drop it")
        if at != "mean" and not isinstance(at, (int, float)):
            raise InputError(f"covariate {name}", f"reference {at!r}", "give a number or 'mean'")
        value = float(np.nanmean(column)) if at == "mean" else float(at)
        columns.append(column - value)
        texts.append(f"{name} (stated at {value:.3g})")
    matrix = np.column_stack(columns)
    complete = np.atleast_1d(np.isfinite(matrix).all(axis=1))
    by_patient = {
        patient: row
        for patient, row, ok in zip(patients["participant_id"], matrix, complete, strict=True)
        if ok
    }
    left_out = int((~complete).sum())
    flags = (
        (
            Flag(
                "covariate-missing",
                f"{left_out} patient(s) without {', '.join(reference)} left out.",
                "caution",
                value=float(left_out),
            ),
        )
        if left_out
        else ()
    )
    return Covariates(tuple(reference), tuple(texts), by_patient, flags)
