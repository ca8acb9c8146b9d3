"""Groups from the circuit: what a course does to them, and what the group statistics find of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from circuit_virtual_cohort import KETAMINE_COURSE, UNTREATED, VirtualCohort, draw_cohort
from sudeck.circuit.reference import load_distribution
from sudeck.mechanism.association import associate_changes
from sudeck.mechanism.changes import estimate_changes
from sudeck.mechanism.circuit_fit.factors import FACTORS
from sudeck.mechanism.measure_table import HEMISPHERES, INTERACTION, MeasureTable, tabulate_measures

NAMED = ("MEP", "SICI", "ICF")
STUDIES, PATIENTS = 12, 19
LOG_SE = 0.2


@pytest.fixture(scope="module")
def treated(numba_installed) -> VirtualCohort:
    return draw_cohort(load_distribution(), 1500, np.random.default_rng(1))


@pytest.fixture(scope="module")
def untreated(numba_installed) -> VirtualCohort:
    return draw_cohort(load_distribution(), 1000, np.random.default_rng(2), course=UNTREATED)


def _record(cohort: VirtualCohort, rng: np.random.Generator) -> MeasureTable:
    """Measure every patient, with errors of known size that differ between recordings."""
    rows = []
    for name in NAMED:
        level = rng.normal(0, 0.2, (2, cohort.n_patients))
        for visit, true in zip(("pre", "post"), (level, level + cohort.log_change(name)), strict=True):
            errors = LOG_SE * rng.uniform(0.7, 1.4, true.shape)
            shown = np.exp(true + errors * rng.standard_normal(true.shape))
            for i, side in np.ndindex(cohort.n_patients, 2):
                rows.append((i, visit, HEMISPHERES[side], name, shown[side, i], errors[side, i]))
    columns = ["participant_id", "visit", "hemisphere", "measure", "value", "log_se"]
    return tabulate_measures(pd.DataFrame(rows, columns=columns))


def test_a_course_moves_what_it_names_by_what_it_says() -> None:
    change = KETAMINE_COURSE.draw(40000, np.random.default_rng(0)).reshape(len(FACTORS), 2, -1)
    for index, factor in enumerate(FACTORS):
        if factor not in KETAMINE_COURSE.gains:
            assert not change[index].any()
            continue
        gains = KETAMINE_COURSE.gains[factor]
        assert np.exp(change[index].mean(axis=1)) == pytest.approx(gains, rel=0.01)
        common = KETAMINE_COURSE.common_sd**2
        total = common + KETAMINE_COURSE.own_sd**2
        assert np.cov(change[index]) == pytest.approx(np.array([[total, common], [common, total]]), rel=0.05)


def test_untreated_visits_are_exchangeable_and_treated_ones_are_not(
    treated: VirtualCohort, untreated: VirtualCohort
) -> None:
    for name in NAMED:
        change = untreated.log_change(name)
        z = change.mean(axis=1) / (change.std(axis=1) / np.sqrt(untreated.n_patients))
        assert np.abs(z).max() < 3.5, name
    assert (treated.log_change("ICF").mean(axis=1) < -0.2).all()
    pain, other = treated.log_change("SICI").mean(axis=1)
    assert pain < -0.2 < other
    assert pain < other - 0.1


def test_people_keep_what_is_theirs(untreated: VirtualCohort) -> None:
    """The threshold in % of stimulator output differs much between people and little between visits."""
    level = untreated.log_value[0, 0, untreated.measures.index("RMT")]
    assert level.std() == pytest.approx(0.3, rel=0.1)
    assert untreated.log_change("RMT").std() < 0.02


def test_the_same_seed_gives_the_same_patients_and_the_number_asked_for(numba_installed) -> None:
    first, second = (draw_cohort(load_distribution(), 7, np.random.default_rng(3)) for _ in range(2))
    assert first.n_patients == 7
    assert np.isfinite(first.log_value).all()
    assert (first.log_value == second.log_value).all()
    assert [part.n_patients for part in first.split(3)] == [3, 3]


def test_changes_of_the_circuit_are_found_and_covered(treated: VirtualCohort) -> None:
    truth = {
        (name, side): value
        for name in NAMED
        for side, value in zip(HEMISPHERES, treated.log_change(name).mean(axis=1), strict=True)
    }
    truth |= {(m, INTERACTION): truth[m, "pain"] - truth[m, "other"] for m in NAMED}
    covered, falls = [], []
    for k, cohort in zip(range(STUDIES), treated.split(PATIENTS), strict=False):
        changes = estimate_changes(_record(cohort, np.random.default_rng([4, k])))
        for c in changes.changes:
            covered.append(c.ratio.low <= np.exp(truth[c.measure, c.hemisphere]) <= c.ratio.high)
        icf = [changes.find("ICF", side, "post") for side in HEMISPHERES]
        falls.append([c.ratio.high < 1 for c in icf])
    # Of 108 intervals; those of a study go together. Full size in the benchmarks.
    assert 0.90 <= np.mean(covered) <= 0.985
    assert np.mean(falls) > 0.65


def test_nothing_is_claimed_of_untreated_patients(untreated: VirtualCohort) -> None:
    changed, associated = [], []
    for k, cohort in zip(range(STUDIES), untreated.split(PATIENTS), strict=False):
        rng = np.random.default_rng([5, k])
        table = _record(cohort, rng)
        people = pd.DataFrame({"participant_id": range(PATIENTS), "relief": rng.standard_normal(PATIENTS)})
        changes = estimate_changes(table).changes
        found = associate_changes(table, people, permutations=499, bootstraps=10).associations
        changed.append([min(c.p_family for c in changes) < 0.05, min(c.p for c in changes) < 0.05])
        associated.append([min(a.p_family for a in found) < 0.05, min(a.p for a in found) < 0.05])
    controlled, alone = np.transpose(changed).sum(axis=1) + np.transpose(associated).sum(axis=1)
    # Of 24 families 1.2 are expected to claim, and 5 or more in one run of 140; uncontrolled about 8.
    assert controlled <= 4 < alone
