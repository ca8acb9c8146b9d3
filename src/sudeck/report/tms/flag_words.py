"""Flags as the console and the report tell them: what holds for many trials or places is said once.

Each flag stays as it is in tms.json, and each trial names its own in trials.tsv.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sudeck.core.flags import Flag, Severity

if TYPE_CHECKING:
    from sudeck.tms.measures.measured import Trial

_SEVERITIES: Final = ("serious", "caution", "info")
_ON_TRIAL: Final = re.compile(r"(?:(?P<place>.+) )?trial (?P<number>\d+)")
# What these are about is in their messages; before it stands the place, where there are several.
_NAMES_ITS_SUBJECT: Final = frozenset({"not-stated", "condition-unmatched", "window-shortened"})
# So many like flags and more are told once.
_LIKE_FLAGS: Final = 4
# More than these are counted instead of named.
_MOST_CONDITIONS, _MOST_RANGES, _MOST_PLACES = 6, 8, 3


@dataclass(frozen=True)
class FlagLine:
    """One line of the list of flags: how much it weighs, its code, and what is said."""

    severity: Severity
    code: str
    text: str


@dataclass(frozen=True)
class _OnTrial:
    flag: Flag
    place: str
    number: int
    condition: str


def flag_lines(flags: Sequence[Flag], trials: Sequence[Trial] = ()) -> list[FlagLine]:
    """Return flags as they are told, worst first.

    Those on trials are told by the worst of them, with the trials counted and named as ranges by condition.
    Others that say the same are told once with all places; of four and more of one kind, the first.

    Parameters
    ----------
    flags : sequence of Flag
    trials : sequence of Trial
        The trials that the subjects of flags number, for their conditions.
    """
    files = {trial.file for trial in trials}
    only = next(iter(files)) if len(files) == 1 else ""
    conditions = _conditions(trials)
    kinds: dict[tuple[str, Severity, str], list[Flag | _OnTrial]] = {}
    for flag in flags:
        match = _ON_TRIAL.fullmatch(flag.subject)
        if match is None:
            asked = flag.subject.rpartition(" ")[2] if flag.code == "not-stated" else ""
            kinds.setdefault((flag.code, flag.severity, asked), []).append(flag)
        else:
            place, number = match["place"] or "", int(match["number"])
            on = _OnTrial(flag, _short(place, only), number, conditions.get((place, number), ""))
            kinds.setdefault((flag.code, flag.severity, "on trials"), []).append(on)
    lines: list[FlagLine] = []
    for (code, severity, _), own in kinds.items():
        on_trials = [one for one in own if isinstance(one, _OnTrial)]
        texts = _trial_texts(on_trials) + _texts([one for one in own if isinstance(one, Flag)], only)
        lines += [FlagLine(severity, code, text) for text in texts]
    return sorted(lines, key=lambda one: _SEVERITIES.index(one.severity))


def _conditions(trials: Sequence[Trial]) -> dict[tuple[str, int], str]:
    """Return the condition of each trial by its place, as flags write it, and its number."""
    found = {}
    alone = len({(trial.file, trial.channel) for trial in trials}) == 1
    for trial in trials:
        place = "" if alone else f"{trial.file} {trial.channel}".strip()
        found[place, trial.number] = _condition(trial)
    return found


def _condition(trial: Trial) -> str:
    """Return what a trial was, in the words of the laboratory, else by its kind and interval."""
    pulse = trial.pulse
    if pulse.condition:
        return pulse.condition
    if pulse.isi_ms is not None:
        return f"pairs at {pulse.isi_ms:g} ms"
    return "single pulses" if pulse.kind == "single" else ""


def _trial_texts(own: Sequence[_OnTrial]) -> list[str]:
    """Return the message of the worst trial, and of which trials the same was found."""
    if not own:
        return []
    worst = max(own, key=lambda one: abs(one.flag.value or 0.0))
    if len(own) == 1:
        where = " ".join(filter(None, (worst.place, worst.condition)))
        return [f"{worst.flag.message}{f' ({where})' if where else ''}"]
    by_place: dict[str, list[_OnTrial]] = {}
    for one in own:
        by_place.setdefault(one.place, []).append(one)
    if len(by_place) > _MOST_PLACES:
        which = f"{len(by_place)} channels and recordings, named in trials.tsv"
    else:
        which = "; ".join(f"{place} {_by_condition(part)}".strip() for place, part in by_place.items())
    return [f"{worst.flag.message} Found in {len(own)} trials: {which}."]


def _by_condition(own: Sequence[_OnTrial]) -> str:
    """Return the numbers of trials by condition: ``SICI (1 to 6, 9), ICF (2)``; of many conditions all."""
    numbers: dict[str, list[int]] = {}
    for one in own:
        numbers.setdefault(one.condition, []).append(one.number)
    if len(numbers) == 1 or len(numbers) > _MOST_CONDITIONS:
        name = next(iter(numbers)) if len(numbers) == 1 else f"{len(numbers)} conditions"
        ranges = ranges_text([one.number for one in own])
        return f"{name} ({ranges})" if name else ranges
    return ", ".join(f"{name or 'others'} ({ranges_text(rows)})" for name, rows in numbers.items())


def ranges_text(numbers: Sequence[int]) -> str:
    """Return numbers as ranges; of many ranges the first, and how many more numbers there are.

    Examples
    --------
    >>> ranges_text([1, 2, 3, 7, 9, 10])
    '1 to 3, 7, 9, 10'
    """
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    shown = ranges if len(ranges) <= _MOST_RANGES + 1 else ranges[:_MOST_RANGES]
    left = sum(map(len, ranges)) - sum(map(len, shown))
    texts = [
        f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run))
        for run in shown
    ]  # fmt: skip
    return ", ".join(texts) + (f" and {left} more" if left else "")


def _texts(own: Sequence[Flag], only: str) -> list[str]:
    """Return a text for each message, with every place it is about; of many, the first and their number."""
    if len({flag.message for flag in own}) >= _LIKE_FLAGS:
        n = len(own) - 1
        return [
            f"{own[0].message} The like was found {n} times more, in other channels, people or conditions."
        ]
    places: dict[str, list[str]] = {}
    for flag in own:
        place = flag.subject
        if flag.code in _NAMES_ITS_SUBJECT:
            place = place.rpartition(" ")[0]
        places.setdefault(flag.message, []).append(_short(place, only))
    return [f"{message}{_where(message, at)}" for message, at in places.items()]


def _where(message: str, places: Sequence[str]) -> str:
    """Return in brackets what a message is about, unless it says so or there is nothing else."""
    named = [place for place in dict.fromkeys(places) if place and place not in message]
    more = len(named) - _MOST_PLACES
    shown = [*named[:_MOST_PLACES], *([f"{more} more"] if more > 0 else [])]
    return f" ({', '.join(shown)})" if shown else ""


def _short(place: str, only: str) -> str:
    """Return a place without the file, where there is only one."""
    return place.removeprefix(only).strip() if only else place
