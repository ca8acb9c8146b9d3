"""A model written and read back is the same model; a damaged one is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import Cohort
from sudeck.prediction.patients import predict_patients
from sudeck.prediction.response_model import ResponseModel, fit_relief_model
from sudeck.prediction.saved_model import model_from_json, model_to_json, read_saved_model


def test_read_back_predicts_the_same_to_the_last_bit(complete_cohort: Cohort, model: ResponseModel) -> None:
    text = model_to_json(model, audit={"responder rule": "30 %"})
    again = model_from_json(text)
    assert [p.to_dict() for p in predict_patients(again, complete_cohort)] == [
        p.to_dict() for p in predict_patients(model, complete_cohort)
    ]
    assert again.to_dict() == model.to_dict()
    assert model_to_json(again, audit={"responder rule": "30 %"}) == text
    assert len(text) < 12_000


def test_a_relief_model_is_saved_too(complete_cohort: Cohort, model: ResponseModel) -> None:
    relief = fit_relief_model(complete_cohort, model.plan, rng=np.random.default_rng(0))
    assert model_from_json(model_to_json(relief)).to_dict() == relief.to_dict()


def test_holds_no_patient(complete_table: pd.DataFrame, model: ResponseModel) -> None:
    text = model_to_json(model)
    assert not any(pid in text for pid in complete_table["participant_id"])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"format": "other"}, "not a saved response model"),
        ({"format_version": 99}, "format version is 99"),
        ({"shift": 0.5}, "worked example"),
        ({"stretch": 1.5}, "worked example"),
        ({"covariance": [[1.0]]}, "incomplete or damaged"),
        ({"coefficients": []}, "incomplete or damaged"),
    ],
)
def test_refuses_a_changed_text(model: ResponseModel, change: dict[str, object], text: str) -> None:
    data = json.loads(model_to_json(model)) | change
    with pytest.raises(InputError, match=text):
        model_from_json(json.dumps(data), label="model.json")


def test_a_changed_number_anywhere_that_predicts_is_noticed(model: ResponseModel) -> None:
    for key in ("mean", "true_covariance", "mean_error"):
        data = json.loads(model_to_json(model))
        numbers = np.array(data["predictors"][key])
        data["predictors"][key] = (numbers * 1.01).tolist()
        with pytest.raises(InputError, match="worked example"):
            model_from_json(json.dumps(data))


def test_predictors_that_are_not_those_of_the_plan_are_refused(model: ResponseModel) -> None:
    data = json.loads(model_to_json(model))
    data["plan"]["covariates"].append({"column": "age", "transform": "none", "levels": []})
    with pytest.raises(InputError, match="not those of the plan"):
        model_from_json(json.dumps(data))


def test_a_damaged_audit_is_refused(model: ResponseModel, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(model_to_json(model, audit={"validation": {"c_statistic": {"corrected": 0.7}}}))
    with pytest.raises(InputError, match=r"model\.json: its audit is incomplete or damaged"):
        read_saved_model(path)


@given(st.data())
def test_any_text_is_read_or_refused(data: st.DataObject) -> None:
    text = data.draw(st.one_of(st.text(max_size=50), st.just('{"format": "sudeck response model"}')))
    with pytest.raises(InputError, match="model"):
        model_from_json(text)


@given(st.sampled_from(["plan", "coefficients", "covariance", "predictors", "n", "flags", "worked_example"]))
def test_a_missing_part_is_refused(part: str) -> None:
    stored = json.loads(_TEXT[0])
    del stored[part]
    with pytest.raises(InputError, match="incomplete"):
        model_from_json(json.dumps(stored))


_TEXT: list[str] = []


@pytest.fixture(autouse=True)
def _keep_text(model: ResponseModel) -> None:
    if not _TEXT:
        _TEXT.append(model_to_json(model))
