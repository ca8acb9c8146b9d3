"""Who responds to ketamine: the published rule, the published analysis, and an honest model beside them.

In comes a table, one row a patient; out comes the whole answer. This room knows no files of a study. Read the
modules in the order of the data:

- `cohort_prediction` is the verb, `calculator` the same for one patient typed by hand
- a table becomes arrays: `ratios`, `cohort`, `predictors`, `model_data` (and whether the patients are enough)
- what was published, repeated: `published/`
- what can be defended: `response_model`, made of `fitting` and `inference`; `patients` predicts one by one
- how far it carries: `bootstrap`, `validation`, `curves`, `decision`
- what comes next: `saved_model`, `updating`
"""

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.prediction.calculator import Calculation, calculate
    from sudeck.prediction.cohort import Cohort, read_cohort
    from sudeck.prediction.cohort_prediction import CohortPrediction, predict_cohort
    from sudeck.prediction.curves import calibration_curve
    from sudeck.prediction.decision import decision_curve
    from sudeck.prediction.patients import PatientPrediction, predict_patients
    from sudeck.prediction.published.published_rule import apply_published_rule, evaluate_published_rule
    from sudeck.prediction.published.relief_correlation import published_analysis
    from sudeck.prediction.response_model import ResponseModel
    from sudeck.prediction.saved_model import ModelOrigin, model_from_json, model_to_json, read_saved_model
    from sudeck.prediction.updating import ModelUpdate, recalibrated, update_model
    from sudeck.prediction.validation import Validation, validate_externally, validate_model

__all__ = [
    "Calculation",
    "Cohort",
    "CohortPrediction",
    "ModelOrigin",
    "ModelUpdate",
    "PatientPrediction",
    "ResponseModel",
    "Validation",
    "apply_published_rule",
    "calculate",
    "calibration_curve",
    "decision_curve",
    "evaluate_published_rule",
    "model_from_json",
    "model_to_json",
    "predict_cohort",
    "predict_patients",
    "published_analysis",
    "read_cohort",
    "read_saved_model",
    "recalibrated",
    "update_model",
    "validate_externally",
    "validate_model",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    calculator="Calculation calculate",
    cohort="Cohort read_cohort",
    cohort_prediction="CohortPrediction predict_cohort",
    curves="calibration_curve",
    decision="decision_curve",
    patients="PatientPrediction predict_patients",
    published__published_rule="apply_published_rule evaluate_published_rule",
    published__relief_correlation="published_analysis",
    response_model="ResponseModel",
    saved_model="ModelOrigin model_from_json model_to_json read_saved_model",
    updating="ModelUpdate recalibrated update_model",
    validation="Validation validate_externally validate_model",
)
