"""`sudeck import --dicom`: bone scans sorted by patient and session, de-identified, reported file by file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from sudeck.core.errors import InputError
from sudeck.core.provenance import sha256_of
from sudeck.core.storage import write_bytes, write_tsv
from sudeck.core.vocabulary import counted
from sudeck.scan.reading.dicom import DicomFile, Header, find_files
from sudeck.scan.reading.identity import patient_of, redactor_of
from sudeck.study.folder.layout import StudyFolder, refuse_session
from sudeck.study.folder.pseudonyms import Key, open_key, write_key
from sudeck.study.folder.settings import read_settings
from sudeck.study.folder.table_edit import merge_rows
from sudeck.study.imports.deidentify import METHOD, CleanFile, deidentify, open_for_import

Action = Literal["new", "unchanged", "copy", "kept", "refused"]
# File names that can be printed: those of cameras and archives, in which no name or record number fits.
_HARMLESS_NAME: Final = re.compile(
    r"((im|img|image|i|nm|dicom|file)[-_ ]?)?(0{0,5}\d{1,3})?"
    r"([-_ ]?(static|dynamic|flow|pool|blood|delayed|bone|hands?|feet|foot|early|late))*(\.dcm|\.ima)?",
    re.IGNORECASE,
)
_COLUMNS: Final = {
    "file": "Number of the file in sorted order, and its name where it can not name a patient",
    "sha256": "Hash of the file as it was",
    "action": "new, unchanged (imported before), copy, kept (another file of that name is there), refused",
    "participant_id": "Pseudonym",
    "session_id": "Session",
    "target": "Where it lies now, in the study",
    "reason": "Why it was not imported, or what to look at",
}


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became, or would become, of one file."""

    label: str
    sha256: str
    action: Action
    patient: str = ""
    session: str = ""
    target: str = ""
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, by the columns of the report."""
        return {
            "file": self.label,
            "sha256": self.sha256,
            "action": self.action,
            "participant_id": self.patient or None,
            "session_id": self.session or None,
            "target": self.target or None,
            "reason": self.reason or None,
        }

    def __str__(self) -> str:
        place = f" -> {self.target}" if self.target else ""
        return f"{self.action:9} {self.label}{place}{f': {self.reason}' if self.reason else ''}"


@dataclass(frozen=True)
class FilesImport:
    """What an import did, or would do.

    Attributes
    ----------
    files : tuple of FileOutcome
        Every file, in sorted order of the sources.
    dry_run : bool
        Whether nothing was written.
    key : Key
        The key of the pseudonyms it used; give a dry run's to the import that follows.
    report : str
        Where the report lies, in the study; empty for a dry run.
    records : Mapping of str to str
        Pseudonym by record number; for the eyes of the centre, in no table and no text.
    """

    files: tuple[FileOutcome, ...]
    dry_run: bool
    key: Key = field(repr=False)
    report: str = ""
    records: Mapping[str, str] = field(default_factory=dict, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "dry_run": self.dry_run,
            "report": self.report or None,
            "files": [file.to_dict() for file in self.files],
        }

    def __str__(self) -> str:
        counts = Counter(file.action for file in self.files)
        total = ", ".join(f"{number} {action}" for action, number in counts.items())
        taken = [file for file in self.files if file.action != "refused"]
        patients = len({file.patient for file in taken})
        head = "would import" if self.dry_run else "imported"
        lines = [str(file) for file in self.files]
        lines.append(f"{head}: {counted(len(taken), 'file')} of {counted(patients, 'patient')} ({total})")
        return "\n".join(lines + ([f"report: {self.report}"] if self.report else []))


@dataclass(frozen=True, slots=True)
class _Found:
    """A readable file: who and which study, as hashes, and when."""

    path: Path
    label: str
    sha256: str
    record: str
    name: str
    study: str
    acquired_at: datetime | None
    deidentified: bool


def import_dicom(
    study: StudyFolder,
    sources: Sequence[Path],
    *,
    dry_run: bool = False,
    pseudonyms: Mapping[str, str] | None = None,
    session: str | None = None,
    key: Key | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FilesImport:
    """Bring bone scans into a study: de-identified, sorted by patient and session, nothing overwritten.

    Parameters
    ----------
    study : StudyFolder
    sources : sequence of Path
        Files and folders, anything in them.
    dry_run : bool
        Do everything but write.
    pseudonyms : Mapping of str to str, optional
        Pseudonym by record number, where a person wants to choose them; else the next free numbers.
    session : str, optional
        Session of every scan; unless given the first study of a patient is the scan session of the settings.
    key : Key, optional
        Where the study has none yet: that of a dry run before, so that both give the same names.
    progress : callable, optional
        Called with files done and files in all.

    Raises
    ------
    InputError
        If a source does not exist, the key of the pseudonyms is lost or contradicted, or `session` is
        malformed.
    """
    refuse_session(session)
    settings = read_settings(study)
    key_path = settings.key_path(study)
    paths = files_outside(study, sources)
    found, outcomes = _open_all(paths)
    key = open_key(study, key_path, offered=key).with_pseudonyms(pseudonyms or {})
    found = _refuse_repeated(found, key, outcomes)
    key = key.with_patients((item.record for item in found), taken=study.patients())
    if not dry_run and found:
        write_key(key_path, key)
    sessions = _Sessions(study, key, found, session or settings.scan_session, forced=session is not None)
    seen: set[str] = set()
    acquired: dict[tuple[str, str], datetime] = {}
    for done, item in enumerate(found, 1):
        outcome, clean = _import_one(study, item, key, sessions, seen, dry_run)
        outcomes[item.path] = outcome
        if clean is not None and clean.acquired_at is not None:
            place = (outcome.patient, outcome.session)
            acquired[place] = min(acquired.get(place, clean.acquired_at), clean.acquired_at)
        if progress is not None:
            progress(done, len(found))
    done_files = tuple(outcomes[path] for path in paths)
    records = {item.record: key.pseudonym(item.record) or "" for item in found}
    if dry_run:
        return FilesImport(done_files, True, key, records=records)
    _add_to_tables(study, done_files, acquired)
    return FilesImport(done_files, False, key, write_report(study, done_files, "dicom"), records)


def _open_all(paths: Sequence[Path]) -> tuple[list[_Found], dict[Path, FileOutcome]]:
    """Open every file once; of one that can not be imported, say why."""
    found: list[_Found] = []
    outcomes: dict[Path, FileOutcome] = {}
    for number, path in enumerate(paths, 1):
        label = file_label(path, number)
        try:
            file = open_for_import(path, label)
        except InputError as error:
            outcomes[path] = FileOutcome(label, _hash(path), "refused", reason=_reason(error))
            continue
        found.append(_identified(file, label))
    names: dict[str, set[str]] = {}
    for item in found:
        names.setdefault(item.record, set()).add(item.name)
    usable = []
    for item in found:
        if not item.record:
            reason = "it states neither a record number nor a name"
        elif len(names[item.record] - {""}) > 1:
            reason = "its record number stands with two different names, so it may belong to two patients"
        else:
            usable.append(item)
            continue
        outcomes[item.path] = FileOutcome(item.label, item.sha256, "refused", reason=reason)
    return usable, outcomes


def _identified(file: DicomFile, label: str) -> _Found:
    from sudeck.scan.reading.clock import read_clock

    header: Header = file.header
    record = str(header.dataset.get("PatientID") or "").strip()
    if not record:
        # Without a record number the name stands for the patient.
        record = "".join(filter(str.isalnum, header.text("PatientName")))
    name = patient_of(header)[1]
    study = header.text("StudyInstanceUID")
    acquired_at = read_clock(header, label).acquired_at
    ours = header.text("DeidentificationMethod") == METHOD.upper()
    return _Found(file.path, label, file.sha256, record, name, study, acquired_at, ours)


def _refuse_repeated(found: Sequence[_Found], key: Key, outcomes: dict[Path, FileOutcome]) -> list[_Found]:
    """Leave out what an import has written before: its pseudonym may be another study's."""
    fresh = []
    for item in found:
        if not item.deidentified or key.pseudonym(item.record) is not None:
            fresh.append(item)
            continue
        reason = "an import de-identified it before; give the original, or name its pseudonym with --ids"
        outcomes[item.path] = FileOutcome(item.label, item.sha256, "refused", reason=reason)
    return fresh


