"""One patient's measures as the circuit sees them: what each is in the model, and how far it may be off."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.circuit.engines import Engine
from sudeck.circuit.parameters import Circuit, Floats, swap_hemispheres
from sudeck.circuit.protocols import MEASURES
from sudeck.circuit.readout import find_thresholds, measure
from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.mechanism.circuit_fit.measure_names import USUAL, composition_of, family_of, parts_of
from sudeck.mechanism.measure_table import HEMISPHERES

if TYPE_CHECKING:
    from sudeck.mechanism.measure_table import MeasureTable, Observation

# People differ in each measure by about this much (log scale) beyond what the reference circuits differ by at
# one visit: what no fit of a circuit can know of them. Recomputed from public data: RMT of both
# hemispheres on one day, n = 42 (SD of the log ratio 0.163); MEP at 1.2 RMT, n = 27 (0.89, with the circuits'
# own share taken off); SICI and ICF, 147 controls (robust SD 0.15 and 0.23 of ratios, Benussi 2017, Neurology
# 89:665); silent period 151 ± 32.5 ms, n = 30. LICI, IHI and iSP: assumed, of usual size.
_PERSON_SD: Final = {
    "RMT": 0.115, "MEP": 0.8, "SICI": 0.3, "ICF": 0.17, "LICI": 0.25, "IHI": 0.2, "CSP": 0.2, "iSP": 0.3,
}  # fmt: skip
# Share of that variance common to both hemispheres of a person: responses hardly go together (r 0.14,
# n = 67), thresholds by the distance of the coil alone; the others assumed. And to all intervals; assumed.
_COMMON_TO_HEMISPHERES: Final = {"RMT": 0.0, "MEP": 0.14}
_COMMON_ELSEWHERE: Final = 0.6
_COMMON_TO_INTERVALS: Final = 0.7
# Share of that variance that is new at every visit, whatever the errors of measurement: paired pulses 40 to
# 50 % in 151 people, errors included (Wassermann 2002, Clin Neurophysiol 113:1165); responses from an ICC of
# 0.77 (n = 47, doi 10.3389/fpsyt.2024.1279072); IHI from 0.73 to 0.91 (Cassidy 2016, doi 10.1111/ner.12459);
# silent period from a retest r of 0.47 to 0.49, threshold from 0.83 (n = 93, standard error 3.4 %MSO).
_RENEWED: Final = {"RMT": 0.3, "MEP": 0.23, "IHI": 0.2, "CSP": 0.5, "iSP": 0.5}
_RENEWED_ELSEWHERE: Final = 0.4
# The threshold in % of stimulator output: distance of the coil and stimulator, common to both hemispheres.
_RMT_SCALE_SD: Final = 0.3
_RMT_TYPICAL_MSO: Final = 50.0
_ERROR_WHERE_NONE: Final = 0.15
# No response is known better than this; an error of nothing would be a slip of the table.
_LEAST_ERROR: Final = 0.005
# A silent period shorter than this counts as this long: its logarithm would say more than can be seen.
_SHORTEST_SILENCE_MS: Final = 2.0

# What a recording can not tell from background, as a share of the unconditioned response: 30 µV of 1 mV.
_BACKGROUND: Final = 0.03

Wanted = tuple[tuple[int, str], ...]


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
    log_value, log_se : array, shape (observations,)
        Thresholds count from 50 % of stimulator output.
    flags : tuple of Flag
    from_baseline : bool
        Whether the first visit is the one before treatment.
    """

    patient: Hashable
    visits: tuple[str, ...]
    keys: tuple[tuple[int, int, str], ...]
    log_value: Floats
    log_se: Floats
    flags: tuple[Flag, ...] = ()
    from_baseline: bool = True

    @cached_property
    def wanted(self) -> Wanted:
        """Every (hemisphere, measure of the circuit) that any observation needs."""
        parts = ((side, part) for _, side, name in self.keys for part in parts_of(name))
        return tuple(dict.fromkeys(parts))

    @cached_property
    def weights(self) -> Floats:
        """How observations are composed, shape (observations, visits, wanted)."""
        weights = np.zeros((len(self.keys), len(self.visits), len(self.wanted)))
        for row, (visit, side, name) in enumerate(self.keys):
            for part, weight in parts_of(name).items():
                weights[row, visit, self.wanted.index((side, part))] = weight
        return weights

    @cached_property
    def person_covariance(self) -> Floats:
        """What people differ by, shape (observations, observations)."""
        return person_covariance(self.keys)

    @cached_property
    def error_covariance(self) -> Floats:
        """What people differ by, and errors of measurement on top."""
        return self.person_covariance + np.diag(self.log_se**2)

    @cached_property
    def habit_covariance(self) -> Floats:
        """The part of it that is the same at all visits."""
        return person_covariance(self.keys, lasting=True)


