"""`sudeck circuit fit`, and `next`, as a user types them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import InputError
from sudeck.mechanism.circuit_fit import patient_fit
from sudeck.mechanism.circuit_fit.factors import N_VISIT


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three patients of two visits, one hemisphere; fits of few draws."""
    monkeypatch.setattr(patient_fit, "fit_patient", partial(patient_fit.fit_patient, draws=150))
    rows = [
        (f"sub-{i}", visit, "pain", "SICI_2", value + 0.02 * i, 0.15)
        for i in range(3)
        for visit, value in (("pre", 0.6), ("post", 0.4))
    ]
    columns = ["participant_id", "visit", "hemisphere", "measure", "value", "log_se"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "measures.tsv", sep="\t", index=False)
    return tmp_path / "measures.tsv"


def _run(*words: str) -> str:
    result = CliRunner().invoke(app, ["circuit", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.mark.usefixtures("numba_installed")
def test_patients_and_their_group_are_printed_and_written(table: Path, tmp_path: Path) -> None:
    said = _run("fit", str(table), "--group", "--out", str(tmp_path / "fits.json"))
    assert "all 3 patients together" in said
    assert "can not tell" in " ".join(said.split())
    found = json.loads((tmp_path / "fits.json").read_text(encoding="utf-8"))
    assert {row["participant_id"] for row in found["circuit"]} == {"sub-0", "sub-1", "sub-2"}
    assert len(found["circuit_patients"]) == 3
    assert found["circuit_failures"] == []
    assert len(found["circuit_group"]["factors"]) == N_VISIT
    assert {"visit", "hemisphere", "factor", "value", "low", "high", "identified"} <= set(found["circuit"][0])


@pytest.mark.usefixtures("numba_installed")
def test_the_next_measurement_is_named(table: Path) -> None:
    said = _run("next", str(table), "--patient", "sub-1")
    assert "sub-1, at pre:" in said
    assert "IHI" in said
    assert "SICI (pain)" not in said


@pytest.mark.usefixtures("numba_installed")
def test_measures_in_other_units_are_not_explained(table: Path) -> None:
    rows = pd.read_csv(table, sep="\t").query("participant_id == 'sub-1'")
    wrong = pd.concat([rows, rows.assign(measure="ICF_10", value=145.0)])
    wrong.to_csv(table, sep="\t", index=False)
    said = " ".join(_run("fit", str(table)).split())
    assert "No circuit shows such measures" in said
    assert "check their units" in said
    assert "of the draws" not in said
    asked = " ".join(_run("next", str(table)).split())
    assert "No circuit shows such measures" in asked
    assert "bit about" not in asked


def test_the_visit_before_treatment_can_be_named(table: Path) -> None:
    with pytest.raises(InputError, match="use one of pre, post"):
        _run("fit", str(table), "--baseline", "first")
