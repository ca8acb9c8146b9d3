"""Sweeps around stimuli, and what each stimulus was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.tms.signals.sweeps import sweep_flags

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.core.provenance import SourceFile
    from sudeck.core.vocabulary import Side
    from sudeck.tms.signals.recording import Recording, Signal

# A sweep holds the baseline that the noise floor needs, and the longest silent period with its return.
BEFORE_MS, AFTER_MS = 200.0, 500.0
LEAST_BEFORE_MS, LEAST_AFTER_MS = 50.0, 100.0

PulseKind = Literal["single", "paired", "unknown"]
MuscleState = Literal["rest", "active"]


@dataclass(frozen=True, slots=True)
class Pulse:
    """One stimulus, or one pair of stimuli, as far as file, events table and protocol say.

    Attributes
    ----------
    time_s : float
        Time of the test (last) pulse on the clock of the recording, in a `TrialSet` counted from its first
        sample as in an events table; NaN in epoched data without times.
    kind : {"single", "paired", "unknown"}
        ``"unknown"`` when neither the file nor the protocol says.
    isi_ms : float or None
        Interval from conditioning to test pulse; ``None`` for single pulses.
    test_mso, conditioning_mso : float or None
        Intensities in percent of maximum stimulator output.
    test_rmt, conditioning_rmt : float or None
        Intensities in percent of the resting motor threshold.
    hemisphere : {"left", "right"} or None
        Hemisphere under the coil of the test pulse.
    conditioning_hemisphere : {"left", "right"} or None
        Hemisphere of the conditioning pulse, where it is another one (IHI).
    conditioning_kind : {"magnetic", "afferent"} or None
        What the conditioning stimulus was: a pulse of the coil, or a stimulus to a nerve or the skin (SAI).
    muscle, muscle_side
        Recorded muscle and its side of the body.
    state : {"rest", "active"} or None
        Whether the muscle was told to rest or to contract.
    condition : str
        Label as the laboratory wrote it.
    visit : str
        Label of the visit, e.g. ``"pre"``.
    participant : str
        Pseudonym of the person, e.g. ``"sub-01"``.
    """

    time_s: float
    kind: PulseKind
    isi_ms: float | None = None
    test_mso: float | None = None
    conditioning_mso: float | None = None
    test_rmt: float | None = None
    conditioning_rmt: float | None = None
    hemisphere: Side | None = None
    conditioning_hemisphere: Side | None = None
    muscle: str | None = None
    muscle_side: Side | None = None
    state: MuscleState | None = None
    condition: str = ""
    visit: str = ""
    participant: str = ""
    conditioning_kind: Literal["magnetic", "afferent"] | None = None

    @property
    def afferent(self) -> bool:
        """Whether a stimulus to a nerve came first: it is stated, or the condition is called SAI."""
        words = re.split(r"[^A-Z]+", self.condition.upper())
        return self.conditioning_kind == "afferent" or (self.conditioning_kind is None and "SAI" in words)


@dataclass(frozen=True)
class TrialSet:
    """Sweeps of one muscle channel, all aligned to their test pulse.

    Attributes
    ----------
    emg_mv : ndarray, shape (n_trials, n_samples)
        Unfiltered EMG in millivolts.
    rate_hz : float
        Samples a second.
    pulse_sample : int
        Column of the test pulse in every sweep.
    pulses : tuple of Pulse
        One a trial, in order of time.
    channel : str
        Name of the channel in the file.
    source : SourceFile
        The file the sweeps came from.
    flags : tuple of Flag
        What reader and cutter noticed; `Flag.subject` is ``"trial 3"`` (counted from 1) for one sweep.
    label_in_file : str
        As in `Signal`: what the file calls the channel where `channel` stands in for it.
    """

    emg_mv: NDArray[np.float64]
    rate_hz: float
    pulse_sample: int
    pulses: tuple[Pulse, ...]
    channel: str
    source: SourceFile
    flags: tuple[Flag, ...] = ()
    label_in_file: str = field(default="", repr=False)

    @property
    def n_trials(self) -> int:
        """Number of sweeps."""
        return int(self.emg_mv.shape[0])

    def chosen(self, rows: Sequence[int]) -> TrialSet:
        """Return the set with some of its trials only, counted from 0."""
        pulses = tuple(self.pulses[row] for row in rows)
        return replace(self, emg_mv=self.emg_mv[list(rows)], pulses=pulses)

    @property
    def time_ms(self) -> NDArray[np.float64]:
        """Time of every column after the test pulse, in milliseconds."""
        return (np.arange(self.emg_mv.shape[1], dtype=np.float64) - self.pulse_sample) * (1e3 / self.rate_hz)


@dataclass(frozen=True)
class AmplitudeTable:
    """Amplitudes a laboratory measured itself, where the sweeps are gone.

    Attributes
    ----------
    amplitude_mv : ndarray, shape (n_trials,)
        Peak-to-peak amplitudes in millivolts; NaN where the table has none.
    pulses : tuple of Pulse
        One a trial, in table order.
    latency_ms : ndarray, shape (n_trials,), or None
        Onset latencies, where the table has them.
    source : SourceFile
        The table.
    flags : tuple of Flag
        What the reader noticed.
    participant : str
        Whose trials these are, where a table holds several participants.
    below_mv : ndarray, shape (n_trials,), or None
        Where the table says only that an amplitude is below a limit (``<0.05``): that limit, NaN elsewhere.
        The amplitude is zero there.
    """

    amplitude_mv: NDArray[np.float64]
    pulses: tuple[Pulse, ...]
    latency_ms: NDArray[np.float64] | None
    source: SourceFile
    flags: tuple[Flag, ...] = ()
    participant: str = ""
    below_mv: NDArray[np.float64] | None = None

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return int(self.amplitude_mv.size)

    def chosen(self, rows: Sequence[int]) -> AmplitudeTable:
        """Return the table with some of its rows only, counted from 0."""
        index = list(rows)
        return replace(
            self,
            amplitude_mv=self.amplitude_mv[index],
            pulses=tuple(self.pulses[row] for row in index),
            latency_ms=None if self.latency_ms is None else self.latency_ms[index],
            below_mv=None if self.below_mv is None else self.below_mv[index],
        )


def cut_trials(
    recording: Recording,
    signal: Signal,
    pulses: Sequence[Pulse],
    *,
    before_ms: float = BEFORE_MS,
    after_ms: float = AFTER_MS,
) -> TrialSet:
    """Cut one channel into sweeps around the test pulses.

    Parameters
    ----------
    recording : Recording
    signal : Signal
        One of its channels, in millivolts.
    pulses : sequence of Pulse
        With times on the clock of the recording.
    before_ms, after_ms : float
        Wanted window; it shrinks, for all sweeps alike, to what every usable pulse has around it.

    Returns
    -------
    TrialSet
        Pulses with less than 50 ms before or 100 ms after them in their section are left out and flagged.

    Raises
    ------
    InputError
        If no pulse leaves enough signal around it.
    """
    wanted = (round(before_ms * signal.rate_hz / 1e3), round(after_ms * signal.rate_hz / 1e3))
    least = (round(LEAST_BEFORE_MS * signal.rate_hz / 1e3), round(LEAST_AFTER_MS * signal.rate_hz / 1e3))
    centres: list[int] = []
    kept: list[Pulse] = []
    flags: list[Flag] = []
    before, after = wanted
    for pulse in sorted(pulses, key=lambda item: item.time_s):
        centre = recording.sample_at(signal, pulse.time_s)
        if centre is not None:
            section = recording.section_at(pulse.time_s)
            first, last = recording.bounds(signal, section or 0)
            room = (centre - first, last - centre)
            if room[0] >= min(least[0], wanted[0]) and room[1] >= min(least[1], wanted[1]):
                before, after = min(before, room[0]), min(after, room[1])
                centres.append(centre)
                kept.append(pulse)
                continue
        flags.append(
            Flag(
                "pulse-outside-recording",
                f"The stimulus at {pulse.time_s:.3f} s has not enough signal around it and was left out.",
                "caution",
                f"{pulse.time_s:.3f} s",
                value=pulse.time_s,
                unit="s",
            )
        )
    if not centres:
        raise InputError(
            recording.source.label,
            f"none of {len(pulses)} stimuli has {LEAST_BEFORE_MS:g} ms ahead and {LEAST_AFTER_MS:g} after",
            "check that the events table belongs to this recording and counts in seconds",
        )
    columns = np.arange(-before, after)
    emg_mv = signal.samples_mv[np.asarray(centres)[:, None] + columns[None, :]]
    return TrialSet(
        emg_mv,
        signal.rate_hz,
        before,
        tuple(kept),
        signal.name,
        recording.source,
        (*flags, *sweep_flags(emg_mv)),
        signal.label_in_file,
    )
