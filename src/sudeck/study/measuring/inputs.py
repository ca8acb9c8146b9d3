"""What there is to measure of each patient, and a fingerprint of it: equal fingerprints, equal results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sudeck.core.provenance import __version__, fingerprint_of, library_versions, sha256_of_file
from sudeck.core.vocabulary import Limb, Side
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import read_log, standing_decisions
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.tables import Row

# Raised whenever what a record of a patient holds changes its meaning, so that old ones are made again.
RECORD_FORMAT: Final = 1
# Files beside a recording that describe it; the reader of the recording finds them by itself.
_DESCRIBING: Final = (
    ".json", ".toml", ".vmrk", ".eeg", ".md", "_events.tsv", "_channels.tsv", "_electrodes.tsv"
)  # fmt: skip
_HASHING_THREADS: Final = 4  # reading and hashing release the interpreter


@dataclass(frozen=True)
class PatientInputs:
    """Everything that is measured of one patient.

    Attributes
    ----------
    participant_id : str
    limb, affected
        From participants.tsv; None where it does not say.
    listed : bool
        Whether participants.tsv has the patient.
    scans, recordings : Mapping of str to tuple of Path
        Files by session.
    decisions : tuple of Decision
        Those that stand.
    trouble : str
        Why the decisions can not be read; empty where they can.
    decided : tuple of str
        Hashes of the lines of decisions, in order.
    """

    participant_id: str
    limb: Limb | None
    affected: Side | None
    listed: bool
    scans: Mapping[str, tuple[Path, ...]]
    recordings: Mapping[str, tuple[Path, ...]]
    decisions: tuple[Decision, ...] = ()
    trouble: str = ""
    decided: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file, scans first."""
        return tuple(
            path for group in (self.scans, self.recordings) for files in group.values() for path in files
        )

    def fingerprint(self, how: Mapping[str, Any]) -> str:
        """Return a hash of all that a result depends on.

        Parameters
        ----------
        how : mapping
            Settings of the measurement, JSON-ready.
        """
        described = {
            "format": RECORD_FORMAT,
            "version": __version__,
            "libraries": dict(library_versions()),
            "patient": [self.participant_id, self.limb, self.affected, self.listed],
            "how": how,
            "decisions": [decision.to_dict() for decision in self.decisions],
            "trouble": self.trouble,
            "files": [
                [kind, session, path.name, _hash(path)]
                for kind, group in (("scan", self.scans), ("tms", self.recordings))
                for session, files in group.items()
                for path in files
            ],
        }
        return fingerprint_of(described)


def _hash(path: Path) -> str:
    """Return the hash of a file; of one that can not be read, why: it is its patient's problem alone."""
    try:
        return sha256_of_file(path)
    except OSError as error:
        return f"unreadable: {error.strerror}"


def gather_inputs(study: StudyFolder, participants: Iterable[Row]) -> tuple[PatientInputs, ...]:
    """Return what there is to measure of every patient, in the order of identifiers.

    Parameters
    ----------
    study : StudyFolder
    participants : iterable of rows
        Of participants.tsv. Patients with files and no row are among the result, and will be refused.
    """
    rows: dict[str, Row] = {str(row["participant_id"]): row for row in participants if row["participant_id"]}
    return tuple(
        patient_inputs(study, patient, rows.get(patient)) for patient in sorted({*rows, *study.patients()})
    )


def patient_inputs(study: StudyFolder, patient: str, row: Row | None) -> PatientInputs:
    """Return what there is to measure of one patient, with its row of participants.tsv if there is one."""
    sessions = study.sessions(patient)
    scans = {session: study.scan_files(patient, session) for session in sessions}
    recordings = {session: study.recording_files(patient, session) for session in sessions}
    given = row or {}
    return PatientInputs(
        patient,
        given.get("limb"),  # type: ignore[arg-type]  # the schema allows no other values
        given.get("affected_side"),  # type: ignore[arg-type]
        row is not None,
        {session: files for session, files in scans.items() if files},
        {session: files for session, files in recordings.items() if recordings_among(files)},
        *_decisions(study, patient),
    )


def _decisions(study: StudyFolder, patient: str) -> tuple[tuple[Decision, ...], str, tuple[str, ...]]:
    """Return the decisions about a patient, or none and why they can not be read; hashes of their lines."""
    log = read_log(study, patient)
    if log.problems:
        return (), str(log.problems[0]), log.hashes
    return standing_decisions(study, patient), "", log.hashes


def recordings_among(files: Iterable[Path]) -> tuple[Path, ...]:
    """Return the recordings among the files of a session, without what only describes them."""
    return tuple(path for path in files if not path.name.lower().endswith(_DESCRIBING))


def protocol_among(files: Iterable[Path]) -> Path | None:
    """Return the protocol file of a session: its only TOML file that is not beside one recording, for it."""
    listed = list(files)
    beside = {f"{path.stem}_protocol.toml" for path in listed}
    found = [path for path in listed if path.suffix.lower() == ".toml" and path.name not in beside]
    return found[0] if len(found) == 1 else None


def measurement_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that measurements depend on: a new responder rule measures nothing anew."""
    kept = ("region", "background", "view", "flow_seconds", "level", "muscles", "pairs", "free_text")
    camera = ("camera_fwhm_mm", "camera_scatter")
    stated = settings.to_dict()
    # Unstated, a camera is no setting: what was measured before there were any keeps its fingerprint.
    return {
        name: value
        for name, value in stated.items()
        if name in kept or (name in camera and value is not None)
    }


def fingerprints(inputs: Iterable[PatientInputs], how: Mapping[str, Any]) -> dict[str, str]:
    """Return the fingerprint of every patient, files being read in a few threads."""
    listed = list(inputs)
    with ThreadPoolExecutor(_HASHING_THREADS) as threads:
        hashes = threads.map(lambda patient: patient.fingerprint(how), listed)
        return {patient.participant_id: found for patient, found in zip(listed, hashes, strict=True)}
