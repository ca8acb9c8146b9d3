"""Which sweeps are of a contracting muscle, and the silent period of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sudeck.tms.responses.silent_period import (
    CONTRALATERAL_MS,
    IPSILATERAL_MS,
    SilentPeriods,
    find_silent_periods,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sudeck.tms.responses.response_settings import ResponseSettings
    from sudeck.tms.signals.trials import Pulse


def active_trials(
    pulses: Sequence[Pulse], rms_mv: NDArray[np.float64], settings: ResponseSettings
) -> NDArray[np.bool_]:
    """Return which sweeps have a silent period to be measured: those of a contracting muscle."""
    if settings.silent_period != "auto":
        return np.full(rms_mv.shape, settings.silent_period == "always")
    given = np.array([pulse.state or "" for pulse in pulses])
    unstated = given == ""
    known = rms_mv[unstated & np.isfinite(rms_mv)]
    contracting = known.size > 0 and float(np.median(known)) > settings.active_mv
    return np.asarray((given == "active") | (unstated & contracting))


def ipsilateral_trials(pulses: Sequence[Pulse]) -> NDArray[np.bool_]:
    """Return which sweeps are of a muscle on the side of the stimulated hemisphere."""
    return np.array(
        [pulse.hemisphere is not None and pulse.hemisphere == pulse.muscle_side for pulse in pulses]
    )


def silent_periods_of(
    sweeps: NDArray[np.float64],
    rate_hz: float,
    pulse_sample: int,
    pulses: Sequence[Pulse],
    lead_ms: NDArray[np.float64],
    active: NDArray[np.bool_],
) -> SilentPeriods:
    """Find the silent period of each active sweep, contralateral or ipsilateral as its pulse says.

    Parameters
    ----------
    sweeps : ndarray, shape (n_trials, n_samples)
        In millivolts.
    pulses : sequence of Pulse
        One a trial.
    lead_ms : ndarray, shape (n_trials,)
        How long before the test pulse the first pulse came: the EMG before that one is the measure.
    active : ndarray of bool, shape (n_trials,)
        Sweeps to be measured; the others get NaN.
    """
    n_trials = len(sweeps)
    onset, offset, depth = (np.full(n_trials, np.nan) for _ in range(3))
    censored = np.zeros(n_trials, dtype=bool)
    ipsilateral = ipsilateral_trials(pulses)
    for lead, same_side in sorted(
        {(float(lead_ms[k]), bool(ipsilateral[k])) for k in np.flatnonzero(active)}
    ):
        rows = np.flatnonzero(active & (lead_ms == lead) & (ipsilateral == same_side))
        found = find_silent_periods(
            sweeps[rows],
            rate_hz,
            pulse_sample,
            search_ms=IPSILATERAL_MS if same_side else CONTRALATERAL_MS,
            baseline_ms=(-105.0 - lead, -5.0 - lead),
            quiet_span_ms=10.0 if same_side else 20.0,
        )
        onset[rows], offset[rows] = found.onset_ms, found.offset_ms
        censored[rows], depth[rows] = found.censored, found.depth
    return SilentPeriods(onset, offset, censored, depth)
