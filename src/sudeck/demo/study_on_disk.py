"""A full synthetic study on disk: tables, scans as DICOM, magnetic stimulation, two or three odd files.

The truth lies beside the study folder, in ``<name>-truth``, where no analysis looks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.storage import write_bytes, write_json, write_text
from sudeck.core.vocabulary import SIDES, Side
from sudeck.study.folder.bids import keep_to_bids
from sudeck.study.folder.create import create_study
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import record_decision, standing_decisions
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import TABLES
from sudeck.study.measuring.engine import Died, spread
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.emg.emg_files import write_recording
from sudeck.synthetic.scan.bone_scan import SyntheticBoneScan, simulate_bone_scan
from sudeck.synthetic.study.safety_plan import safety_rows
from sudeck.synthetic.study.study_plan import (
    VISITS,
    PlannedPatient,
    SyntheticStudy,
    keeps_amplitudes,
    plan_study,
    recording_of,
    scan_of,
    trials_of,
    true_measures,
)
from sudeck.synthetic.study.treatment_plan import recording_time, treatment_rows
from sudeck.synthetic.study.worlds import World

SEED: Final = 2018
_KEPT_SHARE: Final = 0.6  # of a file that was cut short
_SESSION_DAYS: Final = {"pre": 0, "post": 6}
_NOTE: Final = "Scan repeated because of movement.\n"


@dataclass(frozen=True, slots=True)
class _Task:
    study: StudyFolder
    truth: Path
    patient: PlannedPatient
    seed: int


def make_demo_study(
    root: Path,
    *,
    patients: int = 105,
    seed: int = SEED,
    jobs: int | None = None,
    world: World | None = None,
) -> StudyFolder:
    """Write a synthetic study of scanned patients, some with magnetic stimulation before and after treatment.

    The same numbers give the same files, whatever `jobs`. A folder that holds this very study already is
    left as it is.

    Parameters
    ----------
    root : Path
        Where to; the truth goes to ``<root>-truth`` beside it.
    patients : int
        105, of whom 19 with magnetic stimulation, as in the publications, unless given.
    seed : int
    jobs : int, optional
        Worker processes; as many as there are cores unless given.
    world : World, optional
        Of another truth than the publications', see `plan_study`.

    Raises
    ------
    InputError
        If the folder holds anything else: nothing of yours is overwritten; or if a patient could not be
        written.
    """
    truth = truth_folder(root)
    mark = truth / "truth.json"
    asked: dict[str, object] = {"patients": patients, "seed": seed}
    if world is not None:
        asked["world"] = world.name
    found = json.loads(mark.read_text(encoding="utf-8")) if mark.is_file() else None
    if found is None:
        if truth.exists() and any(truth.iterdir()):
            raise InputError(truth.name, "it holds something else", "choose another folder")
        study = create_study(root, name="Synthetic study").study
        write_json(mark, {"asked": asked, "complete": False})
    elif found["asked"] != asked:
        raise InputError(root.name, "it holds another synthetic study", "choose another folder")
    elif found["complete"]:
        return StudyFolder(root)
    else:
        study = StudyFolder(root)
    plan = plan_study(patients=patients, seed=seed, world=world)
    write_study_tables(study, plan)
    tasks = [_Task(study, truth, patient, seed) for patient in plan.patients]
    for index, done in spread(_write_patient, tasks, jobs=jobs):
        if isinstance(done, Died):
            patient_id = plan.patients[index].participant_id
            raise InputError(patient_id, "the process that wrote its files ended early", "begin again")
    write_json(truth / "treatment.json", _true_exposures(study, seed))
    write_json(mark, {"asked": asked, "complete": True, **plan.to_dict()})
    return study


def truth_folder(root: Path) -> Path:
    """Return where the truth of a synthetic study lies."""
    return root.with_name(f"{root.name}-truth")


def _write_patient(task: _Task) -> None:
    patient = task.patient
    pid = patient.participant_id
    scan = scan_of(patient, seed=task.seed)
    folder = task.study.scan_folder(pid, "ses-pre")
    files = write_bone_scan(scan, folder, dialect=patient.dialect, patient_name=pid, patient_id=pid)
    if patient.oddity == "damaged scan":
        _cut_short(files)
    elif patient.oddity == "damaged bone phase":
        _cut_short(files[-1:])
    elif patient.oddity == "stray files":
        write_bytes(folder / "04_delayed_copy.dcm", files[-1].read_bytes())
        write_text(folder / "note.txt", _NOTE)
    elif patient.oddity == "sides not said" and not standing_decisions(task.study, pid):
        record_decision(task.study, _decision(pid, scan.design.image_left))
    truth = {"uptake_ratios": scan.truth.uptake_ratios(), "image_ratios": _image_ratios(scan)}
    write_json(task.truth / f"{pid}_scan.json", {"design": scan.design.to_dict(), **truth})
    if patient.stimulated:
        _write_stimulation(task)


def _image_ratios(scan: SyntheticBoneScan) -> dict[str, float]:
    """Return what the images show of the limbs: the spot of an injection is no part of them."""
    if scan.design.injection_site is None:
        return scan.truth.image_ratios()
    bare = replace(scan.design, injection_site=None)
    return simulate_bone_scan(bare, rng=np.random.default_rng(0)).truth.image_ratios()


def _write_stimulation(task: _Task) -> None:
    patient, pid = task.patient, task.patient.participant_id
    for visit in VISITS:
        stem = f"{pid}_ses-{visit}"
        folder = task.study.tms_folder(pid, f"ses-{visit}")
        if keeps_amplitudes(patient):
            rows = trials_of(patient, visit, seed=task.seed)
            write_text(folder / f"{stem}_trials.tsv", _tsv(rows, tuple(rows[0])))
            continue
        for side in SIDES:
            write_recording(
                recording_of(patient, visit, side, seed=task.seed), folder, stem=f"{stem}_task-tms{side}"
            )
    truth = {visit: true_measures(patient, visit, seed=task.seed) for visit in VISITS}
    write_json(task.truth / f"{pid}_tms.json", truth)


def _true_exposures(study: StudyFolder, seed: int) -> dict[str, dict[str, float]]:
    """Return what each patient was truly exposed to: each is a person drawn from the default model.

    Parameters
    ----------
    study : StudyFolder
        With its tables.
    seed : int
    """
    from sudeck.ketamine.pk_models import DEFAULT, draw_people, pk_model
    from sudeck.ketamine.solve import solve_course
    from sudeck.study.answers.treatment.treatment_given import patient_treatments
    from sudeck.study.folder.given_doses import body_weights
    from sudeck.study.folder.tables import read_tables

    tables = read_tables(study)
    model, found = pk_model(DEFAULT), {}
    patients = sorted(body_weights(tables))
    for number, one in enumerate(patient_treatments(tables, patients, session=None)):
        if one.regimen is None or one.weight_kg is None:
            continue
        person = draw_people(model, 1, np.random.default_rng([seed, 7, number]))
        course = solve_course(model.system(one.weight_kg, person), one.regimen, [one.regimen.end_h + 500.0])
        found[one.patient] = {
            "total_mg": one.regimen.total_mg,
            "auc_mg_h_per_l": float(course.area[0, 0, -1]),
            **{f"factor_{name}": float(values[0]) for name, values in person.items()},
        }
    return found


def _decision(participant_id: str, image_left: Side) -> Decision:
    return Decision(
        participant_id,
        "image-left",
        image_left,
        who="demo",
        why="a lead marker lay on the right hand of the camera table",
        session="ses-pre",
        when="2020-01-06T12:00:00+00:00",
    )


def _cut_short(files: Iterable[Path]) -> None:
    for path in files:
        data = path.read_bytes()
        write_bytes(path, data[: int(_KEPT_SHARE * len(data))])


def write_study_tables(study: StudyFolder, plan: SyntheticStudy) -> None:
    """Write participants, sessions, pain, treatment and what was recorded of safety, of a planned study."""
    people = plan.cohort.participants.to_dict("records")
    weight = np.random.default_rng([plan.seed, 4]).normal(72.0, 13.0, len(people)).clip(45.0, 120.0).round()
    participants = [
        {**person, "weight_kg": float(kilos)} for person, kilos in zip(people, weight, strict=True)
    ]
    sessions = [
        {
            "participant_id": patient.participant_id,
            "session_id": f"ses-{visit}",
            "day": _SESSION_DAYS[visit],
            "time": recording_time(patient.number, seed=plan.seed),
        }
        for patient in plan.patients
        for visit in (VISITS if patient.stimulated else VISITS[:1])
    ]
    treatment = treatment_rows(
        [(str(person["participant_id"]), float(person["weight_kg"])) for person in participants],
        seed=plan.seed,
    )
    tables: Mapping[str, list[dict[Any, Any]]] = {
        "participants": participants,
        "sessions": sessions,
        "pain": plan.cohort.pain.to_dict("records"),
        "treatment": treatment,
        **safety_rows([str(person["participant_id"]) for person in participants], seed=plan.seed),
    }
    for name, rows in tables.items():
        write_text(study.table_file(name), _tsv(rows, TABLES[name].columns))
    keep_to_bids(study, [person["participant_id"] for person in participants])


def _tsv(rows: Iterable[Mapping[Any, object]], columns: tuple[str, ...]) -> str:
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell(row.get(column)) for column in columns) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "n/a"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
