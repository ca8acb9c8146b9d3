"""Sweeps cut before, and tables of amplitudes, without anything that names the patient.

BIDS has a form for neither: sweeps go into a NumPy archive, amplitudes into a table. Only numbers and
words of the field are written; then the new file is read, and given out only if it holds the same.
"""

from __future__ import annotations

import io
import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.privacy import Redactor
from sudeck.core.storage import tsv_text
from sudeck.study.imports.clean_recording import channel_names, neutral
from sudeck.tms.readers import read_file
from sudeck.tms.signals.events import read_events
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.recording import Recording
from sudeck.tms.signals.trials import AmplitudeTable, Pulse, TrialSet

# What a stimulus may take along, in the words of an events table, and what is put into words of the field.
_PLAIN: Final = (
    "kind",
    "isi_ms",
    "test_mso",
    "conditioning_mso",
    "test_rmt",
    "conditioning_rmt",
    "hemisphere",
    "conditioning_hemisphere",
    "conditioning_kind",
    "muscle_side",
    "state",
)
_WORDED: Final = ("condition", "visit", "muscle")


@dataclass(frozen=True)
class CleanTable:
    """Sweeps or amplitudes without identity.

    Attributes
    ----------
    data : bytes
        The file.
    ending : str
        How its name ends: ``sweeps.npz`` or ``amplitudes.tsv``.
    remarks : tuple of str
        What to look at.
    """

    data: bytes
    ending: str
    remarks: tuple[str, ...] = ()


def clean_sweeps(
    path: Path,
    sets: Sequence[TrialSet | AmplitudeTable],
    *,
    redactor: Redactor,
    muscles: Iterable[str] = (),
) -> CleanTable:
    """Return what a file of sweeps or amplitudes holds, without anything that names the patient.

    Parameters
    ----------
    path : Path
        The file; a BIDS events table beside it is taken in.
    sets : sequence of TrialSet or AmplitudeTable
        What reading it gave.
    redactor : Redactor
        What is known to identify the patient.
    muscles : iterable of str
        Muscles the study names, besides those known.

    Raises
    ------
    InputError
        If it holds trials of several people, or would read differently afterwards.
    """
    people = {getattr(item, "participant", "") for item in sets}
    people |= {pulse.participant for item in sets for pulse in item.pulses}
    if len(people - {""}) > 1:
        raise InputError(path.name, "it holds trials of several people", "export a file for each of them")
    given = [_completed(path, item.pulses) for item in sets]
    words = neutral(
        (getattr(pulse, name) or "" for pulses in given for pulse in pulses for name in _WORDED),
        redactor,
        muscles,
        letter="C",
    )
    pulses = [[_plain(pulse, words) for pulse in of_set] for of_set in given]
    sweeps = [item for item in sets if isinstance(item, TrialSet)]
    tables = [item for item in sets if isinstance(item, AmplitudeTable)]
    names = channel_names((item.channel for item in sweeps), redactor, muscles)
    if sweeps:
        clean = CleanTable(_archive(path, sweeps, pulses, names), "sweeps.npz")
    else:
        clean = CleanTable(_table(tables, pulses), "amplitudes.tsv")
    _verify(path.name, sets, pulses, clean)
    replaced = any(old != new for old, new in (words | names).items())
    remarks = ["labels were replaced by words of the field"] if replaced or people - {""} else []
    if any(flag.code == "unit-inferred" for item in sets for flag in item.flags):
        remarks.append("it names no unit; taken for the one that its numbers fit, and written in mV")
    return replace(clean, remarks=tuple(remarks))


def _completed(path: Path, pulses: Sequence[Pulse]) -> list[Pulse]:
    """Add what an events table beside the file says of each stimulus, in order."""
    beside = path.with_name(path.stem.rpartition("_")[0] + "_events.tsv")
    if not beside.is_file():
        return list(pulses)
    rows = read_events(beside).rows
    if len(rows) != len(pulses):
        raise InputError(
            path.name,
            f"it holds {len(pulses)} trials, and the events table beside it {len(rows)}",
            "correct the table",
        )
    known = Pulse.__dataclass_fields__
    return [
        replace(pulse, **{name: value for name, value in row.items() if name in known})
        for pulse, row in zip(pulses, rows, strict=True)
    ]


