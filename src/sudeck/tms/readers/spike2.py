"""CED Spike2 up to version 7 (.smr), read through neo."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.tms.readers.base import Hints, corrupt, source_of
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.signals.recording import Marker, Recording, Section

FORMAT: Final = "Spike2"
# Every SON file carries the maker's notice at byte 2.
_COPYRIGHT = b"(C) CED"


def sniff(head: bytes, path: Path) -> bool:
    """Recognise the copyright notice of a SON file, or the name of one whose first bytes are lost."""
    return _COPYRIGHT in head[:32] or path.suffix.lower() in {".smr", ".son"}


def read(path: Path, hints: Hints) -> Recording:
    """Read every waveform and event channel of a Spike2 file.

    Raises
    ------
    InputError
        If the file is truncated or damaged, or holds no waveform.
    MissingDependencyError
        If neo is not installed.
    """
    try:
        from neo.rawio import Spike2RawIO
    except ImportError as error:
        raise MissingDependencyError("Reading Spike2 files", "tms") from error
    with path.open("rb") as file:
        begins_right = _COPYRIGHT in file.read(32)
    if not begins_right:
        raise corrupt(path, "the header of a Spike2 file is missing")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # neo warns about itself, never about the file
            raw = Spike2RawIO(str(path))
            raw.parse_header()
            return _recording(raw, path, hints)
    except (InputError, MissingDependencyError):
        raise
    except Exception as error:  # neo fails on damaged files with whatever its arithmetic runs into
        raise corrupt(path, "the Spike2 file can not be read to its end") from error


def _recording(raw: Any, path: Path, hints: Hints) -> Recording:
    streams = raw.header["signal_streams"]
    if len(streams) == 0 or raw.header["nb_segment"][0] == 0:
        raise InputError(
            path.name, "the file holds no waveform channel", "check that the export took EMG along"
        )
    segments = range(raw.header["nb_segment"][0])
    channels: dict[int, RawChannel] = {}
    for stream, (_, stream_id, *_) in enumerate(streams):
        chunks = [raw.get_analogsignal_chunk(0, segment, None, None, stream) for segment in segments]
        start_s = float(raw.get_signal_t_start(0, 0, stream))
        rows = [i for i, row in enumerate(raw.header["signal_channels"]) if row["stream_id"] == stream_id]
        for column, row in enumerate(rows):
            channel = raw.header["signal_channels"][row]
            name, unit = str(channel["name"]), str(channel["units"])
            numbers = np.concatenate([chunk[:, column] for chunk in chunks])
            scaled = numbers * float(channel["gain"]) + float(channel["offset"])
            channels[row] = RawChannel(name, scaled, unit, float(channel["sampling_rate"]), start_s)
    signals, flags = signals_of([channels[row] for row in sorted(channels)], path.name, hints)
    sections = tuple(
        Section(
            float(raw.get_signal_t_start(0, segment, 0)),
            float(raw.get_signal_t_start(0, segment, 0))
            + raw.get_signal_size(0, segment, 0) / float(signals[0].rate_hz),
        )
        for segment in segments
    )
    return Recording(source_of(path), FORMAT, signals, _markers(raw), sections, tuple(flags))


def _markers(raw: Any) -> tuple[Marker, ...]:
    """Return events of every channel; text marks lose their text, since a name may have been typed there."""
    markers = []
    for index, channel in enumerate(raw.header["event_channels"]):
        for segment in range(raw.header["nb_segment"][0]):
            stamps, _, labels = raw.get_event_timestamps(0, segment, index)
            times = raw.rescale_event_timestamp(stamps, dtype="float64", event_channel_index=index)
            for time_s, label in zip(times, labels, strict=True):
                text = str(label) if str(label).isdigit() else ""
                markers.append(Marker(float(time_s), text, str(channel["name"])))
    return tuple(sorted(markers, key=lambda marker: (marker.time_s, marker.channel)))
