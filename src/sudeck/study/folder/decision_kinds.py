"""A decision, and what a person can decide about a patient: each kind with the values it may have."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import LIMBS, SCAN_PHASES, SIDES

DecisionKind = Literal[
    "region",
    "mirror",
    "side",
    "view",
    "image-left",
    "limb",
    "injection-time",
    "frame-time",
    "phase",
    "trial",
    "onset",
    "exclude",
    "accepted",
    "signed-off",
    "note",
]
KINDS: Final[tuple[DecisionKind, ...]] = get_args(DecisionKind)
# Kinds that concern one trial of a recording, one scan or recording, the patient as a whole.
OF_TRIALS: Final[frozenset[str]] = frozenset({"trial", "onset"})
NAME: Final = re.compile(r"(sub|ses)-[A-Za-z0-9]+")  # of a patient, of a session
VIEWS: Final = ("anterior", "posterior", "palmar", "dorsal", "plantar")
_TRIAL: Final = re.compile(r"(?:trial )?([1-9][0-9]{0,5})(?: of (.+?))?(?: channel (.+))?")
_LONGEST_FRAME_S: Final = 3600.0
_LATEST_ONSET_MS: Final = 500.0


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a kind asks of its value and of what it is about."""

    allowed: Callable[[Any], bool]
    remedy: str
    about: Callable[[str], bool] = lambda about: True
    about_remedy: str = ""


def _one_of(values: tuple[str, ...]) -> _Rule:
    return _Rule(lambda value: isinstance(value, str) and value in values, f"use {', '.join(values)}")


def _number(value: Any, high: float) -> bool:
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    return usable and abs(value) <= high and math.isfinite(value) and value > 0


def _moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def _is_trial(about: str) -> bool:
    return _TRIAL.fullmatch(about) is not None


def _is_part(about: str) -> bool:
    return about in ("", "scan", "tms")


_TRIAL_ABOUT: Final = "name the trial by its number, as in trial 17 or trial 17 of file-2.edf channel LFDI"
_PART_ABOUT: Final = "say scan or tms, or nothing for both"
_RULES: Final[Mapping[str, _Rule]] = {
    "region": _Rule(lambda value: isinstance(value, Mapping), "write a region as docs/regions.md says"),
    "mirror": _Rule(lambda value: isinstance(value, Mapping), "write a counterpart as docs/regions.md says"),
    "side": _one_of(SIDES),
    "view": _one_of(VIEWS),
    "image-left": _one_of(SIDES),
    "limb": _one_of(LIMBS),
    "injection-time": _Rule(_moment, "write the shifted date and time as 2026-01-31T10:30"),
    "frame-time": _Rule(lambda value: _number(value, _LONGEST_FRAME_S), "write seconds, as 2.0"),
    "phase": _Rule(
        _one_of(SCAN_PHASES).allowed, f"use {', '.join(SCAN_PHASES)}", bool, "name the file under about"
    ),
    "trial": _Rule(_one_of(("reject", "keep")).allowed, "use reject or keep", _is_trial, _TRIAL_ABOUT),
    "onset": _Rule(
        lambda value: _number(value, _LATEST_ONSET_MS),
        "write milliseconds after the pulse, as 23.5",
        _is_trial,
        _TRIAL_ABOUT,
    ),
    "exclude": _Rule(lambda value: isinstance(value, bool), "use true or false", _is_part, _PART_ABOUT),
    "accepted": _Rule(lambda value: isinstance(value, bool), "use true or false", _is_part, _PART_ABOUT),
    "signed-off": _Rule(lambda value: isinstance(value, bool), "use true or false"),
    "note": _Rule(lambda value: isinstance(value, str), "write a text"),
}


def problem_of(kind: str, about: str, value: Any) -> tuple[str, str]:
    """Return what is wrong with a decision and what to do about it; two empty texts where nothing is.

    A value of None takes an earlier decision back, whatever its kind.

    Examples
    --------
    >>> problem_of("side", "", "left")
    ('', '')
    >>> problem_of("trial", "seventeen", "reject")[0]
    'it does not say about what'
    """
    if kind not in KINDS:
        return "its kind is not known", f"use {', '.join(KINDS)}"
    rule = _RULES[kind]
    if not rule.about(about):
        return "it does not say about what", rule.about_remedy
    if value is not None and not rule.allowed(value):
        return "its value is not allowed", rule.remedy
    return "", ""


def trial_place(about: str) -> tuple[int, str, str]:
    """Return number, recording and channel of the trial a decision is about, as far as it says them.

    Examples
    --------
    >>> trial_place("trial 17"), trial_place("17")
    ((17, '', ''), (17, '', ''))
    >>> trial_place("trial 17 of file-2.edf channel LFDI")
    (17, 'file-2.edf', 'LFDI')
    """
    found = _TRIAL.fullmatch(about)
    if found is None:
        raise ValueError("is no trial")
    return int(found[1]), found[2] or "", found[3] or ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision.

    Attributes
    ----------
    patient, session : str
        Whom it concerns; the session may be empty.
    kind : str
        What was decided; see `sudeck.study.folder.decision_kinds`.
    about : str
        What exactly, e.g. ``"bone"`` or ``"trial 17"``; empty for the whole session or patient.
    value : object
        The decision itself, JSON-ready: a region, ``"left"``, ``"reject"``; None takes an earlier one back.
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
        about = str(trial_place(self.about)) if self.kind in OF_TRIALS else self.about
        return self.patient, self.session, self.kind, about

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


def checked_decision(content: Any, subject: str) -> Decision:
    """Return a decision from what a line holds.

    Raises
    ------
    InputError
        If who, when or why is missing, or an entry is malformed.
    """
    if not isinstance(content, Mapping):
        raise InputError(subject, "it is no decision in JSON", "correct or remove it")
    texts = {
        name: content.get(name, "") for name in ("patient", "session", "kind", "about", "who", "why", "when")
    }
    for name, text in texts.items():
        if not isinstance(text, str):
            raise InputError(subject, f"{name} is not a text", "correct it")
    for name in ("who", "why", "when"):
        if not texts[name].strip():
            raise InputError(subject, f"it does not say {name}", "a decision needs who, when and why")
    for name in ("patient", "session"):
        if not NAME.fullmatch(texts[name]) and not (name == "session" and not texts[name]):
            raise InputError(subject, f"its {name} is malformed", "write sub-001, ses-pre")
    problem, remedy = problem_of(texts["kind"], texts["about"], content.get("value"))
    if problem:
        raise InputError(subject, problem, remedy)
    return Decision(value=content.get("value"), **texts)
