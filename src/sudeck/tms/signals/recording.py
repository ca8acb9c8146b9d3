"""What an amplifier wrote: signals in millivolts, markers, and the sections they were sampled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.core.flags import Flag
    from sudeck.core.provenance import SourceFile


@dataclass(frozen=True)
class Signal:
    """One sampled channel.

    Attributes
    ----------
    name : str
        Channel name as the file gives it.
    samples_mv : ndarray, shape (n_samples,)
        Samples in millivolts, all sections one after the other. A channel that is no voltage (force,
        trigger) keeps the numbers of the file; `unit_in_file` then names its unit.
    rate_hz : float
        Samples a second.
    start_s : float
        Time of the first sample on the clock of the recording.
    unit_in_file : str
        Unit the file states, whatever we made of it.
    label_in_file : str
        What the file calls the channel where `name` stands in for it: it may name a person, tells channels
        apart and is never printed.
    """

    name: str
    samples_mv: NDArray[np.float64]
    rate_hz: float
    start_s: float
    unit_in_file: str
    label_in_file: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Marker:
    """An instant the recording software wrote down: a trigger, a key, a comment.

    `channel` is the event channel or kind of marker it came from; `label` what was written.
    """

    time_s: float
    label: str
    channel: str


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch sampled without a gap: a frame, an episode, a segment.

    Attributes
    ----------
    start_s, stop_s : float
        On the clock of the recording; sections never overlap and are in order of time. Where the file
        does not say when a frame was taken, frames lie end to end.
    label : str
        State or condition the file gives the section; may be empty.
    given : Mapping of str to object
        Fields of `Pulse` that the file gives for the stimulus in this section.
    """

    start_s: float
    stop_s: float
    label: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recording:
    """A whole recording, in order of time.

    Attributes
    ----------
    source : SourceFile
        The file, by its masked name and its hash.
    format : str
        Name of the format, e.g. ``"BrainVision"``.
    signals : tuple of Signal
        Analogue channels, in file order.
    markers : tuple of Marker
        In order of time.
    sections : tuple of Section
        At least one.
    flags : tuple of Flag
        What the reader noticed.
    """

    source: SourceFile
    format: str
    signals: tuple[Signal, ...]
    markers: tuple[Marker, ...]
    sections: tuple[Section, ...]
    flags: tuple[Flag, ...] = ()

    @property
    def duration_s(self) -> float:
        """Time sampled, gaps between sections left out."""
        return float(sum(section.stop_s - section.start_s for section in self.sections))

    @cached_property
    def _starts(self) -> NDArray[np.float64]:
        return np.array([section.start_s for section in self.sections])

    def section_at(self, time_s: float) -> int | None:
        """Return the index of the section that holds `time_s`, or ``None`` in a gap."""
        index = int(np.searchsorted(self._starts, time_s + 1e-9, side="right")) - 1
        if index < 0 or time_s > self.sections[index].stop_s:
            return None
        return index

    def section_of(self, time_s: float) -> Section | None:
        """Return the section that holds `time_s`, or ``None`` in a gap."""
        index = self.section_at(time_s)
        return None if index is None else self.sections[index]

    def bounds(self, signal: Signal, section: int) -> tuple[int, int]:
        """Return the first sample of `signal` in a section and the one after its last."""
        before = sum(round((part.stop_s - part.start_s) * signal.rate_hz) for part in self.sections[:section])
        part = self.sections[section]
        last = before + round((part.stop_s - part.start_s) * signal.rate_hz)
        return min(before, signal.samples_mv.size), min(last, signal.samples_mv.size)

    def sample_at(self, signal: Signal, time_s: float) -> int | None:
        """Return the sample of `signal` nearest to `time_s`, or ``None`` in a gap."""
        section = self.section_at(time_s)
        if section is None:
            return None
        first, last = self.bounds(signal, section)
        lag = signal.start_s - self.sections[0].start_s
        sample = first + round((time_s - self.sections[section].start_s - lag) * signal.rate_hz)
        return sample if first <= sample < last else None
