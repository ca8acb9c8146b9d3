"""The list of patients to review: who is new, flagged, reviewed or signed, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sudeck.app.workbench import Workbench
from sudeck.core.vocabulary import RATIOS_OF_RATIOS
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import decision_file, read_log
from sudeck.study.measuring.records import record_file, stored_record

State = Literal["flagged", "new", "reviewed", "signed"]
# In the order of the list: what waits for a person comes first.
STATES: Final[tuple[State, ...]] = ("flagged", "new", "reviewed", "signed")
_MOST_REASONS: Final = 3
_LONGEST_REASON: Final = 150


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """One patient of the list.

    Attributes
    ----------
    patient : str
    state : {"flagged", "new", "reviewed", "signed"}
    reasons : tuple of str
        Why it should be looked at, in words, the gravest first.
    more : int
        How many reasons are not told.
    decisions : int
        How many were taken.
    stale : bool
        Whether something was decided since the last run.
    ratios : tuple of str
        The ratios of ratios of the study's scan, for the eye.
    side, limb : str
    sessions : tuple of (str, bool, bool)
        Session, whether it has a scan, whether it has recordings.
    """

    patient: str
    state: State
    reasons: tuple[str, ...]
    more: int
    decisions: int
    stale: bool
    ratios: tuple[str, ...]
    side: str
    limb: str
    sessions: tuple[tuple[str, bool, bool], ...]

    @property
    def link(self) -> str:
        """Where the review of this patient begins: its first scan, else recording, else its own page."""
        for part, place in (("scan", 1), ("trials", 2)):
            for session in self.sessions:
                if session[place]:
                    return f"/patients/{self.patient}/{session[0]}/{part}"
        return f"/patients/{self.patient}"


@dataclass(frozen=True, slots=True)
class _Digest:
    reasons: tuple[str, ...]
    decided: tuple[str, ...]
    ratios: tuple[str, ...]
    sessions: tuple[tuple[str, bool, bool], ...]


def worklist(bench: Workbench) -> tuple[WorklistRow, ...]:
    """Return every patient of a study, those that wait for a person first."""
    scan_session = bench.settings.scan_session
    rows = bench.rows()
    found = [_row(bench, name, rows.get(name, {}), scan_session) for name in bench.names()]
    return tuple(sorted(found, key=lambda row: (STATES.index(row.state), row.patient)))


def standing(decisions: tuple[Decision, ...]) -> tuple[Decision, ...]:
    """Return the decisions that hold, of all that were taken."""
    last = {decision.subject: decision for decision in decisions}
    return tuple(decision for decision in last.values() if decision.value is not None)


def _row(bench: Workbench, name: str, given: Mapping[str, Any], scan_session: str) -> WorklistRow:
    key = (name, scan_session, *(_stamp(path) for path in (record_file(bench.study, name),)))
    digest = bench.digests.get(key, lambda: _digest(bench, name, scan_session))
    log_key = ("log", name, _stamp(decision_file(bench.study, name)))
    log = bench.digests.get(log_key, lambda: read_log(bench.study, name))
    holding = standing(log.decisions)
    reasons = (*(str(problem) for problem in log.problems), *digest.reasons)
    state: State = "new"
    if any(one.kind == "signed-off" and one.value for one in holding) and not log.problems:
        state = "signed"
    elif any(one.kind == "accepted" and one.value for one in holding) and not log.problems:
        state = "reviewed"
    elif reasons:
        state = "flagged"
    return WorklistRow(
        name,
        state,
        tuple(_short(reason) for reason in reasons[:_MOST_REASONS]),
        max(len(reasons) - _MOST_REASONS, 0),
        len(log.decisions),
        log.hashes != digest.decided,
        digest.ratios,
        str(given.get("affected_side") or ""),
        str(given.get("limb") or ""),
        digest.sessions,
    )


def _stamp(path: Any) -> int:
    try:
        return int(path.stat().st_mtime_ns)
    except OSError:
        return 0


def _digest(bench: Workbench, name: str, scan_session: str) -> _Digest:
    sessions = tuple(
        (
            session,
            bool(bench.study.scan_files(name, session)),
            bool(bench.study.recording_files(name, session)),
        )
        for session in bench.study.sessions(name)
    )
    record = stored_record(bench.study, name)
    if record is None:
        return _Digest((), (), (), sessions)
    parts = [*record["scans"].values(), *record["recordings"].values()]
    # One of each code: what holds for every condition is said once.
    flags = {flag["code"]: flag for part in reversed(parts) for flag in reversed(part["flags"])}.values()
    grave = [flag["message"] for flag in flags if flag["severity"] == "serious"]
    careful = [flag["message"] for flag in flags if flag["severity"] == "caution"]
    failed = [failure["reason"] for failure in record["failures"] if failure["kind"] != "absent"]
    estimates = record["scans"].get(scan_session, {}).get("estimates", {})
    ratios = tuple(f"{estimates[one]['value']:.2f}" if one in estimates else "" for one in RATIOS_OF_RATIOS)
    reasons = tuple(dict.fromkeys((*failed, *grave, *careful)))
    return _Digest(reasons, tuple(record.get("decided", ())), ratios, sessions)


def _short(reason: str) -> str:
    return reason if len(reason) <= _LONGEST_REASON else reason[: _LONGEST_REASON - 1].rstrip() + "…"
