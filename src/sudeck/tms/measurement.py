"""The whole way: recordings in, thresholds, MEPs, paired-pulse measures and silent periods out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.errors import InputError, SudeckError
from sudeck.core.flags import Flag
from sudeck.core.provenance import Provenance, SourceFile
from sudeck.core.record import Record
from sudeck.tms.grouping import (
    blank_row,
    decided_flags,
    grouped_trials,
    groups_of,
    kept_apart,
    names_beside,
    pooling_flags,
    responses_by_group,
)
from sudeck.tms.measures.group_measures import measure_group
from sudeck.tms.measures.measure_settings import GroupSettings
from sudeck.tms.measures.measured import GroupMeasures, Measured, Trial
from sudeck.tms.measures.paired_trials import test_intensity
from sudeck.tms.recordings.recording_batch import read_recordings
from sudeck.tms.recordings.refusals import refuse_empty
from sudeck.tms.recordings.trial_decisions import TrialDecision, decided_rows, decisions_for
from sudeck.tms.responses.averaged_silent_period import estimate_averaged_silent_period
from sudeck.tms.responses.contraction import ipsilateral_trials
from sudeck.tms.responses.response_settings import ResponseSettings
from sudeck.tms.responses.responses import TrialResponses
from sudeck.tms.result import TmsResult
from sudeck.tms.signals.duplicates import duplicate_flags
from sudeck.tms.signals.trials import AmplitudeTable, TrialSet

if TYPE_CHECKING:
    from sudeck.core.vocabulary import Side
    from sudeck.tms.recordings.companions import ForRecordings
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
    events: ForRecordings[EventsTable] = None,
    protocol: ForRecordings[StimulationProtocol] = None,
    channel: str | None = None,
    muscle: str | None = None,
    hemisphere: Side | None = None,
    participant: str = "",
    visit: str = "",
    settings: TmsSettings | None = None,
    decisions: Sequence[TrialDecision] | str | Path | None = None,
) -> TmsResult:
    """Measure one recording or several together.

    Parameters
    ----------
    paths : path or sequence of paths
        Recordings in any format of `sudeck.tms.readers`, and folders of them. What is stated to be of one
        person, visit, hemisphere, muscle and channel is measured together, whichever files it comes from;
        files of which nothing says so are measured each by itself.
    events, protocol
        As in `sudeck.tms.read_trials`, one for all or one a recording: a mapping from its name to its own.
    channel, muscle, hemisphere, participant, visit
        As in `sudeck.tms.read_trials`.
    settings : TmsSettings, optional
    decisions : sequence of TrialDecision or path, optional
        Trials that a person rejected, and onsets that were moved; a table as `read_decisions` takes it.

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
    decided = decisions_for(decisions)
    read = read_recordings(
        paths,
        events=events,
        protocol=protocol,
        channel=channel,
        muscle=muscle,
        hemisphere=hemisphere,
        participant=participant,
        visit=visit,
    )
    try:
        result = measure_trials(read.sets, settings=settings, decisions=decided)
    except InputError as error:
        for other in read.refused:
            error.add_note(str(other))
        raise
    flags = (*map(_refusal, read.refused), *read.flags, *result.flags)
    return replace(result, flags=flags, reporting=read.reporting)


def measure_trials(
    sets: Sequence[TrialSet | AmplitudeTable],
    *,
    settings: TmsSettings | None = None,
    decisions: Sequence[TrialDecision] = (),
) -> TmsResult:
    """Measure trials that were read already, or simulated.

    Parameters
    ----------
    sets : sequence of TrialSet or AmplitudeTable
    settings : TmsSettings, optional
    decisions : sequence of TrialDecision, optional
        A rejected trial keeps its number and leaves the measures; a moved onset is used.

    Returns
    -------
    TmsResult
        One group of measures a person, visit, hemisphere, muscle and channel; every measure also without
        flagged trials, and with every trial as it was before anybody decided. What can not be measured
        (dead, a single trial) is left out, with a flag.

    Raises
    ------
    InputError
        If no sweeps can be measured: the reason of the first. If a decision is about no trial.
    """
    settings = settings or TmsSettings()
    trials: list[Trial] = []
    sweeps: list[tuple[TrialSet, TrialResponses]] = []
    flags: list[Flag] = []
    refused: list[InputError] = []
    sets = kept_apart(sets)
    counts = Counter(key for item in sets for key in groups_of(item))
    for item, decided in zip(sets, decided_rows(sets, decisions), strict=True):
        try:
            refuse_empty(item, alone=max(counts[key] for key in groups_of(item)) < 2)
            if isinstance(item, TrialSet):
                responses = responses_by_group(item, settings=settings.responses, decided=decided)
        except InputError as error:
            refused.append(InputError(item.source.label, error.problem, error.remedy))
            continue
        if isinstance(item, TrialSet):
            sweeps.append((item, responses))
            trials += _rows(item, responses, decided)
            flags += _placed(responses.flags, item, alone=len(sets) == 1)
        else:
            trials += _table_rows(item, decided)
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
        _with_ipsilateral(
            measure_group(own, settings=chosen, beside=names[key]), sweeps, trials, chosen.level
        )
        for key, own in groups.items()
    ]
    flags += decided_flags(groups, [group.name for group in measured])
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
        provenance=Provenance(tuple(sources.values()), settings.to_dict()),
        decisions=tuple(decisions),
        estimates_undecided=measure_trials(sets, settings=settings).estimates if decisions else (),
    )


