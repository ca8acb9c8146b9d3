"""Stimulation protocols as data: which pulses, which trial they are compared with, what is read.

Intensities are in RMT of the stimulated hemisphere; times count from the test pulse. Hemisphere 0 is the
tested one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sudeck.circuit.steppers.stimulus import CircuitPulse

Readout = Literal["mep", "silent_period", "ipsilateral_area"]

# Steady drive of a moderate voluntary contraction, in mV onto the corticospinal cells; assumed.
CONTRACTION_MV: Final = 4.5
TEST: Final = 1.2
LICI_INTENSITY: Final = 1.2
SICI_INTENSITY: Final = 0.8
IHI_INTENSITY: Final = 1.2


@dataclass(frozen=True, slots=True)
class CircuitTrial:
    """Pulses up to the test pulse at time 0.

    Attributes
    ----------
    pulses : tuple of Pulse
        In order of time; the last one at 0 (for the ipsilateral silent period it is the only one, and it
        stimulates the other hemisphere).
    contraction_mv : float
        Voluntary drive.
    """

    pulses: tuple[CircuitPulse, ...]
    contraction_mv: float = 0.0


@dataclass(frozen=True, slots=True)
class Measure:
    """One number: what a trial shows, or its ratio to what another shows."""

    name: str
    trial: CircuitTrial
    over: CircuitTrial | None = None
    readout: Readout = "mep"
    unit: str = ""


def single(intensity: float = TEST) -> CircuitTrial:
    """Return one test pulse."""
    return CircuitTrial((CircuitPulse(0.0, intensity),))


def conditioned(*before: tuple[float, float, int], test: float = TEST) -> CircuitTrial:
    """Return a test pulse after pulses given as (ms before it, intensity in RMT, hemisphere)."""
    ordered = sorted(before, reverse=True)
    return CircuitTrial(
        (*(CircuitPulse(-ms, intensity, side) for ms, intensity, side in ordered), CircuitPulse(0.0, test))
    )


def paired(name: str, isi_ms: float, intensity: float, hemisphere: int = 0) -> Measure:
    """Return a conditioned over an unconditioned response."""
    return Measure(f"{name}_{isi_ms:g}", conditioned((isi_ms, intensity, hemisphere)), single())


MEP_INTENSITIES: Final = (1.0, 1.1, 1.2, 1.3, 1.4, 1.6)
SICI_ISIS_MS: Final = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
ICF_ISIS_MS: Final = (8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0)
LICI_ISIS_MS: Final = (50.0, 100.0, 150.0, 200.0)
IHI_ISIS_MS: Final = (6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 70.0)
SICF_ISIS_MS: Final = (1.0, 1.5, 2.1, 2.7, 3.5, 4.5)
SICF_TEST: Final = 0.9  # given after a pulse of `TEST`: too weak to give a response of its own
LATE_ISIS_MS: Final = (150.0, 180.0, 200.0, 220.0, 250.0, 300.0, 400.0)

_CSP: Final = Measure(
    "CSP", CircuitTrial((CircuitPulse(0.0, TEST),), CONTRACTION_MV), None, "silent_period", "ms"
)
_ISP: Final = Measure(
    "iSP", CircuitTrial((CircuitPulse(0.0, 1.4, 1),), CONTRACTION_MV), None, "ipsilateral_area", "ms"
)

# Where recruitment has ended: fitted, and not among the measures of a patient.
MEP_AT_THE_END: Final = Measure("MEP_1.8", single(1.8), None, "mep", "mV")

# Three pulses stand in `interactions`: their test pulse is matched to a response.
PATIENT_PROTOCOLS: Final[dict[str, tuple[Measure, ...]]] = {
    "recruitment": tuple(Measure(f"MEP_{i:g}", single(i), None, "mep", "mV") for i in MEP_INTENSITIES),
    "sici": tuple(paired("SICI", isi, SICI_INTENSITY) for isi in SICI_ISIS_MS),
    "icf": tuple(paired("ICF", isi, SICI_INTENSITY) for isi in ICF_ISIS_MS),
    "lici": tuple(paired("LICI", isi, LICI_INTENSITY) for isi in LICI_ISIS_MS),
    "csp": (_CSP,),
    "isp": (_ISP,),
    "ihi": tuple(paired("IHI", isi, IHI_INTENSITY, 1) for isi in IHI_ISIS_MS),
}
MEASURES: Final[dict[str, Measure]] = {m.name: m for ms in PATIENT_PROTOCOLS.values() for m in ms}
# Shown, and neither fitted nor asked of a patient.
PROTOCOLS: Final = PATIENT_PROTOCOLS | {
    "sicf": tuple(
        Measure(f"SICF_{isi:g}", conditioned((isi, TEST, 0), test=SICF_TEST), single(TEST))
        for isi in SICF_ISIS_MS
    ),
    "disinhibition": tuple(paired("LICI", isi, LICI_INTENSITY) for isi in LATE_ISIS_MS),
}
