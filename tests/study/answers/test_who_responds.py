"""Prediction on a study: the contract, agreement with the prediction room, one patient, what is missing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.published.relief_correlation import correlate
from sudeck.statistics.proportion import diagnostic_accuracy
from sudeck.study.answers.cohort_table import assemble_cohort
from sudeck.study.answers.study_prediction import StudyPrediction
from sudeck.study.answers.who_responds import is_predicted, predict_patient, predict_study, stored_prediction
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.records import record_file

BOOTSTRAPS = 40


@pytest.fixture(scope="module")
def predicted(measured_study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyPrediction]:
    root = shutil.copytree(measured_study, tmp_path_factory.mktemp("predicted") / "study")
    return root, predict_study(root, n_boot=BOOTSTRAPS)


def test_the_contract(predicted: tuple[Path, StudyPrediction]) -> None:
    content = json.loads((StudyFolder(predicted[0]).derivatives / "prediction.json").read_text())
    for name, cutoff in (("BPr/TPr", 1.125), ("BPr/VPr", 1.075), ("TPr/VPr", 0.935)):
        entry = content["published_rule"][name]
        assert entry["cutoff"] == cutoff
        for measure in ("sensitivity", "specificity"):
            assert 0 <= entry[measure]["low"] <= entry[measure]["value"] <= entry[measure]["high"] <= 1
    assert list(content["published_analysis"]) == ["VPr", "TPr", "BPr", "TPr/VPr", "BPr/TPr", "BPr/VPr"]
    for entry in content["published_analysis"].values():
        assert -1 <= entry["low"] <= entry["r"] <= entry["high"] <= 1
        assert 0 <= entry["p"] <= 1
        assert entry["n"] > 60
    c = content["model"]["c_statistic"]
    assert c["low"] <= c["corrected"] <= c["high"]
    assert c["corrected"] < c["apparent"]
    assert {"intercept", "log BPr/TPr", "log TPr/VPr"} <= set(content["model"]["coefficients"])
    assert {"calibration", "brier"} <= set(content["model"])
    assert len(content["patients"]) == 80
    for entry in content["patients"].values():
        assert 0 <= entry["low"] <= entry["probability"] <= entry["high"] <= 1


def test_numbers_are_those_of_the_table(predicted: tuple[Path, StudyPrediction]) -> None:
    _, result = predicted
    table = result.cohort.table
    ratio = table["BPr"] / table["TPr"]
    assert result.analysis is not None
    expected = correlate(ratio, table["relief_percent"])
    assert result.analysis.measures["BPr/TPr"].pearson.r.value == pytest.approx(expected.r.value, abs=1e-12)
    known = table["responder"].notna()
    above, responder = (ratio > 1.125)[known], (table["responder"] == 1)[known]
    counted = diagnostic_accuracy(
        *(
            int(np.sum(cell))
            for cell in (above & responder, above & ~responder, ~above & responder, ~above & ~responder)
        )
    )
    assert result.rule is not None
    assert result.rule.accuracy["BPr/TPr"] == counted


def test_a_second_prediction_says_the_same(
    predicted: tuple[Path, StudyPrediction], measured_study: Path, copy_of: Callable[..., Path]
) -> None:
    root = copy_of(measured_study)
    assert not is_predicted(root, n_boot=BOOTSTRAPS)
    predict_study(root, n_boot=BOOTSTRAPS)
    assert is_predicted(root, n_boot=BOOTSTRAPS)
    for name in ("prediction.json", "model.json", "cohort.tsv"):
        first, second = (StudyFolder(folder).derivatives / name for folder in (predicted[0], root))
        assert first.read_bytes() == second.read_bytes()
    pain = StudyFolder(root).table_file("pain")
    pain.write_text(re.sub(r"(\tday 5\t5\t)[\d.]+", r"\g<1>0.5", pain.read_text(), count=1))
    assert not is_predicted(root, n_boot=BOOTSTRAPS), "a corrected score changes the prediction"


def test_one_patient_and_what_it_rests_on(predicted: tuple[Path, StudyPrediction]) -> None:
    root, result = predicted
    one = predict_patient(root, "sub-010")
    assert one.prediction.prediction.value == result.patients["sub-010"].prediction.value
    assert one.without is not None
    assert one.without.prediction.value != one.prediction.prediction.value
    saved = predict_patient(root, "sub-010", model_file=StudyFolder(root).derivatives / "model.json")
    assert saved.prediction.prediction.value == pytest.approx(one.prediction.prediction.value, abs=1e-9)
    assert saved.without is None
    text = str(one)
    assert "fitted to all other patients" in text
    assert "log BPr/TPr" in text
    assert set(one.to_dict()) >= {"probability", "low", "high", "published_rule"}


def test_a_patient_who_can_not_be_predicted(measured_study: Path, copy_of: Callable[..., Path]) -> None:
    root = copy_of(measured_study)
    record_file(StudyFolder(root), "sub-005").unlink()
    with pytest.raises(InputError, match="no ratio of this patient is measured"):
        predict_patient(root, "sub-005")
    with pytest.raises(InputError, match="no such patient"):
        predict_patient(root, "sub-999")


def test_what_can_not_be_had_leaves_its_reason(measured_study: Path, copy_of: Callable[..., Path]) -> None:
    root = copy_of(measured_study)
    study = StudyFolder(root)
    study.settings_file.write_text(study.settings_file.read_text().replace('"limb"', '"crps_type", "weight"'))
    people = study.table_file("participants")
    lines = people.read_text().splitlines()
    kept = [
        lines[0],
        *("\t".join([*line.split("\t")[:4], "1", *line.split("\t")[5:]]) for line in lines[1:7]),
    ]
    people.write_text("\n".join(kept) + "\n")
    result = predict_study(root, n_boot=BOOTSTRAPS)
    assert "does not vary" in result.refused["covariate crps_type"]
    assert "no such column" in result.refused["covariate weight"]
    stored = stored_prediction(study)
    assert stored is not None
    assert set(stored["refused"]) == set(result.refused)
    assert result.cohort.flow.enrolled == 6


def test_nothing_measured_yet(pixel_study: Path) -> None:
    with pytest.raises(InputError, match="first: sudeck run"):
        predict_study(pixel_study)


def test_the_day_of_onset_gives_the_duration(measured_study: Path, copy_of: Callable[..., Path]) -> None:
    root = copy_of(measured_study)
    study = StudyFolder(root)
    people, sessions = study.table_file("participants"), study.table_file("sessions")
    header, first, *rest = people.read_text().splitlines()
    cells = dict(zip(header.split("\t"), first.split("\t"), strict=True))
    cells |= {"onset_date": "2020-01-01", "duration_months": "n/a"}
    people.write_text("\n".join([header, "\t".join(cells.values()), *rest]) + "\n")
    head, visit, *others = sessions.read_text().splitlines()
    dated = dict(zip(head.split("\t"), visit.split("\t"), strict=True)) | {"date": "2021-01-01"}
    sessions.write_text("\n".join([head, "\t".join(dated.values()), *others]) + "\n")
    table = assemble_cohort(study).table
    assert table["duration_months"][0] == pytest.approx(12.02, abs=0.01)
    assert table["onset_date"].isna().sum() == 79


def test_flow_adds_up(predicted: tuple[Path, StudyPrediction]) -> None:
    flow = predicted[1].cohort.flow
    assert flow.enrolled == flow.scanned == 80
    assert flow.analysed == flow.with_outcome < 80
    assert 0 < flow.responders < flow.analysed
