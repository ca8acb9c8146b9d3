"""The whole way: recordings in, thresholds, MEPs, paired-pulse measures and silent periods out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import sudeck
from sudeck.core.errors import InputError, SudeckError
from sudeck.core.flags import Flag
from sudeck.core.provenance import Provenance, SourceFile
from sudeck.core.record import Record
from sudeck.tms.grouping import (
    blank_row,
    grouped_trials,
    groups_of,
    names_beside,
    pooling_flags,
    responses_by_group,
    told_apart,
)
from sudeck.tms.measures.group_measures import measure_group
from sudeck.tms.measures.measure_settings import GroupSettings
from sudeck.tms.measures.measured import GroupMeasures, Measured, Trial
from sudeck.tms.recordings.labelled_trials import protocol_for
from sudeck.tms.recordings.recording_batch import read_recordings
from sudeck.tms.recordings.refusals import refuse_empty
from sudeck.tms.responses.averaged_silent_period import estimate_averaged_silent_period
from sudeck.tms.responses.contraction import ipsilateral_trials
from sudeck.tms.responses.response_settings import ResponseSettings
from sudeck.tms.responses.responses import TrialResponses
from sudeck.tms.result import TmsResult
from sudeck.tms.signals.duplicates import duplicate_flags
from sudeck.tms.signals.trials import AmplitudeTable, TrialSet

if TYPE_CHECKING:
    from sudeck.tms.recordings.protocol import StimulationProtocol
    from sudeck.tms.signals.events import EventsTable

# What is measured on a sweep and stands in a column of the table of trials.
_MEASURED = (
    "amplitude_mv",
    "latency_ms",
    "baseline_rms_mv",
    "latency_spread_ms",
    "area_mv_ms",
    "duration_ms",
    "noise_floor_mv",
    "denoised_mv",
    "denoised_floor_mv",
    "csp_ms",
)


@dataclass(frozen=True, slots=True)
class TmsSettings(Record):
    """How a recording is measured: its responses, and the measures made of them."""

    responses: ResponseSettings = field(default_factory=ResponseSettings)
    measures: GroupSettings = field(default_factory=GroupSettings)


def measure_recordings(
    paths: Sequence[str | Path] | str | Path,
    *,
    events: EventsTable | str | Path | None = None,
    protocol: StimulationProtocol | str | Path | None = None,
    muscle: str | None = None,
    participant: str = "",
    visit: str = "",
    settings: TmsSettings | None = None,
) -> TmsResult:
    """Measure one recording or several together.

    Parameters
    ----------
    paths : path or sequence of paths
        Recordings in any format of `sudeck.tms.readers`, and folders of them. What is stated to be of one
        person, visit, hemisphere, muscle and channel is measured together, whichever files it comes from;
        files of which nothing says so are measured each by itself.
    events, protocol, muscle, participant, visit
        As in `sudeck.tms.read_trials`.
    settings : TmsSettings, optional

    Returns
    -------
    TmsResult
        A recording that can not be read is left out, with a flag; the others go on.

    Raises
    ------
    InputError
        If there is no recording, or none can be read: the reason of the first, with those of the others
        as its notes.
    """
    stated = protocol_for(protocol)
    read = read_recordings(
        paths, events=events, protocol=stated, muscle=muscle, participant=participant, visit=visit
    )
    try:
        result = measure_trials(read.sets, settings=settings)
    except InputError as error:
        for other in read.refused:
            error.add_note(str(other))
        raise
    flags = (*map(_refusal, read.refused), *result.flags)
    return replace(result, flags=flags, reporting=stated.reporting)


def measure_trials(
    sets: Sequence[TrialSet | AmplitudeTable], *, settings: TmsSettings | None = None
) -> TmsResult:
    """Measure trials that were read already, or simulated.

    Parameters
    ----------
    sets : sequence of TrialSet or AmplitudeTable
    settings : TmsSettings, optional

    Returns
    -------
    TmsResult
        One group of measures a person, visit, hemisphere, muscle and channel; every measure also without
        flagged trials. What can not be measured (dead, a single trial) is left out, with a flag.

    Raises
    ------
    InputError
        If no sweeps can be measured: the reason of the first.
    """
    settings = settings or TmsSettings()
    trials: list[Trial] = []
    sweeps: list[tuple[TrialSet, TrialResponses]] = []
    flags: list[Flag] = []
    refused: list[InputError] = []
    sets = told_apart(sets)
    counts = Counter(key for item in sets for key in groups_of(item))
    for item in sets:
        try:
            refuse_empty(item, alone=max(counts[key] for key in groups_of(item)) < 2)
            if isinstance(item, TrialSet):
                responses = responses_by_group(item, settings=settings.responses)
        except InputError as error:
            refused.append(InputError(item.source.label, error.problem, error.remedy))
            continue
        if isinstance(item, TrialSet):
            sweeps.append((item, responses))
            trials += _rows(item, responses)
            flags += _placed(responses.flags, item, alone=len(sets) == 1)
        else:
            trials += _table_rows(item)
            flags += _placed(item.flags, item, alone=len(sets) == 1)
    if refused and not trials:
        for other in refused[1:]:
            refused[0].add_note(str(other))
        raise refused[0]
    flags = [*map(_refusal, refused), *flags]
    flags = list({(flag.code, flag.subject, flag.message): flag for flag in flags}.values())
    flags += duplicate_flags([item for item, _ in sweeps])

    groups = grouped_trials(trials)
    names = names_beside(groups)
    flags += pooling_flags(groups)
    chosen = settings.measures
    measured = [
        _with_ipsilateral(measure_group(own, settings=chosen, beside=names[key]), sweeps, chosen.level)
        for key, own in groups.items()
    ]
    without = [
        one
        for own, group in zip(groups.values(), measured, strict=True)
        for one in _without_flagged(own, group, chosen)
    ]
    sources: dict[str, SourceFile] = {item.source.sha256: item.source for item in sets}
    return TmsResult(
        groups=tuple(measured),
        estimates_without_flagged=tuple(without),
        trials=tuple(trials),
        sweeps=tuple(sweeps),
        flags=(*flags, *(flag for group in measured for flag in group.flags)),
        provenance=Provenance(tuple(sources.values()), settings.to_dict(), sudeck.__version__),
    )


def _refusal(error: SudeckError) -> Flag:
    subject = error.subject if isinstance(error, InputError) else ""
    return Flag("recording-refused", str(error), "serious", subject)


def _without_flagged(
    trials: Sequence[Trial], group: GroupMeasures, settings: GroupSettings
) -> tuple[Measured, ...]:
    """Measure a group again from the trials that carry no flag; where none does, it is the same."""
    unflagged = [trial for trial in trials if not trial.flags]
    if len(unflagged) == len(trials):
        return group.estimates
    beside = (group.channel, group.file)
    return measure_group(unflagged, settings=settings, beside=beside).estimates if unflagged else ()


def _with_ipsilateral(
    group: GroupMeasures,
    sweeps: Sequence[tuple[TrialSet, TrialResponses]],
    level: float,
) -> GroupMeasures:
    """Add the ipsilateral silent period, which needs the sweeps and not only what was measured on each."""
    estimates, flags = list(group.estimates), list(group.flags)
    for item, _ in sweeps:
        chosen = ipsilateral_trials(item.pulses) & np.array(
            [
                pulse.state == "active" and pulse.kind != "paired" and own == group.key
                for pulse, own in zip(item.pulses, groups_of(item), strict=True)
            ]
        )
        if chosen.sum() < 2:
            continue
        try:
            both = estimate_averaged_silent_period(
                item.emg_mv[chosen], item.rate_hz, item.pulse_sample, level=level
            )
        except InputError as error:
            flags.append(Flag("not-measured", str(error), "caution", "iSP"))
            continue
        estimates += [
            Measured(
                one.name,
                group.hemisphere,
                group.muscle,
                one,
                visit=group.visit,
                participant=group.participant,
                muscle_side=group.muscle_side,
                channel=group.channel,
                file=group.file,
            )
            for one in both
        ]
    return replace(group, estimates=tuple(estimates), flags=tuple(flags))


def _rows(item: TrialSet, responses: TrialResponses) -> list[Trial]:
    codes = responses.flag_codes
    return [
        replace(
            blank_row(item, index),
            values={name: float(getattr(responses, name)[index]) for name in _MEASURED},
            present=bool(responses.present[index]),
            csp_censored=bool(responses.csp_censored[index]),
            flags=codes[index],
        )
        for index in range(item.n_trials)
    ]


def _table_rows(table: AmplitudeTable) -> list[Trial]:
    rows = []
    for index in range(table.n_trials):
        values = {"amplitude_mv": float(table.amplitude_mv[index])}
        if table.latency_ms is not None:
            values["latency_ms"] = float(table.latency_ms[index])
        subject = f"trial {index + 1}"
        codes = tuple(flag.code for flag in table.flags if flag.subject == subject)
        rows.append(
            replace(blank_row(table, index), values=values, present=values["amplitude_mv"] > 0, flags=codes)
        )
    return rows


def _placed(flags: Sequence[Flag], item: TrialSet | AmplitudeTable, *, alone: bool) -> list[Flag]:
    """Say in the subject of each flag which recording and channel it is about, where there are several.

    What the reader found holds for the whole recording, and is said once for all of its channels.
    """
    if alone:
        return list(flags)
    read = set(item.flags)
    channel = item.channel if isinstance(item, TrialSet) else ""
    return [
        replace(
            flag,
            subject=" ".join(
                filter(
                    None,
                    (
                        item.source.label,
                        "" if flag in read and not flag.subject.startswith("trial") else channel,
                        flag.subject if flag.subject not in {item.source.label, channel} else "",
                    ),
                )
            ),
        )
        for flag in flags
    ]
