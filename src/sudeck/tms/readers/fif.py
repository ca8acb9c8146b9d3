"""Raw recordings and epochs of MNE and MEGIN (.fif), read through MNE."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.limits import check_memory
from sudeck.tms.readers.base import Hints, source_of, stimulus_labels
from sudeck.tms.readers.parts.frames import ExportedFrame, Found, recording_of
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.signals.events import given_rows
from sudeck.tms.signals.recording import Marker, Recording, Section

FORMAT: Final = "FIF"
# A FIFF file begins with the tag of its identity: kind 100, type 31, 20 bytes.
_SIGNATURE = bytes.fromhex("000000640000001f00000014")
_STIM, _VOLT = 3, 107


def sniff(head: bytes, path: Path) -> bool:
    """Recognise the first tag; the name settles it for a file whose first bytes are lost."""
    return head.startswith(_SIGNATURE) or path.suffix.lower() == ".fif"


def read(path: Path, hints: Hints) -> Recording:
    """Read every channel, the codes of its stimulus channels, and annotations that label stimuli.

    Epochs become a section each, named by their event, with what their metadata say of the stimulus.

    Raises
    ------
    InputError
        If the file holds averages, and neither a raw recording nor epochs.
    MissingDependencyError
        If MNE is not installed.
    """
    try:
        import mne
    except ImportError as error:
        raise MissingDependencyError("Reading FIF files", "eeg") from error
    try:
        raw = mne.io.read_raw_fif(path, preload=False, allow_maxshield=True, verbose="CRITICAL")
    except ValueError as error:
        if "No raw data" not in str(error):
            raise
        return _epochs(path, hints)
    rate_hz = float(raw.info["sfreq"])
    check_memory(path, 8 * len(raw.ch_names) * raw.n_times, copies=3.0)
    data = raw.get_data(verbose="CRITICAL")
    channels, marks = [], []
    for name, described, samples in zip(raw.ch_names, raw.info["chs"], data, strict=True):
        if int(described["kind"]) == _STIM:
            codes = np.nan_to_num(samples)
            edges = np.flatnonzero((codes != 0) & (np.concatenate([[0.0], codes[:-1]]) != codes))
            marks += [(int(edge) / rate_hz, f"{codes[edge]:g}", name) for edge in edges]
            continue
        unit = "V" if int(described["unit"]) == _VOLT else "?"
        channels.append(RawChannel(name, samples, unit, rate_hz))
    if not channels:
        raise InputError(path.name, "no channel is a signal", "export the EMG channels along")
    notes = raw.annotations
    # MNE counts them from before the first sample where the recording was cut, dated or not.
    texts = [
        (float(t) - raw.first_time, str(text)) for t, text in zip(notes.onset, notes.description, strict=True)
    ]
    kept = stimulus_labels(text for _, text in texts)
    marks += [(time_s, text, "annotation") for time_s, text in texts if text in kept]
    signals, flags = signals_of(channels, path.name, hints)
    markers = tuple(Marker(*mark) for mark in sorted(marks))
    return Recording(
        source_of(path), FORMAT, signals, markers, (Section(0.0, raw.n_times / rate_hz),), tuple(flags)
    )


def _epochs(path: Path, hints: Hints) -> Recording:
    import mne

    try:
        epochs = mne.read_epochs(path, preload=False, verbose="CRITICAL")
    except ValueError as error:
        raise InputError(
            path.name, "it holds neither a raw recording nor epochs", "save the raw recording or the epochs"
        ) from error
    rate_hz = float(epochs.info["sfreq"])
    check_memory(path, 8 * len(epochs.ch_names) * len(epochs.times) * len(epochs), copies=3.0)
    described = epochs.info["chs"]
    chosen = [i for i, channel in enumerate(described) if int(channel["kind"]) != _STIM]
    if not chosen or not len(epochs):
        raise InputError(path.name, "no channel of its epochs is a signal", "export the EMG channels along")
    with mne.use_log_level("CRITICAL"):
        blocks = epochs.get_data(copy=True)[:, chosen]
    names = {code: name for name, code in epochs.event_id.items()}
    first_x = float(epochs.times[0])
    table = epochs.metadata
    rows = [{} for _ in blocks] if table is None else table.astype(object).to_dict("records")
    given = given_rows([{name: _cell(value) for name, value in row.items()} for row in rows], path.name)
    frames = [
        ExportedFrame(
            list(block),
            float(sample) / rate_hz + first_x,
            names.get(code, f"{code}"),
            first_x,
            len(epochs.times) / rate_hz,
            row,
        )
        for block, (sample, _, code), row in zip(blocks, epochs.events, given, strict=True)
    ]
    units = ["V" if int(described[i]["unit"]) == _VOLT else "?" for i in chosen]
    channels = [epochs.ch_names[i] for i in chosen]
    found: Found = ("FIF epochs", channels, units, [rate_hz] * len(chosen), frames, [])
    return recording_of(found, path, source_of(path), hints)


def _cell(value: object) -> str:
    """Return a cell of the metadata as a table would hold it; empty where it is not a number."""
    return "" if value is None or value != value else str(value)
