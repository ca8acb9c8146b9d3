"""Ratios that somebody typed: from a table to the report, two readers, a stated test-retest error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.demo.study_on_disk import write_study_tables
from sudeck.study.answers.cohort_table import StudyCohort, assemble_cohort
from sudeck.study.answers.who_responds import predict_study
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.synthetic.study.study_plan import SyntheticStudy, plan_study

NAMES = ("VPr", "TPr", "BPr")


@pytest.fixture(scope="module")
def plan() -> SyntheticStudy:
    return plan_study(patients=105, seed=11)


def typed_study(root: Path, plan: SyntheticStudy, readers: Mapping[str, float]) -> StudyFolder:
    """A study without any scan: ratios of each reader, three digits, with that reader's spread."""
    study = create_study(root).study
    write_study_tables(study, plan)
    rng, lines = np.random.default_rng(3), ["participant_id\tVPr\tTPr\tBPr\treader"]
    for row in plan.cohort.scans.to_dict("records"):
        for reader, spread in readers.items():
            values = [row[name] * np.exp(rng.normal(0, spread)) for name in NAMES]
            lines.append("\t".join([row["participant_id"], *(f"{value:.3f}" for value in values), reader]))
    study.table_file("scan_ratios").write_text("\n".join(lines) + "\n")
    return study


def settings(study: StudyFolder, text: str) -> None:
    old = study.settings_file.read_text()
    study.settings_file.write_text(old.replace("\n[tms]\n", f"\n[scan.retest_sd]\n{text}\n\n[tms]\n", 1))


def errors(cohort: StudyCohort, name: str) -> np.ndarray:
    return cohort.table[f"{name}_log_se"].dropna().to_numpy()


def test_105_typed_patients_to_a_report(tmp_path: Path, plan: SyntheticStudy) -> None:
    study = typed_study(tmp_path / "centre", plan, {"AB": 0.0})
    answer = CliRunner().invoke(app, ["predict", str(study.root)])
    assert answer.exit_code == 0, answer.output
    page = (study.derivatives / "report.html").read_text()
    assert "The ratios of 105 patients were measured elsewhere" in page
    assert "No error of the typed ratios is known" in page
    content = json.loads((study.derivatives / "prediction.json").read_text())
    assert content["flow"]["scanned"] == 105
    assert len(content["scan_ratios"]["typed"]) == 105
    assert content["model"]["n"] > 80


def test_typed_ratios_give_the_same_correlation_as_their_table(tmp_path: Path, plan: SyntheticStudy) -> None:
    predicted = predict_study(typed_study(tmp_path / "a", plan, {"AB": 0.0}).root, n_boot=20)
    table = predicted.cohort.table.dropna(subset=["relief_percent"])
    truth = plan.cohort.scans.set_index("participant_id").loc[table["participant_id"]]
    r = np.corrcoef(truth["BPr"] / truth["TPr"], table["relief_percent"])[0, 1]
    assert predicted.analysis is not None
    assert predicted.analysis.measures["BPr/TPr"].pearson.r.value == pytest.approx(r, abs=0.01)


def test_two_readers_feed_the_measurement_error(tmp_path: Path, plan: SyntheticStudy) -> None:
    cohort = assemble_cohort(typed_study(tmp_path / "two", plan, {"AB": 0.06, "CD": 0.06}))
    agreement = cohort.ratios.agreement
    assert set(agreement) == {"VPr", "TPr", "BPr", "TPr/VPr", "BPr/TPr", "BPr/VPr"}
    assert agreement["TPr"].error_sd == pytest.approx(0.06, rel=0.15)
    assert agreement["BPr/TPr"].error_sd == pytest.approx(0.06 * 2**0.5, rel=0.15)
    assert errors(cohort, "TPr") == pytest.approx(agreement["TPr"].error_sd / 2**0.5)
    assert any("Readers agree" in said for said in cohort.ratios.remarks)


def test_a_stated_retest_error_only_widens(tmp_path: Path, plan: SyntheticStudy) -> None:
    study = typed_study(tmp_path / "stated", plan, {"AB": 0.0})
    settings(study, 'VPr = 0.05\nTPr = 0.08\n"BPr/TPr" = 0.03')
    cohort = assemble_cohort(study)
    assert errors(cohort, "TPr") == pytest.approx(0.08)
    assert errors(cohort, "TPr/VPr") == pytest.approx(np.hypot(0.05, 0.08)), "added errors are independent"
    assert errors(cohort, "BPr/TPr") == pytest.approx(0.03)
    assert len(errors(cohort, "BPr")) == 0
    assert any("TPr 0.08" in said for said in cohort.ratios.remarks)


def test_what_is_no_ratio_is_named(tmp_path: Path, plan: SyntheticStudy) -> None:
    from sudeck.study.checks.check import check_study

    study = typed_study(tmp_path / "slips", plan, {"AB": 0.0})
    path = study.table_file("scan_ratios")
    head, first, *rest = path.read_text().splitlines()
    cells = first.split("\t")
    path.write_text("\n".join([head, "\t".join([cells[0], "131", *cells[2:]]), rest[1], *rest[1:]]) + "\n")
    found = [str(problem) for problem in check_study(study).problems if "scan_ratios" in problem.where]
    assert any("outside 0.02 to 50" in text for text in found)
    assert any("repeats line" in text for text in found)


def test_a_study_without_the_table_is_complete(tmp_path: Path) -> None:
    from sudeck.study.checks.check import check_study

    study = create_study(tmp_path / "older").study
    study.table_file("scan_ratios").unlink()
    assert not any("scan_ratios" in problem.where for problem in check_study(study).problems)