def gather_patient(table: MeasureTable, patient: Hashable) -> PatientData:
    """Collect what the circuit can use of one patient.

    Where the table holds a measure both with and without its intervals (``SICI_2`` and ``SICI``), the ones
    with are used: the other is made of them. The first visit of the table is the one before treatment.

    Raises
    ------
    InputError
        If the patient is not in the table, or has no measure the circuit knows.
    """
    own = [o for o in table.observations if str(o.patient) == str(patient)]
    if not own:
        raise InputError(f"Patient {patient}", "the table holds no measures", "check the identifier")
    known = [o for o in own if composition_of(o.measure)]
    flags = list(table.flags)
    unknown = sorted({o.measure for o in own} - {o.measure for o in known})
    if unknown:
        flags.append(Flag("measure-unknown", f"The circuit has no {', '.join(unknown)}; left out.", "info"))
    if not known:
        raise InputError(
            f"Patient {patient}",
            "no measure that the circuit knows",
            f"name measures {', '.join(USUAL)}, or with their interval as in SICI_2",
        )
    known = _without_summaries(known)
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
    if (errors < _LEAST_ERROR).any():
        flags.append(
            Flag(
                "error-floored",
                f"{int((errors < _LEAST_ERROR).sum())} value(s) come with an error of next to nothing and "
                f"are taken to be known to {100 * _LEAST_ERROR:g} %.",
                "caution",
                limit=_LEAST_ERROR,
            )
        )
        errors = np.maximum(errors, _LEAST_ERROR)
    from_baseline = visits[0] == table.visits[0]
    if not from_baseline:
        flags.append(
            Flag(
                "baseline-missing",
                f"Nothing was measured at {table.visits[0]}, so the first visit is {visits[0]} and no "
                "account of the state before treatment is preferred.",
                "caution",
            )
        )
    value = np.array([o.log_value - log_unit(o.measure) for o in known])
    return PatientData(patient, visits, keys, value, errors, tuple(flags), from_baseline)


def log_unit(name: str) -> float:
    """Return the logarithm of what a measure of the circuit is multiplied by to have a laboratory's unit."""
    return float(np.log(_RMT_TYPICAL_MSO)) if name == "RMT" else 0.0


def person_covariance(keys: tuple[tuple[int, int, str], ...], *, lasting: bool = False) -> Floats:
    """Return the covariance of observations through what people differ by, also from visit to visit.

    Parameters
    ----------
    keys : tuple of (visit, hemisphere, measure)
    lasting : bool
        Only what is the same at all visits.
    """
    covariance = np.zeros((len(keys), len(keys)))
    for i, (visit, side, name) in enumerate(keys):
        for j, (other_visit, other_side, other_name) in enumerate(keys):
            family = family_of(name)
            if family != family_of(other_name):
                continue
            shared = _PERSON_SD[family] ** 2
            across = _COMMON_TO_HEMISPHERES.get(family, _COMMON_ELSEWHERE)
            same = composition_of(name) == composition_of(other_name)
            shared *= 1.0 if same else _COMMON_TO_INTERVALS
            if lasting or visit != other_visit:
                shared *= 1.0 - _RENEWED.get(family, _RENEWED_ELSEWHERE)
            covariance[i, j] = shared * (1.0 if side == other_side else across)
            if family == "RMT":
                covariance[i, j] += _RMT_SCALE_SD**2
    return covariance


def measure_logs(circuits: Circuit, wanted: Wanted, *, dt_ms: float, engine: Engine | None = None) -> Floats:
    """Return logarithms of measures of the circuit, shape (wanted, n); NaN where it gives none.

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    wanted : tuple of (hemisphere, measure)
        ``"RMT"`` or a name of `protocols.MEASURES`.
    """
    rmt = find_thresholds(circuits, both=True, dt_ms=dt_ms, engine=engine)
    shown: dict[tuple[int, str], Floats] = {(side, "RMT"): np.log(rmt[side]) for side in (0, 1)}
    for side in sorted({side for side, _ in wanted}):
        names = sorted({name for s, name in wanted if s == side} - {"RMT"})
        turned = circuits if side == 0 else swap_hemispheres(circuits)
        responses = measure(
            turned,
            [MEASURES[n] for n in names],
            rmt=rmt if side == 0 else rmt[::-1],
            dt_ms=dt_ms,
            engine=engine,
        )
        for name, value in responses.values.items():
            if name in ("CSP", "iSP"):
                seen = np.maximum(value, _SHORTEST_SILENCE_MS)
            else:
                seen = np.hypot(value, _BACKGROUND)
            shown[side, name] = np.log(seen)
    usable = np.isfinite(rmt).all(axis=0)
    rows = [np.where(np.isfinite(shown[key]) & usable, shown[key], np.nan) for key in wanted]
    return np.stack(rows)


def _without_summaries(observations: list[Observation]) -> list[Observation]:
    detailed = {(o.visit, o.hemisphere, family_of(o.measure)) for o in observations if o.measure not in USUAL}
    return [
        o
        for o in observations
        if o.measure not in USUAL or (o.visit, o.hemisphere, o.measure) not in detailed
    ]