def _plain(pulse: Pulse, words: Mapping[str, str]) -> Pulse:
    said: dict[str, Any] = {name: words.get(getattr(pulse, name) or "", "") for name in _WORDED}
    muscle, side = muscle_and_side(said["muscle"])
    said |= {"muscle": muscle or said["muscle"] or None, "muscle_side": pulse.muscle_side or side}
    return replace(pulse, **said, participant="")


def _cells(pulse: Pulse) -> dict[str, Any]:
    """Return the fields of a stimulus by the columns of an events table."""
    onset = None if math.isnan(pulse.time_s) else pulse.time_s
    row = {name: getattr(pulse, name) for name in (*_PLAIN, *_WORDED)}
    kind = None if pulse.kind == "unknown" else pulse.kind
    return {"onset": onset, **row, "kind": kind, **{name: row[name] or None for name in _WORDED}}


def _used(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in rows)]


def _archive(
    path: Path, sets: Sequence[TrialSet], pulses: Sequence[Sequence[Pulse]], names: Mapping[str, str]
) -> bytes:
    """Write sweeps as an archive of arrays: channels by trials by samples."""
    first = sets[0]
    alike = {(item.emg_mv.shape, item.rate_hz, item.pulse_sample) for item in sets}
    if len(alike) > 1 or any(of_set != pulses[0] for of_set in pulses):
        raise InputError(path.name, "its channels differ in their trials", "export a file for each channel")
    rows = [_cells(pulse) for pulse in pulses[0]]
    emg = np.stack([item.emg_mv for item in sets])
    texts: dict[str, Any] = {
        name: np.array(["" if row[name] is None else str(row[name]) for row in rows]) for name in _used(rows)
    }
    file = io.BytesIO()
    np.savez_compressed(
        file,
        emg=emg if len(sets) > 1 else emg[0],
        channels=np.array([names[item.channel] for item in sets]),
        fs=np.array(first.rate_hz),
        unit=np.array("mV"),
        pulse_sample=np.array(first.pulse_sample),
        time_ms=first.time_ms,
        **texts,
    )
    return file.getvalue()


def _table(tables: Sequence[AmplitudeTable], pulses: Sequence[Sequence[Pulse]]) -> bytes:
    rows: list[dict[str, Any]] = []
    for table, of_table in zip(tables, pulses, strict=True):
        latency = table.latency_ms
        for index, pulse in enumerate(of_table):
            amplitude = float(table.amplitude_mv[index])
            late = math.nan if latency is None else float(latency[index])
            rows.append({"amplitude_mv": amplitude, "latency_ms": late, **_cells(pulse)})
    finite = [{name: None if value != value else value for name, value in row.items()} for row in rows]
    used = ["amplitude_mv", *(name for name in _used(finite) if name != "amplitude_mv")]
    return tsv_text([{name: row[name] for name in used} for row in finite], used).encode()


def _verify(
    subject: str,
    before: Sequence[TrialSet | AmplitudeTable],
    pulses: Sequence[Sequence[Pulse]],
    clean: CleanTable,
) -> None:
    """Refuse a new file that the recordings room would read differently."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"trials_{clean.ending}"
        path.write_bytes(clean.data)
        after = read_file(path)
    found = () if isinstance(after, Recording) else after
    same = len(found) == len(before)
    for old, new, of_set in zip(before, found, pulses, strict=False):
        same = same and _alike(_numbers(old), _numbers(new)) and len(of_set) == len(new.pulses)
        same = same and all(_same_pulse(*pair) for pair in zip(of_set, new.pulses, strict=True))
    if not same:
        raise InputError(subject, "it would read differently once rewritten", "export the recording as EDF")


def _numbers(item: TrialSet | AmplitudeTable) -> list[Any]:
    if isinstance(item, TrialSet):
        return [item.emg_mv, item.rate_hz, item.pulse_sample]
    return [item.amplitude_mv, [] if item.latency_ms is None else item.latency_ms]


def _alike(old: Sequence[Any], new: Sequence[Any]) -> bool:
    return all(
        np.shape(first) == np.shape(second) and np.allclose(first, second, rtol=1e-9, atol=0, equal_nan=True)
        for first, second in zip(old, new, strict=True)
    )


def _same_pulse(old: Pulse, new: Pulse) -> bool:
    for name in (*_PLAIN, *_WORDED, "time_s"):
        first, second = getattr(old, name), getattr(new, name)
        if isinstance(first, float) and isinstance(second, float):
            if not (math.isnan(first) and math.isnan(second)) and not math.isclose(first, second):
                return False
        elif name == "kind" and first == "unknown":
            continue
        elif first != second:
            return False
    return True
