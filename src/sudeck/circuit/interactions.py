"""Three pulses: how one inhibition behaves beside another. IHI after SICI and ICF is fitted."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sudeck.circuit.engines import Engine, default_engine
from sudeck.circuit.parameters import Circuit, Floats
from sudeck.circuit.protocols import (
    IHI_INTENSITY,
    LICI_INTENSITY,
    SICI_INTENSITY,
    CircuitTrial,
    Measure,
    conditioned,
    single,
)
from sudeck.circuit.readout import find_intensity, find_thresholds, read_trials
from sudeck.circuit.simulation import DT_MS
from sudeck.circuit.steppers.stimulus import CircuitPulse

SICI_ISI_MS: Final = 2.0
ICF_ISI_MS: Final = 10.0
LICI_ISI_MS: Final = 100.0
IHI_ISI_MS: Final = 10.0
_SICI: Final = (SICI_ISI_MS, SICI_INTENSITY, 0)


# Pulses to the hemisphere that IHI comes from, before its own.
_BEFORE_IHI: Final = {
    "SICI": (IHI_ISI_MS + SICI_ISI_MS, SICI_INTENSITY, 1),
    "ICF": (IHI_ISI_MS + ICF_ISI_MS, SICI_INTENSITY, 1),
    "LICI": (IHI_ISI_MS + LICI_ISI_MS, LICI_INTENSITY, 1),
}
AFTER: Final = {
    f"IHI_10_after_{name}": Measure(
        f"IHI_10_after_{name}",
        conditioned((IHI_ISI_MS, IHI_INTENSITY, 1), before),
        conditioned(before),
    )
    for name, before in _BEFORE_IHI.items()
}


class Interactions(NamedTuple):
    """Ratios of n circuits; each array has shape (n,).

    Attributes
    ----------
    sici, sici_with_lici, sici_with_ihi : array
        SICI alone, and with the other inhibition present, its response matched by a stronger test pulse.
        Found in people: weaker with LICI (Sanger 2001) and with IHI (Daskalakis 2002), so larger ratios.
    ihi, ihi_after_sici, ihi_after_lici, ihi_after_icf : array
        IHI when pulses to the hemisphere it comes from precede its conditioning pulse, over the response
        after those pulses without the conditioning pulse. Found in people
        (Journal of Physiology 2007, PMC2075444): weaker after SICI and LICI, unchanged after ICF.
    """

    sici: Floats
    sici_with_lici: Floats
    sici_with_ihi: Floats
    ihi: Floats
    ihi_after_sici: Floats
    ihi_after_lici: Floats
    ihi_after_icf: Floats


def measure_interactions(
    circuits: Circuit, *, dt_ms: float = DT_MS, engine: Engine | None = None
) -> Interactions:
    """Measure every circuit with two conditioning pulses.

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    dt_ms : float
    engine : {"numba", "numpy"}, optional
    """
    engine = engine or default_engine()
    rmt = find_thresholds(circuits, both=True, dt_ms=dt_ms, engine=engine)
    lici, ihi = (LICI_ISI_MS, LICI_INTENSITY, 0), (IHI_ISI_MS, IHI_INTENSITY, 1)
    plain = [single(), conditioned(_SICI), conditioned(ihi)]
    plain += [
        trial for before in _BEFORE_IHI.values() for trial in (conditioned(before), conditioned(ihi, before))
    ]
    shown = read_trials(circuits, [(trial, "mep") for trial in plain], rmt, dt_ms=dt_ms, engine=engine)
    alone = shown[single(), "mep"]
    after = {
        name: shown[conditioned(ihi, before), "mep"] / shown[conditioned(before), "mep"]
        for name, before in _BEFORE_IHI.items()
    }
    return Interactions(
        sici=shown[conditioned(_SICI), "mep"] / alone,
        sici_with_lici=_with(circuits, lici, alone, rmt, dt_ms, engine),
        sici_with_ihi=_with(circuits, ihi, alone, rmt, dt_ms, engine),
        ihi=shown[conditioned(ihi), "mep"] / alone,
        ihi_after_sici=after["SICI"],
        ihi_after_lici=after["LICI"],
        ihi_after_icf=after["ICF"],
    )


def _with(
    circuits: Circuit,
    present: tuple[float, float, int],
    response_mv: Floats,
    rmt: Floats,
    dt_ms: float,
    engine: Engine,
) -> Floats:
    """Return SICI while another inhibition is present and the test pulse makes up for it."""
    before = CircuitTrial((CircuitPulse(-present[0], present[1], present[2]),))
    matched = find_intensity(circuits, response_mv, before=before, rmt=rmt, dt_ms=dt_ms, engine=engine)
    alone, both = conditioned(present), conditioned(present, _SICI)
    shown = read_trials(
        circuits,
        [(alone, "mep"), (both, "mep")],
        rmt,
        test_intensity=matched,
        dt_ms=dt_ms,
        engine=engine,
    )
    return np.asarray(shown[both, "mep"] / shown[alone, "mep"])
