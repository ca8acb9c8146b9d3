"""One recording without anything that names the patient, its samples as before: converted to BDF+.

Amplifiers let people type anything anywhere: a name into the label of a channel or a marker, a remark into a
header. Nothing is copied: samples, times and rates are read, and written anew with labels that are words of
the field (muscles, sides, conditions) or numbers. Then the new file is read as the recordings room reads it,
and is given out only if it holds the same.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.privacy import MASK, Redactor
from sudeck.study.imports.bdf_file import LONGEST_LABEL, BdfSignal, bdf_bytes, duration_text
from sudeck.tms.readers import read_file
from sudeck.tms.readers.parts.scaling import unsettled
from sudeck.tms.recordings.labelled_trials import find_or_take_pulses
from sudeck.tms.recordings.protocol import StimulationProtocol
from sudeck.tms.signals.events import read_events
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.neutral_labels import stand_ins
from sudeck.tms.signals.recording import Recording, Section, Signal
from sudeck.tms.signals.units import voltage_unit

# Units of what is no voltage; a person's initials fit into a unit, too.
_UNITS: Final = frozenset({"N", "Nm", "kg", "g", "%", "deg", "m/s2", "V/s", "Hz", "s", "ms"})
_GAP_S: Final = 1.0  # put between sweeps of which no file says when they were taken
_TOUCHING_S: Final = 2e-3
# What a row of an events table may tell; whose it was is told by the folder.
_EVENT_COLUMNS: Final = {
    "onset": "Time of the pulse from the start of the recording, in seconds",
    "duration": "Duration of the event, in seconds",
    "trial_type": "Condition, in words of the field",
    "kind": "single or paired pulse",
    "isi_ms": "Interval from conditioning to test pulse",
    "test_mso": "Test intensity in percent of maximum stimulator output",
    "conditioning_mso": "Conditioning intensity in percent of maximum stimulator output",
    "test_rmt": "Test intensity in percent of resting motor threshold",
    "conditioning_rmt": "Conditioning intensity in percent of resting motor threshold",
    "hemisphere": "Hemisphere that the test pulse stimulated",
    "conditioning_hemisphere": "Hemisphere that the conditioning pulse stimulated",
    "muscle": "Target muscle",
    "muscle_side": "Side of the body of that muscle",
    "state": "Target muscle at rest or active",
}


@dataclass(frozen=True)
class CleanRecording:
    """A recording without its identity.

    Attributes
    ----------
    data : bytes
        The BDF+ file.
    events : tuple of mapping
        Rows of the events table; empty where there is none.
    channels : tuple of mapping
        Rows of the channels table.
    rates_hz : tuple of float
        Of the channels.
    started : datetime or None
        Start, date shifted.
    remarks : tuple of str
        What to look at.
    """

    data: bytes
    events: tuple[Mapping[str, Any], ...]
    channels: tuple[Mapping[str, Any], ...]
    rates_hz: tuple[float, ...]
    started: datetime | None
    remarks: tuple[str, ...]

    @property
    def event_columns(self) -> dict[str, str]:
        """Columns of the events table that hold something, with their descriptions."""
        used = {name for row in self.events for name, value in row.items() if value is not None}
        return {name: text for name, text in _EVENT_COLUMNS.items() if name in used}


def clean_recording(
    path: Path,
    recording: Recording,
    *,
    patient: str,
    started: datetime | None,
    redactor: Redactor,
    muscles: Iterable[str] = (),
) -> CleanRecording:
    """Return a recording without anything that names the patient.

    Parameters
    ----------
    path : Path
        The file; a BIDS events table beside it is taken in.
    recording : Recording
        What reading it gave.
    patient : str
        Pseudonym.
    started : datetime or None
        When it was taken, shifted.
    redactor : Redactor
        What is known to identify the patient; it masks words that would pass as words of the field.
    muscles : iterable of str
        Muscles the study names, besides those known.

    Raises
    ------
    InputError
        If it has no place in BDF+, or would read differently afterwards.
    """
    spaced, moved = _spaced(recording)
    allowed = tuple(muscles)
    names = channel_names((signal.name for signal in recording.signals), redactor, allowed)
    words = {marker.label or marker.channel: "M" for marker in recording.markers}
    words |= {section.label: "C" for section in recording.sections if section.label}
    rows, remarks = _event_rows(path, recording, moved)
    words |= {str(row[name]): "C" for row in rows for name in ("trial_type", "muscle") if row.get(name)}
    labels = neutral(words, redactor, allowed, letter="C")
    notes = [(moved(marker.time_s), labels[marker.label or marker.channel]) for marker in spaced.markers]
    data = _as_bdf(spaced, names, notes, patient, started)
    _verify(path.name, spaced, notes, data)
    if len(set(names.values()) - set(names)) or any(old != new for old, new in labels.items()):
        remarks = (*remarks, "labels were replaced by words of the field")
    events = [_worded(row, labels) for row in rows]
    channels = [
        {
            "name": names[signal.name],
            "type": "EMG" if _is_emg(signal, recording) else "MISC",
            "units": _unit(signal, recording) or "n/a",
            "sampling_frequency": signal.rate_hz,
            "target_muscle": muscle_and_side(names[signal.name])[0],
        }
        for signal in recording.signals
    ]
    rates = tuple(signal.rate_hz for signal in recording.signals)
    return CleanRecording(data, tuple(events), tuple(channels), rates, started, tuple(remarks))


def neutral(
    labels: Iterable[str], redactor: Redactor, muscles: Iterable[str] = (), *, letter: str
) -> dict[str, str]:
    """Return what stands instead of each label: itself, its words of the field, or a letter and a number.

    Examples
    --------
    >>> neutral(["R FDI Dupont", "S  1", "Jeanne", "FDI"], Redactor(), letter="C")
    {'R FDI Dupont': 'R FDI', 'S  1': 'S  1', 'Jeanne': 'C 3', 'FDI': 'FDI'}
    """
    given = [label for label in dict.fromkeys(labels) if label]
    # A dot or a dash alone would be read as a missing value.
    masked = {
        label: redactor.clean(label).replace(MASK, " * ") if any(map(str.isalnum, label)) else f"{label} *"
        for label in given
    }
    return {label: label for label in given} | stand_ins(given, letter=letter, allowed=muscles, masked=masked)


def channel_names(labels: Iterable[str], redactor: Redactor, muscles: Iterable[str]) -> dict[str, str]:
    """Return what stands instead of each label of a channel, short enough for a header."""
    names = neutral(labels, redactor, muscles, letter="channel")
    short: dict[str, str] = {}
    for old, new in names.items():
        name, number = new[:LONGEST_LABEL], 2
        while name in short.values():
            name, number = f"{new[: LONGEST_LABEL - 3]} {number}", number + 1
        short[old] = name
    return {"": "", **short}


def _spaced(recording: Recording) -> tuple[Recording, Any]:
    """Let the recording begin at zero, and sweeps that only lie end to end for want of a time lie apart."""
    sections = recording.sections
    starts, offset = [], 0.0
    for index, section in enumerate(sections):
        if index and section.start_s - sections[index - 1].stop_s < _TOUCHING_S:
            offset += _GAP_S
        starts.append(section.start_s - sections[0].start_s + offset)

    def moved(time_s: float) -> float:
        index = recording.section_at(time_s)
        if index is None:
            before = [i for i, section in enumerate(sections) if section.start_s <= time_s]
            index = before[-1] if before else 0
        return starts[index] + time_s - sections[index].start_s

    placed = tuple(
        Section(start, start + section.stop_s - section.start_s, section.label, section.given)
        for start, section in zip(starts, sections, strict=True)
    )
    signals = tuple(
        replace(signal, start_s=signal.start_s - sections[0].start_s) for signal in recording.signals
    )
    return replace(recording, sections=placed, signals=signals), moved


def _event_rows(path: Path, recording: Recording, moved: Any) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return rows of an events table: that beside the recording, or what its sections tell."""
    start_s = recording.sections[0].start_s
    beside = path.with_name(re.sub(r"_[a-z]+$", "", path.stem) + "_events.tsv")
    if beside.is_file():
        rows = read_events(beside).rows
        return [
            _row(given, moved(start_s + float(given["time_s"]))) for given in rows if "time_s" in given
        ], ()
    if not any(section.label or section.given for section in recording.sections):
        return [], ()
    try:
        train = find_or_take_pulses(recording, None, StimulationProtocol())
    except InputError:
        return [], (
            "no stimulus was found in it, so that the states of its sweeps are lost: add an events table",
        )
    rows_found = []
    for pulse in train.pulses:
        section = recording.section_of(pulse.time_s)
        given = {} if section is None else {"condition": section.label, **section.given}
        rows_found.append(_row(given, moved(pulse.time_s)))
    return rows_found, ()


