"""Recordings of magnetic stimulation whose truth is known: one hemisphere, one muscle, any protocol.

The truth of a hemisphere is its recruitment curve and its paired-pulse ratios; the resting motor threshold
and the MEP at 120 % RMT follow from them. Trials scatter log-normally about the truth: excitability varies
from pulse to pulse as if the pulse did, and the response once more after it (the two sources of Goetz and
colleagues 2014, Brain Stimulation 7:541-552). The first counts for less the nearer the plateau is, so that
responses scatter most at threshold, as those of people do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import Side, opposite
from sudeck.synthetic.emg.mep import artefact_shape, background_emg, mains_hum, mep_shape

FloatArray = NDArray[np.float64]
State = Literal["rest", "active"]


@dataclass(frozen=True, slots=True)
class VirtualHemisphere:
    """The truth about one hemisphere and the muscle it moves.

    Attributes
    ----------
    hemisphere, muscle : str
        The muscle recorded is that of the opposite side of the body.
    s50_mso, width_mso, mep_max_mv : float
        Recruitment: median amplitude MEPmax / (1 + exp((S50 - x) / width)).
    excitability_sd_mso : float
        Trial-to-trial SD of excitability, as if the intensity varied by so much.
    response_sd : float
        Trial-to-trial SD of ln amplitude that excitability has no part in.
    ratios : Mapping of str to float
        True conditioned over unconditioned amplitude, by condition name, e.g. ``{"SICI": 0.4}``.
    latency_ms, latency_sd_ms : float
        Test pulse to onset of the MEP.
    silent_ms, silent_sd_ms : float
        Test pulse to return of background EMG in the contracting muscle (end of the silent period).
    active_shift_mso : float
        By how much contraction moves the recruitment curve to weaker intensities.

    Notes
    -----
    Size and scatter of responses are those of a hand muscle of eight people whose raw sweeps are public
    (Sorkhabi and colleagues 2022), this model fitted to each (benchmarks/bench_tms_people_scatter.py):
    geometric mean, and SD of the logarithm over people, are 2.3 mV (0.35) for the plateau, 6.6 % of the
    threshold (0.28) for the width, 7.1 % of it (0.18) for the excitability and 0.34 (0.10) for the response.
    The SD of ln amplitude is then 1.1 at threshold, 0.8 at 120 % of it and 0.35 on the plateau.
    """

    hemisphere: Side = "left"
    muscle: str = "FDI"
    s50_mso: float = 57.0
    width_mso: float = 2.8
    mep_max_mv: float = 2.5
    excitability_sd_mso: float = 3.0
    response_sd: float = 0.34
    ratios: Mapping[str, float] = field(default_factory=lambda: {"SICI": 0.4, "ICF": 1.5, "LICI": 0.3})
    latency_ms: float = 22.0
    latency_sd_ms: float = 0.4
    silent_ms: float = 140.0
    silent_sd_ms: float = 8.0
    active_shift_mso: float = 8.0

    def median_amplitude_mv(self, intensity_mso: ArrayLike, state: State = "rest") -> FloatArray:
        """Return the median MEP amplitude at an intensity, without noise floor."""
        return self.mep_max_mv * self._recruited(intensity_mso, state)

    def log_sd(self, intensity_mso: ArrayLike, state: State = "rest") -> FloatArray:
        """Return the trial-to-trial SD of ln amplitude at an intensity.

        Examples
        --------
        >>> VirtualHemisphere().log_sd([46, 54, 70]).round(2)
        array([1.1 , 0.87, 0.34])
        """
        steepness = (1 - self._recruited(intensity_mso, state)) / self.width_mso  # of ln amplitude
        return np.hypot(self.excitability_sd_mso * steepness, self.response_sd)

    def _recruited(self, intensity_mso: ArrayLike, state: State) -> FloatArray:
        """Return the share of the plateau that an intensity reaches."""
        shift = self.active_shift_mso if state == "active" else 0.0
        drive = (np.asarray(intensity_mso, dtype=np.float64) - self.s50_mso + shift) / self.width_mso
        return np.asarray(expit(drive))

    def threshold_mso(self, criterion_mv: float = 0.05, state: State = "rest") -> float:
        """Return the intensity whose median amplitude is the criterion: the true motor threshold.

        Examples
        --------
        >>> round(VirtualHemisphere().threshold_mso(), 2)
        46.1
        """
        if not 0 < criterion_mv < self.mep_max_mv:
            raise InputError("virtual hemisphere", "MEPmax is below the criterion", "raise mep_max_mv")
        shift = self.active_shift_mso if state == "active" else 0.0
        return self.s50_mso - shift - self.width_mso * math.log(self.mep_max_mv / criterion_mv - 1)

    @property
    def rmt_mso(self) -> float:
        """True resting motor threshold at 50 µV."""
        return self.threshold_mso()


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One trial as planned: what the coil does.

    `condition` names the trial and, for a paired one, the entry of the hemisphere's `ratios`.
    """

    condition: str
    test_mso: float
    isi_ms: float | None = None
    conditioning_mso: float | None = None
    state: State = "rest"
    conditioning_hemisphere: Side | None = None


