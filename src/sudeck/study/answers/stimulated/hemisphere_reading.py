"""One measured number of one hemisphere at one visit, placed on the pain side or the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sudeck.core.vocabulary import Side

# The measures that are explained, in the order they are listed.
MEASURES: Final = ("RMT", "MEP", "SICI", "ICF", "LICI", "CSP", "iSP", "IHI", "SAI")
PAIRED: Final = ("SICI", "ICF", "LICI", "IHI", "SAI")
# Protocols name intensities in tens of per cent of the threshold, and set them from a threshold found in
# steps of the stimulator: what was set is taken for the nearest named intensity.
INTENSITY_STEP: Final = 10.0
# Below, in per cent of a measured threshold, a response lies on the foot of its recruitment curve, where an
# error of one per cent moves it more than a treatment would.
LEAST_DERIVED_INTENSITY: Final = 115.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured number of one hemisphere at one visit.

    Attributes
    ----------
    patient, session, visit : str
    hemisphere : {"pain", "other"}
        Of the tested hemisphere; for IHI that of the test pulse, for iSP the one that moves the muscle.
    side : {"left", "right"}
        The same hemisphere as recorded.
    muscle : str
    measure : str
        One of `MEASURES`.
    cell : str
        What tells two readings of one measure apart: ``"2.5"`` (interval in ms), ``"1.2"`` (intensity of an
        MEP over the threshold); empty where there is but one.
    isi_ms : float or None
    conditioning_rmt : float or None
        Conditioning intensity in per cent of the resting threshold of its hemisphere, as far as known.
    intensity : str
        Test intensity as recorded.
    value, low, high, level : float
        Estimate and interval; a bound may be infinite.
    log_se : float
        Standard error of the natural logarithm; NaN where none is known.
    shared_variance : float
        Part of ``log_se ** 2`` that comes from the unconditioned response, which the intervals share; NaN
        where it is not known.
    unit : str
    n : float or None
    n_unit : str
    over_threshold : float or None
        Test intensity of an MEP in per cent of the threshold that was measured at that visit.
    of_pairs : bool
        Whether an MEP is that of the test pulse of pairs, whose intensity is stated in %MSO.
    """

    patient: str
    session: str
    visit: str
    hemisphere: str
    side: Side
    muscle: str
    measure: str
    cell: str
    isi_ms: float | None
    conditioning_rmt: float | None
    intensity: str
    value: float
    low: float
    high: float
    level: float
    log_se: float
    shared_variance: float
    unit: str
    n: float | None
    n_unit: str
    over_threshold: float | None = None
    of_pairs: bool = False

    @property
    def name(self) -> str:
        """Measure and cell, as the circuit names it: ``"SICI_2.5"``, ``"MEP_1.2"``, ``"RMT"``."""
        return f"{self.measure}_{self.cell}" if self.cell else self.measure
