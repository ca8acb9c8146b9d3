"""`sudeck import --tms`: recordings of magnetic stimulation sorted, de-identified, reported file by file.

Recordings say less than scans about whose they are. It is taken, in this order, from what the command states,
from the patient code of an EDF header, and from a folder that is called as a record number known to the key,
a pseudonym of the study, or a session. What nothing says is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from sudeck.core.errors import InputError, SudeckError
from sudeck.core.privacy import Redactor
from sudeck.core.provenance import sha256_of
from sudeck.core.storage import sidecar_of, write_bytes, write_json, write_tsv
from sudeck.scan.reading.dicom import looks_like_dicom
from sudeck.study.folder.layout import SESSION, StudyFolder, refuse_session
from sudeck.study.folder.pseudonyms import Key, open_key, write_key
from sudeck.study.folder.settings import Settings, read_settings
from sudeck.study.folder.table_edit import merge_rows
from sudeck.study.imports.clean_recording import CleanRecording, clean_recording
from sudeck.study.imports.clean_sweeps import CleanTable, clean_sweeps
from sudeck.study.imports.import_dicom import (
    FileOutcome,
    FilesImport,
    file_label,
    files_outside,
    write_report,
)
from sudeck.tms.readers import read_file, recognises
from sudeck.tms.signals.recording import Recording

# Files that describe a recording; of those that are read along, what is said goes into the new tables.
_BESIDE: Final = re.compile(r"\.(vmrk|eeg|json|md)$|_(events|channels|electrodes|scans)\.tsv$", re.IGNORECASE)
_EDF_HEADER: Final = 256
_CHANNEL_COLUMNS: Final = {
    "name": "Channel name, in words of the field",
    "type": "Kind of channel",
    "units": "Unit of the samples",
    "sampling_frequency": "Samples a second",
    "target_muscle": "Muscle under the electrodes",
}


@dataclass(frozen=True)
class _Found:
    """A recording: where, how to name it, whose by its own header, when."""

    path: Path
    label: str
    sha256: str
    code: str
    redactor: Redactor
    started: datetime | None


def import_tms(
    study: StudyFolder,
    sources: Sequence[Path],
    *,
    dry_run: bool = False,
    pseudonyms: Mapping[str, str] | None = None,
    patient: str | None = None,
    session: str | None = None,
    key: Key | None = None,
    redactor: Redactor | None = None,
) -> FilesImport:
    """Bring recordings into a study: without names, as BIDS, nothing overwritten.

    Parameters
    ----------
    study : StudyFolder
    sources : sequence of Path
        Files and folders.
    dry_run : bool
        Do everything but write.
    pseudonyms : Mapping of str to str, optional
        Pseudonym by record number, where a person wants to choose them.
    patient : str, optional
        Record number (or pseudonym) of the person all of them are of.
    session : str, optional
        Session of all of them.
    key : Key, optional
        That of a dry run or of the scans imported before.
    redactor : Redactor, optional
        What else is known to identify the patients.

    Raises
    ------
    InputError
        If a source does not exist, the key of the pseudonyms is lost or contradicted, or `session` is
        malformed.
    """
    refuse_session(session)
    settings = read_settings(study)
    key_path = settings.key_path(study)
    key = open_key(study, key_path, offered=key).with_pseudonyms(pseudonyms or {})
    own = _own_pseudonyms(study, key)
    stated = [patient] if patient is not None and patient not in own else []
    key = key.with_patients(stated, taken=study.patients(), own=own)
    outcomes: list[FileOutcome] = []
    found: list[_Found] = []
    for number, path in enumerate(files_outside(study, sources), 1):
        if _BESIDE.search(path.name) or looks_like_dicom(path):
            continue
        label = file_label(path, number)
        if not recognises(path):
            reason = "it is no recording that Sudeck reads; write protocols beside the recordings by hand"
            outcomes.append(FileOutcome(label, _hash(path), "refused", reason=reason))
            continue
        found.append(_identified(path, label))
    # A code in a header names a patient where nobody says otherwise, whether the key knew of it or not.
    codes = [item.code for item in found if patient is None and not _by_folder(item, sources, key, own)]
    codes = [code for code in codes if code]
    key = key.with_patients(codes, taken=study.patients(), own=own)
    if not dry_run and found:
        write_key(key_path, key)
    seen: set[str] = set()
    people = redactor or Redactor()
    for item in found:
        whose = _whose(item, sources, key, own, settings, patient, session)
        outcomes.append(_import_one(study, item, whose, key, people, settings, seen, dry_run))
    done = tuple(outcomes)
    if dry_run:
        return FilesImport(done, True, key)
    _add_to_tables(study, done)
    return FilesImport(done, False, key, write_report(study, done, "tms"))


def _own_pseudonyms(study: StudyFolder, key: Key) -> frozenset[str]:
    return frozenset({*key.patients.values(), *study.patients()})


def _identified(path: Path, label: str) -> _Found:
    """Read what an EDF or BrainVision header says of whose and when; other formats say neither."""
    data = path.read_bytes()
    code, values, started = "", [], None
    head = data[:_EDF_HEADER].decode("latin-1")
    if path.suffix.lower() in (".edf", ".bdf") and len(head) == _EDF_HEADER:
        who = head[8:88].split()
        code = who[0] if who and who[0].upper() != "X" else ""
        values = [*who, *head[88:168].split()[1:]]
        started = _edf_start(head)
    elif path.suffix.lower() == ".vhdr":
        started = _brainvision_start(path)
    words = [value for value in values if value.upper() not in ("X", "STARTDATE", "M", "F")]
    return _Found(path, label, sha256_of(data), code, Redactor.from_values(words), started)


def _edf_start(head: str) -> datetime | None:
    try:
        day, month, year = map(int, head[168:176].split("."))
        hour, minute, second = map(int, head[176:184].split("."))
        return datetime(year + (2000 if year < 85 else 1900), month, day, hour, minute, second)
    except ValueError:
        return None


def _brainvision_start(path: Path) -> datetime | None:
    markers = path.with_suffix(".vmrk")
    text = markers.read_text(encoding="utf-8", errors="replace") if markers.is_file() else ""
    match = re.search(r"New Segment,[^\n]*,(\d{14})\d{6}", text)
    try:
        return None if match is None else datetime.strptime(match[1], "%Y%m%d%H%M%S")
    except ValueError:
        return None


@dataclass(frozen=True)
class _Whose:
    patient: str = ""
    session: str = ""
    problem: str = ""
    record: str = ""


def _whose(
    item: _Found,
    sources: Sequence[Path],
    key: Key,
    own: frozenset[str],
    settings: Settings,
    patient: str | None,
    session: str | None,
) -> _Whose:
    folders = _folders_above(item.path, sources)
    by_folder = _by_folder(item, sources, key, own)
    stated = {} if patient is None else {patient: key.pseudonym(patient, own=own) or ""}
    by_header = {item.code: known} if item.code and (known := key.pseudonym(item.code, own=own)) else {}
    people = {pseudonym for names in (stated, by_header, by_folder) for pseudonym in names.values()}
    if len(people) > 1:
        return _Whose(problem="command, header and folder say that it is of different patients")
    if not people:
        return _Whose(
            problem="nothing says whose it is; give --patient, or put it into a folder called as the record "
            "number of a patient whose scans are imported or who stands in the table of --ids"
        )
    found = {_session_of(name, settings) for name in folders} - {""}
    visits = {session} if session else found
    record = next(iter((*stated, *by_header, *by_folder)))
    if len(visits) != 1:
        problem = "nothing says of which session it is; give --session, or use folders such as ses-pre"
        if visits:
            problem = "its folders name two sessions; give --session"
        return _Whose(people.pop(), problem=problem, record=record)
    return _Whose(people.pop(), visits.pop(), record=record)


def _by_folder(item: _Found, sources: Sequence[Path], key: Key, own: frozenset[str]) -> dict[str, str]:
    """Return the patients that folders above a file are called as, by the name of the folder."""
    names = _folders_above(item.path, sources)
    return {name: known for name in names if (known := key.pseudonym(name, own=own))}


def _folders_above(path: Path, sources: Sequence[Path]) -> list[str]:
    """Return the names of the folders a file lies in, from the source it came with downwards."""
    for source in sources:
        if source.is_dir() and path.is_relative_to(source):
            return [source.resolve().name, *path.relative_to(source).parts[:-1]]
    return []


def _session_of(folder: str, settings: Settings) -> str:
    """Return the session a folder is called as: ``ses-pre``, or ``Pre`` where the settings know ses-pre."""
    known = {name.removeprefix("ses-").lower(): name for name in settings.tms_sessions}
    return known.get(folder.lower().removeprefix("ses-"), folder if SESSION.fullmatch(folder) else "")


def _import_one(
    study: StudyFolder,
    item: _Found,
    whose: _Whose,
    key: Key,
    people: Redactor,
    settings: Settings,
    seen: set[str],
    dry_run: bool,
) -> FileOutcome:
    outcome = FileOutcome(item.label, item.sha256, "refused", whose.patient, whose.session)
    if whose.problem:
        return replace(outcome, reason=whose.problem)
    if item.sha256 in seen:
        return replace(outcome, action="copy", reason="another file has the same content")
    seen.add(item.sha256)
    redactor = people | item.redactor | Redactor.from_values([whose.record])
    started = None if item.started is None else item.started + key.shift(whose.patient)
    try:
        clean = _cleaned(item.path, whose.patient, started, redactor, settings.muscles)
    except SudeckError as error:
        # A sentence may quote the file: its name, a label.
        said = f"{error.problem}; {error.remedy}" if isinstance(error, InputError) else str(error)
        return replace(outcome, reason=_without_names(said, item, redactor))
    folder, ending = study.emg_folder(whose.patient, whose.session), "emg.bdf"
    if isinstance(clean, CleanTable):
        folder, ending = study.tms_folder(whose.patient, whose.session), clean.ending
    there = sorted(folder.glob(f"*_{ending}")) if folder.is_dir() else []
    same = next((path for path in there if path.read_bytes() == clean.data), None)
    numbers = [int(match[1]) for path in there if (match := re.search(r"_run-(\d+)_", path.name))]
    number = 1 + max(numbers, default=0)
    target = same or folder / f"{whose.patient}_{whose.session}_task-tms_run-{number}_{ending}"
    outcome = replace(
        outcome, target=target.relative_to(study.root).as_posix(), reason="; ".join(clean.remarks)
    )
    if same is not None:
        return replace(outcome, action="unchanged")
    if dry_run:
        return replace(outcome, action="new")
    if isinstance(clean, CleanTable):
        write_bytes(target, clean.data)
    else:
        _write(target, clean)
    return replace(outcome, action="new")


def _cleaned(
    path: Path, patient: str, started: datetime | None, redactor: Redactor, muscles: Sequence[str]
) -> CleanRecording | CleanTable:
    contents = read_file(path)
    if not isinstance(contents, Recording):
        return clean_sweeps(path, contents, redactor=redactor, muscles=muscles)
    return clean_recording(
        path, contents, patient=patient, started=started, redactor=redactor, muscles=muscles
    )


def _without_names(text: str, item: _Found, redactor: Redactor) -> str:
    text = text.replace(item.path.name, item.label).replace(item.path.stem, item.label)
    return (redactor | Redactor.from_values([item.path.stem])).clean(text)


def _write(target: Path, clean: CleanRecording) -> None:
    """Write the tables first: a recording that is there is whole."""
    stem = target.name.removesuffix("_emg.bdf")
    tables = [("channels", clean.channels, _CHANNEL_COLUMNS)]
    if clean.events:
        tables.append(("events", clean.events, clean.event_columns))
    for name, rows, columns in tables:
        table = target.with_name(f"{stem}_{name}.tsv")
        write_tsv(table, rows, columns=columns)
        sidecar_of(table).replace(table.with_suffix(".json"))  # BIDS names it plainly
    sidecar = {
        "TaskName": "tms",
        "SamplingFrequency": max(clean.rates_hz),
        "PowerLineFrequency": "n/a",
        "EMGReference": "n/a",
        "EMGGround": "n/a",
        "EMGPlacementScheme": "Other",
        "EMGPlacementSchemeDescription": "n/a",
        "SoftwareFilters": "n/a",
        "RecordingType": "continuous",
    }
    write_json(target.with_name(f"{stem}_emg.json"), sidecar)
    write_bytes(target, clean.data)


def _add_to_tables(study: StudyFolder, files: Sequence[FileOutcome]) -> None:
    places = sorted({(file.patient, file.session) for file in files if file.action in ("new", "unchanged")})
    merge_rows(study, "participants", [{"participant_id": name} for name in sorted({p for p, _ in places})])
    merge_rows(study, "sessions", [{"participant_id": p, "session_id": s} for p, s in places])


def _hash(path: Path) -> str:
    from sudeck.core.provenance import sha256_of_file

    try:
        return sha256_of_file(path)
    except OSError:
        return ""