def _row(given: Mapping[str, Any], onset_s: float) -> dict[str, Any]:
    row = {name: given.get(name) for name in _EVENT_COLUMNS if name not in ("onset", "duration")}
    return {"onset": round(onset_s, 6), "duration": 0.0, **row, "trial_type": given.get("condition")}


def _worded(row: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """Put condition and muscle of a row into words of the field; a side in the muscle's name is kept."""
    name = labels.get(str(row["muscle"]), "")
    muscle, side = muscle_and_side(name)
    return {
        **row,
        "trial_type": labels.get(str(row.get("trial_type"))),
        "muscle": muscle or name or None,
        "muscle_side": row["muscle_side"] or side,
    }


def _is_emg(signal: Signal, recording: Recording) -> bool:
    named = any(muscle_and_side(other.name)[0] for other in recording.signals)
    return not named or muscle_and_side(signal.name)[0] is not None


def _unit(signal: Signal, recording: Recording) -> str:
    """Return the unit of the numbers we hold: millivolts where the reader made them."""
    converted = _is_emg(signal, recording) or voltage_unit(signal.unit_in_file) is not None
    if converted and signal.name not in unsettled(recording.flags):
        return "mV"
    return signal.unit_in_file if signal.unit_in_file in _UNITS else ""


def _as_bdf(
    recording: Recording,
    names: Mapping[str, str],
    notes: Sequence[tuple[float, str]],
    patient: str,
    started: datetime | None,
) -> bytes:
    subject = recording.source.label
    if any(abs(signal.start_s) * signal.rate_hz > 0.5 for signal in recording.signals):
        raise InputError(subject, "its channels do not begin together", "export it as EDF or BrainVision")
    lengths = [section.stop_s - section.start_s for section in recording.sections]
    if len(lengths) > 1 and max(lengths) - min(lengths) > 1e-6:
        raise InputError(subject, "its sweeps differ in length", "export it as EDF, all sweeps alike")
    rates = {signal.rate_hz for signal in recording.signals}
    record_s = lengths[0] if len(lengths) > 1 else _record_length(rates)
    counts = {rate: record_s * rate for rate in rates}
    if any(abs(count - round(count)) > 1e-3 or round(count) < 1 for count in counts.values()):
        raise InputError(subject, "its sampling rates do not fit into one record", "export it as EDF")
    if abs(float(duration_text(record_s)) / record_s - 1) > 1e-7:
        raise InputError(subject, "its sweeps have a length that EDF can not state", "export it as EDF")
    n_records = (
        len(lengths)
        if len(lengths) > 1
        else max(
            math.ceil(signal.samples_mv.size / round(counts[signal.rate_hz])) for signal in recording.signals
        )
    )
    starts = (
        [section.start_s for section in recording.sections]
        if len(lengths) > 1
        else [index * record_s for index in range(n_records)]
    )
    signals = [
        BdfSignal(
            names[signal.name],
            _unit(signal, recording),
            round(counts[signal.rate_hz]),
            _filled(signal.samples_mv, n_records * round(counts[signal.rate_hz])),
        )
        for signal in recording.signals
    ]
    return bdf_bytes(
        signals, starts_s=starts, record_s=record_s, notes=notes, patient=patient, started=started
    )


def _record_length(rates: set[float]) -> float:
    """Return a length of about a second in which every channel has whole samples."""
    if len(rates) == 1:
        rate = next(iter(rates))
        return max(1, round(rate)) / rate
    return 1.0


def _filled(samples: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Fill the last record with the last value: a step to zero would look like a stimulus."""
    if samples.size > size:
        return samples[:size]
    return np.concatenate([samples, np.full(size - samples.size, samples[-1] if samples.size else 0.0)])


def _verify(subject: str, before: Recording, notes: Sequence[tuple[float, str]], data: bytes) -> None:
    """Refuse a new file that the recordings room would read differently."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.bdf"
        path.write_bytes(data)
        after = read_file(path)
    wrong = ""
    if not isinstance(after, Recording) or len(after.signals) != len(before.signals):
        wrong = "channels"
    elif len(after.sections) != len(before.sections):
        wrong = "sweeps"
    else:
        for old, new in zip(before.signals, after.signals, strict=True):
            n = old.samples_mv.size
            step = 2.0**-22 * float(np.abs(old.samples_mv).max(initial=0.0))
            if abs(new.rate_hz / old.rate_hz - 1) > 1e-6:
                wrong = "sampling rate"
            elif new.samples_mv.size < n or np.abs(new.samples_mv[:n] - old.samples_mv).max() > step:
                wrong = "samples"
        times = {round(marker.time_s, 5) for marker in after.markers}
        if not times <= {round(time_s, 5) for time_s, _ in notes}:
            wrong = "markers"
    if wrong:
        raise InputError(subject, f"its {wrong} would read differently once converted", "export it as EDF")
