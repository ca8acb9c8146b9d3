"""Decisions a person takes about a patient: inputs, kept with who, when and why, never overwritten.

A later decision on the same thing is a further file; the last one holds, and the earlier ones stay to be
read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from sudeck.core.errors import InputError
from sudeck.core.storage import to_json
from sudeck.study.folder.layout import StudyFolder

DecisionKind = Literal["region", "side", "view", "image-left", "phase", "trial", "exclude", "note"]
_NAME: Final = re.compile(r"(sub|ses)-[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision.

    Attributes
    ----------
    patient, session : str
        Whom it concerns; the session may be empty.
    kind : str
        What was decided: region, side, view, image-left, phase, trial, exclude or note.
    about : str
        What exactly, e.g. ``"bone"`` or ``"trial 17"``; empty for the whole session or patient.
    value : object
        The decision itself, JSON-ready: a region, ``"left"``, ``"reject"``.
    who, why : str
        Initials or role of the person; the reason, in a sentence. Nothing that identifies the patient.
    when : str
        ISO 8601 with time zone.
    """

    patient: str
    kind: DecisionKind
    value: Any
    who: str
    why: str
    session: str = ""
    about: str = ""
    when: str = ""

    @property
    def subject(self) -> tuple[str, str, str, str]:
        """What is decided: a later decision with the same subject takes the place of this one."""
        return self.patient, self.session, self.kind, self.about

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "patient": self.patient,
            "session": self.session,
            "kind": self.kind,
            "about": self.about,
            "value": self.value,
            "who": self.who,
            "why": self.why,
            "when": self.when,
        }

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.patient, self.session, self.kind, self.about)))
        value = json.dumps(self.value, ensure_ascii=False)
        return f"{place}: {value} ({self.who}, {self.when[:10]}: {self.why})"


def record_decision(study: StudyFolder, decision: Decision) -> Path:
    """Write a decision as a new file and return its path.

    Raises
    ------
    InputError
        If who or why is missing, or the decision is malformed.
    """
    when = decision.when or datetime.now(UTC).isoformat(timespec="seconds")
    content = {**decision.to_dict(), "when": when}
    _checked(content, "the decision")
    folder = study.decisions / decision.patient
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, 100_000):
        path = folder / f"{number:04d}_{decision.kind}.json"
        if any(folder.glob(f"{number:04d}_*.json")):
            continue
        try:
            # Exclusive creation: two persons who decide at the same moment get two files.
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
                file.write(to_json(content))
        except FileExistsError:
            continue
        return path
    raise InputError(decision.patient, "it has too many decisions", "remove old ones from the study")


def read_decisions(study: StudyFolder, patient: str | None = None) -> tuple[Decision, ...]:
    """Return every decision in the order they were taken, of one patient or of all.

    Raises
    ------
    InputError
        If a file is no decision.
    """
    folders = [study.decisions / patient] if patient else sorted(study.decisions.glob("sub-*"))
    return tuple(_read(path) for folder in folders for path in sorted(folder.glob("*.json")))


def standing_decisions(study: StudyFolder, patient: str | None = None) -> tuple[Decision, ...]:
    """Return the decisions that hold: of several on the same subject the last."""
    last = {decision.subject: decision for decision in read_decisions(study, patient)}
    return tuple(last.values())


def _read(path: Path) -> Decision:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError):
        content = None
    return _checked(content, f"{path.parent.name}/{path.name}")


def _checked(content: Any, subject: str) -> Decision:
    if not isinstance(content, Mapping):
        raise InputError(subject, "it is no decision in JSON", "correct or remove the file")
    texts = {
        name: content.get(name, "") for name in ("patient", "session", "kind", "about", "who", "why", "when")
    }
    for name, text in texts.items():
        if not isinstance(text, str):
            raise InputError(subject, f"{name} is not a text", "correct the file")
    for name in ("who", "why", "when"):
        if not texts[name].strip():
            raise InputError(subject, f"it does not say {name}", "a decision needs who, when and why")
    if texts["kind"] not in get_args(DecisionKind):
        raise InputError(subject, "its kind is not known", f"use {', '.join(get_args(DecisionKind))}")
    for name in ("patient", "session"):
        if not _NAME.fullmatch(texts[name]) and not (name == "session" and not texts[name]):
            raise InputError(subject, f"its {name} is malformed", "write sub-001, ses-pre")
    return Decision(value=content.get("value"), **texts)