@dataclass(frozen=True, slots=True)
class TrialTruth:
    """What truly happened in one trial; amplitudes are those of the clean MEP, peak to peak."""

    stimulus: Stimulus
    time_s: float
    amplitude_mv: float
    latency_ms: float
    silent_end_ms: float | None


@dataclass(frozen=True, slots=True)
class Amplifier:
    """How the recording is made and spoilt.

    Attributes
    ----------
    rate_hz : float
    interval_s : float
        Mean time between trials; it varies by a fifth either way.
    noise_rms_mv : float
        White amplifier noise.
    hum_mv, mains_hz : float
        Mains hum.
    artefact_mv, artefact_decay_ms : float
        Stimulus artefact and its recovery.
    resting_rms_mv, active_rms_mv : float
        Background EMG of the relaxed and of the contracting muscle.
    """

    rate_hz: float = 5000.0
    interval_s: float = 4.0
    noise_rms_mv: float = 0.003
    hum_mv: float = 0.0
    mains_hz: float = 50.0
    artefact_mv: float = 3.0
    artefact_decay_ms: float = 0.8
    resting_rms_mv: float = 0.0
    active_rms_mv: float = 0.12


@dataclass(frozen=True)
class SyntheticRecording:
    """A continuous recording of one muscle with the truth of every trial.

    Attributes
    ----------
    samples_mv : ndarray, shape (n_samples,)
    rate_hz : float
    trials : tuple of TrialTruth
        In order of time; `time_s` is that of the test pulse.
    truth : VirtualHemisphere
    amplifier : Amplifier
    """

    samples_mv: FloatArray
    rate_hz: float
    trials: tuple[TrialTruth, ...]
    truth: VirtualHemisphere
    amplifier: Amplifier

    @property
    def channel(self) -> str:
        """Name of the channel: muscle and side of the body."""
        return f"{self.truth.muscle} {opposite(self.truth.hemisphere)}"

    def epochs(self, before_s: float = 0.1, after_s: float = 0.3) -> FloatArray:
        """Cut sweeps about the test pulses, shape (trial, sample)."""
        first = [round((trial.time_s - before_s) * self.rate_hz) for trial in self.trials]
        count = round((before_s + after_s) * self.rate_hz)
        return np.stack([self.samples_mv[start : start + count] for start in first])

    def to_dict(self) -> dict[str, Any]:
        """Return the truth as plain JSON-ready values: the hemisphere, the amplifier, every trial."""
        hemisphere = asdict(replace(self.truth, ratios=dict(self.truth.ratios)))
        return {
            "hemisphere": {**hemisphere, "rmt_mso": self.truth.rmt_mso},
            "amplifier": asdict(self.amplifier),
            "trials": [asdict(trial) for trial in self.trials],
        }


