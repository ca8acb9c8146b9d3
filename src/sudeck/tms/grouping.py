"""What is measured together: trials of one person, visit, hemisphere, muscle and channel, and no others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from sudeck.core.flags import Flag
from sudeck.tms.measures.measured import Trial
from sudeck.tms.recordings.trial_decisions import TrialDecision
from sudeck.tms.responses.response_settings import ResponseSettings
from sudeck.tms.responses.responses import TrialResponses, measure_responses
from sudeck.tms.signals.neutral_labels import plain_name
from sudeck.tms.signals.trials import AmplitudeTable, TrialSet

GroupKey = tuple[str, ...]
_TRIAL = re.compile(r"trial (\d+)")


def kept_apart(sets: Sequence[TrialSet | AmplitudeTable]) -> list[TrialSet | AmplitudeTable]:
    """Give a number to files of one name, and to channels of one name in a file, to keep them apart.

    The rows of a table stay one file: it may be a set a person.
    """
    files: dict[str, list[str]] = {}
    stood_in: dict[str, list[str]] = {}
    channels: Counter[tuple[str, str, str]] = Counter()
    made: list[TrialSet | AmplitudeTable] = []
    for item in sets:
        label, sha = item.source.label, item.source.sha256
        known = files.setdefault(label, [])
        if sha not in known:
            known.append(sha)
        if known.index(sha):
            item = replace(item, source=replace(item.source, label=f"{label} ({known.index(sha) + 1})"))
        if isinstance(item, TrialSet):
            # What stands in for a name may be the same where the names are not.
            called = stood_in.setdefault(plain_name(item.channel), [])
            own = plain_name(item.label_in_file or item.channel)
            if own not in called:
                called.append(own)
            if called.index(own):
                item = replace(item, channel=f"{item.channel} ({called.index(own) + 1})")
            channels[label, sha, item.channel] += 1
            seen = channels[label, sha, item.channel]
            item = item if seen == 1 else replace(item, channel=f"{item.channel} ({seen})")
        made.append(item)
    return made


def grouped_trials(trials: Sequence[Trial]) -> dict[GroupKey, list[Trial]]:
    """Return the trials of each group, in the order of their first trials."""
    groups: dict[GroupKey, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(trial.group, []).append(trial)
    return groups


def names_beside(groups: dict[GroupKey, list[Trial]]) -> dict[GroupKey, tuple[str, str]]:
    """Return the channel and the file of every group, empty where the rest already tells it from the others.

    Person, visit, hemisphere, muscle and side name a group. Where two have these in common, the channel is
    named, and the file where that does not tell them apart.
    """
    alike: dict[GroupKey, list[GroupKey]] = {}
    for key in groups:
        alike.setdefault(key[:5], []).append(key)
    names = {}
    for key, own in groups.items():
        rivals = alike[key[:5]]
        several_channels = len({rival[5] for rival in rivals}) > 1
        several_files = len({rival[6] for rival in rivals}) > 1
        names[key] = (own[0].channel if several_channels else "", key[6] if several_files else "")
    return names


def pooling_flags(groups: dict[GroupKey, list[Trial]]) -> list[Flag]:
    """Say which files were measured together, and which were not because nothing says that they are alike."""
    flags = []
    for key, own in groups.items():
        files = list(dict.fromkeys(trial.file for trial in own))
        if len(files) > 1:
            where = " ".join(filter(None, key[:4]))
            text = f"{where} was measured from {len(files)} files together: {', '.join(files)}."
            flags.append(Flag("files-pooled", text, "info", where, value=float(len(files)), unit="files"))
    alike: dict[GroupKey, list[str]] = {}
    for key, own in groups.items():
        if key[6]:
            alike.setdefault((*key[:5], key[5]), []).append(own[0].file)
    apart = list(dict.fromkeys(name for files in alike.values() if len(files) > 1 for name in files))
    if apart:
        text = (
            f"Nothing says whether {', '.join(apart[:6])}{' …' if len(apart) > 6 else ''} are of the same "
            "person, visit, hemisphere and muscle, so that each was measured by itself; state participant, "
            "visit, hemisphere and muscle in the protocol or the events table to measure them together."
        )
        flags.append(Flag("files-kept-apart", text, "caution", value=float(len(apart)), unit="files"))
    return flags


def blank_row(item: TrialSet | AmplitudeTable, index: int) -> Trial:
    """Return the row of a trial before anything is measured on it."""
    pulse = item.pulses[index]
    channel, person = (item.channel, "") if isinstance(item, TrialSet) else ("", item.participant)
    return Trial(
        item.source.label,
        index + 1,
        channel,
        pulse,
        {},
        present=False,
        csp_censored=False,
        participant=person or pulse.participant,
    )


def groups_of(item: TrialSet | AmplitudeTable) -> list[GroupKey]:
    """Return the group of every trial of a set."""
    return [blank_row(item, index).group for index in range(item.n_trials)]


def responses_by_group(
    item: TrialSet,
    *,
    settings: ResponseSettings,
    decided: Mapping[int, TrialDecision] | None = None,
) -> TrialResponses:
    """Measure the sweeps of each group by themselves: both hands in one file are as a file a hand.

    Noise, hum and the usual background are then those of the group, whatever else the file holds. Rejected
    trials are a group of their own, so that the others are measured as if these had not been recorded.

    Parameters
    ----------
    item : TrialSet
    settings : ResponseSettings
    decided : Mapping of int to TrialDecision, optional
        What a person decided, by row from 0.
    """
    decided = decided or {}
    rejected = [index in decided and decided[index].rejected for index in range(item.n_trials)]
    keys = list(zip(groups_of(item), rejected, strict=True))
    onset_ms = np.full(item.n_trials, np.nan)
    for index, decision in decided.items():
        onset_ms[index] = np.nan if decision.onset_ms is None else decision.onset_ms
    if len(set(keys)) == 1:
        return measure_responses(item, settings=settings, onset_ms=onset_ms)
    found: list[tuple[list[int], TrialResponses]] = []
    for key in dict.fromkeys(keys):
        rows = [index for index, other in enumerate(keys) if other == key]
        place = {row + 1: number + 1 for number, row in enumerate(rows)}
        flags = tuple(moved for flag in item.flags if (moved := _renumbered(flag, place)) is not None)
        pulses = tuple(item.pulses[row] for row in rows)
        part = replace(item, emg_mv=item.emg_mv[rows], pulses=pulses, flags=flags)
        responses = measure_responses(part, settings=settings, onset_ms=onset_ms[rows])
        if key[1]:
            # What is usual among rejected trials concerns nobody.
            on_trials = tuple(flag for flag in responses.flags if _TRIAL.fullmatch(flag.subject))
            responses = replace(responses, flags=on_trials)
        found.append((rows, responses))
    arrays: dict[str, Any] = {}
    for entry in fields(TrialResponses):
        first = getattr(found[0][1], entry.name)
        if isinstance(first, np.ndarray):
            whole = np.empty(item.n_trials, dtype=first.dtype)
            for rows, part_responses in found:
                whole[rows] = getattr(part_responses, entry.name)
            arrays[entry.name] = whole
    flags_of_all: dict[tuple[str, str, str], Flag] = {}
    for rows, part_responses in found:
        place = {number + 1: row + 1 for number, row in enumerate(rows)}
        for flag in part_responses.flags:
            moved = _renumbered(flag, place)
            if moved is not None:
                flags_of_all.setdefault((moved.code, moved.subject, moved.message), moved)
    return replace(found[0][1], **arrays, flags=tuple(flags_of_all.values()))


def _renumbered(flag: Flag, place: Mapping[int, int]) -> Flag | None:
    """Return a flag on a trial under the number that the trial has elsewhere; ``None`` where it has none."""
    match = _TRIAL.fullmatch(flag.subject)
    if match is None:
        return flag
    number = place.get(int(match.group(1)))
    if number is None:
        return None
    message = re.sub(rf"\b([Tt]rial) {match.group(1)}\b", rf"\g<1> {number}", flag.message)
    return replace(flag, subject=f"trial {number}", message=message)


def decided_flags(groups: Mapping[GroupKey, Sequence[Trial]], names: Sequence[str]) -> list[Flag]:
    """Say of each group how many trials were rejected or had their onset moved, by whom and why."""
    flags = []
    for own, where in zip(groups.values(), names, strict=True):
        for code, verb, chosen in (
            ("trials-rejected", "rejected", [t.decision for t in own if t.rejected]),
            ("onsets-moved", "given another onset", [t.decision for t in own if t.onset_moved]),
        ):
            if not chosen:
                continue
            reasons = Counter(f"{one.who}: {one.why}" for one in chosen if one is not None)
            given = "; ".join(f"{n} by {reason}" for reason, n in reasons.items())
            text = f"{len(chosen)} of {len(own)} trials of {where} {_were(len(chosen))} {verb} ({given})."
            limit = float(len(own))
            flags.append(Flag(code, text, "info", where, float(len(chosen)), limit, "trials"))
    return flags


def _were(n: int) -> str:
    return "was" if n == 1 else "were"
