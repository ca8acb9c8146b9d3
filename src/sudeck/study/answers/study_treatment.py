"""`sudeck ketamine`: what each patient was given, what exposure that was, what was on board when."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.provenance import SOFTWARE, __version__, fingerprint_of
from sudeck.core.record import Record
from sudeck.core.storage import write_json, write_tsv
from sudeck.ketamine.exposure import CourseCurve, Exposure, course_curve, measure_exposure
from sudeck.ketamine.given import GivenDose, Moment
from sudeck.ketamine.on_board import OnBoard, on_board
from sudeck.ketamine.record_checks import UNDER_DRUG_H, RecordFinding, check_record, on_drug
from sudeck.ketamine.regimen import days_left_out
from sudeck.ketamine.yardsticks import Yardstick, backdrop, yardsticks
from sudeck.study.answers.cohort_table import study_name
from sudeck.study.answers.treatment.plasma_samples import PlasmaSample, plasma_samples
from sudeck.study.answers.treatment.safety_record import SafetyRecord, record_of_safety
from sudeck.study.answers.treatment.treatment_flags import flags_at_recording
from sudeck.study.answers.treatment.treatment_given import PatientTreatment, patient_treatments
from sudeck.study.answers.treatment.treatment_words import treatment_words
from sudeck.study.folder.given_doses import body_weights, given_doses, recorded_moments, scored_moments
from sudeck.study.folder.layout import open_study
from sudeck.study.folder.settings import Settings, read_settings
from sudeck.study.folder.tables import StudyTables, read_tables
from sudeck.study.measuring.engine import Died, Progress, spread

if TYPE_CHECKING:
    from pathlib import Path

TREATMENT_FILE: Final = "ketamine.json"
TREATMENT_TABLE: Final = "ketamine.tsv"
_SEED: Final = 2018
_RECENT_H: Final = 168.0
_MOST_DAYS: Final = 10

_COLUMNS: Final = {
    "participant_id": "The patient",
    "regimen": "Drug, days and hours a day",
    "drug": "Form of ketamine given into a vein",
    "weight_kg": "Body weight, in kg",
    "total_mg": "Cumulative dose, in mg of base",
    "mg_per_kg": "The same per kg of body weight",
    "hours": "Hours of infusion",
    "courses": "Courses, with more than a week between them",
    "auc": "Area under the curve of ketamine, typical person of the chosen model, in mg h/L",
    "auc_low": "Lower end of its interval over people and models",
    "auc_high": "Upper end",
    "cmax": "Highest concentration, in ng/ml",
    "cmax_low": "Lower end of its interval",
    "cmax_high": "Upper end",
    "hours_above": "Hours above the level of sudeck.toml",
    "norketamine_auc": "Area under the curve of norketamine, in mg h/L",
    "norketamine_cmax": "Highest concentration of norketamine, in ng/ml",
    "norketamine_hours_above": "Hours of norketamine above the level of sudeck.toml",
    "reason": "Why exposure is not worked out",
}


@dataclass(frozen=True, slots=True)
class AtMoment(Record):
    """What one patient has on board at a recording or a pain score.

    Attributes
    ----------
    name : str
        Session or visit.
    kind : str
        ``recording`` or ``pain``.
    day : int
    clock_h : float or None
        Hours since midnight; None where not recorded, and 09:00 stands for it.
    score : float or None
        Of pain.
    board : tuple of OnBoard
    """

    name: str
    kind: str
    day: int
    clock_h: float | None
    score: float | None
    board: tuple[OnBoard, ...]


@dataclass(frozen=True, slots=True)
class PatientCourse:
    """The treatment of one patient.

    Attributes
    ----------
    treatment : PatientTreatment
        Everything given.
    regimen : str
        Its kind, in words; empty without ketamine.
    exposure : Exposure or None
    curve : CourseCurve or None
        For drawing.
    reason : str
        Why there is no exposure.
    moments : tuple of AtMoment
        Recordings and pain scores, in order of time.
    samples : tuple of PlasmaSample
        What was measured in plasma.
    """

    treatment: PatientTreatment
    regimen: str
    exposure: Exposure | None
    curve: CourseCurve | None
    reason: str
    moments: tuple[AtMoment, ...]
    samples: tuple[PlasmaSample, ...] = ()

    @property
    def patient(self) -> str:
        """The patient."""
        return self.treatment.patient

    def row(self) -> dict[str, Any]:
        """Return the row of ketamine.tsv."""
        given, found = self.treatment.regimen, self.exposure
        row: dict[str, Any] = dict.fromkeys(_COLUMNS)
        row |= {"participant_id": self.patient, "regimen": self.regimen or None}
        row |= {"weight_kg": self.treatment.weight_kg, "reason": self.reason or None}
        if given is not None:
            row |= {"drug": given.drug, "total_mg": given.total_mg, "mg_per_kg": self.treatment.mg_per_kg}
            row |= {"hours": given.hours, "courses": given.courses}
        if found is not None:
            row |= {"auc": found.area.value, "auc_low": found.area.low, "auc_high": found.area.high}
            row |= {"cmax": found.peak.value, "cmax_low": found.peak.low, "cmax_high": found.peak.high}
            row |= {"hours_above": found.hours_above.value}
            row |= {"norketamine_auc": found.norketamine_area.value}
            row |= {"norketamine_cmax": found.norketamine_peak.value}
            row |= {"norketamine_hours_above": found.norketamine_hours_above.value}
        return row

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        exposure = None if self.exposure is None else self.exposure.to_dict()
        return {
            **self.row(),
            "exposure": exposure,
            "moments": [one.to_dict() for one in self.moments],
            "samples": [one.to_dict() for one in self.samples],
        }


@dataclass(frozen=True)
class StudyTreatment:
    """Everything `sudeck ketamine` says about a study.

    Attributes
    ----------
    name : str
    settings : Settings
    given : str
        What was given, in one sentence; empty where nothing is recorded.
    courses : tuple of PatientCourse
        Patients of participants.tsv, in order.
    yardsticks : tuple of Yardstick
    backdrop : tuple of CourseCurve
        Their curves at 70 kg, hours since the first dose.
    safety : SafetyRecord
    findings : tuple of RecordFinding
        Where the record contradicts itself.
    flags : tuple of Flag
    fingerprint : str
    """

    name: str
    settings: Settings
    given: str
    courses: tuple[PatientCourse, ...]
    yardsticks: tuple[Yardstick, ...]
    backdrop: tuple[CourseCurve, ...]
    safety: SafetyRecord
    findings: tuple[RecordFinding, ...]
    flags: tuple[Flag, ...]
    fingerprint: str

    @property
    def exposed(self) -> tuple[PatientCourse, ...]:
        """Patients whose exposure is worked out."""
        return tuple(one for one in self.courses if one.exposure is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return the contract of ``ketamine.json``; see docs/ketamine.md."""
        return {
            "software": SOFTWARE,
            "fingerprint": self.fingerprint,
            "study": self.name,
            "settings": self.settings.to_dict()["ketamine"],
            "given": self.given,
            "patients": [one.to_dict() for one in self.courses],
            "yardsticks": [one.to_dict() for one in self.yardsticks],
            "safety": self.safety.to_dict(),
            "findings": [
                {"patient": one.patient, "code": one.code, "table": one.table, "line": one.line}
                | {"message": one.message, "serious": one.serious}
                for one in self.findings
            ],
            "flags": [flag.to_dict() for flag in self.flags],
        }