class _Sessions:
    """Which session each study of each patient goes to."""

    def __init__(
        self, study: StudyFolder, key: Key, found: Sequence[_Found], first: str, *, forced: bool
    ) -> None:
        self.names: dict[tuple[str, str], str] = {}
        self.remarks: dict[tuple[str, str], str] = {}
        earliest: dict[tuple[str, str], datetime] = {}
        for item in found:
            place = (key.pseudonym(item.record) or "", key.uid(item.study) if item.study else "")
            moment = item.acquired_at or datetime.max
            earliest[place] = min(earliest.get(place, datetime.max), moment)
        for patient, uid in sorted(earliest, key=lambda place: (place[0], earliest[place], place[1])):
            there = _sessions_there(study, patient) | {
                name: known for (owner, known), name in self.names.items() if owner == patient
            }
            name = next((name for name, known in there.items() if known == uid), "")
            if not name and forced and first in there:
                self.remarks[patient, uid] = f"{first} holds another study of this patient"
                continue
            if not name and first in there:
                name = next(other for n in range(2, 1000) if (other := f"{first}{n}") not in there)
                self.remarks[patient, uid] = (
                    f"a further study of this patient, put into {name}; exchange the folders "
                    "if it is the one to measure"
                )
            self.names[patient, uid] = name or first


