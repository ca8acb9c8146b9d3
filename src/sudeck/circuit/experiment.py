"""One protocol on the reference circuits, with and without a change of their synapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.circuit.drugs import apply_factors
from sudeck.circuit.engines import Engine, default_engine
from sudeck.circuit.interactions import measure_interactions
from sudeck.circuit.parameters import Circuit, Floats, select
from sudeck.circuit.protocols import MEP_INTENSITIES, PROTOCOLS, Measure
from sudeck.circuit.readout import measure
from sudeck.circuit.reference import load_reference
from sudeck.circuit.simulation import DT_MS, check_stable, find_instability
from sudeck.circuit.trial_spread import trial_variation
from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.record import Record

_LEAST_STABLE: Final = 0.5  # share of the circuits that a change must leave stable
_SPREAD: Final = "CV"  # of single trials at an intensity
PROTOCOL_NAMES: Final = ("rmt", *PROTOCOLS, "triple")


@dataclass(frozen=True, slots=True)
class Row(Record):
    """One measure: without the change, with it, and the ratio of the two."""

    name: str
    unit: str
    baseline: Estimate
    changed: Estimate
    ratio: Estimate


@dataclass(frozen=True)
class Experiment(Record):
    """What a protocol shows on the reference circuits.

    Attributes
    ----------
    protocol : str
    factors : Mapping[str, float]
        What groups of synapses (`drugs.SYNAPSES`) were multiplied by, or what was added (`drugs.SHIFTS`).
    rows : tuple of Row
        The first is the resting motor threshold; intervals are the range over the circuits.
    left_out : int
        Circuits that the change makes unstable.
    """

    protocol: str
    factors: Mapping[str, float]
    rows: tuple[Row, ...]
    left_out: int = 0


def run_experiment(
    protocol: str,
    factors: Mapping[str, float] | None = None,
    *,
    circuits: Circuit | None = None,
    dt_ms: float = DT_MS,
    engine: Engine | None = None,
) -> Experiment:
    """Run a protocol on circuits before and after a change of their synapses.

    The motor threshold is found anew after the change, as a laboratory would.

    Parameters
    ----------
    protocol : str
        One of `PROTOCOL_NAMES`.
    factors : Mapping[str, float], optional
        Names of `drugs.SYNAPSES`; both hemispheres.
    circuits : Circuit, optional
        The reference circuits unless given.
    dt_ms, engine
        As in `measures.measure`.

    Raises
    ------
    InputError
        If the protocol or a factor is unknown, or most changed circuits are unstable, or one never responds.
    """
    if protocol not in PROTOCOL_NAMES:
        raise InputError(f"Protocol {protocol!r}", "it is unknown", f"use one of {', '.join(PROTOCOL_NAMES)}")
    engine = engine or default_engine()
    before = load_reference() if circuits is None else circuits
    after = apply_factors(before, dict(factors or {}))
    before, after, left_out = _keep_stable(before, after, engine)
    measures = PROTOCOLS.get(protocol, ())
    first = _measure(protocol, measures, before, dt_ms, engine)
    second = _measure(protocol, measures, after, dt_ms, engine) if factors else first
    units = {m.name: m.unit for m in measures}
    rows = [
        Row(
            name,
            units.get(name, ""),
            summarise(name, first[name], units.get(name, "")),
            summarise(name, second[name], units.get(name, "")),
            summarise(f"{name} ratio", second[name] / first[name]),
        )
        for name in first
    ]
    return Experiment(protocol, dict(factors or {}), tuple(rows), left_out)


def _keep_stable(before: Circuit, after: Circuit, engine: Engine) -> tuple[Circuit, Circuit, int]:
    """Leave out circuits that the change makes unstable; refuse where that is most of them."""
    stable = np.array([not problem for problem in find_instability(after, engine=engine)])
    if stable.mean() < _LEAST_STABLE:
        check_stable(after, engine=engine)
    kept = np.flatnonzero(stable)
    return select(before, kept), select(after, kept), int((~stable).sum())


def summarise(name: str, values: Floats, unit: str = "") -> Estimate:
    """Return the median over circuits with their range; those that show none are left out.

    The range of n independent draws holds a further one with probability (n − 1)/(n + 1): its level.
    """
    values = values[np.isfinite(values)]
    n = values.size
    if not n:
        raise InputError("The circuit", f"no circuit shows {name}", "use factors nearer to 1")
    middle = float(np.median(values))
    return Estimate(
        name,
        middle,
        float(values.min()),
        float(values.max()),
        level=(n - 1) / (n + 1) if n > 1 else 0.5,
        unit=unit,
        method="median and range over the reference circuits",
        n=n,
        n_unit="circuits",
    )


def _measure(
    protocol: str, measures: Sequence[Measure], circuits: Circuit, dt_ms: float, engine: Engine
) -> dict[str, Floats]:
    shown = measure(circuits, measures, dt_ms=dt_ms, engine=engine)
    if np.isnan(shown.rmt).any():
        raise InputError(
            "The circuit",
            "no pulse up to 1.8 of the reference threshold gives a response of 50 µV",
            "use factors nearer to 1",
        )
    values = {"RMT": shown.rmt[0]} | shown.values
    if protocol == "recruitment":
        spread = trial_variation(circuits, MEP_INTENSITIES, rmt=shown.rmt, dt_ms=dt_ms, engine=engine)
        values |= {f"{_SPREAD}_{x:g}": row for x, row in zip(MEP_INTENSITIES, spread, strict=True)}
    if protocol == "triple":
        values |= measure_interactions(circuits, dt_ms=dt_ms, engine=engine)._asdict()
    return values
