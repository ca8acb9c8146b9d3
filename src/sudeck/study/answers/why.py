"""Why the treatment works, on this study's own patients: changes, associations, and each patient's circuit.

Every part stands alone: one that can not be had leaves its reason, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.claim import REPORT_ERROR
from sudeck.core.errors import InputError, SudeckError
from sudeck.core.flags import Flag
from sudeck.core.provenance import __version__, fingerprint_of
from sudeck.core.published import COHORT_SIZE, PUBLISHED_RATIOS
from sudeck.core.storage import write_json
from sudeck.core.vocabulary import SIDES, Side
from sudeck.statistics.reported import check_reported_set
from sudeck.study.answers.circuit_fits import CircuitFits, fit_circuits, fit_task, require_circuit
from sudeck.study.answers.cohort_table import error_of_page, study_name
from sudeck.study.answers.patient_factors import OUTCOME, PatientFactors, declare, tabulate_factors
from sudeck.study.answers.stimulated.hemisphere_reading import MEASURES, Reading
from sudeck.study.answers.stimulated.placed_readings import read_recordings, visit_names
from sudeck.study.answers.stimulated.stimulation_table import (
    CIRCUIT,
    GROUP,
    StimulationTable,
    tabulate_stimulation,
)
from sudeck.study.answers.study_explanation import StudyExplanation
from sudeck.study.folder.decisions import standing_decisions
from sudeck.study.folder.layout import StudyFolder, open_study
from sudeck.study.folder.settings import Settings, read_settings
from sudeck.study.folder.tables import StudyTables, read_tables
from sudeck.study.measuring.choices import scan_choices
from sudeck.study.measuring.engine import Progress
from sudeck.study.measuring.records import stored_record

if TYPE_CHECKING:
    from sudeck.mechanism.circuit_fit.explanation import Explanation
    from sudeck.mechanism.circuit_fit.hierarchy import GroupPosterior
    from sudeck.mechanism.group_statistics import GroupStatistics
    from sudeck.mechanism.measure_table import MeasureTable

MECHANISM_FILE: Final = "mechanism.json"
# One seed for all studies: the same tables give the same bootstrap samples and the same answer.
_SEED: Final = 2018
_AFTER: Final = "post"  # name of the visit after treatment in a study that has none


@dataclass(frozen=True)
class StimulatedStudy:
    """A study as far as magnetic stimulation goes: what was measured, and what goes with it.

    Attributes
    ----------
    name : str
    settings : Settings
    table : StimulationTable
    factors : PatientFactors
    fingerprint : str
        Of the above.
    page_error : float
        What the words of the page may err: its part of a report's.
    """

    name: str
    settings: Settings
    table: StimulationTable
    factors: PatientFactors
    fingerprint: str
    page_error: float = REPORT_ERROR

    @property
    def visits(self) -> tuple[str, ...]:
        """Visits with a measure, in order."""
        found = set(self.table.frame["visit"])
        return tuple(name for name in visit_names(self.settings.tms_sessions).values() if name in found)

    @property
    def patients(self) -> tuple[str, ...]:
        """Patients with a measure."""
        return tuple(self.table.frame["participant_id"].unique())

    def circuit_measures(self) -> MeasureTable:
        """Return the measures as the circuit takes them: every interval by itself."""
        from sudeck.mechanism.measure_table import tabulate_measures

        measures = tabulate_measures(self.table.used_for(CIRCUIT))
        # In the order of the study, whichever visit the first patient happens to have.
        order = tuple(visit for visit in self.visits if visit in measures.visits)
        return replace(measures, visits=order)


def explain_study(
    root: Path,
    *,
    circuit: bool = True,
    jobs: int | None = 1,
    cluster: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> StudyExplanation:
    """Explain a study that was run, and write mechanism.json and measures.tsv.

    Parameters
    ----------
    root : Path
        The study folder, after `sudeck.study.measuring.run.run_study`.
    circuit : bool
        Whether to fit the circuit of each patient, which needs ``sudeck[circuit]``; without it everything
        else is done and the reason stands in `StudyExplanation.refused`.
    jobs : int or None
        Processes that fit circuits; None for as many as there are cores.
    cluster : str, optional
        Address of a Dask scheduler that fits them instead.
    progress : callable, optional
        Told after every fitted patient.

    Raises
    ------
    InputError
        If there is no study, it was not run, or no recording of it can be used.
    """
    study = open_study(root)
    stimulated = assemble_stimulation(study)
    stimulated.table.write(study)
    refused: dict[str, str] = {}
    group = _group(stimulated, refused)
    fits = CircuitFits((), (), 0, 0)
    if circuit:
        try:
            require_circuit()
            fits = fit_circuits(
                study,
                stimulated.circuit_measures(),
                level=stimulated.settings.level,
                jobs=jobs,
                cluster=cluster,
                progress=progress,
                fit=fit_task,
            )
        except SudeckError as error:
            refused["circuit"] = str(error)
    settings, factors = stimulated.settings, stimulated.factors
    unit = "in % of baseline pain" if factors.unit == "%" else "in points"
    explained = StudyExplanation(
        name=stimulated.name,
        settings=settings,
        visits=stimulated.visits,
        patients=stimulated.patients,
        outcome=f"relief at {settings.end}, {unit}",
        measures=stimulated.table.frame,
        factors=factors.frame,
        group=group,
        reported=check_reported_set([(ratio.r, ratio.p) for ratio in PUBLISHED_RATIOS.values()], COHORT_SIZE),
        circuit=fits.explanations,
        circuit_failures=fits.failures,
        circuit_group=_circuit_group(fits.explanations, factors.under_ketamine, settings.level),
        circuit_asked=circuit,
        flags=stimulated.table.flags + factors.flags + _kept_apart(fits.explanations, factors.under_ketamine),
        refused=refused,
        fingerprint=stimulated.fingerprint,
    )
    write_json(study.derivatives / MECHANISM_FILE, explained.to_dict())
    return explained


def _kept_apart(circuit: Sequence[Explanation], under_ketamine: Sequence[str]) -> tuple[Flag, ...]:
    """Say which circuits are not among those of all patients together."""
    n = sum(one.patient in under_ketamine for one in circuit)
    if not n:
        return ()
    text = (
        f"The circuits of {n} of {len(circuit)} patients show ketamine acting, not what the course left: "
        "they stay out of the circuits of all patients together."
    )
    return (Flag("circuit-under-ketamine", text, "caution", value=float(n)),)


def _circuit_group(
    circuit: Sequence[Explanation], under_ketamine: Sequence[str], level: float
) -> GroupPosterior | None:
    """Return the circuits of all patients together; None where too few have measures at two visits.

    Recordings under ketamine stay apart: its acute effect has the opposite sign.
    """
    shares = {
        one.patient: one.share
        for one in circuit
        if one.share is not None and one.patient not in under_ketamine
    }
    if not shares:
        return None
    from sudeck.mechanism.circuit_fit.hierarchy import infer_group_from

    try:
        return infer_group_from(shares, level=level, rng=_SEED)
    except InputError:  # fewer patients than a group needs: each still has an answer
        return None


def assemble_stimulation(study: StudyFolder) -> StimulatedStudy:
    """Collect what the recordings of a study measured, relief, and what else could have moved the measures.

    Raises
    ------
    InputError
        If the settings or a table can not be read, nothing was measured yet, or no recording can be used.
    """
    settings, tables = read_settings(study), read_tables(study)
    visits = visit_names(settings.tms_sessions)
    people = sorted(
        {str(row["participant_id"]) for row in tables["participants"].rows if row["participant_id"]}
    )
    records = {pid: record for pid in people if (record := stored_record(study, pid)) is not None}
    if not records:
        name = study.root.name
        raise InputError(name, "nothing of it is measured yet", f"first: sudeck run {name}")
    sides = _affected_sides(study, tables)
    readings: dict[str, tuple[Reading, ...]] = {}
    flags: list[Flag] = []
    for pid, record in records.items():
        own, trouble = read_recordings(record, visits, sides.get(pid), muscles=settings.muscles)
        flags += [*_not_measured(record, visits), *trouble]
        if own:
            readings[pid] = own
    if not readings:
        raise _nothing_usable(study, records, visits, flags)
    order = list(visits)
    after = order[1] if len(order) > 1 else None
    table = tabulate_stimulation(study, readings, flags, visits=tuple(visits.values()))
    factors = tabulate_factors(tables, settings, list(readings), after=after)
    error = error_of_page(tables, settings, list(records.values()))
    described = {
        "version": __version__,
        "settings": settings.to_dict(),
        "page_error": error,
        "measures": table.frame.to_csv(index=False),
        "factors": factors.frame.to_csv(index=False),
        "flags": [flag.to_dict() for flag in table.flags],
        "records": [records[pid]["fingerprint"] for pid in readings],
    }
    fingerprint = fingerprint_of(described)
    return StimulatedStudy(study_name(study), settings, table, factors, fingerprint, error)


def _affected_sides(study: StudyFolder, tables: StudyTables) -> dict[str, Side]:
    """Return the affected side of each patient: from participants.tsv, else as a person decided."""
    sides: dict[str, Side] = {}
    for row in tables["participants"].rows:
        pid, side = str(row["participant_id"]), row["affected_side"]
        if side not in SIDES:
            try:
                side = scan_choices(standing_decisions(study, pid), "").affected
            except InputError:
                side = None  # decisions that can not be read settle nothing; the run has said so
        if side in SIDES:
            sides[pid] = side  # type: ignore[assignment]  # one of the two sides, as just seen
    return sides


def _not_measured(record: Mapping[str, Any], visits: Mapping[str, str]) -> list[Flag]:
    """Return what the run had to refuse of the recordings that would be explained."""
    return [
        Flag(
            "not-measured",
            f"{failure['participant_id']}, {failure['session']}: {failure['reason']}",
            "caution",
            str(failure["participant_id"]),
        )
        for failure in record["failures"]
        if failure["measure"] == "tms" and failure["session"] in visits
    ]


def _nothing_usable(
    study: StudyFolder, records: Mapping[str, Mapping[str, Any]], visits: Mapping[str, str], flags: list[Flag]
) -> InputError:
    """Return the one sentence for a study without a usable recording."""
    there = sorted({session for record in records.values() for session in record["recordings"]})
    wanted = " or ".join(visits) or "any session"
    if flags:
        more = f" (and {len(flags) - 1} more of the kind)" if len(flags) > 1 else ""
        problem = f"no recording in {wanted} can be used{more}: {flags[0].message.rstrip('.')}"
        return InputError(study.root.name, problem, "correct that and run it again")
    if any(session in visits for session in there):
        problem = f"its recordings hold none of {', '.join(MEASURES)}"
        return InputError(study.root.name, problem, "see the page of a recording for what it does hold")
    if there:
        problem = f"no patient has a recording in {wanted}; recordings are in {', '.join(there)}"
        return InputError(study.root.name, problem, "name the sessions under [tms] in sudeck.toml")
    problem = f"no patient has a recording of magnetic stimulation in {wanted}"
    return InputError(
        study.root.name, problem, "put recordings in sourcedata or emg folders and run it again"
    )


def _group(stimulated: StimulatedStudy, refused: dict[str, str]) -> GroupStatistics | None:
    from sudeck.mechanism.change_models import no_answer
    from sudeck.mechanism.group_statistics import explain_group
    from sudeck.mechanism.healthy_reference import HealthyReference

    settings, factors = stimulated.settings, stimulated.factors.frame
    declared = declare(factors, settings.mechanism_covariates)
    refused |= declared.refused
    names = list(visit_names(settings.tms_sessions).values())
    relieved = bool(factors[OUTCOME].notna().any())
    try:
        group = explain_group(
            stimulated.table.used_for(GROUP),
            factors if relieved else factors.drop(columns=OUTCOME),
            outcome=OUTCOME,
            baseline=names[0],
            visit=names[1] if len(names) > 1 else _AFTER,
            covariates=declared.reference,
            reference={
                one.measure: HealthyReference(one.geometric_mean, one.log_sd, one.n)
                for one in settings.healthy
            },
            level=settings.level,
            alpha=stimulated.page_error,
            rng=_SEED,
        )
    except InputError as error:
        refused["group statistics"] = str(error)
        return None
    if relieved:
        return group
    text = (
        f"No patient with recordings has pain scores at {settings.baseline} and at {settings.end}, so "
        "nothing is associated with relief."
    )
    others = tuple(flag for flag in group.unanswered if flag.subject != "associations")
    return replace(group, unanswered=(*others, no_answer("associations", text)))
