"""European Data Format and its 24-bit sister (.edf, .bdf), with annotations and trigger codes.

Kept by hand: edfio reads a file that was cut short with a warning only, and here that is refused.
Written from the public specifications of EDF, EDF+ and BDF. The patient and recording fields are used to
mask file names and for nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.privacy import Redactor
from sudeck.tms.readers.base import Hints, corrupt, source_of, stimulus_labels, truncated
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.signals.recording import Marker, Recording, Section

FORMAT: Final = "EDF"
_EDF, _BDF = b"0       ", b"\xffBIOSEMI"
_HEADER_BYTES = 256
# Field widths of the header of one signal, in the order of the specification.
_WIDTHS = {
    "label": 16, "transducer": 80, "unit": 8, "physical_min": 8, "physical_max": 8,
    "digital_min": 8, "digital_max": 8, "filter": 80, "samples": 8, "reserved": 32,
}  # fmt: skip
_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
_STATUS = "Status"
# Of the status word of a BDF file, the low 16 bits are the trigger input.
_TRIGGER_BITS = 0xFFFF
_MAX_SIGNALS = 4096


@dataclass(frozen=True, slots=True)
class _Channel:
    label: str
    unit: str
    physical_min: float
    physical_max: float
    digital_min: float
    digital_max: float
    samples: int
    first: int  # of its samples in a record


@dataclass(frozen=True)
class _Layout:
    channels: tuple[_Channel, ...]
    record_s: float
    width: int
    samples_per_record: int
    header_bytes: int
    interrupted: bool
    redactor: Redactor


def sniff(head: bytes, path: Path) -> bool:
    """Recognise the version field of EDF or BDF; a name without it is a damaged file, and said to be so."""
    return head.startswith((_EDF, _BDF)) or path.suffix.lower() in {".edf", ".bdf"}


def read(path: Path, hints: Hints) -> Recording:
    """Read every signal, annotation and trigger code of a file.

    Raises
    ------
    InputError
        If the file is truncated or damaged.
    """
    data = path.read_bytes()
    layout = _layout(data, path)
    records = _records(data, layout, path)
    starts = [index * layout.record_s for index in range(records.shape[0])]
    markers: list[Marker] = []
    for channel in layout.channels:
        if channel.label in _ANNOTATIONS:
            block = records[
                :, channel.first * layout.width : (channel.first + channel.samples) * layout.width
            ]
            onsets, found = _annotations(block)
            # What the header says of the patient is no label, wherever it was typed.
            markers += [replace(mark, label=layout.redactor.clean(mark.label)) for mark in found]
            starts = [start if onset is None else onset for start, onset in zip(starts, onsets, strict=True)]
    waves = [channel for channel in layout.channels if channel.label not in _ANNOTATIONS]
    if not any(channel.label != _STATUS for channel in waves):
        raise InputError(
            path.name, "the file holds annotations only, no signal", "export the EMG channels along"
        )
    raw = []
    for channel in waves:
        digital = _digital(records, channel, layout)
        rate_hz = channel.samples / layout.record_s
        if channel.label == _STATUS:
            markers += _triggers(digital, rate_hz, starts[0])
            continue
        gain = (channel.physical_max - channel.physical_min) / (channel.digital_max - channel.digital_min)
        physical = (digital - channel.digital_min) * gain + channel.physical_min
        label = layout.redactor.clean(channel.label)
        raw.append(RawChannel(label, physical, channel.unit, rate_hz, starts[0]))
    signals, flags = signals_of(raw, path.name, hints)
    name = "BDF" if layout.width == 3 else FORMAT
    sections = _sections(starts, layout)
    ordered = tuple(sorted(markers, key=lambda marker: marker.time_s))
    source = source_of(path, redactor=layout.redactor)
    return Recording(source, name, signals, ordered, sections, tuple(flags))


def _layout(data: bytes, path: Path) -> _Layout:
    """Parse the header."""
    if not data.startswith((_EDF, _BDF)):
        raise corrupt(path, "the header of an EDF file is missing")
    if len(data) < _HEADER_BYTES:
        raise truncated(path)
    text = data[:_HEADER_BYTES].decode("latin-1")
    redactor = Redactor.from_values([*text[8:88].split(), *text[88:168].split()])
    n_signals = int(_number(text[252:256], path, "number of signals", 1, _MAX_SIGNALS))
    record_s = _number(text[244:252], path, "record duration", 0, 1e6)
    header_bytes = _HEADER_BYTES * (n_signals + 1)
    if len(data) < header_bytes:
        raise truncated(path)
    fields: dict[str, list[str]] = {}
    at = _HEADER_BYTES
    for name, width in _WIDTHS.items():
        block = data[at : at + width * n_signals].decode("latin-1")
        fields[name] = [block[i * width : (i + 1) * width].strip() for i in range(n_signals)]
        at += width * n_signals
    channels = []
    first = 0
    for i in range(n_signals):
        physical = [_number(fields[f"physical_{end}"][i], path, "physical range") for end in ("min", "max")]
        digital = [_number(fields[f"digital_{end}"][i], path, "digital range") for end in ("min", "max")]
        samples = int(_number(fields["samples"][i], path, "samples a record", 1, 1e8))
        if digital[0] >= digital[1] or physical[0] == physical[1]:
            raise corrupt(path, f"the calibration of signal {i + 1} is empty")
        channels.append(
            _Channel(
                fields["label"][i],
                fields["unit"][i],
                physical[0],
                physical[1],
                digital[0],
                digital[1],
                samples,
                first,
            )
        )
        first += samples
    if record_s == 0 and any(channel.label not in _ANNOTATIONS for channel in channels):
        raise corrupt(path, "the header gives no record duration")
    return _Layout(
        tuple(channels),
        record_s,
        3 if data.startswith(_BDF) else 2,
        first,
        header_bytes,
        "+D" in text[192:236],
        redactor,
    )


def _number(text: str, path: Path, what: str, low: float = -1e15, high: float = 1e15) -> float:
    try:
        value = float(text.strip("\0 ").replace(",", "."))
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise corrupt(path, f"the header gives no usable {what}")
    return value


def _records(data: bytes, layout: _Layout, path: Path) -> NDArray[np.uint8]:
    """Return the data as bytes, one row a record. Records must be whole and as many as the header counts."""
    body = np.frombuffer(data, np.uint8, offset=layout.header_bytes)
    bytes_a_record = layout.samples_per_record * layout.width
    counted = int(_number(data[236:244].decode("latin-1"), path, "number of records", -1, 1e9))
    whole = body.size // bytes_a_record
    if whole == 0 or counted > whole or (counted == -1 and body.size % bytes_a_record):
        raise truncated(path, f"the header counts {counted} records and the file holds {whole}")
    n_records = whole if counted == -1 else counted
    if n_records == 0:
        raise truncated(path, "the file holds a header and no data")
    return body[: n_records * bytes_a_record].reshape(n_records, bytes_a_record)


def _digital(records: NDArray[np.uint8], channel: _Channel, layout: _Layout) -> NDArray[np.float64]:
    """Return the digital values of one signal over all records."""
    block = records[:, channel.first * layout.width : (channel.first + channel.samples) * layout.width]
    if layout.width == 2:
        return np.ascontiguousarray(block).view("<i2").astype(np.float64).ravel()
    parts = block.reshape(-1, 3).astype(np.int32)
    value = parts[:, 0] | (parts[:, 1] << 8) | (parts[:, 2] << 16)
    return (value - ((value & 0x800000) << 1)).astype(np.float64)


def _annotations(block: NDArray[np.uint8]) -> tuple[list[float | None], list[Marker]]:
    """Return the onset of every record, and the annotations that label stimuli."""
    onsets: list[float | None] = []
    noted: list[tuple[float, str]] = []
    for row in block:
        onset = None
        for item in row.tobytes().split(b"\0"):
            parts = item.decode("utf-8", "replace").split("\x14")
            match = re.fullmatch(r"([+-]\d+(?:\.\d*)?)(?:\x15[\d.]*)?", parts[0])
            if match is None:
                continue
            if onset is None:
                onset = float(match[1])
            noted += [(float(match[1]), text.strip()) for text in parts[1:] if text.strip()]
        onsets.append(onset)
    kept = stimulus_labels(text for _, text in noted)
    return onsets, [Marker(time_s, text, "annotation") for time_s, text in noted if text in kept]


def _triggers(digital: NDArray[np.float64], rate_hz: float, start_s: float) -> list[Marker]:
    """Return the onsets of trigger codes in the status channel of a BDF file."""
    codes = digital.astype(np.int64) & _TRIGGER_BITS
    base = int(np.bincount(codes[: 1 << 20]).argmax()) if codes.size else 0
    onsets = np.flatnonzero((codes[1:] != codes[:-1]) & (codes[1:] != base)) + 1
    return [Marker(start_s + int(at) / rate_hz, str(int(codes[at])), "trigger") for at in onsets]


def _sections(starts: list[float], layout: _Layout) -> tuple[Section, ...]:
    """Join records that follow each other; an interrupted file (EDF+D) has gaps between some."""
    if not layout.interrupted:
        return (Section(starts[0], starts[0] + len(starts) * layout.record_s),)
    sections: list[Section] = []
    begin = 0
    for index in range(1, len(starts) + 1):
        if index == len(starts) or abs(starts[index] - starts[index - 1] - layout.record_s) > 1e-3:
            stop_s = starts[begin] + (index - begin) * layout.record_s
            sections.append(Section(starts[begin], stop_s))
            begin = index
    return tuple(sections)
