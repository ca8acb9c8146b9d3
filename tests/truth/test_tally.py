"""Claims are held against the truth of the world, and goals against many studies."""

import numpy as np
import pytest

from sudeck.core.claim import INTERVAL
from sudeck.core.errors import InputError
from sudeck.synthetic.study.worlds import WORLDS
from sudeck.truth import table_study
from sudeck.truth.goals import Goal, judge_goals
from sudeck.truth.row import StudyRow, Task
from sudeck.truth.table_study import score_table_study
from sudeck.truth.tally import Tally, tally_truth


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch):
    monkeypatch.setattr(table_study, "_BOOTSTRAPS", 20)
    monkeypatch.setattr(table_study, "_NEW_PATIENTS", 2000)
    table_study._new_patients.cache_clear()
    yield
    table_study._new_patients.cache_clear()


def row(seed, **numbers):
    return StudyRow(Task("nothing-true", (seed,)), {name: (value,) for name, value in numbers.items()}, ())


def test_a_study_is_scored_from_its_claims():
    scored = score_table_study(Task("as-published", (1, 0)))
    spoken = [one for one in scored.ledger if one.claim.budget != INTERVAL]
    assert {one.page for one in spoken} == {"study", "mechanism"}
    false = any(not one.holds for one in spoken)
    assert scored.numbers["both pages: a false claim"] == (false,)
    by_people = [f"change: interval holds the true mean, people {so}" for so in ("differ", "hardly differ")]
    assert [len(scored.numbers[what]) for what in by_people] == [6, 6]  # SICI and ICF; RMT and MEP


def test_residuals_of_many_studies_are_kept_by_measure():
    rows = [row(i, **{"residual of RMT": 0.12345 * i, "so": 1.0}) for i in range(3)]
    tally = Tally((), tuple(rows), 0, "files", "", 0, 1.0)
    assert tally.to_dict()["residuals"] == {"RMT": [0.0, 0.123, 0.247]}


def test_the_same_seed_scores_the_same_study():
    task = Task("visit-noise", (3, 1))
    assert score_table_study(task) == score_table_study(task)


def test_a_goal_fails_only_beyond_its_error():
    few = [row(i, so=float(i == 0)) for i in range(10)]
    many = [row(i, so=float(i % 10 == 0)) for i in range(1000)]
    goal = Goal("so", 0.0, 0.05)
    assert [judge_goals(rows, [goal])[0].verdict for rows in (few, many)] == ["open", "fail"]


def test_two_studies_do_not_know_their_own_error():
    # .07 and .08 lie 2.5 errors above .0625: with two studies that is little, with sixty it is much.
    goal = Goal("so", -0.0625, 0.0625, kind="mean")
    verdicts = [
        judge_goals([row(i, so=0.07 + 0.01 * (i % 2)) for i in range(n)], [goal])[0].verdict for n in (2, 60)
    ]
    assert verdicts == ["open", "fail"]


def test_many_goals_judged_together_fail_less_easily():
    """Six studies a few of their errors off: of one goal that is much, of a hundred to be expected."""
    rows = [row(i, so=0.017 + 0.005 * (i % 2), **{f"other {k}": 0.0 for k in range(99)}) for i in range(6)]
    goals = [Goal("so", -0.0145, 0.0145, kind="mean")]
    goals += [Goal(f"other {k}", -1.0, 1.0, kind="mean") for k in range(99)]
    assert judge_goals(rows, goals)[0].verdict == "fail"
    assert judge_goals(rows, goals, together=True)[0].verdict == "open"
    far = [row(i, so=0.1 + 0.005 * (i % 2)) for i in range(6)]
    assert judge_goals(far, goals[:1], together=True)[0].verdict == "fail"


def test_what_must_never_be_fails_at_once():
    rows = [row(i, so=float(i == 0)) for i in range(100)]
    assert judge_goals(rows, [Goal("so", 0.0, 0.0)])[0].verdict == "fail"
    assert judge_goals(rows[1:], [Goal("so", 0.0, 0.0)])[0].verdict == "pass"


def test_errors_stated_half_as_large_are_seen():
    rng = np.random.default_rng(0)
    squares = [row(i, z=float(z * z)) for i, z in enumerate(2 * rng.standard_normal(200))]
    line = judge_goals(squares, [Goal("z", 0.95, 1.05, kind="root mean square")])[0]
    assert line.verdict == "fail"
    assert line.measured == pytest.approx(2.0, abs=0.3)


def test_goals_name_what_is_true_of_worlds_that_exist():
    for line in judge_goals([score_table_study(Task("drift", (0,)))]):
        assert line.world in WORLDS
        assert line.n == 1


def test_an_unknown_world_is_told_before_anything_is_drawn():
    with pytest.raises(InputError, match="no world"):
        tally_truth(["flat"], studies=1)


def test_ctrl_c_keeps_the_studies_that_are_done():
    def stop(progress):
        if progress.done == 2:
            raise KeyboardInterrupt

    tally = tally_truth(["nothing-true"], studies=5, jobs=1, progress=stop)
    assert tally.stopped
    assert len(tally.rows) == 2
    assert {line.n for line in tally.lines} <= {1, 2}
    assert tally.to_dict()["stopped"]


def test_where_no_model_could_be_fitted_relief_goes_with_no_ratio():
    """Everybody's ratios are the same, and TPr still has r = -.28 with relief: the page had claimed it."""
    scored = score_table_study(Task("at-cut-offs", (11, 3936614612, 18)))
    assert "study" not in {one.page for one in scored.ledger}
    assert scored.numbers["study page contradicts itself"] == (False,)
