"""Do persons who read a study blinded to each other agree: on the ratios, and on which trials to reject."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.record import Record
from sudeck.core.storage import write_tsv
from sudeck.statistics.clinical.agreement import Agreement, kappa, reading_agreement
from sudeck.study.folder.decisions import read_decisions
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.patient_measures import trials_name
from sudeck.study.measuring.records import SIX_RATIOS, stored_record

AGREEMENT_TABLE: Final = "readers.tsv"
_COLUMNS: Final = {
    "what": "A ratio of the scan, or the trials that two readers judged",
    "measure": "ICC: intraclass correlation of one reading; kappa: agreement beyond chance",
    "value": "Estimate",
    "low": "Lower end of its interval",
    "high": "Upper end of its interval",
    "n": "Scans read at least twice, or trials judged by both",
    "same": "Share of the trials that both judged alike; n/a for ratios",
    "error_sd": "Standard deviation of one reading about the mean of its scan; n/a for trials",
    "not_known": "Why there is no estimate",
}


_Trial = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class TrialAgreement(Record):
    """How far two readers agree on which trials to reject.

    Attributes
    ----------
    readers : (str, str)
    trials : int
        Judged by both.
    rejected : (int, int, int)
        By the first, by the second, by both.
    same : float
        Share of the trials judged alike.
    kappa : Estimate or None
    not_known : str
        Why there is no kappa.
    """

    readers: tuple[str, str]
    trials: int
    rejected: tuple[int, int, int]
    same: float
    kappa: Estimate | None
    not_known: str


@dataclass(frozen=True, slots=True)
class ReaderComparison(Record):
    """What readings blinded to each other have in common.

    Attributes
    ----------
    read : Mapping of str to int
        Patients that each reader reviewed.
    ratios : Mapping of str to Agreement
        By name of the ratio.
    not_known : Mapping of str to str
        Ratios without, and why.
    trials : tuple of TrialAgreement
        One of every two readers with trials judged by both.
    """

    read: Mapping[str, int]
    ratios: Mapping[str, Agreement]
    not_known: Mapping[str, str]
    trials: tuple[TrialAgreement, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of readers.tsv."""
        rows: list[dict[str, Any]] = []
        for name in SIX_RATIOS:
            found = self.ratios.get(name)
            row: dict[str, Any] = {"what": name, "measure": "ICC", "not_known": self.not_known.get(name)}
            rows.append(row | (_numbers(found.icc) | {"error_sd": found.error_sd} if found else {}))
        for one in self.trials:
            row = {"what": f"trials, {' and '.join(one.readers)}", "measure": "kappa", "same": one.same}
            row |= {"n": one.trials, "not_known": one.not_known or None}
            rows.append(row | (_numbers(one.kappa) if one.kappa else {}))
        return rows

    def __str__(self) -> str:
        lines = ["; ".join(f"{reader} read {n}" for reader, n in self.read.items()) + " patients"]
        for name in SIX_RATIOS:
            found = self.ratios.get(name)
            lines.append(f"{name:8} {found or self.not_known[name]}")
        for one in self.trials:
            first, second, both = one.rejected
            lines.append(
                f"trials of {' and '.join(one.readers)}: {one.kappa or one.not_known}; "
                f"{100 * one.same:.1f} % of {one.trials} judged alike; "
                f"rejected {first} and {second}, {both} by both"
            )
        return "\n".join(lines)


def _numbers(one: Estimate) -> dict[str, Any]:
    return {"value": one.value, "low": one.low, "high": one.high, "n": one.n}


def compare_readers(study: StudyFolder) -> ReaderComparison:
    """Compare all blinded readings of a study, as the last run of each measured them.

    A patient counts for a reader who reviewed it or signed it off.

    Parameters
    ----------
    study : StudyFolder

    Raises
    ------
    InputError
        If fewer than two persons read it, or a reading is not measured as it stands.
    """
    names = study.readers()
    if len(names) < 2:
        raise InputError(
            study.root.name,
            f"{len(names)} persons read it blinded",
            "let two review it: sudeck review STUDY --reader NM",
        )
    records = {name: _reviewed(replace(study, reader=name)) for name in names}
    ratios: dict[str, Agreement] = {}
    not_known: dict[str, str] = {}
    for ratio in SIX_RATIOS:
        by_scan: dict[tuple[str, str], list[float]] = {}
        for read in records.values():
            for patient, record in read.items():
                for session, scan in record["scans"].items():
                    if ratio in scan["estimates"]:
                        by_scan.setdefault((patient, session), []).append(scan["estimates"][ratio]["value"])
        try:
            ratios[ratio] = reading_agreement(list(by_scan.values()))
        except InputError as error:
            not_known[ratio] = str(error)
    judged = {name: _judged(replace(study, reader=name), read) for name, read in records.items()}
    pairs = (_trials((one, other), judged[one], judged[other]) for one, other in combinations(names, 2))
    trials = tuple(found for found in pairs if found)
    return ReaderComparison({name: len(read) for name, read in records.items()}, ratios, not_known, trials)


def write_comparison(study: StudyFolder, found: ReaderComparison) -> Path:
    """Write readers.tsv, and return its path."""
    path = study.derivatives / AGREEMENT_TABLE
    write_tsv(path, found.rows(), columns=_COLUMNS)
    return path


def _reviewed(study: StudyFolder) -> dict[str, dict[str, Any]]:
    """Return the records of the patients a reader reviewed."""
    last = {decision.subject: decision for decision in read_decisions(study)}
    patients = {one.patient for one in last.values() if one.kind in ("accepted", "signed-off") and one.value}
    found = {}
    for patient in sorted(patients):
        record = stored_record(study, patient)
        if record is None:
            raise InputError(
                f"{patient} of {study.reader}",
                "the reading is not measured",
                "compare with sudeck review STUDY --compare, which measures it",
            )
        found[patient] = record
    return found


def _judged(study: StudyFolder, records: Mapping[str, Mapping[str, Any]]) -> dict[_Trial, bool]:
    """Return whether each trial was rejected, by patient, session, recording, channel and number."""
    found = {}
    for patient, record in records.items():
        for session in record["recordings"]:
            for row in _rows(study.patient_derivatives(patient) / trials_name(session)):
                key = patient, session, row["file"], row["channel"], row["trial"]
                found[key] = row["decision"] == "reject"
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def _trials(
    readers: tuple[str, str],
    first: Mapping[_Trial, bool],
    second: Mapping[_Trial, bool],
) -> TrialAgreement | None:
    both = sorted(first.keys() & second.keys())
    if not both:
        return None
    a, b = [first[key] for key in both], [second[key] for key in both]
    value, why = None, ""
    try:
        value = kappa(a, b, [key[0] for key in both])
    except InputError as error:
        why = str(error)
    together = sum(x and y for x, y in zip(a, b, strict=True))
    same = sum(x == y for x, y in zip(a, b, strict=True)) / len(both)
    return TrialAgreement(readers, len(both), (sum(a), sum(b), together), same, value, why)
