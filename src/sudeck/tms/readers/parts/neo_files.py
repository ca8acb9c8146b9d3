"""Recordings that neo parsed: its streams, segments and events as ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.tms.readers.base import Hints, source_of
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.signals.recording import Marker, Recording, Section


def recording_of(raw: Any, path: Path, form: str, hints: Hints) -> Recording:
    """Return what neo parsed as a recording; each of its segments is a section.

    Raises
    ------
    InputError
        If there is no waveform.
    """
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
    return Recording(source_of(path), form, signals, _markers(raw), sections, tuple(flags))


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