def simulate_trials(
    truth: VirtualHemisphere,
    stimuli: Sequence[Stimulus],
    *,
    interval_s: float = 4.0,
    rng: np.random.Generator,
) -> tuple[TrialTruth, ...]:
    """Draw what happens in each trial: amplitude, latency, end of the silent period.

    Parameters
    ----------
    truth : VirtualHemisphere
    stimuli : sequence of Stimulus
        In the order given.
    interval_s : float
        Mean time between trials.
    rng : numpy.random.Generator

    Raises
    ------
    InputError
        If a paired condition has no true ratio.
    """
    trials = []
    time_s = interval_s / 2
    for stimulus in stimuli:
        ratio = 1.0
        if stimulus.isi_ms is not None:
            if stimulus.condition not in truth.ratios:
                raise InputError(
                    f"condition {stimulus.condition}",
                    "it has no true ratio",
                    "add it to the hemisphere's ratios",
                )
            ratio = truth.ratios[stimulus.condition]
        amplitude = ratio * _amplitude(truth, stimulus.test_mso, stimulus.state, rng)
        latency = truth.latency_ms + truth.latency_sd_ms * rng.standard_normal()
        silent_end = truth.silent_ms + truth.silent_sd_ms * rng.standard_normal()
        active = stimulus.state == "active"
        trials.append(
            TrialTruth(
                stimulus, time_s, amplitude, latency, max(silent_end, latency + 15) if active else None
            )
        )
        time_s += interval_s * rng.uniform(0.8, 1.2)
    return tuple(trials)


def simulate_emg(
    truth: VirtualHemisphere,
    stimuli: Sequence[Stimulus],
    *,
    amplifier: Amplifier | None = None,
    rng: np.random.Generator,
) -> SyntheticRecording:
    """Make a continuous recording: every trial drawn, then put on a trace with noise, hum and artefacts.

    Examples
    --------
    >>> stimuli = paired_pulse_block(VirtualHemisphere(), trials=10, rng=np.random.default_rng(1))
    >>> recording = simulate_emg(VirtualHemisphere(), stimuli, rng=np.random.default_rng(2))
    >>> len(recording.trials), recording.channel
    (30, 'FDI right')
    """
    amplifier = amplifier or Amplifier()
    rate = amplifier.rate_hz
    trials = simulate_trials(truth, stimuli, interval_s=amplifier.interval_s, rng=rng)
    end_s = trials[-1].time_s + max(1.0, amplifier.interval_s / 2) if trials else amplifier.interval_s
    samples = math.ceil(end_s * rate)
    resting = background_emg(samples, rate, rms_mv=amplifier.resting_rms_mv, rng=rng)
    tonic = background_emg(samples, rate, rms_mv=amplifier.active_rms_mv, rng=rng)
    edges = [0.0, *((a.time_s + b.time_s) / 2 for a, b in pairwise(trials)), end_s]
    trace = np.zeros(samples)
    for trial, start_s, stop_s in zip(trials, edges, edges[1:], strict=False):
        stretch = slice(round(start_s * rate), round(stop_s * rate))
        time_ms = 1e3 * (np.arange(stretch.start, stretch.stop) / rate - trial.time_s)
        trace[stretch] += _responses(truth, trial, time_ms, rng)
        trace[stretch] += _artefacts(amplifier, trial.stimulus, time_ms)
        muscle = tonic[stretch] if trial.stimulus.state == "active" else resting[stretch]
        if trial.silent_end_ms is not None:
            muscle = np.where((time_ms > trial.latency_ms) & (time_ms < trial.silent_end_ms), 0.0, muscle)
        trace[stretch] += muscle
    trace += amplifier.noise_rms_mv * rng.standard_normal(samples)
    trace += mains_hum(samples, rate, amplitude_mv=amplifier.hum_mv, mains_hz=amplifier.mains_hz, rng=rng)
    return SyntheticRecording(trace, rate, trials, truth, amplifier)


def recruitment_block(
    intensity_mso: Sequence[float], *, trials: int = 10, state: State = "rest", rng: np.random.Generator
) -> list[Stimulus]:
    """Plan single pulses at each intensity, `trials` of each, in random order."""
    planned = [Stimulus("single", float(x), state=state) for x in intensity_mso for _ in range(trials)]
    return _shuffled(planned, rng)


