"""From sweeps to responses: amplitude, latency, area, duration, background, noise floor, silent period."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.tms.responses.amplitude import denoised_peak_to_peak, highpass, peak_to_peak, rectified_area
from sudeck.tms.responses.artefact import remove_decay, repeats_artefact
from sudeck.tms.responses.baseline import measure_baseline, smallest_response
from sudeck.tms.responses.contraction import active_trials, ipsilateral_trials, silent_periods_of
from sudeck.tms.responses.hum import remove_hum
from sudeck.tms.responses.latency import find_onsets
from sudeck.tms.responses.response_settings import ResponseSettings
from sudeck.tms.responses.sweep_quality import (
    flag_background,
    flag_clipping,
    flag_decay,
    flag_drift,
    flag_hum,
    flag_marker_delay,
    flag_no_response,
    flag_short_window,
    trial_subject,
)
from sudeck.tms.responses.windows import Window, as_sweeps, search_window, shortened_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sudeck.core.flags import Flag
    from sudeck.tms.signals.trials import Pulse, TrialSet
# Nothing further from the pulse than this is looked at.
_REACH_MS: Final = 600.0


@dataclass(frozen=True)
class TrialResponses:
    """What was measured on each sweep; every array has one value a trial, in the order of the sweeps.

    Attributes
    ----------
    amplitude_mv : ndarray
        Peak to peak in the search window, of every trial, with a response or not; NaN where nothing was
        recorded.
    denoised_mv : ndarray
        The same with noise held down, for comparison with a criterion (`denoised_peak_to_peak`).
    present : ndarray of bool
        Whether a response stands out of the noise.
    latency_ms, latency_spread_ms : ndarray
        Onset after the test pulse and distance between the rules that found it; NaN without a response.
    area_mv_ms, duration_ms : ndarray
        Of the rectified response from onset to end; NaN without a response.
    baseline_rms_mv : ndarray
        EMG in the 100 ms before the first pulse; NaN where the sweep begins too late.
    noise_floor_mv, denoised_floor_mv : ndarray
        Peak to peak in as long a window before the first pulse: what `amplitude_mv` and `denoised_mv` are
        without a response.
    csp_ms, csp_return_ms : ndarray
        Duration of the silent period, and return of the EMG after the pulse; NaN where not measured.
    csp_censored : ndarray of bool
        Whether the EMG had not returned: both are then the least they can be.
    search_ms : (float, float)
        Search window that was used.
    settings : ResponseSettings
        How it was measured.
    flags : tuple of Flag
        Those of the sweeps and those found here; ``"trial 3"`` is the subject of those on one sweep.

    Examples
    --------
    See `measure_responses`.
    """

    amplitude_mv: NDArray[np.float64]
    denoised_mv: NDArray[np.float64]
    present: NDArray[np.bool_]
    latency_ms: NDArray[np.float64]
    latency_spread_ms: NDArray[np.float64]
    area_mv_ms: NDArray[np.float64]
    duration_ms: NDArray[np.float64]
    baseline_rms_mv: NDArray[np.float64]
    noise_floor_mv: NDArray[np.float64]
    denoised_floor_mv: NDArray[np.float64]
    csp_ms: NDArray[np.float64]
    csp_return_ms: NDArray[np.float64]
    csp_censored: NDArray[np.bool_]
    search_ms: Window
    settings: ResponseSettings
    flags: tuple[Flag, ...] = ()

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return int(self.amplitude_mv.size)

    @property
    def flag_codes(self) -> tuple[tuple[str, ...], ...]:
        """Codes of the flags on each trial, in the order of the trials."""
        by_subject: dict[str, list[str]] = {}
        for flag in self.flags:
            by_subject.setdefault(flag.subject, []).append(flag.code)
        return tuple(tuple(by_subject.get(trial_subject(trial), ())) for trial in range(self.n_trials))

    def flagged(self, *codes: str) -> NDArray[np.bool_]:
        """Return which trials carry a flag of one of these codes, or any flag when none is named."""
        wanted = set(codes)
        return np.array(
            [bool(wanted.intersection(own)) if wanted else bool(own) for own in self.flag_codes], dtype=bool
        )

    def __str__(self) -> str:
        text = f"{int(self.present.sum())} responses in {self.n_trials} trials"
        if np.isfinite(self.amplitude_mv).any():
            text += f", median amplitude {np.nanmedian(self.amplitude_mv):.3f} mV"
        if self.present.any():
            text += f", onset {np.nanmedian(self.latency_ms):.1f} ms"
        if np.isfinite(self.csp_ms).any():
            text += f", silent period {np.nanmedian(self.csp_ms):.0f} ms"
        return text

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON-ready values; NaN becomes ``None``."""
        plain: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                plain[item.name] = [None if np.isnan(one) else one for one in value.tolist()]
        return {
            **plain,
            "search_ms": list(self.search_ms),
            "settings": self.settings.to_dict(),
            "flags": [flag.to_dict() for flag in self.flags],
        }