def _sessions_there(study: StudyFolder, patient: str) -> dict[str, str]:
    """Return the sessions of a patient that hold scans, with the identifier of the study in each."""
    there: dict[str, str] = {}
    for session in study.sessions(patient):
        files = study.scan_files(patient, session)
        if files:
            try:
                there[session] = open_for_import(files[0], session).header.text("StudyInstanceUID")
            except InputError:
                there[session] = ""
    return there


def _import_one(
    study: StudyFolder, item: _Found, key: Key, sessions: _Sessions, seen: set[str], dry_run: bool
) -> tuple[FileOutcome, CleanFile | None]:
    patient = key.pseudonym(item.record) or ""
    place = (patient, key.uid(item.study) if item.study else "")
    outcome = FileOutcome(item.label, item.sha256, "refused", patient)
    if item.sha256 in seen:
        return replace(outcome, action="copy", reason="another file has the same content"), None
    seen.add(item.sha256)
    if place not in sessions.names:
        return replace(outcome, reason=sessions.remarks[place]), None
    outcome = replace(outcome, session=sessions.names[place], reason=sessions.remarks.get(place, ""))
    file = open_for_import(item.path, item.label)
    try:
        clean = deidentify(file, key, patient, subject=item.label)
    except InputError as error:
        return replace(outcome, reason=redactor_of(file.header).clean(_reason(error))), None
    target = study.scan_folder(patient, outcome.session) / _file_name(clean)
    outcome = replace(outcome, target=target.relative_to(study.root).as_posix())
    if not target.exists():
        if not dry_run:
            write_bytes(target, clean.data)
        return replace(outcome, action="new"), clean
    if target.read_bytes() == clean.data:
        return replace(outcome, action="unchanged"), clean
    return replace(outcome, action="kept", reason="a file of that name is there and differs"), clean


def _file_name(clean: CleanFile) -> str:
    """Return a name that sorts by time of day and says the kind: ``090500_static_3fa2b1.dcm``."""
    time = "000000" if clean.acquired_at is None else f"{clean.acquired_at:%H%M%S}"
    return f"{time}_{clean.kind.replace(' ', '-')}_{sha256_of(clean.instance.encode())[:6]}.dcm"


def _add_to_tables(
    study: StudyFolder, files: Sequence[FileOutcome], acquired: Mapping[tuple[str, str], datetime]
) -> None:
    """Give each patient and session that came in a row to be completed."""
    places = sorted({(file.patient, file.session) for file in files if file.action in ("new", "unchanged")})
    merge_rows(study, "participants", [{"participant_id": name} for name in sorted({p for p, _ in places})])
    rows = []
    for patient, session in places:
        moment = acquired.get((patient, session))
        rows.append(
            {
                "participant_id": patient,
                "session_id": session,
                "date": None if moment is None else moment.date(),
            }
        )
    merge_rows(study, "sessions", rows)


def files_outside(study: StudyFolder, sources: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files of the sources; not those of the study itself, where it lies in a folder named."""
    root = study.root.resolve()
    if any(source.resolve().is_relative_to(root) for source in sources):
        return find_files(sources)
    return tuple(path for path in find_files(sources) if not path.resolve().is_relative_to(root))


def write_report(study: StudyFolder, files: Sequence[FileOutcome], kind: str) -> str:
    """Write what became of each file as a table among the imports; return its place in the study."""
    number = 1 + len(list(study.imports.glob(f"{kind}-*.tsv")))
    path = study.imports / f"{kind}-{number:03d}.tsv"
    write_tsv(path, [file.to_dict() for file in files], columns=_COLUMNS)
    return path.relative_to(study.root).as_posix()


def file_label(path: Path, number: int) -> str:
    """Return how to name a file in a table that leaves the centre: by number, and by a name of cameras."""
    return f"file {number}" + (f" ({path.name})" if _HARMLESS_NAME.fullmatch(path.name) else "")


def _hash(path: Path) -> str:
    from sudeck.core.provenance import sha256_of_file

    try:
        return sha256_of_file(path)
    except OSError:
        return ""


def _reason(error: InputError) -> str:
    return f"{error.problem}; {error.remedy}"
