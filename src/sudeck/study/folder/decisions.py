"""Decisions a person takes about a patient: inputs, kept with who, when and why, never overwritten.

One file a patient, ``decisions/sub-001.jsonl``, to which lines are added and in which nothing is changed.
Each line carries the hash of the line before and its own, so that an edited or missing one shows. A later
decision on the same thing takes the place of the earlier one, which stays to be read; a value of null takes
it back. Studies of earlier versions keep one small file a decision, ``decisions/sub-001/0001_side.json``:
they come first.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.core.provenance import sha256_of
from sudeck.core.storage import parse_json, read_limited
from sudeck.study.folder.decision_kinds import NAME, OF_TRIALS, Decision, checked_decision
from sudeck.study.folder.layout import StudyFolder

_FIRST: Final = "0" * 64
_LONGEST_LINE: Final = 1 << 20  # bytes: a region with tens of thousands of corners
_LOCK_WAIT_S: Final = 20.0
# The end of a line: the hash of all that stands before it, closed as an object.
_SEALED: Final = re.compile(rb'(.*), "own": "([0-9a-f]{64})"\}', re.DOTALL)


@dataclass(frozen=True, slots=True)
class DecisionLog:
    """The decisions about one patient as they stand on disk.

    Attributes
    ----------
    decisions : tuple of Decision
        In the order they were taken; those that can not be read are left out.
    problems : tuple of InputError
        Lines and files that are no decision, and where the chain of hashes is broken.
    hashes : tuple of str
        Of every line, in order.
    """

    decisions: tuple[Decision, ...]
    problems: tuple[InputError, ...]
    hashes: tuple[str, ...]


def decision_file(study: StudyFolder, patient: str) -> Path:
    """Return the file of the decisions about a patient."""
    return study.decisions / f"{patient}.jsonl"


# By these a reader says that a patient was reviewed; these are nobody else's to give.
_READ: Final = ("accepted", "signed-off")
_OWN: Final = ("signed-off", "note")


class StaleError(InputError):
    """Somebody decided something else in the meantime; nothing was kept."""


def record_decision(study: StudyFolder, decision: Decision) -> Path:
    """Add a decision to the file of its patient and return the path of the file.

    The line is written in one piece and on the disk when this returns. It takes as long for the thousandth
    decision as for the first: only the last line is read.

    Raises
    ------
    InputError
        If who or why is missing, or the decision is malformed.
    """
    record_decisions(study, [decision])
    return decision_file(study, decision.patient)


def record_decisions(
    study: StudyFolder, decisions: Sequence[Decision], *, after: str | None = None
) -> tuple[str, ...]:
    """Add decisions about one patient to its file, in one piece, and return the hashes of their lines.

    Parameters
    ----------
    study : StudyFolder
    decisions : sequence of Decision
        At least one, all of one patient.
    after : str, optional
        Hash of the last line the person had seen, empty for none: decisions are only kept if nothing was
        decided since.

    Raises
    ------
    StaleError
        If another line has come in between.
    InputError
        If who or why is missing, or a decision is malformed.
    """
    from filelock import FileLock, Timeout

    now = datetime.now(UTC).isoformat(timespec="seconds")
    contents = [{**decision.to_dict(), "when": decision.when or now} for decision in decisions]
    for content in contents:
        checked_decision(content, "the decision")
    (patient,) = {decision.patient for decision in decisions}
    path = decision_file(study, patient)
    path.parent.mkdir(parents=True, exist_ok=True)
    hashes: list[str] = []
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_WAIT_S):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            with os.fdopen(handle, "r+b", buffering=0) as file:
                before = _last_line(file, path)
                last = sha256_of(before) if before else ""
                if after is not None and after != last:
                    raise StaleError(
                        patient, "something else was decided in the meantime", "look at it, then save again"
                    )
                link = last or _origin(study, patient)
                lines = []
                for content in contents:
                    lines.append(_line_of({**content, "before": link}))
                    link = sha256_of(lines[-1][:-1])
                    hashes.append(link)
                _append(file, b"".join(lines))
    except Timeout:
        raise InputError(path.name, "another program holds it", "try again when that has ended") from None
    return tuple(hashes)


def read_decisions(study: StudyFolder, patient: str | None = None) -> tuple[Decision, ...]:
    """Return every decision in the order they were taken, of one patient or of all.

    Raises
    ------
    InputError
        If a line or file is no decision, or the chain of lines is broken.
    """
    patients = [patient] if patient else list(decided_patients(study))
    logs = [read_log(study, name) for name in patients]
    for log in logs:
        if log.problems:
            raise log.problems[0]
    return tuple(decision for log in logs for decision in log.decisions)


def standing_decisions(study: StudyFolder, patient: str | None = None) -> tuple[Decision, ...]:
    """Return the decisions that hold: the last on each subject, unless it took the earlier one back."""
    last = {decision.subject: decision for decision in read_decisions(study, patient)}
    return tuple(decision for decision in last.values() if decision.value is not None)


def what_it_misses(study: StudyFolder, decision: Decision) -> str:
    """Return why a decision about a session would never be used; empty where it has something to act on."""
    patient, session = decision.patient, decision.session
    if not session:
        return ""
    there = {
        "bone scan": bool(study.scan_files(patient, session)),
        "recording": bool(study.recording_files(patient, session)),
    }
    if decision.kind in OF_TRIALS or decision.about == "tms":
        of = ["recording"]
    elif decision.kind in ("exclude", "accepted", "signed-off", "note", "side") and decision.about != "scan":
        of = list(there)
    else:
        of = ["bone scan"]
    return "" if any(there[what] for what in of) else f"{session} has no {' and no '.join(of)}"


def take_over(
    study: StudyFolder, reader: str, patient: str, *, who: str, why: str, after: str | None = None
) -> tuple[str, ...]:
    """Let a blinded reading of a patient count: what the reader decided, in place of what was decided here.

    Parameters
    ----------
    study : StudyFolder
        Not that of a reader.
    reader : str
        Who read it blinded.
    patient : str
    who, why : str
        Of the person who lets it count; the reader and the reader's reason are added to that of each line.
    after : str, optional
        As for `record_decisions`.

    Returns
    -------
    tuple of str
        Hashes of the lines; none where everything stands as the reader decided.

    Raises
    ------
    InputError
        If the reader did not review the patient, or the patient is signed off.
    """
    if reader not in study.readers():
        raise InputError(reader, "nobody of that name read the study blinded", "name one of its readers")
    read = read_log(replace(study, reader=reader), patient)
    if read.problems:
        raise read.problems[0]
    theirs = {one.subject: one for one in standing_decisions(replace(study, reader=reader), patient)}
    if not any(one.kind in _READ for one in theirs.values()):
        raise InputError(patient, f"{reader} did not review this patient", "take over one that was reviewed")
    ours = {one.subject: one for one in standing_decisions(study, patient)}
    if any(one.kind == "signed-off" for one in ours.values()):
        raise InputError(patient, "it is signed off", "reopen it first")
    changes = [
        replace(one, who=who, why=f"{why} (blinded reading of {reader}: {one.why})", when="")
        for subject, one in theirs.items()
        if one.kind not in _OWN and (subject not in ours or ours[subject].value != one.value)
    ]
    changes += [
        replace(one, value=None, who=who, why=f"{why} (not so in the blinded reading of {reader})", when="")
        for subject, one in ours.items()
        if one.kind not in (*_OWN, *_READ) and subject not in theirs
    ]
    return record_decisions(study, changes, after=after) if changes else ()


def decided_patients(study: StudyFolder) -> tuple[str, ...]:
    """Return every patient about whom something was decided, sorted."""
    if not study.decisions.is_dir():
        return ()
    names = {path.name.removesuffix(".jsonl") for path in study.decisions.glob("sub-*")}
    return tuple(sorted(name for name in names if NAME.fullmatch(name)))


def read_log(study: StudyFolder, patient: str) -> DecisionLog:
    """Return the decisions about a patient, and everything that is wrong with how they are kept."""
    decisions: list[Decision] = []
    problems: list[InputError] = []
    hashes: list[str] = []
    for path in _old_files(study, patient):
        try:
            decisions.append(_of(patient, _parsed_file(path), f"{patient}/{path.name}"))
        except InputError as error:
            problems.append(error)
    try:
        lines = list(_lines(study, patient))
        expected = _origin(study, patient)
    except InputError as error:
        return DecisionLog(tuple(decisions), (*problems, error), ())
    sealed = False  # a line of an earlier version has no hash of its own; none follows one that has
    for number, line in enumerate(lines, start=1):
        subject = f"{patient}.jsonl line {number}"
        try:
            content = parse_json(line, subject=subject)
            decisions.append(_of(patient, content, subject))
            sealed = sealed or "own" in content
            if sealed and not _is_as_written(line):
                problem = "it was changed after it was written"
                problems.append(InputError(subject, problem, "put the file back as it was, from a backup"))
            if content.get("before") != expected:
                problem = "it does not follow the line before: a line was changed, removed or put in"
                problems.append(InputError(subject, problem, "put the file back as it was, from a backup"))
        except InputError as error:
            problems.append(error)
        expected = sha256_of(line)
        hashes.append(expected)
    return DecisionLog(tuple(decisions), tuple(problems), tuple(hashes))


def _lines(study: StudyFolder, patient: str) -> Iterator[bytes]:
    path = decision_file(study, patient)
    if not path.exists() and not path.is_symlink():
        return
    data = read_limited(path, subject=path.name)
    *whole, rest = data.split(b"\n")
    yield from whole
    if rest and _is_json(rest):  # an editor left out the last end of line
        yield rest


def _is_json(line: bytes) -> bool:
    """Tell whether a last line without its end is whole; half a line was never reported as kept."""
    try:
        parse_json(line, subject="")
    except InputError:
        return False
    return True


def _last_line(file: Any, path: Path) -> bytes:
    """Return the last whole line, and leave the file at its end; half a line of a killed program goes."""
    size = file.seek(0, os.SEEK_END)
    start = max(size - 2 * _LONGEST_LINE, 0)
    file.seek(start)
    tail = bytearray()
    while piece := file.read(2 * _LONGEST_LINE):
        tail += piece
    end = tail.rfind(b"\n")
    if end + 1 < len(tail):
        if _is_json(bytes(tail[end + 1 :])):
            file.seek(0, os.SEEK_END)
            file.write(b"\n")
            tail += b"\n"
        else:
            file.truncate(start + end + 1)
            del tail[end + 1 :]
    file.seek(0, os.SEEK_END)
    last = bytes(tail[:-1]).rpartition(b"\n")[2]
    if len(last) > _LONGEST_LINE:
        raise InputError(path.name, "its last line is too long", "put the file back from a backup")
    return last


def _line_of(content: Mapping[str, Any]) -> bytes:
    plain = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    line = plain[:-1] + f', "own": "{sha256_of(plain)}"}}\n'.encode()
    if len(line) > _LONGEST_LINE:
        raise InputError("the decision", "it is longer than a line may be", "draw with fewer points")
    return line


def _is_as_written(line: bytes) -> bool:
    """Tell whether a line carries its own hash and holds what it held when that was worked out."""
    found = _SEALED.fullmatch(line)
    return found is not None and sha256_of(found[1] + b"}").encode() == found[2]


def _append(file: Any, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += file.write(data[written:])
    os.fsync(file.fileno())


def _origin(study: StudyFolder, patient: str) -> str:
    """Return what the first line must name: the hash of the decisions in files of their own, if any."""
    old = list(_old_files(study, patient))
    if not old:
        return _FIRST
    return sha256_of(b"\n".join(sha256_of(_bytes_of(path)).encode() for path in old))


def _old_files(study: StudyFolder, patient: str) -> tuple[Path, ...]:
    folder = study.decisions / patient
    return tuple(sorted(folder.glob("*.json"))) if folder.is_dir() else ()


def _bytes_of(path: Path) -> bytes:
    try:
        return read_limited(path, subject=f"{path.parent.name}/{path.name}")
    except InputError:
        return b""


def _parsed_file(path: Path) -> Any:
    subject = f"{path.parent.name}/{path.name}"
    return parse_json(read_limited(path, subject=subject), subject=subject)


def _of(patient: str, content: Any, subject: str) -> Decision:
    decision = checked_decision(content, subject)
    if decision.patient != patient:
        raise InputError(subject, "it is of another patient than its file", "move it where it belongs")
    return decision