def measure_responses(
    trials: TrialSet,
    *,
    settings: ResponseSettings | None = None,
    onset_ms: NDArray[np.float64] | None = None,
) -> TrialResponses:
    """Measure the response in every sweep of a set.

    Mains hum is subtracted where it is found, and the decay of the artefact where it reaches the response;
    otherwise amplitudes are measured on the sweeps as they were recorded. Baseline and noise floor come
    from before the first pulse of a pair. A response is *present* when it exceeds both the noise floor of
    its own sweep and that of 95 % of the sweeps (see `find_onsets`).

    Parameters
    ----------
    trials : TrialSet
        Sweeps of one muscle, aligned to their test pulse.
    settings : ResponseSettings, optional
    onset_ms : ndarray, shape (n_trials,), optional
        Onsets that a person stated, in ms after the test pulse; NaN where none was.

    Returns
    -------
    TrialResponses

    Raises
    ------
    InputError
        If the sweeps are too short for the search window.

    Examples
    --------
    >>> from sudeck.core.provenance import SourceFile
    >>> from sudeck.tms.signals.trials import Pulse, TrialSet
    >>> time_ms = np.arange(-200.0, 200.0, 0.2)
    >>> shape = np.where((time_ms > 22) & (time_ms < 32), np.sin((time_ms - 22) * np.pi / 5), 0.0)
    >>> noise = 0.002 * np.random.default_rng(1).standard_normal((20, time_ms.size))
    >>> source = SourceFile("example", "0" * 64, 0)
    >>> pulses = (Pulse(float("nan"), "single", muscle="FDI"),) * 20
    >>> print(measure_responses(TrialSet(noise + shape, 5000.0, 1000, pulses, "FDI", source)))
    20 responses in 20 trials, median amplitude 1.997 mV, onset 22.0 ms
    """
    settings = settings or ResponseSettings()
    rate_hz = trials.rate_hz
    raw, pulse_sample = _near_pulse(trials)
    lead_ms = np.array([pulse.isi_ms or 0.0 for pulse in trials.pulses])
    muscle = next((pulse.muscle for pulse in trials.pulses if pulse.muscle), trials.channel)
    wanted_ms = settings.search_ms or search_window(muscle)
    search_ms = shortened_window(
        wanted_ms, rate_hz=rate_hz, pulse_sample=pulse_sample, n_samples=raw.shape[1]
    )

    sweeps = raw if settings.highpass_hz is None else highpass(raw, rate_hz, cutoff_hz=settings.highpass_hz)
    flags: list[Flag] = [*trials.flags, *flag_short_window(wanted_ms, search_ms)]
    if settings.take_out_hum:
        hum = remove_hum(
            sweeps,
            rate_hz,
            pulse_sample,
            mains_hz=settings.mains_hz,
            response_ms=(-3.0 - float(lead_ms.max(initial=0.0)), 100.0),
        )
        sweeps = hum.emg_mv
        flags += flag_hum(hum.mains_hz, hum.amplitude_mv, limits=settings.limits)

    before = measure_baseline(sweeps, rate_hz, pulse_sample, lead_ms, search_ms)
    if settings.take_out_decay:
        decay = remove_decay(
            sweeps,
            rate_hz,
            pulse_sample,
            search_begin_ms=search_ms[0],
            baseline_mv=before.level_mv,
            noise_sd_mv=before.noise_mv,
            smallest_mv=settings.limits.artefact_mv,
        )
        sweeps = decay.emg_mv
        flags += flag_decay(decay.reach_mv, limits=settings.limits)

    alive = np.isfinite(raw).all(axis=1) & (np.ptp(raw, axis=1) > 0)
    amplitude = peak_to_peak(
        sweeps, rate_hz, pulse_sample, window_ms=search_ms, oversample=settings.oversample
    )
    denoised = denoised_peak_to_peak(sweeps, rate_hz, pulse_sample, window_ms=search_ms)
    onsets = find_onsets(
        sweeps,
        rate_hz,
        pulse_sample,
        window_ms=search_ms,
        level_mv=before.level_mv,
        noise_sd_mv=before.noise_mv,
        smallest_mv=smallest_response(before.floor_mv),
    )
    repeats = onsets.present & repeats_artefact(sweeps, rate_hz, pulse_sample, window_ms=search_ms)
    onsets = onsets.without(repeats)
    if onset_ms is not None:
        onsets = onsets.moved(onset_ms)
        repeats = repeats & ~np.isfinite(onset_ms)
    flags += flag_no_response(onsets.begins_early, repeats)
    area = rectified_area(
        sweeps, rate_hz, pulse_sample, onset_ms=onsets.latency_ms, offset_ms=onsets.offset_ms
    )
    active = active_trials(trials.pulses, before.rms_mv, settings)
    pauses = silent_periods_of(sweeps, rate_hz, pulse_sample, trials.pulses, lead_ms, active)
    begin_ms = {
        "mep": np.where(
            onsets.present & ~ipsilateral_trials(trials.pulses), onsets.latency_ms, pauses.onset_ms
        ),
        "pulse": np.zeros(len(sweeps)),
        "silence": pauses.onset_ms,
    }[settings.silent_period_from]

    flags += flag_background(before.rms_mv, ~active, limits=settings.limits)
    flags += flag_clipping(raw, rate_hz, pulse_sample)
    if all(flag.code != "marker-delay" for flag in trials.flags):
        paired_isi_ms = np.where(lead_ms > 0, lead_ms, np.nan)
        flags += flag_marker_delay(raw, rate_hz, pulse_sample, isi_ms=paired_isi_ms, limits=settings.limits)
    amplitude = np.where(alive, amplitude, np.nan)
    flags += flag_drift(amplitude, _conditions(trials.pulses), limits=settings.limits)
    return TrialResponses(
        amplitude_mv=amplitude,
        denoised_mv=np.where(alive, denoised, np.nan),
        present=onsets.present,
        latency_ms=onsets.latency_ms,
        latency_spread_ms=onsets.spread_ms,
        area_mv_ms=area,
        duration_ms=onsets.duration_ms,
        baseline_rms_mv=np.where(alive, before.rms_mv, np.nan),
        noise_floor_mv=np.where(alive, before.floor_mv, np.nan),
        denoised_floor_mv=np.where(alive, before.denoised_floor_mv, np.nan),
        csp_ms=pauses.offset_ms - begin_ms,
        csp_return_ms=pauses.offset_ms,
        csp_censored=pauses.censored,
        search_ms=search_ms,
        settings=settings,
        flags=tuple({(flag.code, flag.subject): flag for flag in reversed(flags)}.values())[::-1],
    )


def _near_pulse(trials: TrialSet) -> tuple[NDArray[np.float64], int]:
    """Return the sweeps cut to 600 ms on either side of the pulse, and the column of the pulse there."""
    sweeps = as_sweeps(trials.emg_mv, trials.rate_hz, trials.pulse_sample)
    reach = round(_REACH_MS * trials.rate_hz / 1e3)
    first = max(trials.pulse_sample - reach, 0)
    return sweeps[:, first : trials.pulse_sample + reach + 1], trials.pulse_sample - first


def _conditions(pulses: Sequence[Pulse]) -> list[object]:
    """Return what makes trials alike, for each: label, interval, intensities, hemisphere."""
    return [
        " ".join(
            f"{name} {value:g} {unit}".strip() if isinstance(value, float) else str(value)
            for name, value, unit in (
                ("", pulse.condition or None, ""),
                ("ISI", pulse.isi_ms, "ms"),
                ("at", pulse.test_mso, "%MSO"),
                ("at", pulse.test_rmt, "%RMT"),
                ("after", pulse.conditioning_mso, "%MSO"),
                ("after", pulse.conditioning_rmt, "%RMT"),
                ("", pulse.hemisphere, ""),
            )
            if value is not None
        )
        for pulse in pulses
    ]
