"""The published pattern: found where it is, refused where it is not, open where nothing was measured."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.mechanism.group_statistics import explain_group
from sudeck.mechanism.healthy_reference import HealthyReference, compare_with_healthy
from sudeck.mechanism.published_pattern import PUBLISHED_PATTERN, Judgement, _controlled


def verdicts(statistics) -> dict[str, str]:
    return {judgement.hypothesis.name: judgement.verdict for judgement in statistics.pattern}


def test_the_pattern_is_supported_where_it_is_true(draw_study) -> None:
    # Five times the patients: everything that is true shows.
    table, people = draw_study(1, patients=100)
    found = explain_group(table, people)
    assert set(verdicts(found).values()) == {"supported"}
    assert list(verdicts(found)) == [hypothesis.name for hypothesis in PUBLISHED_PATTERN]


def test_the_opposite_is_not_supported(draw_study) -> None:
    table, people = draw_study(2, effect=-1.0, patients=60)
    table.loc[(table.measure == "RMT") & (table.visit == "post"), "value"] *= 1.2
    found = verdicts(explain_group(table, people))
    assert found["ICF falls in both hemispheres"] == "not supported"
    assert found["SICI is restored in the pain-side hemisphere"] == "not supported"
    assert found["RMT does not change"] == "not supported"
    assert found["relief goes with the restoration of SICI on the pain side"] == "not supported"


def test_restoration_needs_a_defect_before_and_none_after(draw_study) -> None:
    name = "SICI is restored in the pain-side hemisphere"
    table, people = draw_study(1, patients=60, measures=("SICI",))
    assert verdicts(explain_group(table, people))[name] == "supported"
    before, after = ((table.hemisphere == "pain") & (table.visit == visit) for visit in ("pre", "post"))
    # As strong as the other side before: a fall, and no restoration.
    healthy = table.copy()
    healthy.loc[before | after, "value"] *= 0.5
    assert verdicts(explain_group(healthy, people))[name] == "undecided"
    # Twice as weak before and after: it falls by the same, and is weak still.
    weak = table.copy()
    weak.loc[before | after, "value"] *= 2
    assert verdicts(explain_group(weak, people))[name] == "not supported"


def test_all_statements_are_controlled_together(draw_study) -> None:
    table, people = draw_study(11, effect=0.5)
    pattern = explain_group(table, people).pattern
    assert "not supported" not in {j.verdict for j in pattern}
    # Both hemispheres must show it: the weaker P counts.
    alone = np.array([max(found["p_supported"] for found in j.numbers.values()) for j in pattern])
    order = np.argsort(alone)
    holm = np.empty(6)
    holm[order] = np.maximum.accumulate(np.minimum(1, alone[order] * [6, 5, 4, 3, 2, 1]))
    assert [j.p_pattern for j in pattern] == pytest.approx(holm.tolist())
    assert all(j.p_pattern < 0.05 for j in pattern if j.verdict == "supported")


def test_a_statement_is_found_where_its_p_is_below_its_share_and_only_there():
    rng = np.random.default_rng(4)
    for _ in range(300):
        p = rng.uniform(0, 0.03, 6)
        judged = [
            Judgement(hypothesis, "supported", "", {}, float(one))
            for hypothesis, one in zip(PUBLISHED_PATTERN, p, strict=True)
        ]
        for one, after in zip(p, _controlled(judged, 0.05), strict=True):
            assert after.share is not None
            assert (after.verdict == "supported") == (one * after.share < 0.05)


def test_the_power_of_a_statement_follows_what_the_others_leave_of_the_level(draw_study) -> None:
    group = explain_group(*draw_study(1, patients=30), alpha=0.025)
    first = group.changes.power
    assert first is not None
    assert (first.tests, first.alpha) == (6, 0.025)
    of_relief = {judged.hypothesis.name: group.power_of(judged) for judged in group.pattern}
    assert [power is not None for power in of_relief.values()] == [False] * 4 + [True] * 2
    for judged in group.pattern[4:]:
        power = group.power_of(judged)
        assert power is not None
        assert power.tests == judged.share < 6  # others pass: less is asked of r than at the first step
        assert power.detectable_r < first.detectable_r
        assert power.n == 30


def test_a_refutation_draws_on_the_same_budget(draw_study) -> None:
    name = "RMT does not change"
    table, people = draw_study(5, patients=19)
    moved = (table.measure == "RMT") & (table.visit == "post") & (table.hemisphere == "pain")
    verdict = ""
    for factor in (1.0, 1.05, 1.1, 1.4):
        changed = table.copy()
        changed.loc[moved, "value"] *= factor
        found = next(j for j in explain_group(changed, people).pattern if j.hypothesis.name == name)
        verdict = found.verdict
        if verdict == "not supported":
            # One of two hemispheres is enough: the choice is paid for.
            assert 2 * found.numbers["pain"]["p"] <= found.p_pattern < 0.05
    assert verdict == "not supported"


def test_without_effect_hardly_any_direction_is_supported(draw_study) -> None:
    count = Counter()
    for seed in range(20):
        table, people = draw_study(100 + seed, patients=9, effect=0.0, measures=("SICI", "ICF"))
        found = explain_group(table, people)
        count["claims"] += "supported" in verdicts(found).values()
        count["families"] += any(change.p_family < 0.05 for change in found.changes.changes)
    assert count["claims"] <= 3
    assert count["families"] <= 4


def test_three_patients_and_one_hemisphere_leave_it_open(draw_study) -> None:
    table, people = draw_study(3, patients=3)
    few = explain_group(table, people)
    assert set(verdicts(few).values()) == {"undecided"}
    assert "3 patients are too few: a verdict takes 6." in str(few)
    table, people = draw_study(3, measures=("SICI",))
    one_side = explain_group(table[table.hemisphere == "other"], people)
    assert set(verdicts(one_side).values()) == {"undecided"}
    assert "was not estimated in the pain hemisphere" in str(one_side)


def test_without_relief_or_visits_the_rest_is_still_said(draw_study) -> None:
    table, people = draw_study(4, measures=("SICI",))
    without = explain_group(table, people.drop(columns="relief"))
    assert without.associations is None
    assert "No column 'relief'" in without.unanswered[-1].message
    assert without.changes.changes
    one_visit = explain_group(table[table.visit == "post"], people)
    assert "No visit is called 'pre'" in one_visit.unanswered[-1].message
    assert one_visit.changes.asymmetries


def test_the_contract_has_its_keys_and_is_json(draw_study) -> None:
    table, people = draw_study(5)
    reference = {"SICI": HealthyReference(0.5, 0.4, 20)}
    document = json.loads(
        json.dumps(explain_group(table, people, reference=reference).to_dict(), allow_nan=False)
    )
    assert {"changes", "associations", "pattern", "power"} <= set(document)
    assert {"hypothesis", "verdict"} <= set(document["pattern"][0])
    assert [(c["measure"], c["hemisphere"]) for c in document["changes"][:3]] == [
        ("RMT", "pain"),
        ("RMT", "other"),
        ("RMT", "interaction"),
    ]
    assert "With 19 patients" in document["power"]["text"]
    assert document["healthy"][0]["measure"] == "SICI"


def test_healthy_values_find_the_defective_side_only(draw_study) -> None:
    table, _ = draw_study(6, measures=("SICI",))
    table.loc[table.hemisphere == "other", "value"] *= 0.5 / (0.8 * np.exp(-0.4))
    rows = compare_with_healthy(table[table.visit == "pre"], {"SICI": HealthyReference(0.5, 0.2, 30)})
    found = {row.hemisphere: row for row in rows}
    assert found["pain"].p < 0.001
    assert found["pain"].ratio.low < 1.6 < found["pain"].ratio.high
    assert found["other"].ratio.low < 1 < found["other"].ratio.high
    assert found["pain"].outside > found["other"].outside
    assert np.isfinite(found["pain"].df)
    assert compare_with_healthy(table, {}) == ()
    with pytest.raises(InputError, match="healthy reference"):
        HealthyReference(-1.0, 0.2, 10)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), missing=st.floats(0.0, 0.95), patients=st.integers(1, 7))
def test_any_hole_in_the_data_leaves_an_answer_or_one_sentence(draw_study, seed, missing, patients) -> None:
    table, people = draw_study(seed, patients=patients, missing=missing, measures=("SICI", "RMT"))
    try:
        found = explain_group(table, people)
    except InputError:
        return
    json.dumps(found.to_dict(), allow_nan=False)
    for change in found.changes.changes:
        assert change.ratio.low <= change.ratio.value <= change.ratio.high
        assert 0 <= change.p <= 1
        assert 0 <= change.p_sign_flip <= change.p_family <= 1
    questions = {(c.measure, c.hemisphere) for c in found.changes.changes}
    assert len(questions) == len(found.changes.changes)
    assert all(flag.message.endswith(".") for flag in found.unanswered)
