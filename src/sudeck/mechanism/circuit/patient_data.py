"""One patient's measures as the circuit sees them: what each is in the model, and how far it may be off."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.mechanism.circuit.measures import find_thresholds, measure
from sudeck.mechanism.circuit.parameters import Circuit, Floats, swap_hemispheres
from sudeck.mechanism.circuit.protocols import MEASURES
from sudeck.mechanism.circuit.simulate import Engine
from sudeck.mechanism.measure_table import HEMISPHERES

if TYPE_CHECKING:
    from sudeck.mechanism.measure_table import MeasureTable

# What a laboratory reports under one name: the geometric mean of these measures of the model.
REPORTED: Final[dict[str, tuple[str, ...]]] = {
    "RMT": (),
    "MEP": ("MEP_1.2",),
    "SICI": ("SICI_2", "SICI_3"),
    "ICF": ("ICF_10", "ICF_15"),
    "LICI": ("LICI_100",),
    "IHI": ("IHI_10",),
    "CSP": ("CSP",),
    "iSP": ("iSP",),
}
# Healthy people differ in each measure by about this much (log scale), a hemisphere for itself and the same
# at every visit: what a fit that starts from a healthy reference can not know. Assumed, of usual size.
_PERSON_SD: Final = {
    "RMT": 0.05, "MEP": 0.5, "SICI": 0.3, "ICF": 0.15, "LICI": 0.3, "IHI": 0.25, "CSP": 0.2, "iSP": 0.4,
}  # fmt: skip
# The threshold in % of stimulator output: distance of the coil and stimulator, common to both hemispheres.
_RMT_SCALE_SD: Final = 0.3
_RMT_TYPICAL_MSO: Final = 50.0
_ERROR_WHERE_NONE: Final = 0.15


@dataclass(frozen=True, eq=False)
class PatientData:
    """Logarithms of the measures of one patient.

    Attributes
    ----------
    patient : Hashable
    visits : tuple of str
        The first is the baseline.
    keys : tuple of (visit, hemisphere, measure)
        Visit as index, hemisphere as 0 (pain side) or 1, measure as reported.
    log_value : array, shape (observations,)
    covariance : array, shape (observations, observations)
        Measurement error and what people differ by.
    flags : tuple of Flag
    """

    patient: Hashable
    visits: tuple[str, ...]
    keys: tuple[tuple[int, int, str], ...]
    log_value: Floats
    covariance: Floats
    flags: tuple[Flag, ...]


def gather_patient(table: MeasureTable, patient: Hashable) -> PatientData:
    """Collect what the circuit can use of one patient.

    Raises
    ------
    InputError
        If the patient is not in the table, or has no measure the circuit knows.
    """
    own = [o for o in table.observations if str(o.patient) == str(patient)]
    if not own:
        raise InputError(f"Patient {patient}", "the table holds no measures", "check the identifier")
    known = [o for o in own if o.measure in REPORTED or o.measure in MEASURES]
    flags = []
    unknown = sorted({o.measure for o in own} - {o.measure for o in known})
    if unknown:
        flags.append(Flag("measure-unknown", f"The circuit has no {', '.join(unknown)}; left out.", "info"))
    if not known:
        raise InputError(
            f"Patient {patient}",
            "no measure that the circuit knows",
            f"name measures {', '.join(REPORTED)}, or with their interval as in SICI_2",
        )
    visits = tuple(v for v in table.visits if any(o.visit == v for o in known))
    keys = tuple((visits.index(o.visit), HEMISPHERES.index(o.hemisphere), o.measure) for o in known)
    errors = np.array([o.log_se for o in known])
    without = ~np.isfinite(errors)
    if without.any():
        flags.append(
            Flag(
                "error-assumed",
                f"{int(without.sum())} value(s) come without an interval and are taken to be known to "
                f"{100 * _ERROR_WHERE_NONE:.0f} %.",
                "caution",
                value=float(without.sum()),
            )
        )
    errors = np.where(without, _ERROR_WHERE_NONE, errors)
    value = np.array([o.log_value for o in known])
    value -= np.where([o.measure == "RMT" for o in known], np.log(_RMT_TYPICAL_MSO), 0.0)
    return PatientData(patient, visits, keys, value, error_covariance(keys, errors), tuple(flags))


def error_covariance(keys: tuple[tuple[int, int, str], ...], log_se: Floats) -> Floats:
    """Return the covariance of observations: each its own error, and shares of what people differ by."""
    covariance = np.diag(log_se**2)
    for i, (_, side, name) in enumerate(keys):
        for j, (_, other_side, other_name) in enumerate(keys):
            if name != other_name:
                continue
            if side == other_side:
                covariance[i, j] += _PERSON_SD[name.split("_")[0]] ** 2
            if name == "RMT":
                covariance[i, j] += _RMT_SCALE_SD**2
    return covariance


def predict_logs(
    circuits: Circuit, wanted: tuple[tuple[int, str], ...], *, dt_ms: float, engine: Engine | None = None
) -> Floats:
    """Return logarithms of measures as reported, shape (wanted, n); NaN where a circuit gives none.

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    wanted : tuple of (hemisphere, measure)
    """
    rmt = find_thresholds(circuits, both=True, dt_ms=dt_ms, engine=engine)
    shown: dict[tuple[int, str], Floats] = {}
    for side in sorted({side for side, _ in wanted}):
        names = sorted({part for s, name in wanted if s == side for part in REPORTED.get(name, (name,))})
        turned = circuits if side == 0 else swap_hemispheres(circuits)
        responses = measure(
            turned,
            [MEASURES[n] for n in names],
            rmt=rmt if side == 0 else rmt[::-1],
            dt_ms=dt_ms,
            engine=engine,
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            shown |= {(side, name): np.log(value) for name, value in responses.values.items()}
    rows = []
    for side, name in wanted:
        parts = REPORTED.get(name, (name,))
        row = np.mean([shown[side, part] for part in parts], axis=0) if parts else np.log(rmt[side])
        rows.append(np.where(np.isfinite(row) & np.isfinite(rmt).all(axis=0), row, np.nan))
    return np.stack(rows)
