"""Checks of the files of a study: whose they are, whether they can be measured, whether the tables agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from warnings import catch_warnings, simplefilter

from sudeck.core.errors import InputError
from sudeck.core.storage import parse_json, read_limited
from sudeck.core.vocabulary import LIMBS, Limb
from sudeck.study.folder.decisions import decided_patients, read_log, what_it_misses
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.tables import Problem, Row, StudyTables

_LATERALITY: Final = {"L": "left", "R": "right"}


def check_files(
    study: StudyFolder, tables: StudyTables, settings: Settings, *, pixels: bool = True
) -> Iterator[Problem]:
    """Yield what is missing or contradictory in scans, recordings and decisions."""
    listed = tables["participants"].file
    participants: dict[str, Row] = {
        str(row["participant_id"]): row for row in tables["participants"].rows if row["participant_id"]
    }
    sessions = {(row["participant_id"], row["session_id"]) for row in tables["sessions"].rows}
    for patient in study.patients():
        if tables["participants"].present and patient not in participants:
            yield Problem("sourcedata", f"the patient has files and is not in {listed}", patient=patient)
    typed = {row["participant_id"] for row in tables["scan_ratios"].rows}
    any_scan = bool(typed) or any(study.scan_files(p, s) for p in study.patients() for s in study.sessions(p))
    for patient, row in participants.items():
        scanned = patient in typed or study.scan_files(patient, settings.scan_session)
        if any_scan and not scanned:
            message = f"no bone scan in {settings.scan_session}"
            yield Problem("sourcedata", message, patient=patient, serious=False)
        yield from _recordings(study, patient, settings)
        for session in study.sessions(patient):
            files = study.scan_files(patient, session)
            if not files:
                continue
            place = f"{patient}/{session}/nm"
            if (patient, session) not in sessions:
                message = f"{session} is not in {tables['sessions'].file}"
                yield Problem(place, message, patient=patient, serious=False)
            yield from _headers(files, place, patient, row)
            if pixels:
                yield from _measurable(files, place, patient, row)
    yield from _decisions(study, participants, listed)
    inside = {path.resolve() for path in study.root.rglob("*.key.json")}
    key = settings.key_path(study).resolve()
    if key.is_file() and key.is_relative_to(study.root.resolve()):
        inside.add(key)
    for path in sorted(inside):
        yield Problem(path.name, "a key of pseudonyms lies inside the study; keep it apart")


def _headers(files: tuple[Path, ...], place: str, patient: str, row: Row) -> Iterator[Problem]:
    """Yield whose files they are: identity left in a header, or the other side of the body alone."""
    import pydicom

    named: list[str] = []
    other_side: list[str] = []
    for number, path in enumerate(files, 1):
        try:
            with catch_warnings():
                simplefilter("ignore")
                header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
                name, record, born, side = (
                    str(header.get(keyword) or "").strip()
                    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "ImageLaterality")
                )
        except Exception:  # what is damaged is named by the reading of the scan
            continue
        # A note among the images has no header, and an empty header names nobody.
        if record not in ("", patient) or name not in ("", patient) or born:
            named.append(str(number))
        if _LATERALITY.get(side, row["affected_side"]) != row["affected_side"]:
            other_side.append(str(number))
    if named:
        which = f"file {named[0]} carries" if len(named) == 1 else f"files {', '.join(named)} carry"
        message = f"{which} an identity that is not {patient}; use sudeck import"
        yield Problem(place, message, patient=patient)
    if other_side:
        message = f"files {', '.join(other_side)} show the side that is not the affected one"
        yield Problem(place, message, patient=patient)


def _measurable(files: tuple[Path, ...], place: str, patient: str, row: Row) -> Iterator[Problem]:
    """Yield what keeps the scan from being measured, as the measurement reads it."""
    from sudeck.scan.phases.phase_series import read_scan

    limb: Limb | None = next((known for known in LIMBS if known == row["limb"]), None)
    try:
        scan = read_scan(files)
    except InputError as error:
        try:
            scan = read_scan(files, limb=limb)
        except InputError:
            yield Problem(place, str(error).rstrip("."), patient=patient)
            return
    if scan.limb is not None and limb is not None and scan.limb != limb:
        yield Problem(place, f"it shows the {scan.limb}, the table says {limb}", patient=patient)
    for phase, reason in scan.refused.items():
        message = f"no {phase} phase: {reason}".rstrip(".")
        yield Problem(place, message, patient=patient, serious=False)
    for flag in scan.flags:
        if flag.severity == "serious":
            yield Problem(place, flag.message.rstrip("."), patient=patient, serious=False)


def _recordings(study: StudyFolder, patient: str, settings: Settings) -> Iterator[Problem]:
    recorded = [session for session in settings.tms_sessions if study.recording_files(patient, session)]
    if recorded and len(recorded) < len(settings.tms_sessions):
        absent = ", ".join(session for session in settings.tms_sessions if session not in recorded)
        message = f"recordings in {', '.join(recorded)} and none in {absent}"
        yield Problem("sourcedata", message, patient=patient, serious=False)


def _decisions(study: StudyFolder, participants: dict[str, Row], listed: str) -> Iterator[Problem]:
    for reader in study.readers():
        read = replace(study, reader=reader)
        for patient in decided_patients(read):
            for error in read_log(read, patient).problems:
                message = f"reading of {reader}: {str(error).rstrip('.')}"
                yield Problem("decisions", message, patient=patient)
    for patient in decided_patients(study):
        log = read_log(study, patient)
        for error in log.problems:
            yield Problem("decisions", str(error).rstrip("."), patient=patient)
        used = _used_lines(study, patient)
        if used != log.hashes[: len(used)]:
            message = "lines that the last run used are gone or changed; put the file back from a backup"
            yield Problem("decisions", message, patient=patient)
        row = participants.get(patient)
        if row is None:
            yield Problem("decisions", f"the patient is not in {listed}", patient=patient)
            continue
        for decision in {one.subject: one for one in log.decisions}.values():
            missed = what_it_misses(study, decision) if decision.value is not None else ""
            if missed:
                message = f"the decision on {decision.kind} is used by nothing: {missed}"
                yield Problem("decisions", message, patient=patient)
        sides = [decision.value for decision in log.decisions if decision.kind == "side"]
        if sides and sides[-1] is not None and row["affected_side"] not in (None, sides[-1]):
            message = f"the side decided is not the affected_side of {listed}; the decision counts"
            yield Problem("decisions", message, patient=patient)


def _used_lines(study: StudyFolder, patient: str) -> tuple[str, ...]:
    """Return the hashes of the lines of decisions that the last run rested on."""
    path = study.patient_derivatives(patient) / f"{patient}.json"
    if not path.is_file():
        return ()
    try:
        content = parse_json(read_limited(path, subject=path.name), subject=path.name)
    except InputError:
        return ()
    used = content.get("decided", ()) if isinstance(content, dict) else ()
    return tuple(map(str, used)) if isinstance(used, list) else ()
