"""What knows nothing of CRPS: regression, mixed models, ROC, calibration, intervals, sample sizes.

Arrays come in, frozen results and plain arrays go out. `regression/` and `mixed/` fit; `roc`, `calibration`
and `cutoff` judge; `sample_size/` and `power` plan; `reported` holds printed numbers against each other.
"""

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.statistics.calibration import brier_score, measure_performance, recalibration
    from sudeck.statistics.correlation import fisher_interval, p_value
    from sudeck.statistics.cutoff import best_cutoff, best_of_several
    from sudeck.statistics.equivalence import show_equivalence
    from sudeck.statistics.imputation import impute, pool
    from sudeck.statistics.power import describe_power, detectable_change
    from sudeck.statistics.proportion import diagnostic_accuracy
    from sudeck.statistics.regression.firth import fit_firth
    from sudeck.statistics.regression.linear import fit_linear
    from sudeck.statistics.regression.logistic import maximise_logistic
    from sudeck.statistics.regression.ridge import fit_ridge
    from sudeck.statistics.reported import check_reported_correlation, check_reported_set
    from sudeck.statistics.resampling import bootstrap_r_interval
    from sudeck.statistics.roc import area_under_curve, c_statistic
    from sudeck.statistics.sample_size.criteria import (
        plan_binary_model,
        plan_continuous_model,
        plan_validation,
    )
    from sudeck.statistics.sample_size.precision import cutoff_patients, cutoff_precision
    from sudeck.statistics.sign_flip import flip_signs

__all__ = [
    "area_under_curve",
    "best_cutoff",
    "best_of_several",
    "bootstrap_r_interval",
    "brier_score",
    "c_statistic",
    "check_reported_correlation",
    "check_reported_set",
    "cutoff_patients",
    "cutoff_precision",
    "describe_power",
    "detectable_change",
    "diagnostic_accuracy",
    "fisher_interval",
    "fit_firth",
    "fit_linear",
    "fit_ridge",
    "flip_signs",
    "impute",
    "maximise_logistic",
    "measure_performance",
    "p_value",
    "plan_binary_model",
    "plan_continuous_model",
    "plan_validation",
    "pool",
    "recalibration",
    "show_equivalence",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    calibration="brier_score measure_performance recalibration",
    correlation="fisher_interval p_value",
    cutoff="best_cutoff best_of_several",
    equivalence="show_equivalence",
    imputation="impute pool",
    power="describe_power detectable_change",
    proportion="diagnostic_accuracy",
    regression__firth="fit_firth",
    regression__linear="fit_linear",
    regression__logistic="maximise_logistic",
    regression__ridge="fit_ridge",
    reported="check_reported_correlation check_reported_set",
    resampling="bootstrap_r_interval",
    roc="area_under_curve c_statistic",
    sample_size__criteria="plan_binary_model plan_continuous_model plan_validation",
    sample_size__precision="cutoff_patients cutoff_precision",
    sign_flip="flip_signs",
)
