"""What a study says about who responds, in plain words, and what it does not say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sudeck.core.claim import INTERVAL, REPORT_ERROR, Claim, Sentence, described
from sudeck.core.published import COHORT_SIZE, PUBLISHED_RATIOS
from sudeck.core.vocabulary import counted
from sudeck.report.kit.text import number, percent

if TYPE_CHECKING:
    from sudeck.study.answers.study_prediction import StudyPrediction

# What claims are about, by the names that truth is given under.
RATIOS = "slopes of the two ratios"
C_STATISTIC = "C statistic of the model"
_BUDGET = "study page: the model's test of the ratios, then Holm over six correlations"
_USELESS_C = 0.6  # a C statistic below which a prediction hardly differs between patients


def sentences(predicted: StudyPrediction) -> tuple[Sentence, ...]:
    """Return what the study says, a sentence or two each, the most useful first."""
    flow, rule = predicted.cohort.flow, predicted.cohort.settings.responder
    says = [
        f"{flow.analysed} of {flow.enrolled} patients have both a measured scan and an outcome; "
        f"{flow.responders} of "
        f"them responded ({rule})."
        if flow.analysed
        else "No patient has both a measured scan and an outcome; the study lists "
        f"{counted(flow.enrolled, 'patient')}."
    ]
    given = [*_model_sentence(predicted), *_rule_sentence(predicted), *_analysis_sentence(predicted)]
    return described([*says, *given])


def caveats(predicted: StudyPrediction) -> tuple[Sentence, ...]:
    """Return what the study does not say."""
    says = [
        "A probability of response is about patients like these, scanned and treated as these were. No "
        "patient's "
        "treatment should hang on it before it held in patients of another centre.",
        "Nothing here compares ketamine with another treatment: who responds more is not who gains more.",
    ]
    if predicted.validation is not None:
        says.append(
            "The correction for optimism repeats the whole analysis in bootstrap samples of the same "
            "patients. It "
            "tells what to expect in more patients from here, not elsewhere."
        )
    says.append(reported_sentence(predicted))
    return described(says)


def reported_sentence(predicted: StudyPrediction) -> Sentence:
    """Return whether the correlations of the publication fit its own number of patients."""
    printed = ", ".join(f"r = {ratio.r} with P = {ratio.p}" for ratio in PUBLISHED_RATIOS.values())
    fits = [one.compatible_n for one in predicted.reported.correlations]
    ranges = ", ".join(f"{low} to {high}" for low, high in (fit for fit in fits if fit is not None))
    text = f"The publication prints {printed} for {COHORT_SIZE} patients; these pairs fit {ranges} patients."
    return Sentence(text if predicted.reported.common_n else text[:-1] + ", no single number fits all.")


def _model_sentence(predicted: StudyPrediction) -> list[str]:
    model, checked = predicted.model, predicted.validation
    if model is None:
        return [f"No model could be fitted: {predicted.refused.get('model', 'the reason is below.')}"]
    alpha = predicted.cohort.page_error
    informs = model.ratios_p < alpha
    clear = "do" if informs else "do not show that they"
    p = f"P = {_p(model.ratios_p)}" + ("" if alpha == REPORT_ERROR else f", held against {_share(alpha)}")
    text = (
        f"Together with {_listed(_covariate_words(predicted.covariates))}, the two ratios {clear} carry "
        f"information about response ({p})."
        if predicted.covariates
        else f"The two ratios {clear} carry information about response ({p})."
    )
    claim = Claim("the ratios carry information about response", RATIOS, "differs", _BUDGET)
    says: list[str] = [Sentence(text, *([claim] if informs else []))]
    if checked is None:
        return says
    says += _patients_sentence(predicted)
    c = checked.measures["c_statistic"]
    # Where the tests say no, nothing is said of pairs: one source for both.
    if informs and checked.informative and not math.isnan(c.corrected):
        pairs = f"a responder is given the higher probability in {percent(c.corrected)} of pairs"
        worth = "close to tossing a coin" if c.corrected < _USELESS_C else "50 % would be chance"
        text = (
            f"Of one responder and one non-responder, {pairs} ({percent(c.low)} to {percent(c.high)}; "
            f"{worth}). On the patients it was fitted to it looks better than it is: {percent(c.apparent)}."
        )
        claims = [
            Claim("the C statistic lies in its interval", C_STATISTIC, "within", INTERVAL, c.low, c.high)
        ]
        if c.low > 0.5:
            claims.append(Claim("better than chance", C_STATISTIC, "above", _BUDGET, 0.5))
        says.append(Sentence(text, *claims))
    spread = checked.instability.average
    says.append(
        f"With other patients to learn from, one patient's probability would move by "
        f"{100 * spread:.0f} percentage points on average."
    )
    return says


def _patients_sentence(predicted: StudyPrediction) -> list[str]:
    model, needed = predicted.model, predicted.patients_needed
    if model is None:
        return []
    if needed is None:
        return [
            f"It rests on {model.n} patients; how many a good model needs can not be said, since it promises "
            "nothing."
        ]
    return [f"A model like this needs {needed} patients by Riley's criteria; it rests on {model.n}."]


def _rule_sentence(predicted: StudyPrediction) -> list[str]:
    if predicted.rule is None:
        return []
    (some, total), (few, rest) = predicted.rule.responders_by_criteria_met[3], _fewer(predicted)
    if not total or not rest:
        return []
    return [
        f"By the published rule, {some} of {total} patients with all three ratios raised responded, and "
        f"{few} of "
        f"{rest} of the others."
    ]


def _fewer(predicted: StudyPrediction) -> tuple[int, int]:
    assert predicted.rule is not None
    pairs = predicted.rule.responders_by_criteria_met[:3]
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def _analysis_sentence(predicted: StudyPrediction) -> list[str]:
    if predicted.analysis is None:
        return []
    measures, alpha = predicted.analysis.measures, predicted.cohort.page_error
    # In a fixed order: the model's test of the ratios comes first; only its yes lets the six be tested. Where
    # ratios differ by their error alone there is no model, and what goes with one of them is chance.
    allowed = predicted.model is not None and predicted.model.ratios_p < alpha
    p_values = {name: one.pearson.p for name, one in measures.items()}
    clear = _holm(p_values, alpha) if allowed else []
    strongest = max(measures.values(), key=lambda one: abs(one.pearson.r.value), default=None)
    if strongest is None:
        return []
    share = percent(strongest.pearson.r.value**2)
    says = (
        f"Relief goes with {_listed(clear)}" if clear else "Relief is shown to go with none of the six ratios"
    )
    why_not = "the model's test says no" if predicted.model is not None else "no model could be fitted"
    how = f"six tests that share {_share(alpha)} (Holm)" if allowed else f"not tested, since {why_not}"
    claims = [
        Claim(
            f"relief goes with {name}",
            f"correlation of relief and {name}",
            "above" if measures[name].pearson.r.value > 0 else "below",
            _BUDGET,
        )
        for name in clear
    ]
    text = f"{says} ({how}); in these patients the strongest explains {share} of its variance."
    return [Sentence(text, *claims)]


def _share(alpha: float) -> str:
    return f"{100 * alpha:g} %"


def _holm(p_values: Mapping[str, float], alpha: float) -> list[str]:
    """Return the names whose P values Holm's method passes together at `alpha`, in the order given."""
    passed = set()
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        if p_values[name] * (len(p_values) - rank) >= alpha:
            break
        passed.add(name)
    return [name for name in p_values if name in passed]


def _covariate_words(covariates: Sequence[str]) -> list[str]:
    """Return covariates as a reader calls them: ``log duration_months`` is the logarithm of the duration."""
    names = {"duration_months": "duration", "age": "age", "sex": "sex", "limb": "limb"}
    return [
        f"the logarithm of {names.get(name, name)}" if logged else names.get(name, name)
        for logged, name in ((one.startswith("log "), one.removeprefix("log ")) for one in covariates)
    ]


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else number(value, 3)
