"""MAT-files that a program exported: Signal, Spike2, LabChart, AcqKnowledge, EEGLAB, FieldTrip.

Each is recognised by the names of its variables or fields, as the maker's manuals give them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sudeck.core.provenance import SourceFile
from sudeck.tms.readers.base import Hints, corrupt, stimulus_labels
from sudeck.tms.readers.matfiles.eeglab import eeglab, fieldtrip
from sudeck.tms.readers.matfiles.found import number_in, structs_in, texts_in
from sudeck.tms.readers.parts.frames import ExportedFrame, Found, recording_of, state_labels
from sudeck.tms.signals.recording import Marker, Recording

_SIGNAL_FIELDS = {"interval", "points", "chans", "frames", "values"}
_SPIKE2_WAVE, _SPIKE2_EVENTS = {"interval", "values", "start"}, {"resolution", "times"}
_LABCHART = {"data", "datastart", "dataend", "samplerate"}
_EVENT_MARKER = 2
_ACQKNOWLEDGE = {"data", "units", "labels", "isi"}


def exported(values: Mapping[str, Any], path: Path, source: SourceFile, hints: Hints) -> Recording | None:
    """Return the recording that a known program exported, or ``None`` if the file is not of that kind.

    Parameters
    ----------
    values : Mapping
        Variables of the file, from `matfile.load`.
    path : Path
        For messages.
    source : SourceFile
    hints : Hints

    Raises
    ------
    InputError
        If the export is incomplete, or its unit is impossible and unclear.
    """
    kinds: tuple[Callable[[Mapping[str, Any]], Found | None], ...] = (
        partial(eeglab, path=path),
        fieldtrip,
        _signal,
        _spike2,
        _labchart,
        _acqknowledge,
    )
    try:
        found = next((item for kind in kinds if (item := kind(values)) is not None), None)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise corrupt(path, "the variables of the export do not fit together") from error
    if found is None:
        return None
    return recording_of(found, path, source, hints)


def _signal(values: Mapping[str, Any]) -> Found | None:
    """CED Signal: one struct with ``values[point, channel, frame]``, ``chaninfo`` and ``frameinfo``."""
    data = next((v for v in values.values() if isinstance(v, dict) and set(v) >= _SIGNAL_FIELDS), None)
    if data is None:
        return None
    values_of = np.asarray(data["values"], dtype=np.float64)
    n_points, n_channels, n_frames = (*values_of.shape, 1, 1)[:3]
    block = values_of.reshape(n_points, n_channels, n_frames)
    interval, first_x = number_in(data["interval"]), number_in(data.get("start", 0.0))
    channels, infos = structs_in(data.get("chaninfo")), structs_in(data.get("frameinfo"))
    names = [str(info.get("title") or f"channel {i + 1}") for i, info in enumerate(channels)]
    names += [f"channel {i + 1}" for i in range(len(names), n_channels)]
    units = [str(info.get("units") or "") for info in channels] + [""] * (n_channels - len(channels))
    infos = [*infos, *({} for _ in range(n_frames - len(infos)))]
    labels = state_labels(
        [str(info.get("label") or "").strip() for info in infos],
        [int(number_in(info["state"])) if "state" in info else None for info in infos],
    )
    frames = [
        ExportedFrame(
            [block[:, channel, index] for channel in range(n_channels)],
            number_in(infos[index]["start"]) if "start" in infos[index] else None,
            labels[index],
            first_x,
            n_points * interval,
        )
        for index in range(n_frames)
    ]
    return "CED Signal (MATLAB)", names, units, [1 / interval] * n_channels, frames, []


def _spike2(values: Mapping[str, Any]) -> Found | None:
    """CED Spike2: one struct a channel, waveforms with ``values`` and events with ``times``."""
    waves = [v for v in values.values() if isinstance(v, dict) and set(v) >= _SPIKE2_WAVE and "title" in v]
    if not waves:
        return None
    # Channels of other lengths (force, rectified copies at lower rates) keep their own rate and stay in.
    samples = [np.ravel(np.asarray(wave["values"], dtype=np.float64)) for wave in waves]
    rates = [1 / number_in(wave["interval"]) for wave in waves]
    start_s = number_in(waves[0]["start"])
    markers = [
        Marker(float(time_s), "", str(channel.get("title") or name))
        for name, channel in values.items()
        if isinstance(channel, dict) and set(channel) >= _SPIKE2_EVENTS
        for time_s in np.ravel(np.asarray(channel["times"], dtype=np.float64))
    ]
    names = [str(wave["title"] or f"channel {i + 1}") for i, wave in enumerate(waves)]
    units = [str(wave.get("units") or "") for wave in waves]
    frame = ExportedFrame(samples, start_s, "", 0.0, samples[0].size / rates[0])
    return "CED Spike2 (MATLAB)", names, units, rates, [frame], markers


def _labchart(values: Mapping[str, Any]) -> Found | None:
    """LabChart: all channels and blocks in one vector; units are SI units, whatever was displayed."""
    if not set(values) >= _LABCHART:
        return None
    data = np.ravel(np.asarray(values["data"], dtype=np.float64))
    starts, ends = np.atleast_2d(values["datastart"]), np.atleast_2d(values["dataend"])
    rates = np.broadcast_to(np.atleast_2d(values["samplerate"]), starts.shape)
    titles, unit_texts = texts_in(values.get("titles")), texts_in(values.get("unittext"))
    unit_map = np.atleast_2d(values.get("unittextmap", -np.ones(starts.shape)))
    used = [row for row in range(starts.shape[0]) if np.all(starts[row] > 0)]
    names = [titles[row] if row < len(titles) and titles[row] else f"channel {row + 1}" for row in used]
    units = []
    for row in used:
        index = int(unit_map[row, 0]) - 1
        units.append(unit_texts[index] if 0 <= index < len(unit_texts) else "")
    frames, clock_s = [], 0.0
    block_starts = []
    for block in range(starts.shape[1]):
        samples = [data[int(starts[row, block]) - 1 : int(ends[row, block])] for row in used]
        duration_s = samples[0].size / float(rates[used[0], block]) if samples else 0.0
        frames.append(ExportedFrame(samples, clock_s, "", 0.0, duration_s))
        block_starts.append(clock_s)
        clock_s += duration_s
    markers = _labchart_markers(values, block_starts)
    return "LabChart (MATLAB)", names, units, [float(rates[row, 0]) for row in used], frames, markers


def _labchart_markers(values: Mapping[str, Any], block_starts: Sequence[float]) -> list[Marker]:
    """Return event markers and comments that label stimuli; as rows of channel, block, tick, type, text."""
    rows = np.atleast_2d(np.asarray(values.get("com", np.zeros((0, 5))), dtype=np.float64))
    if rows.size == 0 or rows.shape[1] < 5:
        return []
    texts = texts_in(values.get("comtext"))
    ticks = np.ravel(np.asarray(values.get("tickrate", values["samplerate"]), dtype=np.float64))
    written = [texts[int(row[4]) - 1] if 0 < row[4] <= len(texts) else "" for row in rows]
    labels = stimulus_labels(written)
    markers = []
    for (_, block, tick, kind, _), text in zip(rows[:, :5], written, strict=True):
        index = int(block) - 1
        if 0 <= index < len(block_starts) and (text in labels or kind == _EVENT_MARKER):
            time_s = block_starts[index] + float(tick) / float(ticks[min(index, ticks.size - 1)])
            markers.append(Marker(time_s, text if text in labels else "", "event marker"))
    return markers


def _acqknowledge(values: Mapping[str, Any]) -> Found | None:
    """AcqKnowledge: ``data[sample, channel]`` with ``isi`` in milliseconds unless `isi_units` says else."""
    if not set(values) >= _ACQKNOWLEDGE:
        return None
    data = np.asarray(values["data"], dtype=np.float64)
    names, units = texts_in(values["labels"]), texts_in(values["units"])
    if data.ndim != 2 or len(names) not in data.shape:
        raise ValueError("labels do not fit the data")
    columns = data if data.shape[1] == len(names) else data.T
    seconds = {"s": 1.0, "sec": 1.0}.get(str(values.get("isi_units", "ms")).strip().lower(), 1e-3)
    rate_hz = 1 / (number_in(values["isi"]) * seconds)
    frame = ExportedFrame(
        [columns[:, i] for i in range(len(names))], 0.0, "", 0.0, columns.shape[0] / rate_hz
    )
    return (
        "AcqKnowledge (MATLAB)",
        names,
        (units + [""] * len(names))[: len(names)],
        [rate_hz] * len(names),
        [frame],
        [],
    )
