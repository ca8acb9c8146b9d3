"""Sweeps in bare arrays: find samples, trials, rate, unit and stimulus among named values.

MAT-files, NumPy archives and CSV tables all come here once they are names and arrays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.provenance import SourceFile
from sudeck.tms.artefacts import common_artefact_sample
from sudeck.tms.events import Told, told_by
from sudeck.tms.readers.base import Hints
from sudeck.tms.recording import Recording, Section, Signal
from sudeck.tms.sweeps import sweep_flags
from sudeck.tms.trials import Pulse, TrialSet
from sudeck.tms.units import to_millivolts, voltage_unit

if TYPE_CHECKING:
    from sudeck.tms.readers.base import Contents

Array = NDArray[np.float64]

_RATE = {
    "fs", "srate", "rate", "rate_hz", "sr", "sampling_rate", "samplingrate", "sample_rate", "samplerate",
    "sampling_frequency", "samplingfrequency", "sfreq", "emg_fs", "fsample",
}  # fmt: skip
_TIME = {"t", "time", "times", "time_ms", "time_s", "t_ms", "t_s", "timevec", "tvec", "time_vector"}
_UNIT = {"unit", "units", "emg_unit", "emg_units"}
_CHANNELS = {"channels", "channel", "labels", "chan_names", "channel_names", "muscles"}
_INTENSITY = {"intensities", "intensity", "mso", "stim_intensity", "stimulus_intensity", "test_mso"}
_PULSE_MS, _PULSE_SAMPLE = (
    {"pulse_ms", "stim_ms", "pulse_time_ms"},
    {"pulse_sample", "stim_sample", "stimulus_sample"},
)
_SWEEP_NAMES = re.compile(r"emg|mep|sweep|trial|data|wave|epoch|signal|values", re.IGNORECASE)
_PLAUSIBLE_RATE_HZ = (400.0, 200_000.0)
# Neighbouring samples of EMG resemble each other more than the same sample of neighbouring trials.
_CLEARLY_SMOOTHER = 0.85
# One uninterrupted sweep longer than this is a continuous recording.
_CONTINUOUS_S = 15.0


def contents_of(
    values: Mapping[str, Any], path: Path, source: SourceFile, form: str, hints: Hints
) -> Contents:
    """Make trials, or a recording, of named arrays.

    Parameters
    ----------
    values : Mapping
        Arrays, texts and lists by name, as the file holds them.
    path : Path
        For messages.
    source : SourceFile
    form : str
        Name of the format.
    hints : Hints
        What a person says; goes before the file.

    Returns
    -------
    tuple of TrialSet
        One a channel, where every sweep has its stimulus at the same sample.
    Recording
        Where sweeps have theirs at different samples (one section a sweep), or there is one long sweep.

    Raises
    ------
    InputError
        If sweeps, rate, unit or stimulus can not be told without guessing.
    """
    lower = {name.lower(): value for name, value in values.items()}
    time = _vector(next((lower[name] for name in sorted(_TIME) if name in lower), None))
    name, sweeps, sample_axis = _sweeps(values, path, hints, time)
    rate_hz = _rate(lower, time, path, hints)
    emg, told, channels = _arrange(sweeps, sample_axis, lower, path)
    unit = hints.unit or _text(lower, _UNIT) or _unit_in_name(name)
    pulse_sample = _pulse_sample(lower, time, rate_hz, hints)
    flags: list[Flag] = []
    millivolts = []
    for index, channel in enumerate(channels):
        flat, found = to_millivolts(
            emg[index].ravel(), unit, channel=channel, file=path.name, stated=hints.unit_of(channel)
        )
        millivolts.append(flat.reshape(emg[index].shape))
        flags += found
    n_trials, n_samples = emg[0].shape
    if n_trials == 1 and n_samples > _CONTINUOUS_S * rate_hz:
        return _recording(millivolts, channels, rate_hz, unit, told, source, form, flags)
    if pulse_sample is None:
        pulse_sample = common_artefact_sample(millivolts, rate_hz)
        if pulse_sample is None:
            return _recording(millivolts, channels, rate_hz, unit, told, source, form, flags)
        flags.append(
            Flag(
                "pulse-from-artefact",
                f"The file does not say where the stimulus is; its artefact begins at sample {pulse_sample} "
                f"({1e3 * pulse_sample / rate_hz:.1f} ms) of the sweeps.",
                "caution",
                value=1e3 * pulse_sample / rate_hz,
                unit="ms",
            )
        )
    if not 0 < pulse_sample < n_samples - 1:
        raise InputError(
            path.name,
            f"the stimulus would lie at sample {pulse_sample} of sweeps of {n_samples}",
            "correct pulse_ms or rate_hz",
        )
    pulses = tuple(Pulse(**{"time_s": math.nan, "kind": "unknown", **row}) for row in told)
    return tuple(
        TrialSet(block, rate_hz, pulse_sample, pulses, channel, source, (*flags, *sweep_flags(block)))
        for channel, block in zip(channels, millivolts, strict=True)
    )


def sectioned(
    millivolts: Sequence[Sequence[Array]],
    channels: Sequence[str],
    rate_hz: float,
    unit: str,
    told: Sequence[Told],
    source: SourceFile,
    form: str,
    flags: Sequence[Flag] = (),
) -> Recording:
    """Make a recording of separate sweeps, one section each, laid end to end.

    Parameters
    ----------
    millivolts : sequence over channels of sequences over sweeps of ndarray
    told : sequence of Told
        What is known of the stimulus of each sweep.
    """
    starts = np.cumsum([0, *(sweep.size for sweep in millivolts[0])]) / rate_hz
    sections = tuple(
        Section(float(starts[i]), float(starts[i + 1]), str(row.get("condition", "")), row)
        for i, row in enumerate(told)
    )
    signals = tuple(
        Signal(channel, np.concatenate(list(block)), rate_hz, 0.0, unit or "mV")
        for channel, block in zip(channels, millivolts, strict=True)
    )
    return Recording(source, form, signals, (), sections, tuple(flags))


def _recording(
    millivolts: Sequence[Array],
    channels: Sequence[str],
    rate_hz: float,
    unit: str,
    told: Sequence[Told],
    source: SourceFile,
    form: str,
    flags: Sequence[Flag],
) -> Recording:
    return sectioned(
        [list(block) for block in millivolts], channels, rate_hz, unit, told, source, form, flags
    )


def _sweeps(
    values: Mapping[str, Any], path: Path, hints: Hints, time: Array | None
) -> tuple[str, Array, int]:
    """Choose the array that holds the sweeps, and its axis of samples."""
    arrays = {
        name: np.asarray(value, dtype=np.float64)
        for name, value in values.items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.size >= 64
    }
    if hints.variable is not None:
        if hints.variable not in arrays:
            there = ", ".join(sorted(arrays)) or "none"
            raise InputError(
                path.name, f"it holds no array {hints.variable} (there are: {there})", "correct variable"
            )
        chosen = hints.variable
    else:
        candidates = {
            name: np.squeeze(array)
            for name, array in arrays.items()
            if name.lower() not in _TIME and np.squeeze(array).ndim in {2, 3}
        } or {name: np.squeeze(array) for name, array in arrays.items() if name.lower() not in _TIME}
        named = [name for name in candidates if _SWEEP_NAMES.search(name)] or list(candidates)
        if not named:
            raise InputError(
                path.name, "it holds no array of sweeps", "export the EMG along, or give the table"
            )
        if len(named) > 1:
            raise InputError(
                path.name,
                f"it holds several arrays that could be the EMG ({', '.join(sorted(named))})",
                "name one with variable under [recording] in the protocol file",
            )
        chosen = named[0]
    sweeps = np.squeeze(arrays[chosen])
    if sweeps.ndim == 1:
        sweeps = sweeps[None, :]
    if sweeps.ndim not in {2, 3}:
        raise InputError(path.name, f"array {chosen} has {sweeps.ndim} axes", "export trials by samples")
    fitting = [axis for axis, size in enumerate(sweeps.shape) if time is not None and size == time.size]
    if len(fitting) == 1:
        return chosen, sweeps, fitting[0]
    return chosen, sweeps, _smoothest_axis(sweeps, path)


def _smoothest_axis(sweeps: Array, path: Path) -> int:
    """Return the axis along which the array is a signal: neighbours resemble each other."""
    # 12 samples of a single axis are no sweep, however smooth.
    axes = [axis for axis, size in enumerate(sweeps.shape) if size >= 32]
    centred = sweeps - np.nanmean(sweeps)
    roughness = {
        axis: float(np.nanmedian(np.abs(np.diff(centred, axis=axis)))) if sweeps.shape[axis] > 1 else math.inf
        for axis in axes
    }
    ranked = sorted(roughness, key=lambda axis: roughness[axis])
    if not ranked or (
        len(ranked) > 1 and not roughness[ranked[0]] < _CLEARLY_SMOOTHER * roughness[ranked[1]]
    ):
        raise InputError(
            path.name,
            f"nothing tells which axis of the array ({' x '.join(map(str, sweeps.shape))}) is time",
            "save the vector of times along with it",
        )
    return ranked[0]


def _rate(lower: Mapping[str, Any], time: Array | None, path: Path, hints: Hints) -> float:
    if hints.rate_hz is not None:
        rate_hz = hints.rate_hz
    else:
        stated = next((_scalar(lower[name]) for name in sorted(_RATE) if name in lower), None)
        if stated is None and time is not None and time.size > 1:
            step = float(np.median(np.diff(time)))
            # Seconds or milliseconds: only one of the two can be the sampling rate of an EMG amplifier.
            fitting = (
                [r for r in (1 / step, 1e3 / step) if _PLAUSIBLE_RATE_HZ[0] <= r <= _PLAUSIBLE_RATE_HZ[1]]
                if (step > 0)
                else []
            )
            stated = fitting[0] if len(fitting) == 1 else None
        if stated is None:
            raise InputError(
                path.name,
                "nothing says how fast it was sampled",
                "give rate_hz under [recording] in the protocol",
            )
        rate_hz = stated
    if not _PLAUSIBLE_RATE_HZ[0] <= rate_hz <= _PLAUSIBLE_RATE_HZ[1]:
        raise InputError(
            path.name,
            f"a sampling rate of {rate_hz:g} Hz is not one of EMG",
            "give rate_hz in samples a second",
        )
    return float(rate_hz)


def _arrange(
    sweeps: Array, sample_axis: int, lower: Mapping[str, Any], path: Path
) -> tuple[list[Array], list[Told], list[str]]:
    """Bring the array into one [trial, sample] block a channel, with what is known of each trial."""
    last = np.moveaxis(sweeps, sample_axis, -1)
    names = next((lower[key] for key in sorted(_CHANNELS) if isinstance(lower.get(key), list)), [])
    intensities = _vector(next((lower[key] for key in sorted(_INTENSITY) if key in lower), None))
    if last.ndim == 2:
        n_trials = last.shape[0]
        label = _text(lower, _CHANNELS) or "EMG"
        return [last], _told_rows(lower, n_trials, path), [label]
    if intensities is not None and intensities.size in last.shape[:2]:
        axis = last.shape[:2].index(intensities.size)
        blocks = np.moveaxis(last, axis, 0)
        repeats = blocks.shape[1]
        told = [
            told_by({"test_mso": f"{value:g}"}, path.name) | {"condition": f"{value:g}"}
            for value in intensities
            for _ in range(repeats)
        ]
        return [blocks.reshape(-1, blocks.shape[-1])], told, [_text(lower, _CHANNELS) or "EMG"]
    if len(names) in last.shape[:2]:
        axis = last.shape[:2].index(len(names))
        blocks = np.moveaxis(last, axis, 0)
        return list(blocks), _told_rows(lower, blocks.shape[1], path), [str(name) for name in names]
    raise InputError(
        path.name,
        f"nothing tells conditions from channels in the array ({' x '.join(map(str, last.shape))})",
        "save the vector of intensities or the list of channels along with it",
    )


def _told_rows(lower: Mapping[str, Any], n_trials: int, path: Path) -> list[Told]:
    """Gather per-trial vectors that the events table would know by their name."""
    columns: dict[str, list[str]] = {}
    for name, value in lower.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.size == n_trials:
            columns[name] = [f"{item:.10g}" for item in np.ravel(value)]
        elif isinstance(value, list) and len(value) == n_trials:
            columns[name] = [str(item) for item in value]
    if "intensities" in columns or "intensity" in columns:
        columns.setdefault("test_mso", columns.get("intensities", columns.get("intensity", [])))
    rows = [told_by({name: cells[i] for name, cells in columns.items()}, path.name) for i in range(n_trials)]
    return [{key: item for key, item in row.items() if key in Pulse.__dataclass_fields__} for row in rows]


def _pulse_sample(lower: Mapping[str, Any], time: Array | None, rate_hz: float, hints: Hints) -> int | None:
    if hints.pulse_ms is not None:
        return round(hints.pulse_ms * rate_hz / 1e3)
    for name in sorted(_PULSE_SAMPLE & set(lower)):
        sample = _scalar(lower[name])
        if sample is not None:
            return round(sample)
    for name in sorted(_PULSE_MS & set(lower)):
        pulse_ms = _scalar(lower[name])
        if pulse_ms is not None:
            return round(pulse_ms * rate_hz / 1e3)
    if time is not None and time[0] < 0 < time[-1]:
        return int(np.abs(time).argmin())
    return None


def _vector(value: Any) -> Array | None:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.size > 1:
        return np.asarray(value, dtype=np.float64).ravel() if value.size == max(value.shape) else None
    if isinstance(value, list) and len(value) > 1:
        try:
            return np.array([float(np.squeeze(item)) for item in value])
        except (TypeError, ValueError):
            return None
    return None


def _scalar(value: Any) -> float | None:
    try:
        number = float(np.squeeze(value))
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _text(lower: Mapping[str, Any], names: set[str]) -> str:
    return next((lower[name].strip() for name in sorted(names) if isinstance(lower.get(name), str)), "")


def _unit_in_name(name: str) -> str:
    """Read a unit from the end of a variable's name: ``emg_uV``."""
    last = re.split(r"[_\s]+", name)[-1]
    return last if last != name and voltage_unit(last) else ""
