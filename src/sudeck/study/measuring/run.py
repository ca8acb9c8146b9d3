"""Every measure of every patient: resumes where it was stopped, and skips what has not changed.

One process writes, all others compute. Results depend on the inputs alone: not on the number of workers, nor
on how often the run was killed. When and how fast it ran stands in run.json, the one file that differs
between runs.
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.core.provenance import SOFTWARE, library_versions
from sudeck.core.storage import write_json
from sudeck.study.folder.bids import keep_to_bids
from sudeck.study.folder.layout import StudyFolder, open_study
from sudeck.study.folder.settings import Settings, read_settings
from sudeck.study.folder.tables import RowCount, read_table, read_tables
from sudeck.study.measuring.engine import Progress, spread
from sudeck.study.measuring.holding import held_alone
from sudeck.study.measuring.inputs import PatientInputs, fingerprints, gather_inputs, measurement_settings
from sudeck.study.measuring.patient_measures import Failure, PatientRecord, Presenter, measure_patient
from sudeck.study.measuring.records import Digest, is_current, keep_record, stored_record, write_tables

_LOCK: Final = ".lock"
_HALF_WRITTEN: Final = ".sudeck-*.part"


@dataclass(frozen=True)
class RunSummary:
    """What a run did.

    Attributes
    ----------
    patients : int
        In the study.
    measured, unchanged : int
        Patients measured now, and patients left as they were.
    scanned : int
        Patients with at least one measured ratio.
    failures : tuple of Failure
        Everything that was not measured, in order of patients.
    seconds : float
    """

    patients: int
    measured: int
    unchanged: int
    scanned: int
    failures: tuple[Failure, ...]
    seconds: float = field(compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "patients": self.patients,
            "measured": self.measured,
            "unchanged": self.unchanged,
            "scanned": self.scanned,
            "failures": dict(sorted(Counter(failure.kind for failure in self.failures).items())),
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        concerned = len({failure.participant_id for failure in self.failures})
        return (
            f"{self.patients} patients: {self.measured} measured, {self.unchanged} unchanged; "
            f"{self.scanned} with a bone scan; {len(self.failures)} entries in failures.tsv, "
            f"of {concerned} patients; {self.seconds:.1f} s"
        )


@dataclass(frozen=True, slots=True)
class _Task:
    """What a worker needs for one patient."""

    patient: PatientInputs
    settings: Settings
    fingerprint: str
    present: Presenter | None


def run_study(
    root: Path,
    *,
    reader: str = "",
    jobs: int | None = None,
    cluster: str | None = None,
    present: Presenter | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> RunSummary:
    """Measure every patient of a study, and write tables over all.

    Parameters
    ----------
    root : Path
        The study folder.
    reader : str
        Whose blinded reading is measured, instead of the decisions that count.
    jobs : int, optional
        Worker processes; as many as there are cores unless given.
    cluster : str, optional
        Address of a Dask scheduler that does the work instead.
    present : callable, optional
        Makes further files of each result (pages, pictures); importable by name.
    progress : callable, optional
        Told after every patient.

    Returns
    -------
    RunSummary

    Raises
    ------
    InputError
        If there is no study, its settings or participants.tsv can not be read, or another run is at work.
    """
    began = time.perf_counter()
    started = datetime.now(UTC)
    study = open_study(root, reader=reader)
    settings = read_settings(study)
    participants = _participants(study)
    with held_alone(study, _LOCK, taken="another run is at work on it", remedy="wait until it ends"):
        _sweep(study)
        keep_to_bids(study, [str(row["participant_id"]) for row in participants])
        inputs = gather_inputs(study, participants)
        how = measurement_settings(settings) | {"files": getattr(present, "__qualname__", "")}
        wanted = fingerprints(inputs, how)
        digests: dict[str, Digest] = {}
        tasks = []
        for patient in inputs:
            stored, fingerprint = stored_record(study, patient.participant_id), wanted[patient.participant_id]
            if stored is not None and is_current(study, stored, fingerprint):
                digests[patient.participant_id] = Digest.of(stored)
            else:
                tasks.append(_Task(patient, settings, fingerprint, present))
        pace = time.perf_counter()
        for done, (index, result) in enumerate(spread(_measure, tasks, jobs=jobs, cluster=cluster), start=1):
            record = result if isinstance(result, PatientRecord) else _crashed(tasks[index])
            digests[record.participant_id] = Digest.of(keep_record(study, record))
            if progress:
                left = (time.perf_counter() - pace) / done * (len(tasks) - done)
                progress(Progress(done, len(tasks), len(inputs) - len(tasks), left))
        ordered = [digests[patient.participant_id] for patient in inputs]
        write_tables(study, ordered)
        summary = RunSummary(
            patients=len(inputs),
            measured=len(tasks),
            unchanged=len(inputs) - len(tasks),
            scanned=sum(bool(digest.scans) for digest in ordered),
            failures=tuple(failure for digest in ordered for failure in digest.failures),
            seconds=time.perf_counter() - began,
        )
        write_json(study.derivatives / "run.json", _log(summary, settings, started, _row_counts(study)))
    return summary


def _measure(task: _Task) -> PatientRecord:
    return measure_patient(task.patient, task.settings, fingerprint=task.fingerprint, present=task.present)


def _crashed(task: _Task) -> PatientRecord:
    pid = task.patient.participant_id
    reason = (
        "The process that measured this patient died, perhaps for lack of memory; run again with --jobs 1."
    )
    return PatientRecord(pid, task.fingerprint, failures=(Failure(pid, "", "patient", "crashed", reason),))


def _participants(study: StudyFolder) -> tuple[Mapping[str, Any], ...]:
    from sudeck.study.folder.schema import PARTICIPANTS

    path = study.found_table("participants")
    if path is None:
        raise InputError(
            study.root.name, "it has no participants.tsv", "list the patients there, or import them"
        )
    return read_table(path, PARTICIPANTS).rows


def _row_counts(study: StudyFolder) -> tuple[RowCount, ...]:
    """Count the rows of the tables; none where one can not be read, which `check` tells."""
    try:
        return read_tables(study).row_counts()
    except InputError:
        return ()


def _log(
    summary: RunSummary, settings: Settings, started: datetime, rows: tuple[RowCount, ...]
) -> dict[str, Any]:
    return {
        "software": SOFTWARE,
        "python": platform.python_version(),
        "libraries": dict(library_versions()),
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": settings.to_dict(),
        "tables": {count.table: count.to_dict() for count in rows},
        **summary.to_dict(),
    }


def _sweep(study: StudyFolder) -> None:
    """Remove what a killed run left half written."""
    for path in study.derivatives.rglob(_HALF_WRITTEN):
        path.unlink(missing_ok=True)
