"""The pattern reported in 19 patients, as hypotheses fixed beforehand, and what other data say of each.

Sorel and co-workers (Clin Neurophysiol 2018;129:990-1000): after five days of ketamine ICF was lower in both
hemispheres, SICI was stronger in the pain-side hemisphere, RMT and MEP had not changed, and relief went with
the changes of SICI on the pain side and of ICF on the other. The abstract gives directions and no sizes; what
would be too small to matter, and the margins of *unchanged*, are therefore stated here and can be replaced.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sudeck.mechanism.association import Associations
from sudeck.mechanism.change_models import Asymmetry, Change
from sudeck.mechanism.changes import Changes
from sudeck.statistics.equivalence import show_equivalence

Verdict = Literal["supported", "not supported", "undecided"]
Kind = Literal["falls", "restored", "unchanged", "relief goes with its fall"]
Outcome = tuple[Verdict, str, dict[str, Any]]

# The least number of patients from which an exact two-sided test of signs can reach 5 % (2 / 2⁶ = 0.031).
LEAST_PATIENTS: Final = 6


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One statement of the pattern.

    Attributes
    ----------
    name : str
    measure : str
    hemispheres : tuple of str
        The statement must hold in each of these.
    kind : {"falls", "restored", "unchanged", "relief goes with its fall"}
        Of the ratio: a *fall* of SICI is stronger inhibition. *Restored* needs three things: above the other
        hemisphere before, a fall, and no longer above it after.
    low_margin, high_margin : float
        Falls: a ratio above `low_margin` is too small a fall to matter. Restored: so, and a side that is
        still above the other by `high_margin` is not restored. Unchanged: margins of equivalence.
        Association: a correlation weaker than ``1 − low_margin`` is too weak to matter.
    """

    name: str
    measure: str
    hemispheres: tuple[str, ...]
    kind: Kind
    low_margin: float
    high_margin: float = 1.25


# Margins: 10 % for a fall; 5 % for a threshold, about the standard error of measurement of one threshold
# (4.4 to 5.6 % in a threshold-tracking study of 12); 0.80 to 1.25, the convention of bioequivalence, for the
# MEP; |r| of 0.2 for an association.
PUBLISHED_PATTERN: Final[tuple[Hypothesis, ...]] = (
    Hypothesis("ICF falls in both hemispheres", "ICF", ("pain", "other"), "falls", 0.90),
    Hypothesis("SICI is restored in the pain-side hemisphere", "SICI", ("pain",), "restored", 0.90),
    Hypothesis("RMT does not change", "RMT", ("pain", "other"), "unchanged", 0.95, 1.05),
    Hypothesis("MEP does not change", "MEP", ("pain", "other"), "unchanged", 0.80, 1.25),
    Hypothesis(
        "relief goes with the restoration of SICI on the pain side",
        "SICI",
        ("pain",),
        "relief goes with its fall",
        0.80,
    ),
    Hypothesis(
        "relief goes with the fall of ICF on the other side",
        "ICF",
        ("other",),
        "relief goes with its fall",
        0.80,
    ),
)


@dataclass(frozen=True)
class Judgement:
    """What the data say of one hypothesis.

    Attributes
    ----------
    hypothesis : Hypothesis
    verdict : {"supported", "not supported", "undecided"}
    text : str
        The numbers behind the verdict, in a sentence.
    p_pattern : float or None
        P of the verdict, or of support where there is none, controlled over the statements that were measured
        (Holm). Refutations draw on the same budget; a statement and its refutation are not both false, so
        each statement counts once.
    numbers : Mapping[str, Any]
        By hemisphere: ratio or r, interval, P, n.
    share : int or None
        Into how many parts the level is divided for this statement, where the others are as they are here:
        all that were measured, less those that Holm's method lets pass without it. It is found where its own
        P is below that part, whatever the order.
    """

    hypothesis: Hypothesis
    verdict: Verdict
    text: str
    numbers: dict[str, dict[str, Any]]
    p_pattern: float | None = None
    share: int | None = None

    def __str__(self) -> str:
        return f"{self.hypothesis.name}: {self.verdict}. {self.text}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "hypothesis": self.hypothesis.name,
            "verdict": self.verdict,
            "text": self.text,
            "measure": self.hypothesis.measure,
            "hemispheres": list(self.hypothesis.hemispheres),
            "kind": self.hypothesis.kind,
            "low_margin": self.hypothesis.low_margin,
            "high_margin": self.hypothesis.high_margin,
            "numbers": self.numbers,
            "p_pattern": self.p_pattern,
            "share": self.share,
        }


