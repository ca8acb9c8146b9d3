"""Sharing and pooling: nothing small leaves, and what is pooled covers the truth of simulated centres."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import InputError
from sudeck.demo.study_on_disk import write_study_tables
from sudeck.study.answers.elsewhere.centres import FORMAT, pool_centres, share_study
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.synthetic.study.study_plan import plan_study


def typed(root: Path, *, seed: int, patients: int) -> Path:
    study, plan = create_study(root).study, plan_study(patients=patients, seed=seed)
    write_study_tables(study, plan)
    columns = ["participant_id", "VPr", "TPr", "BPr"]
    plan.cohort.scans[columns].to_csv(study.table_file("scan_ratios"), sep="\t", index=False)
    return root


def summary(path: Path, centre: str, **changes: object) -> Path:
    content = {
        "format": FORMAT,
        "software": "sudeck",
        "centre": centre,
        "responder_rule": "relief of 30 % or more at day 5",
        "covariates": [],
        "n": 60,
        "responders": 30,
        "coefficients": {"log BPr/TPr": {"value": 3.0, "se": 1.0}},
        "correlations": {"BPr/TPr": {"z": 0.3, "se": 0.13, "n": 60}},
        "suppressed": [],
    }
    path.write_text(json.dumps(content | changes))
    return path


def test_three_centres_from_tables_to_one_answer(tmp_path: Path) -> None:
    files = []
    for seed in (1, 2, 3):
        answer = CliRunner().invoke(app, ["share", str(typed(tmp_path / f"c{seed}", seed=seed, patients=90))])
        assert answer.exit_code == 0, answer.output
        files.append(StudyFolder(tmp_path / f"c{seed}").derivatives / "centre_summary.json")
        assert "sub-" not in files[-1].read_text(), "no patient leaves"
    pooled = pool_centres(files)
    assert pooled.centres == ("c1", "c2", "c3")
    bone = pooled.coefficients["log BPr/TPr"]
    each = [json.loads(file.read_text())["coefficients"]["log BPr/TPr"]["value"] for file in files]
    assert min(each) < bone.mean.value < max(each)
    r = pooled.correlations["r with BPr/TPr"]
    assert r.mean.low < 0.32 < r.mean.high
    assert "another centre" in CliRunner().invoke(app, ["pool", *map(str, files)]).output


def test_counts_under_five_stay_at_home(tmp_path: Path) -> None:
    root = typed(tmp_path / "rare", seed=4, patients=60)
    settings = StudyFolder(root).settings_file
    settings.write_text(settings.read_text().replace("at_least = 30.0", "at_least = 95.0"))
    shared, path = share_study(root)
    assert shared.responders is None
    assert not shared.coefficients
    assert json.loads(path.read_text())["responders"] is None
    assert "fewer than 5" in shared.suppressed[0]
    with pytest.raises(InputError, match="at least 10"):
        share_study(typed(tmp_path / "tiny", seed=5, patients=8))


def test_pooled_correlations_cover_the_truth(tmp_path: Path) -> None:
    rng, hits = np.random.default_rng(7), []
    for _ in range(80):
        files = []
        for centre in range(4):
            n = int(rng.integers(30, 120))
            x, noise = rng.normal(size=(2, n))
            z = float(np.arctanh(np.corrcoef(x, 0.35 * x + np.sqrt(1 - 0.35**2) * noise)[0, 1]))
            part = {"BPr/TPr": {"z": z, "se": 1 / np.sqrt(n - 3), "n": n}}
            files.append(summary(tmp_path / f"{centre}.json", f"c{centre}", correlations=part))
        r = pool_centres(files).correlations["r with BPr/TPr"].mean
        hits.append(r.low <= 0.35 <= r.high)
    assert 0.91 <= np.mean(hits) <= 0.99


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    first, second = summary(tmp_path / "a.json", "A"), summary(tmp_path / "b.json", "B")
    assert pool_centres([first, second]).coefficients["log BPr/TPr"].mean.value == pytest.approx(3.0)
    with pytest.raises(InputError, match="A is there twice"):
        pool_centres([first, summary(tmp_path / "c.json", "A")])
    with pytest.raises(InputError, match="call a responder"):
        pool_centres([first, summary(tmp_path / "d.json", "D", responder_rule="relief of 50 % or more")])
    for damage in ({"coefficients": [1]}, {"n": None}, {"covariates": 1}):
        with pytest.raises(InputError, match="a summary is damaged"):
            pool_centres([first, second, summary(tmp_path / "f.json", "F", **damage)])
    (tmp_path / "e.json").write_text("{}")
    with pytest.raises(InputError, match="no summary of a centre"):
        pool_centres([first, tmp_path / "e.json"])
