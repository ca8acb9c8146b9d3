"""What the standing decisions about a patient change in the measurement of scans and recordings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import Side
from sudeck.study.folder.decision_kinds import OF_TRIALS, Decision, problem_of, trial_place


@dataclass(frozen=True)
class ScanChoices:
    """What a person settled about one scan.

    Attributes
    ----------
    affected : {"left", "right"} or None
        Affected side; a person who decided it knows more than participants.tsv.
    reading : Mapping
        Keywords of `sudeck.scan.phases.phase_series.read_scan`.
    region : mapping or None
        A drawn region, as `sudeck.scan.ratios.drawn_regions.drawn_region` takes it.
    mirror : mapping or None
        A counterpart set by a person, as `sudeck.scan.ratios.set_mirror.set_mirror` takes it.
    excluded : str
        Why the scan is left out; empty where it is not.
    """

    affected: Side | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)
    region: Mapping[str, Any] | None = None
    mirror: Mapping[str, Any] | None = None
    excluded: str = ""


@dataclass(frozen=True, slots=True)
class TrialChoice:
    """What a person settled about one trial.

    Attributes
    ----------
    trial : int
        Number of the trial in its recording, from 1.
    rejected : bool
    onset_ms : float or None
        Onset of the response after the pulse, where a person moved it.
    who, why : str
    file, channel : str
        Its recording and channel as the results of the study name them; empty where the session has one.
    """

    trial: int
    rejected: bool
    onset_ms: float | None
    who: str
    why: str
    file: str = ""
    channel: str = ""


def scan_choices(decisions: Iterable[Decision], session: str) -> ScanChoices:
    """Return what decisions settle about the scan of a session.

    Parameters
    ----------
    decisions : iterable of Decision
        Of one patient, those that stand. One without a session concerns every session.
    session : str

    Raises
    ------
    InputError
        If a decision has a value that can not be.

    Examples
    --------
    >>> told = Decision(
    ...     "sub-001", "image-left", "left", who="NM", why="lead marker", when="2026-01-05T10:00Z"
    ... )
    >>> scan_choices([told], "ses-pre").reading
    {'image_left': 'left'}
    """
    affected: Side | None = None
    region: Mapping[str, Any] | None = None
    mirror: Mapping[str, Any] | None = None
    reading: dict[str, Any] = {}
    phase_of: dict[str, str] = {}
    excluded = ""
    # One for every session first: one for this session knows more.
    for decision in sorted(decisions, key=lambda one: one.session != ""):
        if decision.session not in ("", session):
            continue
        value = _checked(decision)
        if decision.kind == "side":
            affected = value
        elif decision.kind in _KEYWORDS:
            reading[_KEYWORDS[decision.kind]] = value
        elif decision.kind == "injection-time":
            reading["injected_at"] = datetime.fromisoformat(value).replace(tzinfo=None)
        elif decision.kind == "phase":
            phase_of[decision.about] = value
        elif decision.kind == "region":
            region = value
        elif decision.kind == "exclude" and decision.about in ("", "scan"):
            excluded = decision.why if value else ""
        elif decision.kind == "mirror":
            mirror = value
    if phase_of:
        reading["phase_of"] = phase_of
    return ScanChoices(affected, reading, region, mirror, excluded)


_KEYWORDS: Mapping[str, str] = {
    "image-left": "image_left",
    "view": "view",
    "limb": "limb",
    "frame-time": "frame_s",
}


def excluded_recordings(decisions: Iterable[Decision], session: str) -> str:
    """Return why the recordings of a session are left out; empty where they are not."""
    excluded = ""
    for decision in sorted(decisions, key=lambda one: one.session != ""):
        if decision.kind == "exclude" and decision.session in ("", session) and decision.about in ("", "tms"):
            excluded = decision.why if decision.value else ""
    return excluded


def trial_choices(decisions: Iterable[Decision], session: str) -> tuple[TrialChoice, ...]:
    """Return what decisions settle about the trials of a session, by number of the trial.

    Raises
    ------
    InputError
        If a decision does not say of which session, or has a value that can not be.
    """
    found: dict[tuple[int, str, str], TrialChoice] = {}
    for decision in decisions:
        if decision.kind not in OF_TRIALS or decision.session not in ("", session):
            continue
        value = _checked(decision)
        place = trial_place(decision.about)
        if not decision.session:
            raise InputError(
                f"decision on trial {place[0]} of {decision.patient}",
                "it does not say of which session",
                "take it back, and decide again with --session",
            )
        before = found.get(place)
        rejected = value == "reject" if decision.kind == "trial" else bool(before and before.rejected)
        onset = float(value) if decision.kind == "onset" else before.onset_ms if before else None
        found[place] = TrialChoice(place[0], rejected, onset, decision.who, decision.why, *place[1:])
    return tuple(found[place] for place in sorted(found))


def acceptances(decisions: Iterable[Decision], session: str = "") -> list[dict[str, str]]:
    """Return who accepted a session, or with no session the patient, and when: for the record."""
    kind = "accepted" if session else "signed-off"
    return [
        {"what": decision.about or kind, "who": decision.who, "when": decision.when}
        for decision in decisions
        if decision.kind == kind and decision.value and decision.session in ("", session)
    ]


def _checked(decision: Decision) -> Any:
    problem, remedy = problem_of(decision.kind, decision.about, decision.value)
    if problem:
        raise InputError(f"decision on {decision.kind} of {decision.patient}", problem, remedy)
    return decision.value