def judge_pattern(
    changes: Changes,
    associations: Associations | None,
    *,
    visit: str = "post",
    hypotheses: Sequence[Hypothesis] = PUBLISHED_PATTERN,
    alpha: float = 0.05,
) -> tuple[Judgement, ...]:
    """Hold the published pattern against a study.

    Parameters
    ----------
    changes : Changes
    associations : Associations or None
    visit : str
        The visit after treatment.
    hypotheses : sequence of Hypothesis
    alpha : float
        Level of all verdicts together, of either kind.

    Returns
    -------
    tuple of Judgement
        *Supported*: equivalent, or significant in the stated direction (an association: with an interval
        beyond zero as well), in every hemisphere named. *Not supported*: the interval excludes what was
        stated (a fall that would matter; no change; a correlation that would matter), in one of them. Both
        after Holm's control over all statements. *Undecided*: neither, or not measured, or fewer than six
        patients.

    Examples
    --------
    >>> import pandas as pd
    >>> from sudeck.mechanism.changes import estimate_changes
    >>> after = [0.6, 0.7, 0.5, 0.6, 0.55, 0.65]
    >>> rows = [(i, v, side, "ICF", 1.0 if v == "pre" else a)
    ...         for i, a in enumerate(after) for v in ("pre", "post") for side in ("pain", "other")]
    >>> table = pd.DataFrame(rows, columns=["participant_id", "visit", "hemisphere", "measure", "value"])
    >>> [j.verdict for j in judge_pattern(estimate_changes(table), None)][:2]
    ['supported', 'undecided']
    """
    judgements = []
    for hypothesis in hypotheses:
        outcomes = []
        for side in hypothesis.hemispheres:
            if hypothesis.kind == "relief goes with its fall":
                outcomes.append(_judge_association(associations, hypothesis, side, alpha))
                continue
            change = changes.find(hypothesis.measure, side, visit)
            if change is None:
                outcomes.append(_missing(f"{hypothesis.measure} was not estimated in the {side} hemisphere."))
            elif hypothesis.kind == "falls":
                outcomes.append(_judge_fall(change, hypothesis, alpha))
            elif hypothesis.kind == "restored":
                outcomes.append(_judge_restored(changes, change, hypothesis, alpha))
            else:
                outcomes.append(_judge_unchanged(change, hypothesis, alpha))
        outcomes = [_withheld_from_few(outcome) for outcome in outcomes]
        verdicts = [verdict for verdict, _, _ in outcomes]
        # A statement on both hemispheres falls with one of them and needs both to stand.
        joint: Verdict = (
            "not supported"
            if "not supported" in verdicts
            else "undecided"
            if "undecided" in verdicts
            else "supported"
        )
        numbers = {
            side: found for side, (_, _, found) in zip(hypothesis.hemispheres, outcomes, strict=True) if found
        }
        measured = len(numbers) == len(outcomes)
        judgements.append(
            Judgement(
                hypothesis,
                joint,
                " ".join(text for _, text, _ in outcomes),
                numbers,
                _joint_p(joint, outcomes) if measured else None,
            )
        )
    return _controlled(judgements, alpha)


def _joint_p(verdict: Verdict, outcomes: Sequence[Outcome]) -> float:
    """Return the P value of a statement that is made of one or two hemispheres."""
    if verdict == "not supported":
        # One hemisphere is enough, so the choice between two is paid for.
        refuted = [found["p_refuted"] for one, _, found in outcomes if one == verdict]
        return float(min(1.0, len(outcomes) * min(refuted)))
    # Both hemispheres must show it, so the weaker one speaks (intersection-union test).
    return float(max(found["p_supported"] for _, _, found in outcomes))


def _controlled(judgements: Sequence[Judgement], alpha: float) -> tuple[Judgement, ...]:
    """Control all verdicts together (Holm, Scand J Stat 1979;6:65-70); withdraw those that fail."""
    ordered = sorted((j.p_pattern, i) for i, j in enumerate(judgements) if j.p_pattern is not None)
    adjusted: dict[int, float] = {}
    running = 0.0
    for rank, (p, i) in enumerate(ordered):
        running = max(running, min(1.0, p * (len(ordered) - rank)))
        adjusted[i] = running
    out = []
    for i, judgement in enumerate(judgements):
        others = [p for p, other in ordered if other != i]
        share = len(ordered) - _passing(others, alpha) if i in adjusted else None
        controlled = replace(judgement, p_pattern=adjusted.get(i), share=share)
        if controlled.verdict != "undecided" and adjusted.get(i, 0.0) >= alpha:
            text = f"{judgement.text} Controlled over the pattern, P = {adjusted[i]:.3g}."
            controlled = replace(controlled, verdict="undecided", text=text)
        out.append(controlled)
    return tuple(out)


def _passing(others: Sequence[float], alpha: float) -> int:
    """Return how many of the other P values, smallest first, Holm's method lets pass before one more."""
    tests = len(others) + 1
    return next((rank for rank, p in enumerate(others) if p * (tests - rank) >= alpha), len(others))


def _missing(text: str) -> Outcome:
    return "undecided", text, {}


