"""What must be true of many studies, and whether it is: goals by world, each with its Monte-Carlo error."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from scipy.special import stdtrit

from sudeck.synthetic.study.worlds import WORLDS
from sudeck.truth.folder_score import STIMULATION, design_stratum_names, stratum_names
from sudeck.truth.row import StudyRow

Kind = Literal["share", "mean", "root mean square"]
Verdict = Literal["pass", "fail", "open"]
_FEWEST_IN_STRATUM: Final = 20  # values: of fewer the worst is mostly chance

_NULL: Final = tuple(name for name in WORLDS if name not in ("as-published", "bent-relief"))
_SURE: Final = (
    0.97725  # two normal errors; few studies do not know their own error, so Student's t says how many
)


@dataclass(frozen=True)
class Goal:
    """What is asked of one number.

    Attributes
    ----------
    what : str
        The number, as studies name it.
    low, high : float
        Where its mean over studies must lie.
    worlds : tuple of str
        Where it is asked.
    kind : {"share", "mean", "root mean square"}
    """

    what: str
    low: float
    high: float
    worlds: tuple[str, ...] = tuple(WORLDS)
    kind: Kind = "share"

    def __str__(self) -> str:
        if self.kind == "share":
            if self.low <= 0:
                return f"at most {100 * self.high:g} %" if self.high else "none"
            return f"{100 * self.low:g} to {100 * self.high:g} %"
        if self.low == -self.high:
            return f"within {self.high:g}"
        return f"{self.low:g} to {self.high:g}"


# Of what is measured in files; the rest is of the pages.
MEASURED: Final = (
    Goal("scan: nothing measured", 0.0, 0.05),
    Goal("scan page: a false claim", 0.0, 0.05),
    Goal("scan page: a side or cut-off that is called sure, falsely", 0.0, 0.035),
    Goal("scan page: an asymmetry of equal limbs", 0.0, 0.06),
    Goal("recording page: a false claim", 0.0, 0.05),
    Goal("recording page: interval holds the true one", 0.93, 0.98),
    *(
        goal
        for quantity in ("image", "uptake")
        for goal in (
            Goal(f"{quantity} ratio: interval holds the true one", 0.93, 0.97),
            Goal(f"{quantity} ratio: interval holds the true one, phase ratios", 0.93, 0.98),
            Goal(f"{quantity} ratio: interval holds the true one, ratios of ratios", 0.93, 0.98),
            *(
                Goal(f"{quantity} ratio: interval holds the true one, {part}", 0.90, 1.0)
                for part in (*stratum_names(), *design_stratum_names())
            ),
            Goal(f"{quantity} ratio: error over stated error", 0.90, 1.10, kind="root mean square"),
        )
    ),
    *(Goal(f"{name}: interval holds the true one", 0.93, 0.98) for name in STIMULATION),
    *(Goal(f"{name}: log of measured over true", -0.005, 0.005, kind="mean") for name in ("SICI", "ICF")),
    Goal("RMT: log of measured over true", -0.002, 0.002, kind="mean"),
    Goal("RMT: error over stated error", 0.95, 1.05, kind="root mean square"),
)

GOALS: Final[tuple[Goal, ...]] = (
    Goal("C: interval holds the true C", 0.92, 1.0),
    Goal("C: lower end above one half", 0.0, 0.035, _NULL),
    Goal("C: corrected minus true", -0.01, 0.01, kind="mean"),
    Goal("calibration slope: interval holds the true one", 0.92, 0.98),
    Goal("relief goes with a ratio, falsely", 0.0, 0.05, _NULL),
    Goal("study page: a false claim", 0.0, 0.05),
    Goal("mechanism page: a false claim", 0.0, 0.05),
    Goal("both pages: a false claim", 0.0, 0.06),
    Goal("published pattern: a wrong verdict", 0.0, 0.05),
    Goal("a true 'does not change' refuted", 0.0, 0.05, tuple(name for name in WORLDS if name != "drift")),
    Goal("study page contradicts itself", 0.0, 0.0),
    Goal("change: interval holds the true mean, people differ", 0.93, 0.97),
    Goal("change: interval holds the true mean, people hardly differ", 0.93, 1.0),
    Goal("change: error over stated error, people differ", 0.95, 1.05, kind="root mean square"),
    Goal("power: stated minus achieved", -0.05, 0.05, ("as-published",), kind="mean"),
    Goal("r corrected for error is pinned at 1", 0.0, 0.0),
    *MEASURED,
)


@dataclass(frozen=True)
class Line:
    """One goal in one world.

    Attributes
    ----------
    world : str
    goal : Goal
    measured, error : float
        Over studies, and its Monte-Carlo standard error.
    n : int
        Studies that say anything about it.
    verdict : {"pass", "fail", "open"}
        Open: outside the goal by less than two errors, or by more where few studies hardly know their error.
    worst : str
        The stratum in which the least is so, of a share that must be high; nothing where there are no strata.
    """

    world: str
    goal: Goal
    measured: float
    error: float
    n: int
    verdict: Verdict
    worst: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "world": self.world,
            "what": self.goal.what,
            "goal": str(self.goal),
            "measured": self.measured,
            "error": self.error,
            "n": self.n,
            "verdict": self.verdict,
            "worst": self.worst or None,
        }

    def __str__(self) -> str:
        if self.goal.kind == "share":
            return f"{100 * self.measured:.1f} ± {100 * self.error:.1f} %"
        return f"{self.measured:.3f} ± {self.error:.3f}"


def judge_goals(
    rows: Sequence[StudyRow], goals: Sequence[Goal] = GOALS, *, together: bool = False
) -> tuple[Line, ...]:
    """Hold many studies against goals, a line each goal and world that any study says something about.

    Parameters
    ----------
    rows : sequence of StudyRow
    goals : sequence of Goal
    together : bool
        The lines share the chance that one fails though it holds; otherwise each has 2.3 % of its own, and of
        a hundred lines two may fail so.

    Examples
    --------
    >>> from sudeck.truth.row import StudyRow, Task
    >>> rows = [StudyRow(Task("nothing-true", (i,)), {"so": (float(i < 30),)}, ()) for i in range(100)]
    >>> line = judge_goals(rows, [Goal("so", 0.0, 0.05)])[0]
    >>> print(line, line.verdict)
    30.0 ± 4.6 % fail
    """
    asked = []
    for world in dict.fromkeys(row.task.world for row in rows):
        own = [row for row in rows if row.task.world == world]
        for goal in goals:
            values = [row.numbers[goal.what] for row in own if row.numbers.get(goal.what)]
            if world in goal.worlds and values:
                asked.append((world, goal, np.array([float(np.mean(one)) for one in values]), own))
    sure = 1 - (1 - _SURE) / (len(asked) if together else 1)
    return tuple(
        replace(_judge(world, goal, studies, sure), worst=_worst(goal, own))
        for world, goal, studies, own in asked
    )


def _worst(goal: Goal, rows: Sequence[StudyRow]) -> str:
    """Return the stratum of a share in which the least is so, with its share and its values."""
    if goal.kind != "share" or goal.low <= 0:
        return ""
    strata: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for name, values in row.numbers.items():
            if name.startswith(f"{goal.what}, "):
                strata[name.removeprefix(f"{goal.what}, ")] += values
    shares = {name: float(np.mean(one)) for name, one in strata.items() if len(one) >= _FEWEST_IN_STRATUM}
    if not shares:
        return ""
    worst = min(shares, key=lambda name: shares[name])
    return f"{worst}: {100 * shares[worst]:.0f} % of {len(strata[worst])}"


def _judge(world: str, goal: Goal, studies: np.ndarray, sure: float) -> Line:
    n = len(studies)
    measured = float(studies.mean())
    spread = float(studies.std(ddof=1)) if n > 1 else math.inf
    if goal.kind == "share":
        # None in n does not mean never: half a hit more, so that no error is zero.
        likely = (measured * n + 0.5) / (n + 1)
        if spread == 0.0 or n == 1:
            spread = math.sqrt(likely * (1 - likely))
    error = spread / math.sqrt(n)
    if goal.kind == "root mean square":
        measured = math.sqrt(measured)
        error /= 2 * max(measured, 1e-12)
    beyond = max(goal.low - measured, measured - goal.high)
    allowed = error * float(stdtrit(n - 1, sure)) if n > 1 else math.inf
    verdict: Verdict = "pass" if beyond <= 0 else "fail" if beyond > allowed else "open"
    if goal.kind == "share" and goal.high == 0 and measured > 0:
        verdict = "fail"  # what must never be needs no second case
    return Line(world, goal, measured, error, n, verdict)
