"""Circuits of a study: kept until their measures change, one failure stops nobody, any number of workers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from sudeck.core.errors import MissingDependencyError
from sudeck.core.storage import to_json
from sudeck.mechanism.circuit_fit.patient_data import gather_patient
from sudeck.study.answers.circuit_fits import (
    CircuitFits,
    FitFailure,
    FitTask,
    explanation_from,
    fit_circuits,
    fit_file,
    fit_task,
    hash_of_method,
    require_circuit,
)
from sudeck.study.answers.why import assemble_stimulation
from sudeck.study.folder.layout import StudyFolder
from support.stimulated import explained_by_hand, fit_by_hand, make_stimulated_study


def fit(study: StudyFolder, **options: Any) -> CircuitFits:
    measures = assemble_stimulation(study).circuit_measures()
    return fit_circuits(study, measures, level=0.95, **{"fit": fit_by_hand, **options})


def test_an_explanation_is_kept_whole() -> None:
    made = explained_by_hand("sub-001", ("pre", "post"), loss=0.6)
    assert explanation_from(json.loads(to_json(asdict(made)))) == made


def test_only_what_changed_is_fitted_again(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "study", patients=3)
    given: list[str] = []
    first = fit(study, progress=lambda progress: given.append(str(progress)))
    assert [one.patient for one in first.explanations] == ["sub-001", "sub-003"]
    assert [str(one) for one in first.failures] == ["sub-002: There is one too many; leave it out."]
    assert (first.fitted, first.unchanged) == (3, 0)
    assert given[-1] == "3 of 3 patients measured, about 0 s left"
    second = fit(study)
    assert (second.fitted, second.unchanged) == (1, 2)  # the one that failed is tried again
    assert second.explanations == first.explanations
    assert (
        fit_circuits(
            study, assemble_stimulation(study).circuit_measures(), level=0.9, fit=fit_by_hand
        ).unchanged
        == 0
    )


def test_another_method_under_the_same_version_fits_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_stimulated_study(tmp_path / "study", patients=1)
    fit(study)
    monkeypatch.setattr("sudeck.study.answers.circuit_fits._method", lambda: "another")
    assert fit(study).unchanged == 0


def test_the_method_is_its_circuits_its_network_and_its_code(tmp_path: Path) -> None:
    folder = tmp_path / "circuit_fit"
    (folder / "deeper").mkdir(parents=True)
    names = ("circuits.json", "network.npz", "annealing.py", "deeper/kinetics.py")
    for name in names:
        (folder / name).write_text("ROUNDS = 12")
    hashes = [hash_of_method([folder])]
    for name in names:
        (folder / name).write_text("ROUNDS = 30")
        hashes.append(hash_of_method([folder]))
    assert len(set(hashes)) == 5
    (folder / "annealing.pyc").write_text("compiled")
    assert hash_of_method([folder]) == hashes[-1]


def visits_of(task: FitTask) -> FitFailure:
    seen = gather_patient(task.measures, task.patient)
    return FitFailure(task.patient, f"{', '.join(seen.visits)}; from baseline: {seen.from_baseline}")


def test_visits_keep_the_order_of_the_study_whoever_comes_first(tmp_path: Path) -> None:
    def late(rows: list[dict[str, Any]], pid: str, session: str) -> list[dict[str, Any]]:
        return [] if (pid, session) == ("sub-001", "ses-pre") else rows

    study = make_stimulated_study(tmp_path / "study", patients=3, change=late)
    assert [str(one) for one in fit(study, fit=visits_of).failures] == [
        "sub-001: post; from baseline: False",
        "sub-002: pre, post; from baseline: True",
        "sub-003: pre, post; from baseline: True",
    ]


def test_a_half_written_or_foreign_fit_is_made_again(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "study", patients=1)
    first = fit(study)
    for content in ("", '{"fingerprint": "x", "explanation": {}}'):
        fit_file(study, "sub-001").write_text(content)
        assert fit(study).explanations == first.explanations
    kept = json.loads(fit_file(study, "sub-001").read_text())
    del kept["explanation"]["factors"]
    fit_file(study, "sub-001").write_text(json.dumps(kept))
    assert fit(study).fitted == 1


def test_workers_do_not_matter(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "study", patients=3)
    one = fit(study)
    for path in study.derivatives.glob("sub-*/*_circuit.json"):
        path.unlink()
    assert fit(study, jobs=2) == one


@pytest.fixture
def task(tmp_path: Path) -> FitTask:
    study = make_stimulated_study(tmp_path / "study", patients=1)
    return FitTask("sub-001", assemble_stimulation(study).circuit_measures(), 0.95, 1)


@pytest.mark.parametrize(
    "error",
    [ValueError("DUPONT Jehanne"), ZeroDivisionError(), MemoryError()],
    ids=lambda e: type(e).__name__,
)
def test_whatever_fails_is_the_failure_of_one_patient(
    task: FitTask, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("sudeck.mechanism.circuit_fit.patient_data.gather_patient", _raising(error))
    failure = fit_task(task)
    assert "DUPONT" not in str(failure)
    assert type(error).__name__ in str(failure)


def test_a_missing_library_concerns_everybody(task: FitTask, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = MissingDependencyError("The fast circuit", "circuit")
    monkeypatch.setattr("sudeck.mechanism.circuit_fit.patient_data.gather_patient", _raising(missing))
    with pytest.raises(MissingDependencyError):
        fit_task(task)
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingDependencyError, match=r"sudeck\[circuit\]"):
        require_circuit()


def _raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


def test_a_fit_of_the_circuit_itself_is_kept_whole(tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="needs the extra sudeck[circuit]")
    study = make_stimulated_study(tmp_path / "study", patients=1, sessions=("ses-pre",))
    first = fit(study, fit=fit_task)
    assert not first.failures
    explanation = first.explanations[0]
    assert explanation.visits == ("pre",)
    assert sum(one.probability for one in explanation.hypotheses) == pytest.approx(1)
    # Every measure of the table is held against the circuit: both hemispheres, each interval by itself.
    assert {point.measure for point in explanation.curves} == {"RMT", "MEP_1.2", "SICI_2", "SICI_3", "ICF_10"}
    again = fit(study, fit=fit_task)
    assert (again.fitted, again.unchanged) == (0, 1)
    assert again.explanations == first.explanations