@dataclass(frozen=True, slots=True)
class _Task:
    treatment: PatientTreatment
    settings: Settings
    seed: int


def describe_treatment(
    root: Path, *, jobs: int | None = None, progress: Callable[[Progress], None] | None = None
) -> StudyTreatment:
    """Say what the patients of a study were given, and write ketamine.json and ketamine.tsv.

    Parameters
    ----------
    root : Path
        The study folder; it need not have been run.
    jobs : int, optional
        Worker processes; one for each core unless given.
    progress : callable, optional
        Told after every patient.

    Raises
    ------
    InputError
        If the settings or a table can not be read, or nobody is listed.
    """
    study = open_study(root)
    settings, tables = read_settings(study), read_tables(study)
    people = sorted(
        {str(row["participant_id"]) for row in tables["participants"].rows if row["participant_id"]}
    )
    if not people:
        raise InputError(study.root.name, "participants.tsv lists no patient", "fill it in")
    treatments = patient_treatments(tables, people, session=None, model=settings.ketamine_model)
    found = _exposures(treatments, settings, jobs, progress)
    moments = _moments(tables)
    samples = plasma_samples(tables)
    courses = tuple(
        _course(one, found.get(one.patient), moments.get(one.patient, ()), samples.get(one.patient, ()))
        for one in treatments
    )
    sessions = settings.tms_sessions
    after = patient_treatments(tables, people, session=sessions[1]) if len(sessions) > 1 else ()
    described = StudyTreatment(
        name=study_name(study),
        settings=settings,
        given=treatment_words(tables, people, model=settings.ketamine_model),
        courses=courses,
        yardsticks=yardsticks(),
        backdrop=backdrop(),
        safety=record_of_safety(
            tables, settings, {c.patient: c.treatment.dosed for c in courses if c.regimen}
        ),
        findings=check_record(given_doses(tables), body_weights(tables), recorded_moments(tables)),
        flags=(
            *flags_at_recording([one for one in after if one.session], settings.mechanism_covariates),
            *_pain_under_drug(courses, (settings.end, settings.responder.visit)),
            *_days_left_out(given_doses(tables)),
        ),
        fingerprint=_fingerprint(tables, settings),
    )
    write_json(study.derivatives / TREATMENT_FILE, described.to_dict())
    write_tsv(study.derivatives / TREATMENT_TABLE, [one.row() for one in courses], columns=_COLUMNS)
    return described


