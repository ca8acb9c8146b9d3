"""A posterior in words and numbers: factors with intervals, the balance, the hypotheses, the curves."""

from __future__ import annotations

from typing import Final

import numpy as np

from sudeck.circuit.parameters import Floats
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.quantile import normal_quantile
from sudeck.mechanism.circuit_fit.explanation import (
    BALANCE,
    CHANGE,
    GABA_OVER_GLUTAMATE,
    STRAINED,
    CurvePoint,
    Explanation,
    FactorEstimate,
    Hypothesis,
)
from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT, TONE
from sudeck.mechanism.circuit_fit.hierarchy import share_of
from sudeck.mechanism.circuit_fit.hypotheses import ACCOUNTS, account_shares, draw_factors
from sudeck.mechanism.circuit_fit.inference import Posterior
from sudeck.mechanism.circuit_fit.likelihood import visit_position
from sudeck.mechanism.circuit_fit.measure_names import family_of
from sudeck.mechanism.circuit_fit.patient_data import log_unit
from sudeck.mechanism.circuit_fit.surprise import Foreseen, foresee
from sudeck.mechanism.measure_table import HEMISPHERES

BALANCED: Final = (GABA_OVER_GLUTAMATE, "callosum")
# An account is preferred from this probability: of a hundred such claims at most five may be wrong.
PREFERRED_FROM: Final = 0.95
_OPEN_FROM: Final = 0.05
_PRIOR_DRAWS: Final = 4000
_MISFIT_LEVEL: Final = 0.9999  # beyond this chi2 of the measures no circuit explains them
# Two checks may together stop one patient in ten whom an account describes: measures that the fit does not
# reproduce, and measures that speak for something else, which find by far the most other defects.
_LEAST_PREDICTIVE_P: Final = 0.02
_LEAST_CHANCE: Final = 0.08
# The rival of all accounts.
OUTSIDE: Final = "outside_the_model"
_OUTSIDE_SENTENCE: Final = "Something else, which none of these accounts names."
_OUTSIDE_LABEL: Final = "something that none of them names"
_UNITS: Final = {"RMT": "%MSO", "MEP": "mV", "CSP": "ms", "iSP": "ms"}


def explain(posterior: Posterior, *, level: float = 0.95) -> Explanation:
    """Summarise a posterior: every factor at every visit, the change, the balance, and the hypotheses.

    Parameters
    ----------
    posterior : Posterior
    level : float
        Coverage of the intervals.
    """
    foreseen = foresee(posterior.data)
    hypotheses = _weigh_hypotheses(posterior, foreseen)
    flags = posterior.flags
    preferred, verdict = _judge(hypotheses)
    misfit, limit = _misfit(posterior), _misfit_limit(len(posterior.data.keys))
    usable = misfit <= limit
    strained = _strain(posterior, foreseen)
    if not usable:
        preferred, hypotheses = "", ()
        verdict = "No circuit shows such measures, so nothing follows from them: check their units and names."
        message = f"The measures are further from every circuit (chi2 {misfit:.0f}) than errors explain."
        flags += (Flag("model-misfit", message, "serious", value=misfit, limit=limit),)
    elif strained is not None:
        preferred = ""
        verdict = "The circuits do not reproduce these measures well, so no account is preferred."
        flags += (strained,)
    if usable and not posterior.data.from_baseline:
        preferred, hypotheses = "", ()
        verdict = "Nothing was measured before treatment, so no account of that state can be given."
    return Explanation(
        str(posterior.data.patient),
        _summarise_factors(posterior, level) if usable else (),
        posterior.effective,
        posterior.exact,
        flags,
        posterior.data.visits,
        hypotheses,
        preferred,
        verdict,
        _compare_curves(posterior, level),
        share_of(posterior) if usable else None,
    )


def _summarise_factors(posterior: Posterior, level: float) -> tuple[FactorEstimate, ...]:
    visits = len(posterior.data.visits)
    before, _ = draw_factors(visits, _PRIOR_DRAWS, np.random.default_rng(0))
    rows = []
    for index, visit in enumerate(posterior.data.visits):
        rows += _summarise(
            visit, posterior.of_visit(index), posterior.weight, visit_position(before, index), level
        )
    if visits > 1:
        last = slice((visits - 1) * N_VISIT, None)
        rows += _summarise(CHANGE, posterior.factors[last], posterior.weight, before[last], level)
    return tuple(rows)


