"""What holds nothing to measure is refused in one sentence, so that the rest of a batch can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.errors import InputError
from sudeck.tms.signals.trials import TrialSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.tms.signals.trials import AmplitudeTable

_BASELINE_SAMPLES = 50
_LOPSIDED = 0.6
_REMEDY = "check electrode, amplifier and export"


def refuse_empty(item: TrialSet | AmplitudeTable, *, alone: bool) -> None:
    """Refuse trials that hold nothing to measure.

    Parameters
    ----------
    item : TrialSet or AmplitudeTable
    alone : bool
        Whether no other trial goes with any of these; a single one then has no interval.

    Raises
    ------
    InputError
        If every sweep is flat or holds no numbers, every amplitude is zero or missing, or there is one trial.
    """
    n, label = item.n_trials, item.source.label
    if isinstance(item, TrialSet):
        what, values, nothing = f"sweeps of {item.channel}", item.emg_mv, "flat: the signal never changes"
        empty = all(map(_is_flat, values))
    else:
        what, values, nothing = "amplitudes", item.amplitude_mv, "exactly zero"
        empty = not np.nan_to_num(values).any()
    if isinstance(item, TrialSet) and _is_rectified(item):
        raise InputError(
            label,
            f"the sweeps of {item.channel} were rectified: no sample is negative, and quiet is lopsided",
            "export the raw EMG: peak-to-peak amplitudes can not be had from this",
        )
    if not np.isfinite(values).any():
        raise InputError(label, f"all {n} {what} are missing (NaN)", _REMEDY)
    if empty:
        raise InputError(label, f"all {n} {what} are {nothing}", _REMEDY)
    if n == 1 and alone:
        raise InputError(
            label, "there is one trial only, and one gives no interval", "record or name more trials"
        )


def _is_rectified(item: TrialSet) -> bool:
    """Tell whether sweeps hold absolute values: nothing below zero, and a baseline that leans on it.

    Half of the absolute values of noise lie within 0.67 SD of zero, the other half reach to 2.6 SD.
    """
    values = item.emg_mv[np.isfinite(item.emg_mv)]
    if values.size == 0 or values.min() < 0 or item.pulse_sample < _BASELINE_SAMPLES:
        return False
    low, middle, high = np.nanquantile(item.emg_mv[:, : item.pulse_sample], [0.01, 0.5, 0.99])
    return bool(high > middle and middle - low < _LOPSIDED * (high - middle))


def _is_flat(sweep: NDArray[np.float64]) -> bool:
    finite = sweep[np.isfinite(sweep)]
    return finite.size == 0 or bool(finite.min() == finite.max())
