"""Onset of the response by three unlike published rules, their median and spread; its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.tms.responses.windows import DEFAULT_SEARCH_MS, Window, as_sweeps, clip_window, window_slice

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

RULES: Final = ("threshold", "slope", "change point")

# What every rule treats as noise: the EMG before the pulse, but never less than 2 % of the response itself.
# Without that, a large response seems to begin where its faint forerunners leave a quiet baseline.
_SMALLEST_FRACTION: Final = 0.02

_QUIET_MS: Final = 1.0
_THRESHOLD_SDS: Final = 3.0
_SLOPE_FRACTION: Final = 0.10
_SLOPE_SPAN_MS: Final = 1.0
_FURTHEST_BEFORE_PEAK_MS: Final = 12.0
_BASELINE_MS: Final[Window] = (-105.0, -5.0)


@dataclass(frozen=True)
class Onsets:
    """Begin and end of each response.

    Attributes
    ----------
    latency_ms : ndarray, shape (n_trials,)
        Median of the three rules, in ms after the pulse; NaN where there is no response.
    spread_ms : ndarray, shape (n_trials,)
        Latest minus earliest rule: how far the definition alone moves the onset.
    by_rule_ms : dict of str to ndarray, shape (n_trials,)
        Each rule by its name, see `RULES`.
    offset_ms : ndarray, shape (n_trials,)
        End of the response, see `find_onsets`.
    present : ndarray of bool, shape (n_trials,)
        Whether a response stands out of the noise.
    begins_early : ndarray of bool, shape (n_trials,)
        Whether what stands out had begun before the window opened, and is not taken for a response.
    """

    latency_ms: NDArray[np.float64]
    spread_ms: NDArray[np.float64]
    by_rule_ms: dict[str, NDArray[np.float64]]
    offset_ms: NDArray[np.float64]
    present: NDArray[np.bool_]
    begins_early: NDArray[np.bool_]

    @property
    def duration_ms(self) -> NDArray[np.float64]:
        """Time from onset to end of each response."""
        return np.asarray(self.offset_ms - self.latency_ms)

    def without(self, dropped: NDArray[np.bool_]) -> Onsets:
        """Return the same with some responses taken for none."""

        def cleared(values: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.where(dropped, np.nan, values)

        return Onsets(
            cleared(self.latency_ms),
            cleared(self.spread_ms),
            {rule: cleared(values) for rule, values in self.by_rule_ms.items()},
            cleared(self.offset_ms),
            self.present & ~dropped,
            self.begins_early,
        )

    def moved(self, onset_ms: NDArray[np.float64]) -> Onsets:
        """Return the same with the onsets that a person stated; NaN leaves what was found.

        Who states an onset sees a response. Spread and rules stay as they were found.
        """
        stated = np.isfinite(onset_ms)
        return replace(
            self,
            latency_ms=np.where(stated, onset_ms, self.latency_ms),
            present=self.present | stated,
            begins_early=self.begins_early & ~stated,
        )

    def __str__(self) -> str:
        found = int(self.present.sum())
        if not found:
            return f"no response in {self.present.size} trials"
        return (
            f"{found} responses in {self.present.size} trials, onset {np.nanmedian(self.latency_ms):.1f} ms "
            f"(rules {np.nanmedian(self.spread_ms):.1f} ms apart)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the medians over trials as plain JSON-ready values."""
        found = bool(self.present.any())
        return {
            "n_trials": int(self.present.size),
            "n_present": int(self.present.sum()),
            "median_latency_ms": float(np.nanmedian(self.latency_ms)) if found else None,
            "median_spread_ms": float(np.nanmedian(self.spread_ms)) if found else None,
        }