def _withheld_from_few(outcome: Outcome) -> Outcome:
    """Return the outcome, undecided where too few patients stand behind it."""
    _, text, found = outcome
    n = found.get("n", LEAST_PATIENTS)
    if n >= LEAST_PATIENTS:
        return outcome
    patients = "1 patient is" if n == 1 else f"{n} patients are"
    return "undecided", f"{text} {patients} too few: a verdict takes {LEAST_PATIENTS}.", found


def _numbers(change: Change) -> dict[str, Any]:
    ratio = change.ratio
    return {
        "ratio": ratio.value,
        "low": ratio.low,
        "high": ratio.high,
        "p": change.p,
        "p_family": change.p_family,
        "p_supported": change.p,
        "p_refuted": change.p,
        "n": change.n,
    }


def _judge_fall(change: Change, hypothesis: Hypothesis, alpha: float) -> Outcome:
    ratio = change.ratio
    verdict: Verdict = "undecided"
    if change.p < alpha:
        verdict = "supported" if ratio.value < 1 else "not supported"
    elif ratio.low > hypothesis.low_margin:
        verdict = "not supported"
    numbers = _numbers(change)
    if ratio.se:
        beyond = (math.log(ratio.value) - math.log(hypothesis.low_margin)) / ratio.se
        numbers["p_refuted"] = _two_sided(beyond, change.df)
    return verdict, f"{ratio}, P = {change.p:.3g}.", numbers


def _two_sided(beyond: float, df: float) -> float:
    """Return P, as of a two-sided interval, of a value so many errors above what it is held against."""
    from scipy import stats

    return float(min(1.0, 2 * stats.t.sf(beyond, df)))


def _judge_restored(changes: Changes, change: Change, hypothesis: Hypothesis, alpha: float) -> Outcome:
    """Judge a fall on the pain side that ends a difference from the other side."""
    verdict, text, found = _judge_fall(change, hypothesis, alpha)
    before, after = (_asymmetry(changes, change.measure, visit) for visit in (change.baseline, change.visit))
    for name, one in (("before", before), ("after", after)):
        if one is not None:
            found[name] = {"ratio": one.ratio.value, "low": one.ratio.low, "high": one.ratio.high, "p": one.p}
    if verdict != "supported":
        return verdict, text, found
    if before is None or after is None:
        return "undecided", f"{text} It can not be held against the other hemisphere.", found
    text = f"{text} Before: {before}. After: {after}."
    if not (before.p < alpha and before.ratio.value > 1):
        return "undecided", f"{text} It fell, but was not shown to be weak before.", found
    if after.p < alpha and after.ratio.value > 1:
        found["p_refuted"] = after.p
        return "not supported", f"{text} It fell, and is still weak.", found
    if after.ratio.value >= hypothesis.high_margin:
        return "undecided", f"{text} It fell; that it is no longer weak is not shown.", found
    return "supported", text, found


def _asymmetry(changes: Changes, measure: str, visit: str) -> Asymmetry | None:
    return next((a for a in changes.asymmetries if (a.measure, a.visit) == (measure, visit)), None)


def _judge_unchanged(change: Change, hypothesis: Hypothesis, alpha: float) -> Outcome:
    ratio = change.ratio
    assert ratio.se is not None
    test = show_equivalence(
        math.log(ratio.value),
        ratio.se,
        change.df,
        low_margin=hypothesis.low_margin,
        high_margin=hypothesis.high_margin,
        alpha=alpha,
        name=ratio.name,
    )
    verdicts: dict[str, Verdict] = {
        "equivalent": "supported",
        "changed": "not supported",
        "undecided": "undecided",
    }
    return (
        verdicts[test.verdict],
        f"{test}.",
        {**_numbers(change), "p_equivalence": test.p, "p_supported": test.p},
    )


def _inside(r: float) -> float:
    """Return a correlation that Fisher's z is finite of."""
    return max(-1 + 1e-12, min(1 - 1e-12, r))


def _judge_association(
    associations: Associations | None, hypothesis: Hypothesis, side: str, alpha: float
) -> Outcome:
    found = None if associations is None else associations.find(hypothesis.measure, side)
    if found is None:
        return _missing(
            f"Relief and the change of {hypothesis.measure} in the {side} hemisphere could not be correlated."
        )
    r = found.pearson
    verdict: Verdict = "undecided"
    # P by permutation and an interval by bootstrap: where a few patients carry r, only the second shows it.
    if found.p_permutation < alpha and not r.low <= 0 <= r.high:
        verdict = "supported" if r.value < 0 else "not supported"
    elif r.low > -(1 - hypothesis.low_margin):
        verdict = "not supported"
    numbers = {
        "r": r.value,
        "low": r.low,
        "high": r.high,
        "p": found.p_permutation,
        "p_family": found.p_family,
        "p_supported": found.p_permutation,
        "p_refuted": _two_sided(
            (math.atanh(_inside(r.value)) + math.atanh(1 - hypothesis.low_margin))
            * math.sqrt(max(found.df - 1, 1)),
            math.inf,
        ),
        "n": found.n,
    }
    return verdict, f"{r}, permutation P = {found.p_permutation:.3g}.", numbers