def _summarise(
    visit: str, position: Floats, weight: Floats, before: Floats, level: float
) -> list[FactorEstimate]:
    """Return the rows of one visit; `before` are draws of the prior."""
    even = np.full(before.shape[1], 1 / before.shape[1])
    own, prior = _by_hemisphere(position), _by_hemisphere(before)
    return [
        FactorEstimate(
            visit,
            hemisphere,
            factor,
            _estimate(factor, draws, weight, level),
            _spread(draws, weight) / _spread(prior[hemisphere, factor], even),
        )
        for (hemisphere, factor), draws in own.items()
    ]


def _by_hemisphere(position: Floats) -> dict[tuple[str, str], Floats]:
    """Return the draws of every row: the factors, what is derived from them, and pain over other side."""
    by_factor = position.reshape(len(FACTORS), 2, -1)
    rows = {
        (hemisphere, factor): by_factor[index, side]
        for index, factor in enumerate(FACTORS)
        for side, hemisphere in enumerate(HEMISPHERES)
    }
    for hemisphere in HEMISPHERES:
        rows[hemisphere, GABA_OVER_GLUTAMATE] = rows[hemisphere, "gaba_a"] - rows[hemisphere, "nmda_pyramids"]
    pain, other = HEMISPHERES
    for factor in BALANCED:
        rows[BALANCE, factor] = rows[pain, factor] - rows[other, factor]
    return rows


def _spread(draws: Floats, weight: Floats) -> float:
    return float(np.sqrt(((draws - draws @ weight) ** 2) @ weight))


def _estimate(factor: str, draws: Floats, weight: Floats, level: float) -> Estimate:
    low, middle, high = weighted_quantiles(draws, weight, level)
    if factor == TONE:
        return Estimate(factor, middle, low, high, level=level, unit="mV", method="circuit posterior")
    return Estimate(
        factor,
        float(np.exp(middle)),
        float(np.exp(low)),
        float(np.exp(high)),
        level=level,
        method="circuit posterior, ratio to health",
        scale="log",
    )


def weighted_quantiles(draws: Floats, weight: Floats, level: float) -> tuple[float, float, float]:
    """Return the lower end, the median and the upper end of the central interval of weighted draws."""
    order = np.argsort(draws)
    below = np.cumsum(weight[order]) - 0.5 * weight[order]
    ends = np.interp([0.5 - level / 2, 0.5, 0.5 + level / 2], below, draws[order])
    return float(ends[0]), float(ends[1]), float(ends[2])


def _weigh_hypotheses(posterior: Posterior, foreseen: Foreseen) -> tuple[Hypothesis, ...]:
    from scipy.special import expit

    shares = account_shares(posterior.factors)
    probability = shares @ posterior.weight
    variance = ((shares - probability[:, None]) ** 2) @ posterior.weight
    effective = 1 / (posterior.weight**2).sum()
    error = np.sqrt(variance / effective) / np.maximum(probability, 1e-12)
    outside = foreseen.log_outside(posterior.data.log_value)
    within = float(expit(posterior.log_evidence + np.log(len(ACCOUNTS)) - outside))
    accounts = tuple(
        Hypothesis(
            account.name,
            account.sentence,
            within * float(share),
            posterior.log_evidence + float(np.log(max(share, 1e-12) * len(ACCOUNTS))),
            float(np.hypot(posterior.log_evidence_se, se)),
        )
        for account, share, se in zip(ACCOUNTS, probability, error, strict=True)
    )
    return (*accounts, Hypothesis(OUTSIDE, _OUTSIDE_SENTENCE, 1 - within, outside, 0.0))


def _judge(hypotheses: tuple[Hypothesis, ...]) -> tuple[str, str]:
    """Return the preferred account and a sentence."""
    labels = {account.name: account.label for account in ACCOUNTS} | {OUTSIDE: _OUTSIDE_LABEL}
    ranked = sorted(hypotheses, key=lambda one: -one.probability)
    best = ranked[0]
    if best.probability >= PREFERRED_FROM:
        among = f"(Probability {best.probability:.2f} among {len(hypotheses)} accounts.)"
        return "" if best.name == OUTSIDE else best.name, f"{best.sentence} {among}"
    open_ = [labels[one.name] for one in ranked if one.probability > _OPEN_FROM]
    if len(open_) == len(ranked):
        return "", f"These measurements can not tell the {len(ranked)} accounts apart."
    return "", f"These measurements can not tell between {', '.join(open_[:-1])} and {open_[-1]}."