def _expose(task: _Task) -> tuple[Exposure, CourseCurve]:
    regimen, weight = task.treatment.regimen, task.treatment.weight_kg
    assert regimen is not None
    assert weight is not None
    settings = task.settings
    exposure = measure_exposure(
        regimen,
        weight,
        model=settings.ketamine_model,
        above_ng_per_ml=settings.ketamine_level_ng_per_ml,
        rng=task.seed,
    )
    return exposure, course_curve(regimen, weight, model=settings.ketamine_model, rng=task.seed)


def _exposures(
    treatments: Sequence[PatientTreatment],
    settings: Settings,
    jobs: int | None,
    progress: Callable[[Progress], None] | None,
) -> dict[str, tuple[Exposure, CourseCurve]]:
    tasks = [
        _Task(one, settings, _SEED + number)
        for number, one in enumerate(treatments)
        if one.regimen is not None and one.weight_kg is not None
    ]
    found: dict[str, tuple[Exposure, CourseCurve]] = {}
    start = time.monotonic()
    for done, (place, result) in enumerate(spread(_expose, tasks, jobs=jobs), 1):
        if not isinstance(result, Died):
            found[tasks[place].treatment.patient] = result
        if progress is not None:
            left = (time.monotonic() - start) / done * (len(tasks) - done)
            progress(Progress(done, len(tasks), 0, left))
    return found


def _course(
    given: PatientTreatment,
    found: tuple[Exposure, CourseCurve] | None,
    moments: Sequence[tuple[Moment, str, float | None]],
    samples: Sequence[PlasmaSample],
) -> PatientCourse:
    reason = given.reason or ("" if given.weight_kg else "the weight is not known")
    at = []
    for moment, kind, score in moments:
        before = tuple(dose for dose in given.doses if dose.day <= moment.day)
        board = on_board(before, moment, given.weight_kg, model=given.model)
        if kind == "pain":  # weeks later nothing is left worth a line
            board = tuple(one for one in board if one.since_h < _RECENT_H)
        at.append(AtMoment(moment.name, kind, moment.day, moment.clock_h, score, board))
    exposure, curve = found or (None, None)
    return PatientCourse(given, given.kind, exposure, curve, reason, tuple(at), tuple(samples))


def _moments(tables: StudyTables) -> Mapping[str, list[tuple[Moment, str, float | None]]]:
    """Return sessions and pain scores of each patient, in order of time."""
    found: dict[str, list[tuple[Moment, str, float | None]]] = defaultdict(list)
    for one in recorded_moments(tables):
        found[one.patient].append((one, "recording", None))
    for one, score in scored_moments(tables):
        found[one.patient].append((one, "pain", score))
    for own in found.values():
        own.sort(key=lambda each: (each[0].day, each[0].clock_h or 0.0))
    return found


def _pain_under_drug(courses: Sequence[PatientCourse], visits: Sequence[str]) -> list[Flag]:
    """Flag pain scores that decide and were asked under ketamine, or may have been."""
    flags = []
    for visit in dict.fromkeys(visits):
        asked = under = 0
        for one in courses:
            scored = [each for each in one.moments if each.kind == "pain" and each.name == visit]
            given = [dose for dose in one.treatment.doses if dose.is_ketamine and dose.dose_mg != 0]
            asked += bool(scored)
            under += any(
                on_drug(dose, Moment(one.patient, visit, each.day, each.clock_h))
                for each in scored
                for dose in given
            )
        if under:
            text = (
                f"Pain at {visit} was asked under ketamine or less than {UNDER_DRUG_H:.0f} h after it, or on "
                f"a day of it at times not known, in {under} of {asked} patients: relief under the drug can "
                "not be told from relief that lasts."
            )
            flags.append(Flag("pain-on-infusion-day", text, "caution", visit, float(under)))
    return flags


def _days_left_out(doses: Sequence[GivenDose]) -> list[Flag]:
    """Ask for days within a course that have no row, where nearly all patients have one."""
    asked = days_left_out(doses)
    if not asked:
        return []
    listed = ", ".join(f"{patient} day {day}" for patient, day in asked[:_MOST_DAYS])
    more = f" and {len(asked) - _MOST_DAYS} more" if len(asked) > _MOST_DAYS else ""
    text = (
        f"No row for a day within the course on which nearly all patients have ketamine: {listed}{more}. It "
        "counts as a gap; a row of 0 mg says that none was given."
    )
    return [Flag("days-left-out", text, "info", value=float(len(asked)))]


def _fingerprint(tables: StudyTables, settings: Settings) -> str:
    names = ("participants", "sessions", "pain", "treatment", "adverse_effects", "labs", "vitals")
    described = {
        "version": __version__,
        "settings": settings.to_dict(),
        **{name: tables[name].frame().to_csv(index=False) for name in names},
    }
    return fingerprint_of(described)
