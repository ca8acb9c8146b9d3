"""Sweeps around stimuli, and what each stimulus was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.core.flags import Flag
    from sudeck.core.provenance import SourceFile
    from sudeck.core.vocabulary import Side

PulseKind = Literal["single", "paired", "unknown"]
MuscleState = Literal["rest", "active"]


@dataclass(frozen=True, slots=True)
class Pulse:
    """One stimulus, or one pair of stimuli, as far as file, events table and protocol say.

    Attributes
    ----------
    time_s : float
        Time of the test (last) pulse on the clock of the recording; NaN in epoched data without times.
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
    muscle, muscle_side
        Recorded muscle and its side of the body.
    state : {"rest", "active"} or None
        Whether the muscle was told to rest or to contract.
    condition : str
        Label as the laboratory wrote it.
    visit : str
        Label of the visit, e.g. ``"pre"``.
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
    """

    emg_mv: NDArray[np.float64]
    rate_hz: float
    pulse_sample: int
    pulses: tuple[Pulse, ...]
    channel: str
    source: SourceFile
    flags: tuple[Flag, ...] = ()

    @property
    def n_trials(self) -> int:
        """Number of sweeps."""
        return int(self.emg_mv.shape[0])

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
    """

    amplitude_mv: NDArray[np.float64]
    pulses: tuple[Pulse, ...]
    latency_ms: NDArray[np.float64] | None
    source: SourceFile
    flags: tuple[Flag, ...] = ()

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return int(self.amplitude_mv.size)
