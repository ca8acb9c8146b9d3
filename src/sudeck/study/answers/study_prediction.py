"""What is predicted from a study: everything `sudeck predict` says, of the cohort and of one patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sudeck.core.provenance import SOFTWARE
from sudeck.prediction.cohort_prediction import CohortPrediction
from sudeck.study.answers.cohort_table import StudyCohort

if TYPE_CHECKING:
    from sudeck.prediction.patients import PatientPrediction
    from sudeck.prediction.published.published_rule import PatientVerdict
    from sudeck.prediction.saved_model import ModelOrigin


@dataclass(frozen=True, kw_only=True)
class StudyPrediction(CohortPrediction):
    """Everything `sudeck predict` says about a study: the answer of `predict_cohort`, and what it rests on.

    Attributes
    ----------
    cohort : StudyCohort
    fingerprint : str
        Of everything this rests on.
    """

    cohort: StudyCohort
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return the contract of ``prediction.json`` as plain JSON-ready values."""
        return {
            "software": SOFTWARE,
            "fingerprint": self.fingerprint,
            "responder_rule": str(self.cohort.settings.responder),
            "flow": self.cohort.flow.to_dict(),
            "scan_ratios": self.cohort.ratios.to_dict(),
            "after_treatment": self.cohort.course.to_dict(),
            "patients_needed": self.patients_needed,
            "published_rule": _plain(self.rule),
            "published_analysis": _plain(self.analysis),
            "best_cutoffs": _plain(self.cutoffs),
            "reported": self.reported.to_dict(),
            "model": self._model(),
            "relief_model": _plain(self.relief_model),
            "patients": {
                pid: prediction.to_dict()
                | {
                    "published_rule": self._verdict(pid),
                    "probability_from_all_others": self.without.get(pid),
                }
                for pid, prediction in self.patients.items()
            },
            "refused": dict(self.refused),
        }

    def _model(self) -> dict[str, Any] | None:
        if self.model is None:
            return None
        entry = self.model.to_dict()
        if self.validation is not None:
            checked = self.validation.to_dict()
            entry |= {
                "c_statistic": checked["c_statistic"],
                "brier": checked["brier"],
                "calibration": {
                    "intercept": checked["calibration_intercept"],
                    "slope": checked["calibration_slope"],
                    "curve": checked["calibration_curve"],
                },
                "instability": checked["instability"],
                "informative": checked["informative"],
                "bootstraps": {name: checked[name] for name in ("n_boot", "n_separated", "n_one_class")},
            }
        return entry | {
            "decision_curve": _plain(self.decision),
            "shrinkage": self.shrinkage,
            "by_group": [one.to_dict() for one in self.groups],
            "by_centre_left_out": [one.to_dict() for one in self.centres],
        }

    def _verdict(self, participant_id: str) -> dict[str, Any] | None:
        found = next((one for one in self.verdicts if one.participant_id == participant_id), None)
        return None if found is None else found.to_dict()

    def __str__(self) -> str:
        lines = [f"{self.cohort.flow}; responder: {self.cohort.settings.responder}"]
        for title, part in (
            ("Published rule on this cohort", self.rule),
            ("Published analysis repeated", self.analysis),
            ("Model", self.model),
            ("Validated by bootstrap", self.validation),
        ):
            if part is not None:
                lines += [f"{title}:", *(f"  {line}" for line in str(part).splitlines())]
        lines += [f"Not done, {name}: {reason}" for name, reason in self.refused.items()]
        return "\n".join(lines)


@dataclass(frozen=True)
class PredictedPatient:
    """One patient as the model sees this patient: the answer, and what it rests on.

    Attributes
    ----------
    prediction : PatientPrediction
    verdict : PatientVerdict or None
        Of the published rule; None where a phase is missing.
    without : PatientPrediction or None
        From the model fitted to all others; None where this patient took no part in the fit.
    origin : ModelOrigin
        Of the model.
    """

    prediction: PatientPrediction
    verdict: PatientVerdict | None
    without: PatientPrediction | None
    origin: ModelOrigin

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return self.prediction.to_dict() | {
            "published_rule": None if self.verdict is None else self.verdict.to_dict(),
            "fitted_without_this_patient": None if self.without is None else self.without.to_dict(),
            "origin": self.origin.to_dict(),
        }

    def __str__(self) -> str:
        one = self.prediction
        lines = [f"{one.participant_id}: {one.prediction}"]
        if self.without is not None:
            lines.append(f"  fitted to all other patients: {self.without.prediction}")
        lines.append("  rests on (log odds against the mean patient):")
        lines += [f"    {name} {share:+z.2f}" for name, share in one.contributions.items()]
        if self.verdict is not None:
            lines.append(f"  published rule: {self.verdict}")
        lines += [f"  {sentence}" for sentence in self.origin.sentences()]
        return "\n".join([*lines, *(f"  {flag}" for flag in one.flags)])


def _plain(part: Any) -> Any:
    return None if part is None else part.to_dict()
