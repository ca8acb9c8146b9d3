"""What a person decided about single trials: rejected ones, and onsets that were moved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sudeck.core.errors import InputError
from sudeck.core.missing import is_missing
from sudeck.core.record import Record
from sudeck.tms.signals.table_text import read_table_file
from sudeck.tms.signals.trials import AmplitudeTable, TrialSet

LATEST_ONSET_MS: Final = 500.0
_WORDS: Final[Mapping[str, bool]] = {
    "reject": True,
    "rejected": True,
    "keep": False,
    "kept": False,
    "onset": False,
}


@dataclass(frozen=True, slots=True)
class TrialDecision(Record):
    """What a person decided about one trial.

    Attributes
    ----------
    trial : int
        Its number in its file, from 1, as in trials.tsv.
    rejected : bool
        Whether it leaves the measures. It keeps its number and its row.
    onset_ms : float or None
        Onset of its response after the test pulse, where a person moved it.
    who, why : str
        Initials or role of the person, and the reason. Nothing that identifies the patient.
    file : str
        Its recording, as trials.tsv names it; needed where there are several.
    channel : str
        Its channel. Empty: the trial is rejected in every channel of its recording.
    """

    trial: int
    rejected: bool = False
    onset_ms: float | None = None
    who: str = ""
    why: str = ""
    file: str = ""
    channel: str = ""

    @property
    def words(self) -> str:
        """What was decided, in one or two words."""
        if self.rejected:
            return "rejected"
        return "kept" if self.onset_ms is None else f"onset at {self.onset_ms:g} ms"

    @property
    def cells(self) -> dict[str, object]:
        """Return what trials.tsv says of it, as `read_decisions` reads it back."""
        word = "reject" if self.rejected else "keep"
        return {"decision": word, "onset_ms": self.onset_ms, "who": self.who, "why": self.why}

    def __str__(self) -> str:
        place = " ".join(filter(None, (f"trial {self.trial}", self.file and f"of {self.file}", self.channel)))
        return f"{place}: {self.words} ({self.who}: {self.why})"


def read_decisions(path: Path) -> tuple[TrialDecision, ...]:
    """Read a table of decisions, one row a trial.

    Columns are `trial`, `decision` (reject, keep, or empty), `onset_ms`, `who` and `why`, and `file` and
    `channel` where there are several; others are passed over, so that trials.tsv with these columns added is
    a table of decisions too. Rows in which nothing of this is filled in are passed over.

    Raises
    ------
    InputError
        If the table can not be read, or a decision says not who took it and why.
    """
    records = read_table_file(path)
    columns = set(records[0]) if records else set()
    if not {"trial", "who", "why"} <= columns or columns.isdisjoint({"decision", "onset_ms"}):
        raise InputError(
            path.name,
            "it is no table of decisions",
            "give the columns trial, decision (reject or keep), onset_ms, who and why",
        )
    made = []
    for line, record in enumerate(records, start=2):
        given = {name: cell for name, cell in record.items() if not is_missing(cell)}
        word, onset = given.get("decision", "").lower(), given.get("onset_ms", "")
        where = f"line {line} of {path.name}"
        if not word and not onset:
            if {"who", "why"} & set(given):
                raise InputError(
                    where, "it says who or why, and decides nothing", "write reject or keep, or an onset_ms"
                )
            continue
        if word and word not in _WORDS:
            raise InputError(where, f"{word!r} is no decision on a trial", "write reject or keep")
        number = given.get("trial", "")
        if not number.isdecimal() or int(number) < 1:
            raise InputError(where, f"{number!r} is no number of a trial", "write it as in trials.tsv")
        made.append(
            TrialDecision(
                int(number),
                rejected=_WORDS.get(word, False),
                onset_ms=_onset(onset, where) if onset else None,
                who=given.get("who", ""),
                why=given.get("why", ""),
                file=given.get("file", ""),
                channel=given.get("channel", ""),
            )
        )
        if not (made[-1].who and made[-1].why):
            raise InputError(where, "it does not say who decided and why", "fill in who and why")
    return tuple(made)


def _onset(text: str, where: str) -> float:
    try:
        onset_ms = float(text.replace(",", "."))
    except ValueError:
        onset_ms = math.nan
    if not 0 < onset_ms <= LATEST_ONSET_MS:
        raise InputError(where, f"{text!r} is no onset", "write milliseconds after the pulse, as 23.5")
    return onset_ms


def decisions_for(given: Sequence[TrialDecision] | str | Path | None) -> tuple[TrialDecision, ...]:
    """Return decisions that were given, or read from their table."""
    return read_decisions(Path(given)) if isinstance(given, str | Path) else tuple(given or ())


def decided_rows(
    sets: Sequence[TrialSet | AmplitudeTable], decisions: Sequence[TrialDecision]
) -> list[dict[int, TrialDecision]]:
    """Return for each set its decided trials, by row from 0.

    Raises
    ------
    InputError
        If a decision is about a trial that is not there, or may be about several, or two are about one.
    """
    rows: list[dict[int, TrialDecision]] = [{} for _ in sets]
    for decision in decisions:
        for index in _sets_of(decision, sets):
            if decision.trial - 1 in rows[index]:
                raise InputError(
                    f"decision on trial {decision.trial}",
                    "there are two about this trial",
                    "keep one of them",
                )
            rows[index][decision.trial - 1] = decision
    return rows


def _sets_of(decision: TrialDecision, sets: Sequence[TrialSet | AmplitudeTable]) -> list[int]:
    subject = f"decision on trial {decision.trial}"
    files = list(dict.fromkeys(item.source.label for item in sets))
    if decision.file and decision.file not in files:
        there = ", ".join(files[:6])
        raise InputError(
            subject, f"no recording is called {decision.file} (there are: {there})", "correct file"
        )
    named = [i for i, item in enumerate(sets) if decision.file in ("", item.source.label)]
    if len({sets[i].source.label for i in named}) > 1:
        raise InputError(
            subject, f"it does not say of which of {len(files)} recordings", "name it in the column file"
        )
    channels = [name for i in named if (name := _channel(sets[i]))]
    own = [i for i in named if decision.channel in ("", *_names_of(sets[i]))]
    if not own:
        there = ", ".join(channels)
        raise InputError(
            subject, f"no channel is called {decision.channel} (there are: {there})", "correct channel"
        )
    chosen = [i for i in own if decision.trial <= sets[i].n_trials]
    if not chosen or decision.trial < 1:
        most = max(sets[i].n_trials for i in own)
        raise InputError(subject, f"the recording has {most} trials", "give the number that trials.tsv gives")
    if len(chosen) > 1 and (decision.onset_ms is not None or any(not _channel(sets[i]) for i in chosen)):
        there = ", ".join(channels) or "several tables of one file"
        raise InputError(
            subject,
            f"it does not say of which channel the onset is (there are: {there})",
            "name it in the column channel",
        )
    return chosen


def _names_of(item: TrialSet | AmplitudeTable) -> tuple[str, ...]:
    """Return what a channel is called: by the result, and by its file where that may name a person."""
    return (item.channel, item.label_in_file) if isinstance(item, TrialSet) else ("",)


def _channel(item: TrialSet | AmplitudeTable) -> str:
    return item.channel if isinstance(item, TrialSet) else ""