def find_onsets(
    emg_mv: ArrayLike,
    rate_hz: float,
    pulse_sample: int,
    *,
    window_ms: Window = DEFAULT_SEARCH_MS,
    level_mv: ArrayLike | None = None,
    noise_sd_mv: ArrayLike | None = None,
    smallest_mv: ArrayLike = 0.0,
) -> Onsets:
    """Find begin and end of each response by three rules that fail in different ways.

    All three look back from the first of the two extremes of the response, on data smoothed symmetrically
    and by no more than a millisecond:

    *threshold*
        the end of the last millisecond in which the EMG stays below 3 SD of the baseline; after
        Hodges & Bui 1996, Electroenceph Clin Neurophysiol 101:511-519, doi 10.1016/S0921-884X(96)95190-5.
    *slope*
        the begin of the unbroken rise to the first extreme, where the smoothed slope falls to a tenth of
        its steepest; after Bigoni et al. 2022, J Neural Eng 19, doi 10.1088/1741-2552/ac636c.
    *change point*
        where a change of variance from that of the baseline is most likely; the likelihood ratio of
        Staude & Wolf 1999, Med Eng Phys 21:449-467.

    "Noise" is at least 2 % of the response for the first and the third, which frees the onset from the
    size of the response and from the quiet of the amplifier.

    A response is *present* when it is larger than `smallest_mv`, either extreme stands 5 noise SD from the
    baseline, and a quiet millisecond in the window comes before it; without one it `begins_early`: it is
    the tail of an artefact, or the window opens too late for this muscle. Its end is the begin of the
    first 5 ms after both extremes that stay below 3 noise SD or 5 % of the response, whichever is more,
    and the end of the window at the latest.

    Parameters
    ----------
    emg_mv : array_like, shape (n_trials, n_samples)
        Sweeps in millivolts, unfiltered, hum and artefact dealt with.
    rate_hz : float
        Samples a second.
    pulse_sample : int
        Column of the pulse.
    window_ms : (float, float)
        Where the response is looked for.
    level_mv, noise_sd_mv : array_like, shape (n_trials,), optional
        Level and SD of the EMG without a response; median and SD of the 100 ms before the pulse unless
        given. Give them where a conditioning pulse comes that early.
    smallest_mv : array_like
        Peak-to-peak amplitude a response must exceed: one number, or one a trial.

    Returns
    -------
    Onsets

    Examples
    --------
    >>> time_ms = np.arange(-100, 100, 0.2)
    >>> shape = np.where((time_ms > 22) & (time_ms < 32), np.sin((time_ms - 22) * np.pi / 5), 0.0)
    >>> noise = 0.002 * np.random.default_rng(1).standard_normal((20, time_ms.size))
    >>> print(find_onsets(noise + shape, 5000.0, 500))
    20 responses in 20 trials, onset 22.0 ms (rules 0.4 ms apart)
    """
    sweeps = as_sweeps(emg_mv, rate_hz, pulse_sample)
    n_samples = sweeps.shape[1]
    columns = window_slice(
        window_ms, rate_hz=rate_hz, pulse_sample=pulse_sample, n_samples=n_samples, name="search window"
    )
    complete = np.asarray(np.isfinite(sweeps).all(axis=1))
    values = sweeps if complete.all() else np.where(complete[:, np.newaxis], sweeps, 0.0)
    before = _before(values, rate_hz, pulse_sample)
    level = np.median(before, axis=1) if level_mv is None else np.broadcast_to(level_mv, len(sweeps))
    noise = before.std(axis=1) if noise_sd_mv is None else np.broadcast_to(noise_sd_mv, len(sweeps))
    response = values[:, columns] - level[:, np.newaxis]

    size = np.ptp(response, axis=1)
    effective = np.maximum(noise, _SMALLEST_FRACTION * size)
    early = np.minimum(response.argmax(axis=1), response.argmin(axis=1))
    late = np.maximum(response.argmax(axis=1), response.argmin(axis=1))
    stands_out = complete & (size > smallest_mv) & (np.abs(response).max(axis=1) > 5.0 * noise) & (size > 0)

    def samples(duration_ms: float) -> int:
        return max(1, round(duration_ms * rate_hz / 1e3))

    found = {
        "threshold": _threshold_onset(
            _smooth(response, samples(0.5)),
            early,
            np.maximum(_THRESHOLD_SDS * noise, effective),
            samples(_QUIET_MS),
        ),
        "slope": _slope_onset(response, early, samples(_SLOPE_SPAN_MS)),
        "change point": _change_point(response, early, effective, samples(_FURTHEST_BEFORE_PEAK_MS)),
    }
    begins_early = stands_out & (found["threshold"] == 0)
    present = stands_out & ~begins_early
    begin_ms = (columns.start - pulse_sample) * 1e3 / rate_hz
    by_rule = {
        name: np.where(present, begin_ms + index * 1e3 / rate_hz, np.nan) for name, index in found.items()
    }
    together = np.vstack(list(by_rule.values()))
    end = _end(response, late, np.maximum(_THRESHOLD_SDS * noise, 0.05 * size), samples(5.0))
    return Onsets(
        latency_ms=np.median(together, axis=0),
        spread_ms=together.max(axis=0) - together.min(axis=0),
        by_rule_ms=by_rule,
        offset_ms=np.where(present, begin_ms + end * 1e3 / rate_hz, np.nan),
        present=present,
        begins_early=begins_early,
    )


