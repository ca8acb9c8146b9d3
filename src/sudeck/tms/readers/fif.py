"""Raw recordings of MNE and MEGIN (.fif), read through MNE."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.limits import check_memory
from sudeck.tms.readers.base import Hints, source_of, stimulus_labels
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
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

    Raises
    ------
    InputError
        If the file holds epochs or averages and no raw recording.
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
        raise InputError(
            path.name,
            "it holds no raw recording",
            "save the raw recording, or export epochs to EEGLAB (.set)",
        ) from error
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
