"""One row a patient: who the patient is, the measured ratios with their errors, and what treatment did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.claim import REPORT_ERROR, page_error
from sudeck.core.errors import InputError
from sudeck.core.provenance import __version__, fingerprint_of
from sudeck.core.record import Record
from sudeck.core.storage import write_tsv
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS, SCAN_PHASES
from sudeck.prediction.cohort import Cohort, read_cohort
from sudeck.study.answers.after_treatment import AfterTreatment, after_treatment
from sudeck.study.answers.outcomes import CohortOutcomes, measure_outcomes
from sudeck.study.answers.scan_ratios import RatioSources, collect_ratios
from sudeck.study.answers.treatment.treatment_given import forms_given, patient_treatments
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import PARTICIPANTS, SCAN_RATIOS
from sudeck.study.folder.settings import Settings, read_settings
from sudeck.study.folder.tables import StudyTables, read_tables
from sudeck.study.measuring.patient_measures import Failure
from sudeck.study.measuring.records import stored_record

if TYPE_CHECKING:
    import pandas as pd

COHORT_TABLE: Final = "cohort.tsv"
_DAYS_PER_MONTH: Final = 365.25 / 12

_COLUMNS: Final = {
    **{field.name: field.description for field in PARTICIPANTS.fields},
    **{name: f"{name} of the baseline scan" for name in PHASE_RATIOS.values()},
    **{
        f"{name}_log_se": f"Standard error of the natural logarithm of {name}"
        for name in (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS)
    },
    "ketamine_mg_per_kg": "Ketamine into a vein in all, one form, in mg/kg of base",
    "ketamine_auc": "Its area under the curve in a typical person of that weight, in mg h/L",
    "baseline_nrs": "Pain before treatment",
    "relief_points": "Fall of pain to the visit of the responder rule, in points",
    "relief_percent": "The same in per cent of baseline pain",
    "responder": "1 for a responder by the study's rule, 0 for none",
    "follow_up_days": "Days from baseline to the last pain score",
}
_AT_VISIT: Final = {
    "nrs": "Pain at {}",
    "relief_points": "Fall of pain to {}, in points",
    "relief_percent": "Fall of pain to {}, in per cent of baseline pain",
}


@dataclass(frozen=True, slots=True)
class Flow(Record):
    """How many patients are left at each step.

    Attributes
    ----------
    enrolled : int
        In participants.tsv.
    scanned : int
        With at least one measured phase of the baseline scan.
    complete : int
        With all three phases measured.
    with_outcome : int
        With pain before treatment and at the visit of the responder rule, whether scanned or not.
    analysed : int
        With an outcome, and a tissue phase beside another one: what a ratio of ratios is made of.
    responders : int
        Of those analysed.
    """

    enrolled: int
    scanned: int
    complete: int
    with_outcome: int
    analysed: int
    responders: int

    @classmethod
    def of(cls, table: pd.DataFrame) -> Flow:
        """Count the patients of a cohort table."""
        phases = table[list(PHASE_RATIOS.values())].notna()
        kept = is_analysed(table)
        return cls(
            len(table),
            int(phases.any(axis=1).sum()),
            int(phases.all(axis=1).sum()),
            int(table["responder"].notna().sum()),
            int(kept.sum()),
            int(table.loc[kept, "responder"].sum()),
        )

    def __str__(self) -> str:
        return (
            f"{self.enrolled} patients, {self.scanned} with a measured scan "
            f"({self.complete} with all three phases), {self.with_outcome} with an outcome, "
            f"{self.analysed} with both, {self.responders} of them responders"
        )


@dataclass(frozen=True)
class StudyCohort:
    """A study as one table.

    Attributes
    ----------
    name : str
        Of the study.
    table : DataFrame
        One row a patient, as `sudeck.prediction.read_cohort` takes it, with the covariates and outcomes.
    settings : Settings
    outcomes : CohortOutcomes
        The course of every patient.
    flow : Flow
    failures : tuple of Failure
        What was not measured, and why.
    ratios : RatioSources
        Who measured them, and how far they agree.
    course : AfterTreatment
        How long relief lasted, adverse effects, and what was given.
    fingerprint : str
        Of everything above, and of the records it was made from.
    page_error : float
        What the words of the page may err: its part of a report's, see `sudeck.core.claim.page_error`.
    """

    name: str
    table: pd.DataFrame
    settings: Settings
    outcomes: CohortOutcomes
    flow: Flow
    failures: tuple[Failure, ...]
    ratios: RatioSources
    course: AfterTreatment
    fingerprint: str
    page_error: float = REPORT_ERROR

    @cached_property
    def patients(self) -> Cohort:
        """The table as arrays, read once."""
        return read_cohort(self.table)

    def write(self, study: StudyFolder) -> None:
        """Write cohort.tsv with its sidecar."""
        rows: list[dict[str, Any]] = [
            {str(name): None if _missing(value) else value for name, value in row.items()}
            for row in self.table.to_dict("records")
        ]
        later = [visit for visit in self.settings.visits if visit != self.settings.baseline]
        columns = _COLUMNS | {
            f"{name}_at_{visit.replace(' ', '_')}": text.format(visit)
            for visit in later
            for name, text in _AT_VISIT.items()
        }
        write_tsv(study.derivatives / COHORT_TABLE, rows, columns=columns)


def is_analysed(table: pd.DataFrame) -> pd.Series[bool]:
    """Tell which patients of a cohort table have an outcome and a ratio of ratios that the model takes."""
    vascular, tissue, bone = (table[PHASE_RATIOS[phase]].notna() for phase in SCAN_PHASES)
    return tissue & (vascular | bone) & table["responder"].notna()


def assemble_cohort(study: StudyFolder) -> StudyCohort:
    """Join what was measured with what was asked.

    Raises
    ------
    InputError
        If the settings or a table can not be read, there is no patient, or nothing was measured yet.
    """
    settings = read_settings(study)
    tables = read_tables(study)
    people = _people(tables, settings)
    if people.empty:
        raise InputError(study.root.name, "participants.tsv lists no patient", "fill it in")
    records = [stored_record(study, pid) for pid in people["participant_id"]]
    if not any(record is not None for record in records) and not tables["scan_ratios"].rows:
        name = study.root.name
        remedy = f"first: sudeck run {name}; or type ratios measured elsewhere into {SCAN_RATIOS.path}"
        raise InputError(name, "nothing of it is measured yet", remedy)
    measured, sources = collect_ratios(
        _ratios([record for record in records if record is not None], settings.scan_session),
        tables["scan_ratios"],
        settings,
    )
    outcomes = measure_outcomes(tables["pain"], settings, patients=people["participant_id"].tolist())
    course = after_treatment(tables, outcomes, settings)
    table = people.merge(measured, on="participant_id", how="left").merge(
        outcomes.frame(), on="participant_id", how="left"
    )
    treatments = patient_treatments(
        tables, table["participant_id"].tolist(), session=None, model=settings.ketamine_model
    )
    table["ketamine_mg_per_kg"] = np.array([one.mg_per_kg for one in treatments], dtype=float)
    table["ketamine_auc"] = np.array([one.area for one in treatments], dtype=float)
    if len(forms_given(treatments)) > 1:  # no mean over forms; the sentence of the treatment has each
        table[["ketamine_mg_per_kg", "ketamine_auc"]] = np.nan
    failures = tuple(
        Failure(**failure) for record in records if record is not None for failure in record["failures"]
    )
    error = error_of_page(tables, settings, [record for record in records if record is not None])
    described = {
        "version": __version__,
        "settings": settings.to_dict(),
        "page_error": error,
        "table": table.to_csv(index=False),
        "outcomes": outcomes.to_dict(),
        "ratios": sources.to_dict(),
        "course": course.to_dict(),
        "records": [record["fingerprint"] for record in records if record is not None],
        "failures": [failure.to_dict() for failure in failures],
    }
    fingerprint = fingerprint_of(described)
    return StudyCohort(
        study_name(study),
        table,
        settings,
        outcomes,
        Flow.of(table),
        failures,
        sources,
        course,
        fingerprint,
        error,
    )


def error_of_page(tables: StudyTables, settings: Settings, records: Sequence[Mapping[str, Any]]) -> float:
    """Return what the words of one page may err: half of a report's where the study has two that test.

    Who has scans and scores has a page on who responds; who has recordings before and after treatment, one on
    why. What was found in them plays no part.

    Parameters
    ----------
    tables : StudyTables
    settings : Settings
    records : sequence of mapping
        Of every patient that was measured.
    """
    scored = bool(tables["pain"].rows)
    scanned = bool(tables["scan_ratios"].rows) or any(
        settings.scan_session in record["scans"] for record in records
    )
    stimulated = {
        session for record in records for session in record["recordings"] if session in settings.tms_sessions
    }
    return page_error((scored and scanned) + (len(stimulated) > 1))


def study_name(study: StudyFolder) -> str:
    """Return the name of the study as its BIDS description has it; that of the folder without one."""
    try:
        name = json.loads(study.description_file.read_text(encoding="utf-8"))["Name"]
    except (OSError, ValueError, KeyError, TypeError):
        name = ""
    return name if isinstance(name, str) and name.strip() else study.root.resolve().name


def _people(tables: StudyTables, settings: Settings) -> pd.DataFrame:
    """Return the patients, each once; the day of onset gives the duration where that is missing."""
    import pandas as pd

    people = tables.frame("participants").dropna(subset=["participant_id"])
    people = people.drop_duplicates("participant_id").sort_values("participant_id", ignore_index=True)
    sessions = tables.frame("sessions")
    dates = sessions[sessions["session_id"] == settings.scan_session].drop_duplicates("participant_id")
    scanned = people["participant_id"].map(dates.set_index("participant_id")["date"])
    days = (pd.to_datetime(scanned) - pd.to_datetime(people["onset_date"])).dt.days
    derived = (days / _DAYS_PER_MONTH).where(days > 0)
    people["duration_months"] = people["duration_months"].fillna(derived)
    return people


def _ratios(records: list[dict[str, Any]], session: str) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for record in records:
        estimates = record["scans"].get(session, {}).get("estimates", {})
        row = {"participant_id": record["participant_id"]}
        for name in PHASE_RATIOS.values():
            row[name] = estimates[name]["value"] if name in estimates else np.nan
        for name in (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS):
            row[f"{name}_log_se"] = estimates[name]["se"] if name in estimates else np.nan
        rows.append(row)
    names = (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS)
    columns = ["participant_id", *PHASE_RATIOS.values(), *(f"{name}_log_se" for name in names)]
    return pd.DataFrame(rows, columns=columns)


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))
