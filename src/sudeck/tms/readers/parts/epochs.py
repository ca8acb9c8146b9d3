"""From sweeps in a file to trials aligned at their stimulus, or to a recording of one section a sweep."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.provenance import SourceFile
from sudeck.tms.readers.base import Hints
from sudeck.tms.readers.parts.arrays import Sweeps
from sudeck.tms.readers.parts.scaling import RawChannel, refuse_unsettled, signals_of, unsettled
from sudeck.tms.signals.artefact_times import artefact_times, common_artefact_sample
from sudeck.tms.signals.recording import Marker, Recording, Section, Signal
from sudeck.tms.signals.sweeps import sweep_flags
from sudeck.tms.signals.trials import Pulse, TrialSet

if TYPE_CHECKING:
    from sudeck.tms.readers.base import Contents

# One uninterrupted sweep longer than this is a continuous recording.
_CONTINUOUS_S = 15.0
# Sweeps with a stimulus each, at a different moment each: that share of them must show it.
_MOST = 0.8


def contents_of(sweeps: Sweeps, path: Path, source: SourceFile, form: str, hints: Hints) -> Contents:
    """Judge units and find the stimulus in every sweep.

    Parameters
    ----------
    sweeps : Sweeps
    path : Path
        For messages.
    source : SourceFile
    form : str
        Name of the format.
    hints : Hints

    Returns
    -------
    tuple of TrialSet
        One a channel, where every sweep has its stimulus at the same sample.
    Recording
        One section a sweep, where stimuli come at different samples; or one long sweep.

    Raises
    ------
    InputError
        If the unit is unclear, or nothing says or shows where the stimulus is.
    """
    lengths = [sweep.size for sweep in sweeps.emg[0]]
    for channel, blocks in zip(sweeps.channels, sweeps.emg, strict=True):
        if [sweep.size for sweep in blocks] != lengths:
            what = f"the sweeps of {channel} differ in length from those of other channels"
            raise InputError(path.name, what, "export all channels at one rate")
    signals, flags = signals_of(
        [
            RawChannel(channel, np.concatenate(blocks), sweeps.unit, sweeps.rate_hz)
            for channel, blocks in zip(sweeps.channels, sweeps.emg, strict=True)
        ],
        path.name,
        hints,
    )
    open_units = unsettled(flags)
    if len(open_units) == len(signals):
        raise refuse_unsettled(next(iter(open_units.values())), path.name)
    seams = np.cumsum(lengths)[:-1]
    millivolts = [np.split(signal.samples_mv, seams) for signal in signals]
    recording = _recording(signals, sweeps, lengths, source, form, flags)
    if len(lengths) == 1 and lengths[0] > _CONTINUOUS_S * sweeps.rate_hz:
        return recording
    pulse_sample = sweeps.pulse_sample
    if pulse_sample is None and len(set(lengths)) == 1:
        pulse_sample = common_artefact_sample([np.stack(block) for block in millivolts], sweeps.rate_hz)
        if pulse_sample is not None:
            at_ms = 1e3 * pulse_sample / sweeps.rate_hz
            flags.append(
                Flag(
                    "pulse-from-artefact",
                    f"The file does not say where the stimulus is; its artefact begins {at_ms:.1f} ms "
                    "after the start of the sweeps.",
                    "caution",
                    value=at_ms,
                    unit="ms",
                )
            )
    if pulse_sample is None:
        if len(sweeps.channels) == 1 and not _seen_in_most(recording):
            raise InputError(
                path.name,
                "nothing says where in the sweeps the stimulus is, and no artefact shows it",
                "give pulse_ms under [recording] in the protocol file",
            )
        return recording
    if not 0 < pulse_sample < min(lengths) - 1:
        raise InputError(
            path.name,
            f"the stimulus would lie at sample {pulse_sample} of sweeps of {min(lengths)}",
            "correct pulse_ms or rate_hz",
        )
    pulses = tuple(Pulse(**{"time_s": math.nan, "kind": "unknown", **row}) for row in sweeps.given)
    trials = []
    for channel, blocks in zip(sweeps.channels, millivolts, strict=True):
        if channel in open_units:
            continue
        emg_mv = np.stack([sweep[: min(lengths)] for sweep in blocks])
        about_it = tuple(flag for flag in flags if flag.subject in {"", channel})
        trials.append(
            TrialSet(
                emg_mv,
                sweeps.rate_hz,
                pulse_sample,
                pulses,
                channel,
                source,
                (*about_it, *sweep_flags(emg_mv)),
            )
        )
    return tuple(trials)


def _recording(
    signals: tuple[Signal, ...],
    sweeps: Sweeps,
    lengths: list[int],
    source: SourceFile,
    form: str,
    flags: list[Flag],
) -> Recording:
    """Lay sweeps end to end, one section each, so that stimuli are found in each by itself."""
    ends = np.cumsum([0, *lengths]) / sweeps.rate_hz
    sections = tuple(
        Section(float(ends[i]), float(ends[i + 1]), str(row.get("condition", "")), row)
        for i, row in enumerate(sweeps.given)
    )
    markers: tuple[Marker, ...] = ()
    if sweeps.pulse_sample is not None:
        late_s = sweeps.pulse_sample / sweeps.rate_hz
        markers = tuple(Marker(section.start_s + late_s, section.label, "trigger") for section in sections)
    return Recording(source, form, signals, markers, sections, tuple(flags))


def _seen_in_most(recording: Recording) -> bool:
    """Tell whether most sections show an artefact, so that a recording of them makes sense."""
    found = {recording.section_at(time_s) for time_s in artefact_times(recording)}
    return len(found) >= _MOST * len(recording.sections)
