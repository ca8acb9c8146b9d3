"""The page shows every goal, what fails in red, whether stated errors are true, and each false claim."""

import numpy as np
import pytest

from sudeck.core.claim import INTERVAL, Claim
from sudeck.truth.goals import Goal, judge_goals
from sudeck.truth.page import reliability_panels, write_page
from sudeck.truth.row import Scored, StudyRow, Task

C_HOLDS = Claim("the C statistic lies in its interval", "C", "within", INTERVAL, 0.52, 0.70)


def studies(scale=1.0, n=40, errors=50):
    """Return studies whose errors are `scale` times the stated ones; in every fourth C is missed."""
    rng = np.random.default_rng(2)
    return [
        StudyRow(
            Task("nothing-true", (7, number)),
            {
                "RMT: error over stated error": tuple((scale * rng.standard_normal(errors)) ** 2),
                "image ratio: interval holds the true one": (float(number % 4 > 0),),
                "image ratio: interval holds the true one, hand": (1.0,),
                "image ratio: interval holds the true one, foot": (float(number % 4 > 0),),
            },
            (Scored("study", C_HOLDS, 0.5 if number % 4 == 0 else 0.6, number % 4 > 0),),
        )
        for number in range(n)
    ]


@pytest.mark.parametrize(("scale", "at_half", "at_95"), [(1.0, 0.5, 0.95), (2.0, 0.264, 0.673)])
def test_true_errors_draw_the_diagonal(scale, at_half, at_95):
    (panel,) = reliability_panels(studies(scale))
    curve = panel.curves["RMT"]
    assert (curve[20], curve[38]) == pytest.approx((at_half, at_95), abs=0.03)
    assert (curve[0], curve[-1]) == (0.0, 1.0)


def test_few_errors_draw_no_curve():
    assert reliability_panels(studies(n=1, errors=5)) == ()


def test_a_goal_names_its_worst_stratum():
    goal = Goal("image ratio: interval holds the true one", 0.93, 0.97)
    assert judge_goals(studies(), [goal])[0].worst == "foot: 75 % of 40"
    assert judge_goals(studies(n=10), [goal])[0].worst == ""  # of so few the worst is chance


def test_the_page_shows_what_fails_and_every_false_claim(tmp_path):
    rows = studies()
    lines = judge_goals(rows)
    write_page(tmp_path / "truth.html", lines, rows, settings={"seed": 7})
    page = (tmp_path / "truth.html").read_text(encoding="utf-8")
    assert (
        '<tr class="fail"><th scope="row" class="wraps">image ratio: interval holds the true one</th>' in page
    )
    assert "foot: 75 % of 40" in page
    assert page.count("<code>7 ") == 10
    assert '<td class="number">40</td><td class="number measured">10</td>' in page
    assert "<svg" in page


def test_goals_alone_make_a_page_too(tmp_path):
    write_page(tmp_path / "truth.html", judge_goals(studies()), settings={"scored": "blind"})
    page = (tmp_path / "truth.html").read_text(encoding="utf-8")
    assert "Ledger" not in page
    assert "image ratio: interval holds the true one" in page
