"""Firth's logistic regression over centres that each keep their patients: sums leave, patients stay.

Each centre has an intercept of its own, the slopes are common. At given coefficients a centre sends the sums
that a step needs: score, information, and the third moments from which the penalty's part of the score
follows for any information of the whole (Firth 1993, Biometrika 80:27-38; the sums as in Wu et al. 2012, J Am
Med Inform Assoc 19:758-764). The steps are those of the fit to all patients in one table, and so is the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.regression.logistic import expit

_LONGEST_STEP: Final = 2.0  # log odds a unit, so that a first step from afar does not overshoot


@dataclass(frozen=True)
class CentreSums(Record):
    """What the likelihood of one centre looks like at given coefficients, intercept first.

    Attributes
    ----------
    score : array, shape (k,)
        Without penalty.
    information : array, shape (k, k)
    third : array, shape (k, k, k)
        Sums over patients of ``p (1 - p) (1/2 - p)`` times three predictors.
    """

    score: FloatArray
    information: FloatArray
    third: FloatArray


def centre_sums(design: FloatArray, outcome: FloatArray, coefficients: FloatArray) -> CentreSums:
    """Return the sums of one centre.

    Parameters
    ----------
    design : array, shape (n, k)
        With the column of ones first.
    outcome : array, shape (n,)
    coefficients : array, shape (k,)
        Intercept of this centre first, then the common slopes.
    """
    p = expit(design @ coefficients)
    weight = p * (1.0 - p)
    return CentreSums(
        design.T @ (outcome - p),
        (design.T * weight) @ design,
        np.einsum("n,ni,nj,nk->ijk", weight * (0.5 - p), design, design, design),
    )


def effective_patients(design: FloatArray, coefficients: FloatArray) -> float:
    """Return how many patients the sums rest on, were all as heavy as the heaviest."""
    p = expit(design @ coefficients)
    weight = p * (1.0 - p)
    return float(weight.sum() / max(float(weight.max()), 1e-300))


@dataclass(frozen=True)
class JointStep:
    """One step of the fit to all centres.

    Attributes
    ----------
    intercepts : array, shape (c,)
        After the step.
    slopes : array, shape (k - 1,)
    slope_errors : array, shape (k - 1,)
        Standard errors, from the information before the step.
    largest : float
        Of the changes of this step.
    """

    intercepts: FloatArray
    slopes: FloatArray
    slope_errors: FloatArray
    largest: float


def joint_step(parts: Sequence[CentreSums], intercepts: FloatArray, slopes: FloatArray) -> JointStep:
    """Take one step of Fisher scoring with Firth's penalty from the sums of all centres.

    Parameters
    ----------
    parts : sequence of CentreSums
        One a centre, at these coefficients.
    intercepts : array, shape (c,)
    slopes : array, shape (k - 1,)

    Raises
    ------
    InputError
        If the information of all centres together has no inverse.
    """
    centres, k = len(intercepts), len(slopes) + 1
    size = centres + k - 1
    score, information = np.zeros(size), np.zeros((size, size))
    places = [np.array([c, *range(centres, size)]) for c in range(centres)]
    for part, place in zip(parts, places, strict=True):
        score[place] += part.score
        information[np.ix_(place, place)] += part.information
    spectrum = np.linalg.eigvalsh(information)
    if not spectrum[0] > 1e-12 * spectrum[-1]:
        raise InputError(
            "the joint fit", "the predictors of all centres repeat each other", "share fewer covariates"
        )
    covariance = np.linalg.inv(information)
    for part, place in zip(parts, places, strict=True):
        score[place] += np.einsum("ijk,jk->i", part.third, covariance[np.ix_(place, place)])
    step = covariance @ score
    largest = float(np.abs(step).max())
    step *= min(1.0, _LONGEST_STEP / largest) if largest > 0 else 1.0
    return JointStep(
        intercepts + step[:centres],
        slopes + step[centres:],
        np.sqrt(np.diag(covariance)[centres:]),
        largest,
    )
