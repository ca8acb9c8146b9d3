"""What a person can decide about a patient: each kind with the values it may have."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

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
