"""What the pages work on: patients as they stand on disk, scans and recordings kept read, drafts tried out.

A draft is a decision that a person tries on a page and has not saved. A measurement with drafts is made of
the decisions that stand with the drafts added, by the calls that a run makes: after saving, a run gives the
same numbers.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from sudeck.core.errors import InputError
from sudeck.study.folder.decision_kinds import Decision, problem_of
from sudeck.study.folder.decisions import DecisionLog, read_log
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import PARTICIPANTS
from sudeck.study.folder.settings import Settings, read_settings
from sudeck.study.folder.tables import Row, read_table
from sudeck.study.measuring.inputs import PatientInputs, patient_inputs

MOST_KEPT: Final = 8  # patients whose scan or recordings stay read
_MOST_DRAFTS: Final = 2000
_DRAFT: Final = "draft"
_PAUSE_S: Final = 0.2  # after a page was answered, until something is prepared
_T = TypeVar("_T")


class _Entry:
    """One thing of `Kept`: who makes it holds its lock, and who waits for it holds nobody else up."""

    __slots__ = ("lock", "made", "value")

    def __init__(self) -> None:
        self.lock, self.made, self.value = threading.Lock(), False, cast(Any, None)


class Kept:
    """The last few things that were made, by what they were made of; made once when two ask at a time."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return what was made for a key, or make it."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        with entry.lock:
            if not entry.made:
                entry.value = make()
                entry.made = True
            found: _T = entry.value
            return found


@dataclass(frozen=True)
class Patient:
    """A patient as it stands on disk.

    Attributes
    ----------
    inputs : PatientInputs
    log : DecisionLog
    row : mapping
        Of participants.tsv; empty where it has none.
    """

    inputs: PatientInputs
    log: DecisionLog
    row: Mapping[str, Any]

    @property
    def head(self) -> str:
        """Hash of the last line of decisions; empty where there is none."""
        return self.log.hashes[-1] if self.log.hashes else ""

    @property
    def signed(self) -> Decision | None:
        """The decision by which the patient is signed off, if it is."""
        found = (one for one in self.inputs.decisions if one.kind == "signed-off" and one.value)
        return next(found, None)


class Workbench:
    """A study under review.

    Parameters
    ----------
    study : StudyFolder
    saved : callable, optional
        Called after something was saved; given for one scan without a study.
    """

    def __init__(self, study: StudyFolder, *, saved: Callable[[], None] | None = None) -> None:
        self.study = study
        self.saved = saved
        self.scans, self.poses, self.recordings, self.digests = Kept(), Kept(), Kept(), Kept(100_000)
        self._tables = Kept()
        self._asked = 0
        self._last_asked = 0.0
        self._counting = threading.Lock()

    @property
    def settings(self) -> Settings:
        """The settings of the study, as they are now."""
        return self._tables.get(
            ("settings", *_stamp_of(self.study.settings_file)), lambda: read_settings(self.study)
        )

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Say that a page waits, until the end of the block: what is only prepared lets it go first."""
        with self._counting:
            self._asked += 1
        try:
            yield
        finally:
            with self._counting:
                self._asked -= 1
                self._last_asked = time.monotonic()

    def idle(self) -> bool:
        """Return whether no page waits, and none did a moment ago."""
        with self._counting:
            return not self._asked and time.monotonic() - self._last_asked > _PAUSE_S

    def rows(self) -> dict[str, Row]:
        """Return the rows of participants.tsv by patient."""
        path = self.study.found_table("participants")
        if path is None:
            raise InputError(self.study.root.name, "it has no participants.tsv", "list the patients there")
        return self._tables.get(("participants", *_stamp_of(path)), lambda: _by_patient(path))

    def names(self) -> tuple[str, ...]:
        """Return every patient of the study, sorted."""
        return tuple(sorted({*self.rows(), *self.study.patients()}))

    def patient(self, name: str) -> Patient | None:
        """Return a patient; None if the study knows none of that name."""
        row = self.rows().get(name)
        if row is None and name not in self.study.patients():
            return None
        return Patient(patient_inputs(self.study, name, row), read_log(self.study, name), row or {})


def _by_patient(path: Path) -> dict[str, Row]:
    rows = read_table(path, PARTICIPANTS).rows
    return {str(row["participant_id"]): row for row in rows if row["participant_id"]}


def drafts_of(patient: str, session: str, content: Any) -> tuple[Decision, ...]:
    """Return the decisions a page tries out, of the JSON it sent.

    Raises
    ------
    InputError
        If one is malformed.
    """
    if not isinstance(content, Sequence) or isinstance(content, str) or len(content) > _MOST_DRAFTS:
        raise InputError("the page", "what it sent is no list of decisions", "load it again")
    found = []
    for entry in content:
        given = entry if isinstance(entry, Mapping) else {}
        kind, about, value = given.get("kind"), given.get("about", ""), given.get("value")
        if not isinstance(kind, str) or not isinstance(about, str):
            raise InputError("the page", "what it sent is no decision", "load it again")
        problem, remedy = problem_of(kind, about, value)
        if problem:
            raise InputError(f"decision on {kind}", problem, remedy)
        known: Any = kind  # as problem_of made sure
        found.append(
            Decision(patient, known, value, _DRAFT, _DRAFT, session=session, about=about, when=_DRAFT)
        )
    return tuple(found)


def with_drafts(inputs: PatientInputs, drafts: Sequence[Decision]) -> PatientInputs:
    """Return a patient as if drafts had been saved."""
    standing = {decision.subject: decision for decision in inputs.decisions}
    for draft in drafts:
        standing.pop(draft.subject, None)  # what is decided again comes last
        standing[draft.subject] = draft
    kept = tuple(decision for decision in standing.values() if decision.value is not None)
    return replace(inputs, decisions=kept)


def stamp(paths: Sequence[Path]) -> tuple[tuple[str, int, int], ...]:
    """Return what tells files from those they were: path, size and time of change."""
    return tuple(_stamp_of(path) for path in paths)


def _stamp_of(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return str(path), 0, 0  # who reads it says what is wrong with it
    return str(path), stat.st_size, stat.st_mtime_ns
