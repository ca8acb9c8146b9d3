"""One patient typed by hand: the rule, the model, where it comes from, and what is outside its range."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.calculator import calculate
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.patients import predict_patients
from sudeck.prediction.response_model import ResponseModel
from sudeck.prediction.saved_model import model_to_json, read_saved_model

RATIOS = {"VPr": 1.20, "TPr": 1.12, "BPr": 1.31}


def test_the_rule_needs_no_model() -> None:
    said = calculate(RATIOS)
    assert said.verdict.values["BPr/TPr"] == pytest.approx(1.31 / 1.12)
    assert said.verdict.criteria_met == 2
    assert "No model was given" in str(said)


def test_a_saved_model_gives_its_probability_and_its_origin(tmp_path: Path, model: ResponseModel) -> None:
    path = tmp_path / "model.json"
    audit = {"study": "A centre", "fitted_on": "2026-01-02", "patients_needed": 373}
    path.write_text(model_to_json(model, audit=audit), encoding="utf-8")
    said = calculate(RATIOS, {"duration_months": 9.0, "limb": "hand"}, model=read_saved_model(path))
    row = pd.DataFrame([{"participant_id": "x", **RATIOS, "duration_months": 9.0, "limb": "hand"}])
    assert said.prediction is not None
    expected = predict_patients(model, read_cohort(row))[0].prediction
    assert said.prediction.prediction.value == pytest.approx(expected.value, rel=1e-9)
    text = str(said)
    for words in ("Model of A centre, fitted on 2026-01-02", "373 patients", "Not supported for decisions"):
        assert words in text
    strange = calculate({**RATIOS, "BPr": 9.0}, {"limb": "hand"}, model=read_saved_model(path))
    assert strange.prediction is not None
    assert "log duration_months" in strange.prediction.missing
    assert any("log BPr/TPr" in flag.message for flag in strange.prediction.flags)


def test_refuses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="BPr is missing"):
        calculate({"VPr": 1.0, "TPr": 1.0})
    with pytest.raises(InputError, match="no ratio"):
        calculate({**RATIOS, "BPr": 0.0})
    with pytest.raises(InputError, match="there is no such file"):
        read_saved_model(tmp_path / "none.json")