def paired_pulse_block(
    truth: VirtualHemisphere,
    *,
    isi_ms: Mapping[str, float] | None = None,
    trials: int = 15,
    test_rmt: float = 120.0,
    conditioning_rmt: Mapping[str, float] | None = None,
    rmt_mso: float | None = None,
    rng: np.random.Generator,
) -> list[Stimulus]:
    """Plan test pulses alone and each paired condition, `trials` of each, in random order.

    Parameters
    ----------
    isi_ms : Mapping of str to float, optional
        Interval by condition; SICI at 2.5 and ICF at 12 ms unless given.
    test_rmt : float
        Test intensity in percent of the resting motor threshold, rounded to 1 %MSO.
    conditioning_rmt : Mapping of str to float, optional
        Conditioning intensity by condition; 80 % RMT where not given.
    rmt_mso : float, optional
        The threshold as it was found at the stimulator; the true one unless given.
    """
    intervals = {"SICI": 2.5, "ICF": 12.0} if isi_ms is None else dict(isi_ms)
    strengths = dict(conditioning_rmt or {})
    rmt = truth.rmt_mso if rmt_mso is None else rmt_mso
    test = float(round(test_rmt / 100 * rmt))
    planned = [Stimulus("single", test) for _ in range(trials)]
    for condition, interval in intervals.items():
        conditioning = float(round(strengths.get(condition, 80.0) / 100 * rmt))
        other = opposite(truth.hemisphere) if condition == "IHI" else None
        planned += [Stimulus(condition, test, interval, conditioning, "rest", other)] * trials
    return _shuffled(planned, rng)


def silent_period_block(
    truth: VirtualHemisphere, *, trials: int = 10, test_rmt: float = 130.0
) -> list[Stimulus]:
    """Plan single pulses during contraction."""
    test = float(round(test_rmt / 100 * truth.rmt_mso))
    return [Stimulus("CSP", test, state="active") for _ in range(trials)]


def _shuffled(stimuli: list[Stimulus], rng: np.random.Generator) -> list[Stimulus]:
    return [stimuli[index] for index in rng.permutation(len(stimuli))]


def _amplitude(truth: VirtualHemisphere, mso: float, state: State, rng: np.random.Generator) -> float:
    """Draw the amplitude of an unconditioned response in mV."""
    scatter = float(truth.log_sd(mso, state)) * rng.standard_normal()
    return float(truth.median_amplitude_mv(mso, state)) * math.exp(scatter)


def _responses(
    truth: VirtualHemisphere, trial: TrialTruth, time_ms: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw the MEP of the test pulse and, where they do not merge, that of the conditioning pulse."""
    duration = 12.0 * math.exp(0.08 * rng.standard_normal())
    phases = 1.25 * math.exp(0.08 * rng.standard_normal())
    trace = trial.amplitude_mv * mep_shape(time_ms - trial.latency_ms, duration_ms=duration, phases=phases)
    stimulus = trial.stimulus
    same_side = stimulus.conditioning_hemisphere in (None, truth.hemisphere)
    if stimulus.isi_ms is not None and stimulus.conditioning_mso is not None and same_side:
        amplitude = _amplitude(truth, stimulus.conditioning_mso, stimulus.state, rng)
        if stimulus.isi_ms > 2 * duration:  # closer pairs give one response, whose size `ratios` holds
            trace += amplitude * mep_shape(time_ms + stimulus.isi_ms - trial.latency_ms, duration_ms=duration)
    return trace


def _artefacts(amplifier: Amplifier, stimulus: Stimulus, time_ms: FloatArray) -> FloatArray:
    decay = amplifier.artefact_decay_ms
    size = amplifier.artefact_mv * stimulus.test_mso / 60
    trace = size * artefact_shape(time_ms, decay_ms=decay)
    if stimulus.isi_ms is not None and stimulus.conditioning_mso is not None:
        distance = 0.3 if stimulus.conditioning_hemisphere is not None else 1.0
        size = distance * amplifier.artefact_mv * stimulus.conditioning_mso / 60
        trace += size * artefact_shape(time_ms + stimulus.isi_ms, decay_ms=decay)
    return trace
