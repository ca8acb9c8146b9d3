"""What is measured together: trials of one person, visit, hemisphere, muscle and channel, and no others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sudeck.core.flags import Flag
from sudeck.tms.result import Trial
from sudeck.tms.signals.trials import AmplitudeTable, TrialSet

GroupKey = tuple[str, ...]


def told_apart(sets: Sequence[TrialSet | AmplitudeTable]) -> list[TrialSet | AmplitudeTable]:
    """Give a number to files of one name, and to channels of one name in a file, to keep them apart.

    The rows of a table stay one file: it may be a set a person.
    """
    files: dict[str, list[str]] = {}
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
