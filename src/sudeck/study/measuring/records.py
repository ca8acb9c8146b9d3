"""What a run has computed, on disk: one record a patient, tables over all patients.

A patient's record is written last, after everything it names; so a record that is there is complete,
whenever the run was stopped. It carries the hash of its own content: one that a disk, a copy or a hand has
changed since is as good as none, and is measured again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sudeck.core.provenance import sha256_of
from sudeck.core.storage import sidecar_of, to_json, write_bytes, write_json, write_tsv
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.patient_measures import Failure, PatientRecord, trials_name

SIX_RATIOS: Final = (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS)
_HASH: Final = "record_sha256"
SCAN_TABLE, TMS_TABLE, FAILURE_TABLE = "scan.tsv", "tms.tsv", "failures.tsv"

_SCAN_COLUMNS: Final = {
    "participant_id": "The patient",
    "session": "Session of the scan",
    "limb": "Limb imaged",
    "affected": "Side of the body with CRPS",
    "region": "Region measured",
    **{
        f"{name}{ending}": meaning.format(name)
        for name in SIX_RATIOS
        for ending, meaning in (
            ("", "{}, affected over healthy side or a ratio of such ratios"),
            ("_low", "Lower end of the interval of {}"),
            ("_high", "Upper end of the interval of {}"),
            ("_log_se", "Standard error of the natural logarithm of {}"),
        )
    },
    "flags": "Codes of the quality flags, separated by commas",
}
_TMS_COLUMNS: Final = {
    "participant_id": "The patient",
    "session": "Session of the recording",
    "visit": "Visit, where the recording names one",
    "hemisphere": "Stimulated hemisphere",
    "muscle": "Recorded muscle",
    "measure": "RMT, SICI, ICF, ...",
    "isi_ms": "Interval from conditioning to test pulse, in milliseconds",
    "intensity": "Intensity of the test pulse",
    "value": "Estimate",
    "low": "Lower end of its interval",
    "high": "Upper end of its interval",
    "unit": "Unit; none for a ratio",
    "n": "How much data it rests on",
    "n_unit": "What n counts",
    "scale": "Scale of the standard error",
    "se": "Standard error on that scale",
}
_FAILURE_COLUMNS: Final = {
    "participant_id": "The patient",
    "session": "Session; n/a where the whole patient is concerned",
    "measure": "What was not measured",
    "kind": "absent: nothing was given; refused: it can not be measured; crashed: the software failed",
    "reason": "Why, and what can be done",
}


@dataclass(frozen=True)
class Digest:
    """What the tables over all patients need of a record; small, so that a run can hold thousands.

    Attributes
    ----------
    scans, recordings : list of dict
        Rows of scan.tsv and tms.tsv.
    failures : tuple of Failure
        Rows of failures.tsv.
    """

    scans: list[dict[str, Any]]
    recordings: list[dict[str, Any]]
    failures: tuple[Failure, ...]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Digest:
        """Return the digest of a record as stored."""
        failures = tuple(Failure(**failure) for failure in record["failures"])
        return cls(scan_rows(record), tms_rows(record), failures)


def record_file(study: StudyFolder, participant_id: str) -> Path:
    """Return where the record of a patient is kept."""
    return study.patient_derivatives(participant_id) / f"{participant_id}.json"


def stored_record(study: StudyFolder, participant_id: str) -> dict[str, Any] | None:
    """Return the record of a patient as stored; None if there is none that is as it was written."""
    try:
        content = json.loads(record_file(study, participant_id).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    # A record without its hash is one of an earlier version, which has to be measured again anyhow.
    return content if isinstance(content, dict) and content.get(_HASH) == _hash_of(content) else None


def _hash_of(content: Mapping[str, Any]) -> str:
    return sha256_of(to_json({key: content[key] for key in content if key != _HASH}, indent=None).encode())


def is_current(study: StudyFolder, record: Mapping[str, Any], fingerprint: str) -> bool:
    """Tell whether a record still holds: same inputs, all files there, and nothing crashed."""
    if record["fingerprint"] != fingerprint:
        return False
    folder = study.patient_derivatives(record["participant_id"])
    crashed = any(failure["kind"] == "crashed" for failure in record["failures"])
    return not crashed and all((folder / name).is_file() for name in record["files"])


def keep_record(study: StudyFolder, record: PatientRecord) -> dict[str, Any]:
    """Write a record and everything it names, each file atomically, the record itself last."""
    from sudeck.tms.measures.measured import TRIAL_COLUMNS

    folder = study.patient_derivatives(record.participant_id)
    plain = record.to_dict()
    before = stored_record(study, record.participant_id)
    for name in set(before["files"] if before else ()) - set(plain["files"]):
        (folder / name).unlink(missing_ok=True)
        sidecar_of(folder / name).unlink(missing_ok=True)
    for name, content in record.files.items():
        write_bytes(folder / name, content)
    for session, rows in record.trials.items():
        write_tsv(folder / trials_name(session), rows, columns=TRIAL_COLUMNS)
    write_json(record_file(study, record.participant_id), {**plain, _HASH: _hash_of(plain)})
    return plain


def write_tables(study: StudyFolder, digests: Iterable[Digest]) -> None:
    """Write scan.tsv, tms.tsv and failures.tsv over all patients, in the order given."""
    listed = list(digests)
    for name, rows, columns in (
        (SCAN_TABLE, [row for digest in listed for row in digest.scans], _SCAN_COLUMNS),
        (TMS_TABLE, [row for digest in listed for row in digest.recordings], _TMS_COLUMNS),
        (FAILURE_TABLE, [one.to_dict() for digest in listed for one in digest.failures], _FAILURE_COLUMNS),
    ):
        write_tsv(study.derivatives / name, rows, columns=columns)


def scan_rows(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each scan of a record."""
    rows = []
    for session, scan in record["scans"].items():
        row: dict[str, Any] = {
            "participant_id": record["participant_id"],
            "session": session,
            **{name: scan[name] for name in ("limb", "affected", "region")},
            "flags": ",".join(sorted({flag["code"] for flag in scan["flags"]})),
        }
        for name, estimate in scan["estimates"].items():
            row |= {name: estimate["value"], f"{name}_low": estimate["low"], f"{name}_high": estimate["high"]}
            row[f"{name}_log_se"] = estimate["se"]
        rows.append(row)
    return rows


def tms_rows(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each estimate from the recordings of a record."""
    return [
        {"participant_id": record["participant_id"], "session": session, **estimate}
        for session, result in record["recordings"].items()
        for estimate in result["estimates"]
    ]
