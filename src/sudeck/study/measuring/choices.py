"""What the standing decisions about a patient change in the measurement of a scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import SCAN_PHASES, SIDES, Side
from sudeck.study.folder.decisions import Decision

_VIEWS: Final = ("anterior", "posterior", "palmar", "dorsal", "plantar")
_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    "side": SIDES,
    "image-left": SIDES,
    "view": _VIEWS,
    "phase": SCAN_PHASES,
}


@dataclass(frozen=True)
class ScanChoices:
    """What a person settled about one scan.

    Attributes
    ----------
    affected : {"left", "right"} or None
        Affected side, where participants.tsv does not say.
    reading : Mapping
        Keywords of `sudeck.scan.phases.phase_series.read_scan`.
    region : mapping or None
        A drawn region, as `sudeck.scan.ratios.regions.drawn_region` takes it.
    excluded : str
        Why the scan is left out; empty where it is not.
    """

    affected: Side | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)
    region: Mapping[str, Any] | None = None
    excluded: str = ""


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
    reading: dict[str, Any] = {}
    phase_of: dict[str, str] = {}
    excluded = ""
    for decision in decisions:
        if decision.session not in ("", session):
            continue
        value = _checked(decision)
        if decision.kind == "side":
            affected = value
        elif decision.kind == "image-left":
            reading["image_left"] = value
        elif decision.kind == "view":
            reading["view"] = value
        elif decision.kind == "phase":
            phase_of[decision.about] = value
        elif decision.kind == "region":
            region = value
        elif decision.kind == "exclude" and decision.about in ("", "scan"):
            excluded = decision.why
    if phase_of:
        reading["phase_of"] = phase_of
    return ScanChoices(affected, reading, region, excluded)


def excluded_recordings(decisions: Iterable[Decision], session: str) -> str:
    """Return why the recordings of a session are left out; empty where they are not."""
    for decision in decisions:
        if decision.kind == "exclude" and decision.session in ("", session) and decision.about in ("", "tms"):
            return decision.why
    return ""


def _checked(decision: Decision) -> Any:
    allowed = _ALLOWED.get(decision.kind)
    where = f"decision on {decision.kind} of {decision.patient}"
    if allowed is not None and decision.value not in allowed:
        raise InputError(where, "its value is not allowed", f"use {', '.join(allowed)}")
    if decision.kind == "region" and not isinstance(decision.value, Mapping):
        raise InputError(where, "its value is no region", "write one as docs/regions.md says")
    if decision.kind == "phase" and not decision.about:
        raise InputError(where, "it does not say of which file", "name the file under about")
    return decision.value
