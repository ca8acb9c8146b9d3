"""The trials under review: their sweeps, what was measured on each, the measures with what is tried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sudeck.app.asked import Asked, answers
from sudeck.app.workbench import Workbench, stamp
from sudeck.core.errors import InputError, SudeckError
from sudeck.study.measuring.choices import excluded_recordings
from sudeck.study.measuring.inputs import PatientInputs, protocol_among, recordings_among
from sudeck.study.measuring.patient_measures import decided_trials, of_muscles
from sudeck.tms import TmsResult, TmsSettings, TrialSet, measure_trials, read_recordings
from sudeck.tms.measures.measured import Trial
from sudeck.tms.signals.neutral_labels import neutral_labels

_BEFORE_MS: Final = 60.0
_AFTER_REST_MS: Final = 150.0
_AFTER_ACTIVE_MS: Final = 400.0  # a silent period and its return


def measured_trials(bench: Workbench, inputs: PatientInputs, session: str) -> TmsResult:
    """Measure the recordings of a session as a run would, of files that are kept read.

    Raises
    ------
    InputError
        If they can not be measured.
    """
    if inputs.trouble:
        raise InputError(inputs.participant_id, inputs.trouble.rstrip("."), "see sudeck check")
    if excluded_recordings(inputs.decisions, session):
        raise InputError(
            inputs.participant_id, "a person left the recordings out", "take that back to measure them"
        )
    settings = bench.settings
    paths = inputs.recordings[session]
    protocol = protocol_among(paths)
    key = (inputs.participant_id, session, stamp(paths))
    batch = bench.recordings.get(
        key,
        lambda: read_recordings(
            recordings_among(paths), protocol=protocol, participant=inputs.participant_id, visit=session
        ),
    )
    result = measure_trials(
        batch.sets,
        settings=TmsSettings(measures=settings.tms_settings()),
        decisions=decided_trials(inputs, session),
    )
    return of_muscles(result, settings.muscles)


def _shown(asked: Asked) -> Mapping[str, Any]:
    """Return the measures, what was measured on each trial, and where the sweeps lie."""
    try:
        result = measured_trials(asked.bench, asked.inputs, asked.session)
    except SudeckError as error:
        return {**asked.standing(), "problem": str(error)}
    found = _measured(asked, result)
    return found | {"sweeps": [_place(item) for item, _ in result.sweeps]}


def _measures(asked: Asked) -> Mapping[str, Any]:
    """Return the measures, and what was measured on each trial, with the drafts the page sends."""
    try:
        return _measured(asked, measured_trials(asked.bench, asked.inputs, asked.session))
    except SudeckError as error:
        return {**asked.standing(), "problem": str(error)}


def _measured(asked: Asked, result: TmsResult) -> dict[str, Any]:
    labels = [text for trial in result.trials for text in (trial.channel, trial.pulse.condition)]
    asked.instead.update(neutral_labels(labels, allowed=asked.bench.settings.muscles))
    return asked.standing() | {
        "result": {
            "estimates": [one.to_dict() for one in result.estimates],
            "undecided": [one.to_dict() for one in result.estimates_undecided or result.estimates],
            "without_flagged": [one.to_dict() for one in result.estimates_without_flagged],
            "flags": [flag.to_dict() for flag in result.flags],
            "trials": [
                {**_row(trial), "about": about}
                for trial, about in zip(result.trials, _abouts(result, asked.instead), strict=True)
            ],
        }
    }


def _abouts(result: TmsResult, instead: Mapping[str, str]) -> list[str | None]:
    """Return what a decision on each trial is about; None where naming it might name a person."""
    files = {trial.file for trial in result.trials}
    channels = {trial.channel for trial in result.trials}
    found: list[str | None] = []
    for trial in result.trials:
        about = f"trial {trial.number}"
        if len(files) > 1:
            about += f" of {instead.get(trial.file, trial.file)}"
        if len(channels) > 1 and trial.channel:
            about += f" channel {trial.channel}"
        found.append(None if len(channels) > 1 and trial.channel in instead else about)
    return found


def _row(trial: Trial) -> dict[str, Any]:
    names = (
        *("file", "trial", "channel", "condition", "hemisphere", "muscle", "amplitude_mv", "latency_ms"),
        *("baseline_rms_mv", "flags", "state", "kind", "isi_ms", "test_mso", "test_rmt", "csp_ms"),
    )
    row = trial.to_row()
    return {**{name: row.get(name) for name in names}, "rejected": trial.rejected, "moved": trial.onset_moved}


def _place(item: TrialSet) -> dict[str, Any]:
    columns = _columns(item)
    return {
        "file": item.source.label,
        "channel": item.channel,
        "rate_hz": item.rate_hz,
        "start_ms": float(item.time_ms[columns][0]),
        "samples": int(columns.stop - columns.start),
        "trials": item.n_trials,
    }


def _columns(item: TrialSet) -> slice:
    active = any(pulse.state == "active" for pulse in item.pulses)
    after = _AFTER_ACTIVE_MS if active else _AFTER_REST_MS
    first = max(item.pulse_sample - round(_BEFORE_MS * item.rate_hz / 1e3), 0)
    last = min(item.pulse_sample + round(after * item.rate_hz / 1e3), item.emg_mv.shape[1])
    return slice(first, last)


def _sweeps(asked: Asked) -> Response:
    """Return the sweeps of one recording and channel around the pulse as 32 bit numbers, trial by trial."""
    result = measured_trials(asked.bench, asked.inputs, asked.session)
    number = asked.content.get("set", "0")
    if not number.isdecimal() or int(number) >= len(result.sweeps):
        raise HTTPException(404, "There is no such recording.")
    item, _ = result.sweeps[int(number)]
    data = np.nan_to_num(item.emg_mv[:, _columns(item)]).astype("<f4").tobytes()
    return Response(data, media_type="application/octet-stream")


show = answers("recordings", _shown)
measure = answers("recordings", _measures)
sweeps = answers("recordings", _sweeps)
