"""Sweeps among named values: which array, which axis, which channel, and what is told of each trial.

MAT-files, NumPy archives and JSON-described tables all come here once they are names and arrays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.tms.readers.base import Hints
from sudeck.tms.readers.parts.sidecar import STATED
from sudeck.tms.readers.parts.values import (
    INTENSITY,
    Array,
    first,
    given_rows,
    scalar,
    text,
    unit_in_name,
    vector,
)
from sudeck.tms.signals.events import Given, given_by
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.neutral_labels import reduced

_RATE = {
    "fs", "srate", "rate", "rate_hz", "sr", "sampling_rate", "samplingrate", "sample_rate", "samplerate",
    "sampling_frequency", "samplingfrequency", "sfreq", "emg_fs", "fsample",
}  # fmt: skip
_TIME = {"t", "time", "times", "time_ms", "time_s", "t_ms", "t_s", "timevec", "tvec", "time_vector"}
_UNIT = {"unit", "units", "emg_unit", "emg_units"}
_CHANNELS = {"channels", "channel", "labels", "chan_names", "channel_names", "muscles"}
_PULSE_MS = {"pulse_ms", "stim_ms", "pulse_time_ms"}
_PULSE_SAMPLE = {"pulse_sample", "stim_sample", "stimulus_sample"}
_SWEEP_NAMES = re.compile(r"emg|mep|sweep|trial|data|wave|epoch|signal|values", re.IGNORECASE)
_CHANNEL_NAMES = re.compile(r"(ch|chan|channel|emg)_?\d+", re.IGNORECASE)
PLAUSIBLE_RATE_HZ = (400.0, 200_000.0)
# Fewer samples than this are no sweep.
_LEAST_SAMPLES = 32
# Neighbouring samples of EMG resemble each other more than the same sample of neighbouring trials.
_CLEARLY_SMOOTHER = 0.85


@dataclass(frozen=True)
class Sweeps:
    """Sweeps as found, before units are judged and the stimulus is looked for.

    Attributes
    ----------
    emg : list over channels of lists over trials of ndarray
        In the unit of the file; sweeps may differ in length between trials, not between channels.
    channels : list of str
    given : list of Given
        What is known of each trial's stimulus.
    rate_hz : float
    unit : str
        As the file states it; may be empty.
    pulse_sample : int or None
        Where in each sweep the stimulus is, if anything says.
    """

    emg: list[list[Array]]
    channels: list[str]
    given: list[Given]
    rate_hz: float
    unit: str
    pulse_sample: int | None


def sweeps_in(values: Mapping[str, Any], path: Path, hints: Hints) -> Sweeps:
    """Find the sweeps among named values.

    Parameters
    ----------
    values : Mapping
        Arrays, texts, lists and tables (see `matfile.load`) by name.
    path : Path
        For messages.
    hints : Hints
        What a person says; goes before the file.

    Raises
    ------
    InputError
        If the array, its axes or its rate can not be told without guessing.
    """
    lower = {name.lower(): value for name, value in values.items()}
    time = vector(first(lower, _TIME))
    tables = {name: v for name, v in values.items() if isinstance(v, dict) and "__table__" in v}
    with_sweeps = [name for name, table in tables.items() if _sweep_columns(table)]
    if with_sweeps and (hints.variable is None or hints.variable in with_sweeps):
        if len(with_sweeps) > 1 and hints.variable is None:
            raise _several(with_sweeps, path, rate_open=_rate_in(lower, time, hints) is None)
        table = tables[hints.variable or with_sweeps[0]]
        channels = _sweep_columns(table)
        emg = [[np.ravel(cell).astype(np.float64) for cell in table[name]] for name in channels]
        given = given_rows(table | {STATED: lower.get(STATED, {})}, len(emg[0]), path)
        unit = text(lower, _UNIT)
    else:
        arrays = _chosen(values, path, hints, rate_open=_rate_in(lower, time, hints) is None)
        axis = _sample_axis(next(iter(arrays.values())), time, path)
        blocks, given, channels = _arranged(arrays, axis, lower, path)
        emg = [list(block) for block in blocks]
        unit = text(lower, _UNIT) or unit_in_name(next(iter(arrays)))
    rate_hz = _rate(lower, time, path, hints)
    return Sweeps(emg, channels, given, rate_hz, unit, _pulse_sample(lower, time, rate_hz, hints))


def _chosen(values: Mapping[str, Any], path: Path, hints: Hints, *, rate_open: bool) -> dict[str, Array]:
    """Choose the array of sweeps, or the arrays of one shape that are its channels."""
    arrays = {
        name: np.squeeze(np.asarray(value, dtype=np.float64))
        for name, value in values.items()
        if isinstance(value, np.ndarray)
        and value.dtype.kind in "fiu"
        and max(value.shape, default=0) >= _LEAST_SAMPLES
        and name.lower() not in _TIME
    }
    if hints.variable is not None:
        if hints.variable not in arrays:
            there = ", ".join(map(reduced, sorted(arrays))) or "none"
            raise InputError(
                path.name, f"it holds no array {hints.variable} (there are: {there})", "correct variable"
            )
        return {hints.variable: arrays[hints.variable]}
    several_axes = {name: array for name, array in arrays.items() if array.ndim in {2, 3}}
    candidates = several_axes or {name: array for name, array in arrays.items() if array.ndim == 1}
    channels = {name: array for name, array in candidates.items() if _names_channel(name)}
    if len(channels) > 1 and len({array.shape for array in channels.values()}) == 1:
        return dict(sorted(channels.items()))
    names = [name for name in candidates if _SWEEP_NAMES.search(name)] or list(candidates)
    if not names:
        raise InputError(path.name, "it holds no array of sweeps", "export the EMG along")
    if len(names) > 1:
        raise _several(names, path, rate_open=rate_open)
    return {names[0]: candidates[names[0]]}


def _several(names: Sequence[str], path: Path, *, rate_open: bool) -> InputError:
    shown = list(map(reduced, sorted(names)))
    return InputError(
        path.name,
        f"it holds several arrays that could be the EMG ({', '.join(shown)})"
        + (", and nothing says how fast it was sampled" if rate_open else ""),
        "complete the lines below, save them as protocol.toml and give it with --protocol",
        paste=_form(shown, rate_open=rate_open),
    )


def _form(names: Sequence[str], *, rate_open: bool) -> str:
    """Return a protocol to complete, with what the file leaves open."""
    first = next((name for name in names if "*" not in name), "NAME")
    lines = ["[recording]"]
    lines += [f'variable = "{first}"   # or another of them'] if names else []
    # No example that could be taken over: at a wrong rate every latency is wrong.
    lines += ["rate_hz = ?   # samples a second"] if rate_open else []
    lines += ["# pulse_ms = 100   # from the start of a sweep to the test pulse, where no artefact shows it"]
    lines += ['# unit = "mV"   # where the numbers do not tell']
    return "\n".join(lines)


def _sample_axis(array: Array, time: Array | None, path: Path) -> int:
    """Return the axis of samples: as long as the vector of times, else the one along which EMG is smooth."""
    fitting = [axis for axis, size in enumerate(array.shape) if time is not None and size == time.size]
    if len(fitting) == 1:
        return fitting[0]
    axes = [axis for axis, size in enumerate(array.shape) if size >= _LEAST_SAMPLES]
    roughness = {
        axis: float(np.nanmedian(np.abs(np.diff(array, axis=axis))))
        if array.ndim > 1 and np.isfinite(array).any()
        else 0.0
        for axis in axes
    }
    ranked = sorted(axes, key=lambda axis: roughness[axis])
    if not ranked or (
        len(ranked) > 1 and not roughness[ranked[0]] < _CLEARLY_SMOOTHER * roughness[ranked[1]]
    ):
        raise InputError(
            path.name,
            f"nothing tells which axis of the array ({' x '.join(map(str, array.shape))}) is time",
            "save the vector of times along with it",
        )
    return ranked[0]


def _arranged(
    arrays: Mapping[str, Array], axis: int, lower: Mapping[str, Any], path: Path
) -> tuple[list[Array], list[Given], list[str]]:
    """Bring arrays into one [trial, sample] block a channel, with what is told of each trial."""
    blocks = [np.moveaxis(np.atleast_1d(array), axis, -1) for array in arrays.values()]
    blocks = [block[None, :] if block.ndim == 1 else block for block in blocks]
    if len(blocks) > 1:
        if blocks[0].ndim != 2:
            raise InputError(path.name, "its channels have three axes each", "export trials by samples")
        return blocks, given_rows(lower, blocks[0].shape[0], path), list(arrays)
    block, shape = blocks[0], blocks[0].shape[:-1]
    name = text(lower, _CHANNELS) or (next(iter(arrays)) if _names_channel(next(iter(arrays))) else "EMG")
    if len(shape) == 1:
        return [block], given_rows(lower, shape[0], path), [name]
    intensities = vector(first(lower, INTENSITY))
    labels = first(lower, _CHANNELS)
    if intensities is not None and intensities.size in shape:
        by_intensity = np.moveaxis(block, shape.index(intensities.size), 0)
        given = [
            given_by({"test_mso": f"{value:g}", "condition": f"{value:g}"}, path.name)
            for value in intensities
            for _ in range(by_intensity.shape[1])
        ]
        return [by_intensity.reshape(-1, block.shape[-1])], given, [name]
    if isinstance(labels, list) and len(labels) in shape:
        by_channel = np.moveaxis(block, shape.index(len(labels)), 0)
        return (
            list(by_channel),
            given_rows(lower, by_channel.shape[1], path),
            [str(label) for label in labels],
        )
    raise InputError(
        path.name,
        f"nothing tells conditions from channels in the array ({' x '.join(map(str, block.shape))})",
        "save the vector of intensities or the list of channels along with it",
    )


def _rate_in(lower: Mapping[str, Any], time: Array | None, hints: Hints) -> float | None:
    """Return the sampling rate that a person states, else the file, else its vector of times."""
    rate_hz = hints.rate_hz
    if rate_hz is None:
        rate_hz = next((scalar(lower[name]) for name in sorted(_RATE) if name in lower), None)
    if rate_hz is None and time is not None and np.median(np.diff(time)) > 0:
        step = float(np.median(np.diff(time)))
        # Seconds or milliseconds: only one of the two can be the sampling rate of an EMG amplifier.
        fitting = [r for r in (1 / step, 1e3 / step) if PLAUSIBLE_RATE_HZ[0] <= r <= PLAUSIBLE_RATE_HZ[1]]
        rate_hz = fitting[0] if len(fitting) == 1 else None
    return rate_hz


def _rate(lower: Mapping[str, Any], time: Array | None, path: Path, hints: Hints) -> float:
    """Return the sampling rate, or refuse to guess it."""
    rate_hz = _rate_in(lower, time, hints)
    if rate_hz is None:
        raise InputError(
            path.name,
            "nothing says how fast it was sampled",
            "give rate_hz under [recording] in the protocol: complete the lines below, save them as "
            "protocol.toml and give it with --protocol",
            paste=_form((), rate_open=True),
        )
    if not PLAUSIBLE_RATE_HZ[0] <= rate_hz <= PLAUSIBLE_RATE_HZ[1]:
        raise InputError(
            path.name,
            f"a sampling rate of {rate_hz:g} Hz is not one of EMG",
            "give rate_hz in samples a second",
        )
    return round(float(rate_hz), 6)


def _pulse_sample(lower: Mapping[str, Any], time: Array | None, rate_hz: float, hints: Hints) -> int | None:
    """Return where the stimulus is in each sweep, if a person, a value or the vector of times says."""
    if hints.pulse_ms is not None:
        return round(hints.pulse_ms * rate_hz / 1e3)
    sample = scalar(first(lower, _PULSE_SAMPLE))
    if sample is not None:
        return round(sample)
    pulse_ms = scalar(first(lower, _PULSE_MS))
    if pulse_ms is not None:
        return round(pulse_ms * rate_hz / 1e3)
    if time is not None and time[0] < 0 < time[-1]:
        return int(np.abs(time).argmin())
    return None


def _sweep_columns(table: Mapping[str, Any]) -> list[str]:
    """Return the columns of a table whose cells are sweeps."""
    return [
        name
        for name, cells in table.items()
        if isinstance(cells, list)
        and cells
        and all(
            isinstance(c, np.ndarray) and c.dtype.kind in "fiu" and c.size >= _LEAST_SAMPLES for c in cells
        )
    ]


def _names_channel(name: str) -> bool:
    return bool(_CHANNEL_NAMES.fullmatch(name)) or muscle_and_side(name)[0] is not None