def _refusal(error: SudeckError) -> Flag:
    subject = error.subject if isinstance(error, InputError) else ""
    return Flag("recording-refused", str(error), "serious", subject)


def _without_flagged(
    trials: Sequence[Trial], group: GroupMeasures, settings: GroupSettings
) -> tuple[Measured, ...]:
    """Measure a group again from the trials that carry no flag; where none does, it is the same."""
    kept = [trial for trial in trials if not trial.rejected]
    unflagged = [trial for trial in kept if not trial.flags]
    if len(unflagged) == len(kept):
        return group.estimates
    beside = (group.channel, group.file)
    return measure_group(unflagged, settings=settings, beside=beside).estimates if unflagged else ()


def _with_ipsilateral(
    group: GroupMeasures,
    sweeps: Sequence[tuple[TrialSet, TrialResponses]],
    trials: Sequence[Trial],
    level: float,
) -> GroupMeasures:
    """Add the ipsilateral silent period, which needs the sweeps and not only what was measured on each."""
    estimates, flags = list(group.estimates), list(group.flags)
    rejected = {(trial.file, trial.channel, trial.number) for trial in trials if trial.rejected}
    for item, _ in sweeps:
        chosen = ipsilateral_trials(item.pulses) & np.array(
            [
                pulse.state == "active"
                and pulse.kind != "paired"
                and own == group.key
                and (item.source.label, item.channel, number) not in rejected
                for number, (pulse, own) in enumerate(zip(item.pulses, groups_of(item), strict=True), start=1)
            ]
        )
        # The pause grows with intensity: pulses of several are a silent period each.
        strengths = np.array([test_intensity(blank_row(item, index)) for index in range(item.n_trials)])
        several = len(set(strengths[chosen])) > 1
        for intensity in dict.fromkeys(strengths[chosen]):
            alike = chosen & (strengths == intensity)
            if alike.sum() < 2:
                continue
            try:
                both = estimate_averaged_silent_period(
                    item.emg_mv[alike], item.rate_hz, item.pulse_sample, level=level
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
                    intensity=str(intensity) if several else "",
                    participant=group.participant,
                    muscle_side=group.muscle_side,
                    channel=group.channel,
                    file=group.file,
                )
                for one in both
            ]
    return replace(group, estimates=tuple(estimates), flags=tuple(flags))


def _rows(item: TrialSet, responses: TrialResponses, decided: Mapping[int, TrialDecision]) -> list[Trial]:
    codes = responses.flag_codes
    return [
        replace(
            blank_row(item, index),
            values={name: float(getattr(responses, name)[index]) for name in _MEASURED},
            present=bool(responses.present[index]),
            csp_censored=bool(responses.csp_censored[index]),
            flags=codes[index],
            decision=decided.get(index),
        )
        for index in range(item.n_trials)
    ]


def _table_rows(table: AmplitudeTable, decided: Mapping[int, TrialDecision]) -> list[Trial]:
    rows = []
    for index in range(table.n_trials):
        values = {"amplitude_mv": float(table.amplitude_mv[index])}
        if table.latency_ms is not None:
            values["latency_ms"] = float(table.latency_ms[index])
        if table.below_mv is not None and np.isfinite(table.below_mv[index]):
            values["below_mv"] = float(table.below_mv[index])
        decision = decided.get(index)
        if decision is not None and decision.onset_ms is not None:
            values["latency_ms"] = decision.onset_ms
        subject = f"trial {index + 1}"
        codes = tuple(flag.code for flag in table.flags if flag.subject == subject)
        rows.append(
            replace(
                blank_row(table, index),
                values=values,
                present=values["amplitude_mv"] > 0,
                flags=codes,
                decision=decision,
            )
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
