"""The offline page of one patient: nothing outside itself, and the same numbers as the command."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sudeck.prediction.calculator import calculate
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.model_data import plan_model
from sudeck.prediction.response_model import ResponseModel, fit_response_model
from sudeck.prediction.saved_model import ModelOrigin
from sudeck.report.study.calculator_page import calculator_page
from sudeck.synthetic.study.synthetic_cohort import CohortSettings, draw_cohort

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
PATIENTS = (
    {"VPr": 1.2, "TPr": 1.12, "BPr": 1.31, "duration_months": 9.0, "limb": "hand"},
    {"VPr": 0.8, "TPr": 1.4, "BPr": 0.9, "duration_months": 50.0},
    {"VPr": 3.0, "TPr": 0.9, "BPr": 2.5},
)


@pytest.fixture(scope="module")
def model() -> ResponseModel:
    settings = CohortSettings(missing={}, measurement_sd={"VPr": 0.08, "TPr": 0.055, "BPr": 0.055})
    table = draw_cohort(settings, rng=np.random.default_rng(5)).table
    plan = plan_model(read_cohort(table), ["log duration_months", "limb"])
    return fit_response_model(read_cohort(table), plan, rng=np.random.default_rng(0))


def test_one_file_that_says_where_it_comes_from(model: ResponseModel) -> None:
    page = calculator_page(model, ModelOrigin.of(model, study="A <b> centre"))
    assert "http" not in page.replace("http-equiv", "")
    assert not re.findall(r'(?:src|href)="', page)
    assert "A &lt;b&gt; centre" in page
    assert "Not supported for decisions" in page
    assert len(page) < 30_000


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize("patient", PATIENTS)
def test_the_page_says_what_the_command_says(
    model: ResponseModel, patient: dict[str, float | str], tmp_path: Path
) -> None:
    origin = ModelOrigin.of(model)
    file = tmp_path / "calculator.html"
    file.write_text(calculator_page(model, origin), encoding="utf-8")
    given = "&".join(f"{name}={value}" for name, value in patient.items())
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command = [str(BROWSER), *options, "--dump-dom", f"{file.as_uri()}#{given}"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r'data-values="([^"]+)"', shown)
    assert found is not None
    covariates = {name: value for name, value in patient.items() if not name.endswith("Pr")}
    ratios = {name: float(value) for name, value in patient.items() if name.endswith("Pr")}
    one = calculate(ratios, covariates, model=(model, origin))
    assert one.prediction is not None
    expected = one.prediction.prediction
    assert json.loads(html.unescape(found[1])) == pytest.approx(
        [expected.value, expected.low, expected.high], abs=1e-9
    )
    assert f"{one.verdict.criteria_met} of 3 criteria met" in shown
    assert shown.count('class="caution"') == len(one.prediction.flags)