def _before(values: NDArray[np.float64], rate_hz: float, pulse_sample: int) -> NDArray[np.float64]:
    """Return what the sweeps hold of the 100 ms before the pulse; where that is nothing, their begin."""
    n_samples = values.shape[1]
    window_ms = clip_window(_BASELINE_MS, rate_hz=rate_hz, pulse_sample=pulse_sample, n_samples=n_samples)
    if window_ms[1] - window_ms[0] < 5.0:
        return values[:, :2]
    return values[:, window_slice(window_ms, rate_hz=rate_hz, pulse_sample=pulse_sample, n_samples=n_samples)]


def _smooth(values: NDArray[np.float64], span: int) -> NDArray[np.float64]:
    """Return a symmetric moving average over `span` samples, made odd so that nothing moves."""
    span += 1 - span % 2
    if span == 1:
        return values
    half = span // 2
    padded = np.pad(values, ((0, 0), (half + 1, half)), mode="edge")
    total = np.cumsum(padded, axis=1)
    return np.asarray((total[:, span:] - total[:, :-span]) / span)


def _last_before(marked: NDArray[np.bool_], limit: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the last marked column before `limit` in each row, -1 where there is none."""
    n_columns = marked.shape[1]
    wanted: NDArray[np.bool_] = marked & (np.arange(n_columns) < limit[:, np.newaxis])
    last = n_columns - 1 - np.argmax(wanted[:, ::-1], axis=1)
    return np.where(wanted.any(axis=1), last, -1)


def _runs(marked: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Return where a run of at least `length` marked columns has just been completed."""
    count = np.cumsum(np.pad(marked, ((0, 0), (1, 0))), axis=1)
    complete = np.zeros_like(marked)
    if length <= marked.shape[1]:
        complete[:, length - 1 :] = count[:, length:] - count[:, :-length] == length
    return complete


def _threshold_onset(
    response: NDArray[np.float64], peak: NDArray[np.intp], threshold: NDArray[np.float64], quiet: int
) -> NDArray[np.intp]:
    below = np.abs(response) <= threshold[:, np.newaxis]
    return _last_before(_runs(below, quiet), peak) + 1


def _slope_onset(response: NDArray[np.float64], peak: NDArray[np.intp], span: int) -> NDArray[np.intp]:
    rows = np.arange(len(response))
    upright = _smooth(response * np.sign(response[rows, peak])[:, np.newaxis], span)
    slope = np.diff(upright, axis=1, prepend=upright[:, :1])
    before_peak = np.arange(response.shape[1]) <= peak[:, np.newaxis]
    steepest = np.where(before_peak, slope, -np.inf).argmax(axis=1)
    shallow = slope < _SLOPE_FRACTION * slope[rows, steepest][:, np.newaxis]
    return _last_before(shallow, steepest) + 1


def _change_point(
    response: NDArray[np.float64], peak: NDArray[np.intp], noise: NDArray[np.float64], furthest: int
) -> NDArray[np.intp]:
    """Return the begin of the stretch up to the peak whose variance differs most likely from the noise."""
    column = np.arange(response.shape[1])
    allowed = (column <= peak[:, np.newaxis]) & (column >= peak[:, np.newaxis] - furthest)
    energy = np.cumsum(np.where(allowed, response, 0.0)[:, ::-1] ** 2, axis=1)[:, ::-1]
    count = np.maximum(peak[:, np.newaxis] - column + 1, 1)
    variance = np.where(noise > 0, noise, 1.0)[:, np.newaxis] ** 2
    ratio = np.maximum(energy / count / variance, 1.0)
    likelihood = count * (ratio - 1.0 - np.log(ratio))
    return np.asarray(np.where(allowed, likelihood, -1.0).argmax(axis=1))


def _end(
    response: NDArray[np.float64], peak: NDArray[np.intp], threshold: NDArray[np.float64], quiet: int
) -> NDArray[np.intp]:
    """Return the first column after the peak from which a whole quiet run follows, or the last column."""
    n_columns = response.shape[1]
    below = (np.abs(response) <= threshold[:, np.newaxis]) & (np.arange(n_columns) > peak[:, np.newaxis])
    completed = _runs(below, quiet)
    return np.asarray(
        np.where(completed.any(axis=1), completed.argmax(axis=1) - quiet + 1, n_columns - 1), dtype=np.intp
    )
