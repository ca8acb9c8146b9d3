"""What `sudeck explain` found out about a study: group statistics, circuits, and what had to be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sudeck.core.flags import Flag
from sudeck.core.provenance import SOFTWARE
from sudeck.statistics.reported import ReportedSet
from sudeck.study.answers.circuit_fits import FitFailure
from sudeck.study.answers.stimulated.stimulation_table import COLUMNS, GROUP
from sudeck.study.folder.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from sudeck.mechanism.circuit_fit.explanation import Explanation
    from sudeck.mechanism.circuit_fit.hierarchy import GroupPosterior
    from sudeck.mechanism.group_statistics import GroupStatistics


@dataclass(frozen=True)
class StudyExplanation:
    """Everything `sudeck explain` says about a study. A part that could not be had is None or empty.

    Attributes
    ----------
    name : str
        Of the study.
    settings : Settings
    visits : tuple of str
        Visits with recordings, in order; the first is the baseline.
    patients : tuple of str
        Patients with a recording that could be used.
    outcome : str
        Relief in words, e.g. ``"relief at day 5, in % of baseline pain"``.
    measures : DataFrame
        The table everything starts from, see `sudeck.study.answers.stimulated.stimulation_table`.
    factors : DataFrame
        Relief and covariates, one row a patient, see `sudeck.study.answers.patient_factors`.
    group : GroupStatistics or None
    reported : ReportedSet
        The printed r, P and n of the publication, held against each other.
    circuit : tuple of Explanation
        One a patient whose circuit could be fitted.
    circuit_failures : tuple of FitFailure
    circuit_group : GroupPosterior or None
        How treatment moves the circuits of all patients together; None where fewer than three can be used.
    circuit_asked : bool
        Whether the circuit was wanted at all.
    flags : tuple of Flag
        What was left out on the way to the table, and what confounds.
    refused : Mapping of str to str
        For each part that could not be had, why.
    fingerprint : str
        Of everything this rests on.
    """

    name: str
    settings: Settings
    visits: tuple[str, ...]
    patients: tuple[str, ...]
    outcome: str
    measures: pd.DataFrame
    factors: pd.DataFrame
    group: GroupStatistics | None
    reported: ReportedSet
    circuit: tuple[Explanation, ...]
    circuit_failures: tuple[FitFailure, ...]
    circuit_asked: bool
    flags: tuple[Flag, ...]
    refused: Mapping[str, str]
    fingerprint: str
    circuit_group: GroupPosterior | None = None

    @property
    def level(self) -> float:
        """Coverage of the intervals."""
        return self.settings.level

    @property
    def unanswered(self) -> tuple[Flag, ...]:
        """What the group statistics could not answer, one sentence each."""
        return () if self.group is None else self.group.unanswered

    @property
    def all_flags(self) -> tuple[Flag, ...]:
        """What was left out or assumed, on the way to the table and in the statistics, each once."""
        found = list(self.flags)
        if self.group is not None:
            found += self.group.changes.flags
            found += () if self.group.associations is None else self.group.associations.flags
        return tuple(dict.fromkeys(found))

    def patients_at(self, visit: str) -> int:
        """Return how many patients have a recording at a visit."""
        return int(self.measures.loc[self.measures["visit"] == visit, "participant_id"].nunique())

    @property
    def patients_at_all(self) -> int:
        """How many patients have a recording at every visit."""
        counts = self.measures.groupby("participant_id")["visit"].nunique()
        return int((counts == len(self.visits)).sum())

    def to_dict(self) -> dict[str, Any]:
        """Return the contract of ``mechanism.json`` as plain JSON-ready values; see docs/mechanism.md."""
        group = _nothing() if self.group is None else self.group.to_dict()
        return {
            "software": SOFTWARE,
            "fingerprint": self.fingerprint,
            "study": self.name,
            "level": self.level,
            "visits": list(self.visits),
            "outcome": self.outcome,
            "patients": [
                {"participant_id": pid, "visits": sorted(own["visit"].unique(), key=self.visits.index)}
                for pid, own in self.measures.groupby("participant_id")
            ],
            "settings": {
                name: value
                for name, value in self.settings.to_dict().items()
                if name
                in {"end", "tms_sessions", "muscles", "pairs", "mechanism_covariates", "healthy", "level"}
            },
            **group,
            "flags": [flag.to_dict() for flag in self.all_flags],
            "reported": self.reported.to_dict(),
            "circuit": [row for one in self.circuit for row in one.rows()],
            "circuit_patients": [one.to_dict() for one in self.circuit],
            "circuit_group": None if self.circuit_group is None else self.circuit_group.to_dict(),
            "circuit_failures": [failure.to_dict() for failure in self.circuit_failures],
            "refused": dict(self.refused),
        }

    def __str__(self) -> str:
        lines = [
            f"{len(self.patients)} patients with stimulation, {self.patients_at_all} of them at every visit "
            f"({', '.join(self.visits)}); {self.outcome}"
        ]
        if self.group is not None:
            lines.append(str(self.group))
        if self.circuit_group is not None:
            lines.append(f"Circuits of {self.circuit_group}")
        lines += [f"Circuit of {one.patient}: {one.verdict}" for one in self.circuit]
        lines += [f"Not fitted, {failure}" for failure in self.circuit_failures]
        lines += [flag.message for flag in self.flags]
        lines += [f"Not done, {name}: {reason}" for name, reason in self.refused.items()]
        return "\n".join(lines)

    def rows_behind(self, measure: str) -> list[dict[str, Any]]:
        """Return the rows of the table behind a group result, each with its record and its trials."""
        table = self.measures
        own = table[(table["measure"] == measure) & table["used_for"].str.contains(GROUP)]
        return [{name: row[name] for name in COLUMNS} for row in own.to_dict("records")]


def _nothing() -> dict[str, Any]:
    """Return the keys of the group statistics with nothing in them."""
    lists = (
        "changes",
        "asymmetries",
        "healthy",
        "associations",
        "pattern",
        "covariates",
        "unanswered",
        "flags",
    )
    return {name: [] for name in lists} | {"power": None}