def _strain(posterior: Posterior, foreseen: Foreseen) -> Flag | None:
    """Return a flag where the measures are unlike what was fitted, or unlike every patient foreseen."""
    fitted = _predictive_p(posterior)
    if fitted < _LEAST_PREDICTIVE_P:
        message = (
            f"Measures drawn from the fit lie as far from it in only {100 * fitted:.1f} % of draws; "
            f"furthest from what the others let expect: {_furthest(posterior)}."
        )
        return Flag(STRAINED, message, "caution", value=fitted, limit=_LEAST_PREDICTIVE_P)
    # Changes by treatment are foreseen too: a defect that no account names shows at every visit.
    data = posterior.data
    if not data.from_baseline:
        return None
    chance, odd = foreseen.chance(data.log_value)
    if chance >= _LEAST_CHANCE:
        return None
    message = (
        f"Of patients as the accounts describe them only {100 * chance:.1f} % show measures that speak "
        f"as much for something else; furthest from what the others let expect: {_name_of(posterior, odd)}."
    )
    return Flag(STRAINED, message, "caution", value=chance, limit=_LEAST_CHANCE)


def _predictive_p(posterior: Posterior) -> float:
    """Return how often measures drawn from the fit lie as far from it as those made (Gelman 1996)."""
    from scipy.stats import chi2

    data = posterior.data
    away = data.log_value[:, None] - posterior.predicted
    square = (away * np.linalg.solve(data.error_covariance, away)).sum(axis=0)
    return float(chi2.sf(square, len(data.keys)) @ posterior.weight)


def _furthest(posterior: Posterior) -> str:
    """Return the measure that is furthest from what the fit and the other measures let expect."""
    data = posterior.data
    precise = np.linalg.inv(data.error_covariance)
    away = data.log_value - posterior.predicted @ posterior.weight
    return _name_of(posterior, int(np.argmax(np.abs(precise @ away) / np.sqrt(np.diag(precise)))))


def _name_of(posterior: Posterior, row: int) -> str:
    visit, side, name = posterior.data.keys[row]
    return f"{name} ({HEMISPHERES[side]}, {posterior.data.visits[visit]})"


def _misfit(posterior: Posterior) -> float:
    """Return the chi2 of the measures about the mean prediction, with all that is uncertain about it."""
    away = posterior.data.log_value - posterior.predicted @ posterior.weight
    return float(away @ np.linalg.solve(posterior.data.error_covariance, away))


def _misfit_limit(observations: int) -> float:
    from scipy.stats import chi2

    return float(chi2.ppf(_MISFIT_LEVEL, observations))


def _compare_curves(posterior: Posterior, level: float) -> tuple[CurvePoint, ...]:
    """Return what was observed beside what the circuit and the habits of this person together predict."""
    data = posterior.data
    # Habits are shared by the visits: the part of the misfit that all visits agree on, known only as well as
    # the measures allow. What a visit alone shows is not foreseen and widens the prediction.
    person, habit = data.person_covariance, data.habit_covariance
    share = np.linalg.solve(data.error_covariance, habit).T
    expected = posterior.predicted + share @ (data.log_value[:, None] - posterior.predicted)
    left = np.sqrt(np.maximum(np.diag(person - share @ habit), 0.0))
    expected += left[:, None] * np.random.default_rng(0).standard_normal(expected.shape)
    z = normal_quantile(level)
    points = []
    for row, (visit, side, name) in enumerate(data.keys):
        unit = log_unit(name)
        middle, error = data.log_value[row] + unit, z * data.log_se[row]
        observed = np.exp([middle - error, middle, middle + error])
        predicted = np.exp(np.array(weighted_quantiles(expected[row], posterior.weight, level)) + unit)
        points.append(
            CurvePoint(
                data.visits[visit],
                HEMISPHERES[side],
                name,
                _point(name, observed, level, "measured"),
                _point(name, predicted, level, "circuit posterior"),
            )
        )
    return tuple(points)


def _point(name: str, ends: Floats, level: float, method: str) -> Estimate:
    low, value, high = (float(end) for end in ends)
    unit = _UNITS.get(family_of(name), "")
    return Estimate(name, value, low, high, level=level, unit=unit, method=method, scale="log")
