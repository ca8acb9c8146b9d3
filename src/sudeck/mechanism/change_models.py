"""The mixed models behind each question of change, and the answers they give."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.quantile import t_quantile
from sudeck.mechanism.covariates import Covariates
from sudeck.mechanism.measure_table import HEMISPHERES, INTERACTION, MeasureTable, Observation, PairedChanges
from sudeck.statistics.effect_size import standardise_change
from sudeck.statistics.mixed.degrees_of_freedom import Contrast, DfMethod, estimate_contrast
from sudeck.statistics.mixed.mixed_likelihood import Floats
from sudeck.statistics.mixed.mixed_model import RandomTerm, fit_mixed_model

# With fewer patients seen twice nothing but the raw values can be said.
MIN_PAIRS = 3
# With less than one degree of freedom an interval goes from nothing to everything, or beyond any number.
LEAST_DF = 1.0
CHANGE_TEXT = {
    "pain": "pain-side hemisphere",
    "other": "other hemisphere",
    INTERACTION: "change on the pain side over change on the other",
}


@dataclass(frozen=True)
class Change:
    """Change of one measure between two visits in one hemisphere, or the interaction of hemisphere and visit.

    Attributes
    ----------
    measure, hemisphere, visit, baseline : str
        `hemisphere` is ``"pain"``, ``"other"``, or ``"interaction"`` (pain side's ratio over the other's).
    ratio : Estimate
        Visit over baseline, from the mixed model.
    p, df : float
        Two-sided P of no change and its degrees of freedom.
    n, n_any : int
        Patients seen at both visits, and patients with at least one of the two.
    effect_size : Estimate or None
        Mean change in standard deviations of the change (Hedges' g).
    p_sign_flip, p_family : float or None
        Exact sign-flip P alone, and controlled over all changes of a side, or over all interactions.
    """

    measure: str
    hemisphere: str
    visit: str
    baseline: str
    ratio: Estimate
    p: float
    df: float
    n: int
    n_any: int
    effect_size: Estimate | None
    p_sign_flip: float | None = None
    p_family: float | None = None

    def __str__(self) -> str:
        family = "" if self.p_family is None else f", P in the family {self.p_family:.3g}"
        return f"{self.ratio}, t({self.df:.1f}) P = {self.p:.3g}{family}, n = {self.n}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, the ratio's interval at the top level."""
        ratio = self.ratio.to_dict()
        return {
            "measure": self.measure,
            "hemisphere": self.hemisphere,
            "visit": self.visit,
            "baseline": self.baseline,
            "ratio": ratio["value"],
            "low": ratio["low"],
            "high": ratio["high"],
            "level": self.ratio.level,
            "log_se": self.ratio.se,
            "p": self.p,
            "df": self.df if math.isfinite(self.df) else None,
            "n": self.n,
            "n_any": self.n_any,
            "p_sign_flip": self.p_sign_flip,
            "p_family": self.p_family,
            "effect_size": None if self.effect_size is None else self.effect_size.to_dict(),
            "method": self.ratio.method,
        }


@dataclass(frozen=True)
class Asymmetry:
    """Pain side over other side of one measure at one visit."""

    measure: str
    visit: str
    ratio: Estimate
    p: float
    df: float
    n: int

    def __str__(self) -> str:
        return f"{self.ratio}, t({self.df:.1f}) P = {self.p:.3g}, n = {self.n}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, the ratio's interval at the top level."""
        ratio = self.ratio.to_dict()
        return {
            "measure": self.measure,
            "visit": self.visit,
            "ratio": ratio["value"],
            "low": ratio["low"],
            "high": ratio["high"],
            "level": self.ratio.level,
            "p": self.p,
            "df": self.df if math.isfinite(self.df) else None,
            "n": self.n,
        }


def no_answer(subject: str, message: str) -> Flag:
    """Return one sentence on a question that the data can not answer."""
    return Flag("no-answer", message, "serious", subject)


@dataclass(frozen=True)
class ChangeQuestions:
    """The models behind the answers, with what they have in common."""

    measures: MeasureTable
    baseline: str
    adjustment: Covariates
    df_method: DfMethod
    level: float

    def change(self, paired: PairedChanges, measure: str, side: str, visit: str) -> Change | Flag:
        """Answer one question, or say in one sentence why it has no answer."""
        subject = f"{measure}, {CHANGE_TEXT[side]}"
        column, _ = paired.column(measure, side)
        differences = column[self.adjustment.complete(paired.patients) & np.isfinite(column)]
        n = len(differences)
        if n < MIN_PAIRS + self.adjustment.count:
            return no_answer(
                subject,
                f"{subject}: {n} patient(s) with all that {visit} over {self.baseline} needs; "
                f"{MIN_PAIRS + self.adjustment.count} or more would allow an estimate.",
            )
        if np.ptp(differences) <= 1e-9 * max(1.0, float(np.abs(differences).max())):
            return no_answer(
                subject,
                f"{subject}: every patient changed by the same factor {math.exp(differences[0]):.3g}, so "
                "there is no spread to judge it by; check whether values were copied.",
            )
        sides = HEMISPHERES if side == INTERACTION else (side,)
        rows = [
            o
            for o in self.measures.of(measure, (self.baseline, visit))
            if o.hemisphere in sides and self.adjustment.has(o.patient)
        ]
        name = f"{measure} {visit}/{self.baseline}, {CHANGE_TEXT[side]}"
        after = np.array([float(o.visit == visit) for o in rows])
        try:
            contrast = self._contrast(rows, after, name, interaction=side == INTERACTION)
        except InputError as error:
            return no_answer(subject, f"{subject}: {error.problem}; {error.remedy}.")
        n_any = len({o.patient for o in rows})
        return Change(
            measure,
            side,
            visit,
            self.baseline,
            self._ratio(contrast, name, n),
            contrast.p,
            contrast.df,
            n,
            n_any,
            standardise_change(differences, name=f"{name}, effect size", level=self.level),
        )

    def asymmetry(self, measure: str, visit: str) -> Asymmetry | None:
        """Compare the hemispheres at one visit; None where too few patients have both."""
        rows = self.measures.of(measure, (visit,))
        sides: dict[Hashable, dict[str, float]] = {}
        for o in rows:
            sides.setdefault(o.patient, {})[o.hemisphere] = o.log_value
        differences = np.array([s["pain"] - s["other"] for s in sides.values() if len(s) == 2])
        if len(differences) < MIN_PAIRS or np.ptp(differences) <= 1e-9:
            return None
        name = f"{measure} at {visit}, pain side over other side"
        pain = np.array([float(o.hemisphere == "pain") for o in rows])
        try:
            contrast = self._fit(rows, np.column_stack([np.ones(len(rows)), pain]), [], name, position=1)
        except InputError:
            return None
        n = len(differences)
        return Asymmetry(measure, visit, self._ratio(contrast, name, n), contrast.p, contrast.df, n)

    def _contrast(self, rows: list[Observation], after: Floats, name: str, *, interaction: bool) -> Contrast:
        covariates = self.adjustment.values([o.patient for o in rows])
        ones = np.ones(len(rows))
        if not interaction:
            design = np.column_stack([ones, after, covariates * after[:, None]])
            return self._fit(rows, design, [], name, position=1)
        pain = np.array([float(o.hemisphere == "pain") for o in rows])
        design = np.column_stack(
            [
                ones,
                pain,
                after,
                pain * after,
                covariates * after[:, None],
                covariates * (pain * after)[:, None],
            ]
        )
        terms = [
            RandomTerm("patient:hemisphere", [(o.patient, o.hemisphere) for o in rows]),
            RandomTerm("patient:visit", [(o.patient, o.visit) for o in rows]),
        ]
        return self._fit(rows, design, terms, name, position=3)

    def _fit(
        self, rows: list[Observation], design: Floats, terms: list[RandomTerm], name: str, *, position: int
    ) -> Contrast:
        errors = np.array([o.log_se for o in rows])
        model = fit_mixed_model(
            [o.log_value for o in rows],
            design,
            [RandomTerm("patient", [o.patient for o in rows]), *terms],
            known_variance=np.where(np.isfinite(errors), errors, 0.0) ** 2,
        )
        weights = np.zeros(design.shape[1])
        weights[position] = 1.0
        contrast = estimate_contrast(model, weights, name=name, method=self.df_method, level=self.level)
        if contrast.df < LEAST_DF:
            raise InputError(
                name,
                f"these patients do not tell how large its error is ({contrast.df:.2g} degrees of freedom)",
                "measure more patients",
            )
        return contrast

    def _ratio(self, contrast: Contrast, name: str, n: int) -> Estimate:

        assert contrast.estimate.se is not None
        return Estimate.from_log(
            name,
            contrast.estimate.value,
            contrast.estimate.se,
            level=self.level,
            quantile=t_quantile(self.level, contrast.df),
            method=contrast.estimate.method,
            n=n,
            n_unit="patients",
        )
