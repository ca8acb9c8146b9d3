"""A planned study is what it says, and its truth is what the analysis must find."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.core.vocabulary import SIDES
from sudeck.synthetic.study.study_plan import (
    VISITS,
    found_threshold,
    plan_study,
    scan_of,
    trials_of,
    true_hemisphere,
    true_measures,
)


def test_as_published_in_size() -> None:
    study = plan_study(seed=3)
    assert len(study.patients) == 105
    assert sum(patient.stimulated for patient in study.patients) == 19
    assert sorted(patient.oddity for patient in study.patients if patient.oddity) == [
        "damaged bone phase",
        "damaged scan",
        "sides not said",
        "stray files",
    ]
    assert not any(patient.oddity and patient.stimulated for patient in study.patients)


def test_the_same_seed_gives_the_same_study_whatever_the_order() -> None:
    first, second = plan_study(patients=5, seed=4), plan_study(patients=5, seed=4)
    assert first.to_dict() == second.to_dict()
    patient = first.patients[3]
    scan_of(first.patients[0], seed=4)
    one, other = scan_of(patient, seed=4), scan_of(second.patients[3], seed=4)
    np.testing.assert_array_equal(one.counts["bone"], other.counts["bone"])
    assert one.truth.uptake_ratios()["BPr"] == pytest.approx(patient.ratios["BPr"], rel=1e-6)
    assert one.design.affected == patient.affected
    assert plan_study(patients=5, seed=5).to_dict() != first.to_dict()


def test_stimulation_changes_with_relief_as_published() -> None:
    """SICI falls more on the pain side, ICF on both, and more with more relief."""
    changes = []
    for patient in plan_study(seed=6).patients[:60]:
        logs = {}
        for visit in VISITS:
            for row in trials_of(patient, visit, seed=6):
                key = (visit, row["hemisphere"], row["condition"], row["test_mso"])
                logs.setdefault(key, []).append(np.log(float(str(row["amplitude_mv"])) + 1e-6))
        pain = "right" if patient.affected == "left" else "left"
        row = [patient.relief_percent]
        for hemisphere in (pain, patient.affected):
            for condition in ("SICI", "ICF"):
                ratio = {}
                for visit in VISITS:
                    test = max(key[3] for key in logs if key[:2] == (visit, hemisphere))
                    paired = np.mean(logs[visit, hemisphere, condition, test])
                    ratio[visit] = paired - np.mean(logs[visit, hemisphere, "single", test])
                row.append(ratio["post"] - ratio["pre"])
        changes.append(row)
    table = np.array(changes)
    assert table[:, 1].mean() < -0.1  # SICI, pain side
    assert abs(table[:, 3].mean()) < 0.12  # SICI, other side
    assert table[:, 2].mean() < -0.05  # ICF, pain side
    assert table[:, 4].mean() < -0.05
    assert np.corrcoef(table[:, 0], table[:, 1])[0, 1] < -0.3


def test_pulses_stand_where_a_search_ended_not_at_the_true_threshold() -> None:
    """Both visits keep the intensities; the truth of the MEP is that of the test pulse that was given."""
    off = []
    for patient in plan_study(seed=6).patients:
        for hemisphere in SIDES:
            found = found_threshold(patient, hemisphere, seed=6)
            truth = true_hemisphere(patient, hemisphere, "pre", seed=6)
            off.append(found - truth.rmt_mso)
            test = round(1.2 * found)
            for visit in VISITS:
                mep = true_measures(patient, visit, seed=6)[hemisphere][f"MEP at {test} %MSO"]
                assert mep == pytest.approx(float(truth.median_amplitude_mv(test)))
    assert np.std(off) == pytest.approx(1.6, rel=0.15)
    patient = plan_study(seed=6).patients[0]
    tested = {
        (row["hemisphere"], row["test_mso"])
        for visit in VISITS
        for row in trials_of(patient, visit, seed=6)
        if row["kind"] == "paired"
    }
    assert tested == {(side, round(1.2 * found_threshold(patient, side, seed=6))) for side in SIDES}
