"""What `fuzz.py` damages beside raw data: files that Sudeck wrote itself and reads back, of small studies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from random_studies import known_study
from sudeck.core.storage import parse_json, read_limited
from sudeck.prediction.calculator import calculate
from sudeck.prediction.saved_model import read_saved_model
from sudeck.report.tms.people import measure_people
from sudeck.study.answers.cohort_table import assemble_cohort
from sudeck.study.answers.elsewhere.another_study import validate_study
from sudeck.study.answers.elsewhere.centres import pool_centres, share_study
from sudeck.study.answers.elsewhere.rounds import answer_question, first_question, next_round, read_question
from sudeck.study.answers.who_responds import MODEL_FILE, predict_study
from sudeck.study.answers.why import explain_study
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder, open_study
from sudeck.study.folder.pseudonyms import Key, read_key, write_key
from sudeck.study.measuring.records import record_file
from sudeck.study.measuring.run import run_study
from sudeck.tms.comparison import compare_results
from sudeck.tms.measurement import TmsSettings
from sudeck.tms.saved import read_saved
from sudeck.tms.thresholds.session import ThresholdSession

Target = Callable[[Path], object]
_PATIENTS = 40
_AMPLITUDES = "amplitude_mv,isi_ms,hemisphere,muscle\n" + "".join(
    f"{1 + 0.1 * i},n/a,right,FDI\n{0.4 + 0.1 * i},2.5,right,FDI\n" for i in range(8)
)


def _study(place: Path, name: str, *, seed: int = 1) -> Path:
    """Return a study of typed ratios, beside the folder of the seed; made once."""
    root = place.parent / "studies" / name
    if not root.exists():
        create_study(root)
        known_study(root, np.random.default_rng(seed), patients=_PATIENTS)
    return root


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _model(place: Path) -> tuple[Path, Target]:
    home, there = _study(place, "home-of-model"), _study(place, "there", seed=2)
    # Enough patients that there is a model; those of the study it is tried on may be few.
    known_study(home, np.random.default_rng(3), patients=300)
    predict_study(home, n_boot=10)

    def read(path: Path) -> object:
        model = read_saved_model(path)
        covariates: dict[str, float | str] = {"duration_months": 9.0, "limb": "hand"}
        said = calculate({"VPr": 1.2, "TPr": 1.1, "BPr": 1.3}, covariates, model=model)
        return str(said), str(validate_study(there, path))

    kept = (open_study(home).derivatives / MODEL_FILE).read_text(encoding="utf-8")
    return _written(place / "model.json", kept), read


def _key(place: Path) -> tuple[Path, Target]:
    path = place / "a.key.json"
    write_key(path, Key(bytes(range(32))).with_patients(["77", "78"]))
    return path, read_key


def _summary(place: Path) -> tuple[Path, Target]:
    other = share_study(_study(place, "there", seed=2))[1]
    _, path = share_study(_study(place, "here"), path=place / "centre_summary.json")

    def read(path: Path) -> object:
        return str(pool_centres([path, other])), str(first_question([path, other]))

    return path, read


def _asked(place: Path) -> tuple[Path, list[Path], Path]:
    """Return a question, the two studies it asks, and where it lies."""
    studies = [_study(place, "here"), _study(place, "there", seed=2)]
    question = first_question([share_study(root)[1] for root in studies])
    path = _written(place / "question.json", json.dumps(question.to_dict(), indent=1))
    return path, studies, place.parent / "studies"


def _question(place: Path) -> tuple[Path, Target]:
    path, studies, scratch = _asked(place)

    def read(path: Path) -> object:
        return answer_question(studies[0], path, scratch / "said.json")

    return path, read


def _answer(place: Path) -> tuple[Path, Target]:
    asked, studies, scratch = _asked(place)
    question, other, path = read_question(asked), scratch / "answer_there.json", place / "answer_here.json"
    answer_question(studies[1], asked, other)
    answer_question(studies[0], asked, path)
    return path, lambda path: str(next_round(question, [path, other]))


def _measured(place: Path) -> StudyFolder:
    """Return a study of four measured patients; made once."""
    root = place.parent / "studies" / "measured"
    if not root.exists():
        create_study(root)
        known_study(root, np.random.default_rng(4), patients=4)
        study = StudyFolder(root)
        for patient in study.patients() or [f"sub-{i:03d}" for i in range(1, 5)]:
            for session in ("ses-pre", "ses-post"):
                folder = study.tms_folder(patient, session)
                folder.mkdir(parents=True)
                _written(folder / "left_a.csv", _AMPLITUDES)
        run_study(root, jobs=1)
    return StudyFolder(root)


def _record(place: Path) -> tuple[Path, Target]:
    study = _measured(place)
    kept = record_file(study, "sub-001")

    def read(path: Path) -> object:
        kept.write_bytes(read_limited(path, subject=path.name))
        return str(assemble_cohort(study)), str(explain_study(study.root, circuit=False))

    return _written(place / "sub-001.json", kept.read_text(encoding="utf-8")), read


def _saved(place: Path, name: str) -> tuple[Path, Target]:
    made = place.parent / "studies" / "saved"
    if not made.exists():
        recording = _written(place.parent / "studies" / "left_a.csv", _AMPLITUDES)
        measure_people([recording], settings=TmsSettings(), out=made)
    for kept in ("tms.json", "trials.tsv"):
        _written(place / kept, (made / kept).read_text(encoding="utf-8"))

    def read(path: Path) -> object:
        after = read_saved(path.parent)
        return str(compare_results(read_saved(made).estimates, after.estimates))

    return place / name, read


def _session(place: Path) -> tuple[Path, Target]:
    going = ThresholdSession()
    for said in ("1", "0", "1", "0.03"):
        going.respond(said)

    def read(path: Path) -> object:
        content = parse_json(read_limited(path, subject=path.name), subject=path.name)
        again = ThresholdSession.resumed(content if isinstance(content, dict) else {})
        return str(again.advice), again.conclusion()

    return _written(place / "session.json", json.dumps(going.to_dict())), read


ANSWERS: dict[str, Callable[[Path], tuple[Path, Target]]] = {
    "model": _model,
    "key": _key,
    "centre-summary": _summary,
    "round-question": _question,
    "round-answer": _answer,
    "patient-record": _record,
    "saved-tms": lambda place: _saved(place, "tms.json"),
    "saved-trials": lambda place: _saved(place, "trials.tsv"),
    "threshold-session": _session,
}
