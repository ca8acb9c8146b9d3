"""The items of TRIPOD+AI, answered where the study's own objects know the answer; the rest stays a question.

Numbering after Collins et al. 2024, BMJ 385:e078378; the wording is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sudeck.core.published import SOURCE

if TYPE_CHECKING:
    from sudeck.study.answers.study_prediction import StudyPrediction


@dataclass(frozen=True, slots=True)
class TripodItem:
    """One item of the checklist.

    Attributes
    ----------
    number, topic : str
    answer : str
        Filled from the study; empty if only a person can answer.
    question : str
        What a person has to add; empty if nothing is left.
    """

    number: str
    topic: str
    answer: str = ""
    question: str = ""


def tripod_items(predicted: StudyPrediction) -> tuple[TripodItem, ...]:
    """Return the checklist for a prediction study."""
    cohort, model, checked = predicted.cohort, predicted.model, predicted.validation
    flow, settings = cohort.flow, cohort.settings
    predictors = ", ".join(model.names) if model is not None else "no model could be fitted"
    missing = ""
    if model is not None:
        missing = (
            f"{flow.enrolled - flow.analysed} patients without scan or outcome took no part; outcomes are "
            f"never imputed. {model.imputed} patients lacked a predictor"
            + (
                f"; {model.plan.imputations} imputed data sets, pooled by Rubin's rules. Imputed with the "
                "outcome to fit, expected from the other predictors alone to judge."
                if model.imputed
                else "."
            )
        )
    performance = updating = ""
    if checked is not None:
        c, slope = checked.measures["c_statistic"], checked.measures["calibration_slope"]
        listed = "; ".join(map(str, (c, slope, checked.measures["brier"])))
        performance = f"{listed[:1].upper()}{listed[1:]}; calibration and decision curves above."
        updating = "None in this study; for use elsewhere it can be updated step by step with a closed test."
    given = cohort.course.treatment
    treatment = f"{given[:1].upper()}{given[1:]}." if given else "No treatment is recorded."
    penalty = f"{model.plan.likelihood} likelihood" if model is not None else "none"
    return (
        TripodItem(
            "1, 2", "Title and abstract", question="Name the study as development of a prediction model."
        ),
        TripodItem(
            "3",
            "Background",
            f"Bone scan ratios and relief under ketamine: {SOURCE}.",
            "What is the gap to fill?",
        ),
        TripodItem(
            "4", "Objectives", "Development with internal validation; the published rule judged beside it."
        ),
        TripodItem("5", "Source of data", question="Where, when and from whom were the data collected?"),
        TripodItem(
            "6",
            "Participants and treatment",
            f"{flow.enrolled} patients listed. {treatment}",
            "Who was eligible? Which setting and centres?" + ("" if given else " What treatment was given?"),
        ),
        TripodItem(
            "7",
            "Data preparation",
            "De-identified DICOM and tables in a study folder; counts audited; every number opens to its "
            "pixels.",
        ),
        TripodItem(
            "8",
            "Outcome",
            f"{settings.responder}, from the pain score of {settings.baseline}; set in sudeck.toml.",
            "Were those who scored pain blind to the scan?",
        ),
        TripodItem(
            "9",
            "Predictors",
            f"{predictors}; region {settings.region}, background {settings.background}.",
            "Were those who measured blind to the outcome? (Sudeck's regions are set without it.)",
        ),
        TripodItem("10", "Sample size", _sample_size(predicted), "How was the number of patients decided?"),
        TripodItem("11", "Missing data", missing),
        TripodItem(
            "12",
            "Analysis",
            f"Logistic regression, {penalty}, two log ratios and covariates declared beforehand; "
            "measurement "
            "error taken into account by regression calibration; all steps repeated in every bootstrap "
            "sample.",
        ),
        TripodItem(
            "13", "Class imbalance", "Neither resampled nor weighted; the intercept keeps the prevalence."
        ),
        TripodItem("14", "Fairness", _fairness(predicted), "Does it do equally well at all ages?"),
        TripodItem(
            "15",
            "Output of the model",
            "A probability of response with its interval; no class is forced on it.",
        ),
        TripodItem(
            "16", "Training and evaluation", "The same patients, corrected for optimism by bootstrap."
        ),
        TripodItem("17", "Ethics", question="Which committee approved the study? Consent?"),
        TripodItem(
            "18",
            "Open science",
            "Model in model.json, settings in sudeck.toml, software named at the foot.",
            "Funding, interests, protocol, registration, sharing of data and code?",
        ),
        TripodItem("19", "Patient involvement", question="Were patients or the public involved?"),
        TripodItem("20", "Participants", f"{flow}. See flow and table 1."),
        TripodItem(
            "21", "Model development", f"{model.n} patients, {model.events} responders." if model else ""
        ),
        TripodItem(
            "22",
            "Model specification",
            "Coefficients above; all that is needed in model.json." if model else "",
        ),
        TripodItem("23", "Model performance", performance, "Does it vary between centres?"),
        TripodItem("24", "Model updating", updating),
        TripodItem(
            "25, 26", "Interpretation and limitations", question="What do you conclude? What could be wrong?"
        ),
        TripodItem(
            "27",
            "Usability",
            "A missing phase or covariate is expected from the others and flagged; so is extrapolation.",
            "Who would use it, for which decision?",
        ),
    )


def _fairness(predicted: StudyPrediction) -> str:
    columns = dict.fromkeys(one.column for one in predicted.groups)
    if not columns:
        return "One group only of sex, limb and centre."
    return f"Discrimination and calibration by {' and '.join(columns)} above, where numbers allow."


def _sample_size(predicted: StudyPrediction) -> str:
    model, checked = predicted.model, predicted.validation
    if model is None or checked is None:
        return ""
    c, needed = checked.measures["c_statistic"].corrected, predicted.patients_needed
    if needed is None:
        return f"{model.n} patients; a C statistic of {c:.2f} in new patients leaves nothing to plan for."
    return (
        f"{model.n} patients. Riley's criteria ask for {needed} at this prevalence, {len(model.names)} "
        f"coefficients and a C statistic of {c:.2f}."
    )
