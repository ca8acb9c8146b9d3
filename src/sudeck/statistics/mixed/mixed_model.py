"""Linear mixed models by REML or ML, for studies small enough that degrees of freedom matter.

Kept by hand: no Python library has the degrees of freedom. Random intercepts, random slopes, several crossed
or nested terms, and observations whose measurement error is known. Tests with honest degrees of freedom are
in `degrees_of_freedom`; a z test is not offered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.statistics.mixed.mixed_likelihood import (
    RESIDUAL,
    Floats,
    LikelihoodState,
    Method,
    MixedLikelihood,
    RandomTerm,
    group_codes,
)

__all__ = ["MixedModel", "RandomTerm", "fit_mixed_model"]

# Standard deviations below this fraction of the response's are reported as a variance of zero.
BOUNDARY = 1e-5
MAX_STEPS = 200


@dataclass(frozen=True, eq=False)
class MixedModel:
    """A fitted linear mixed model.

    Attributes
    ----------
    names : tuple of str
        Names of the fixed effects.
    coefficients : array (p,)
    covariance : array (p, p)
        Of the coefficients, model-based, with the variances taken as known.
    variances : Mapping[str, float]
        Estimated variances and covariances, e.g. ``{"patient": 0.7, "residual": 1.0}``; with slopes
        ``"patient: intercept"``, ``"patient: slope"`` and ``"patient: intercept, slope"``.
    at_boundary : tuple of str
        Variances estimated as zero (or a covariance matrix as singular).
    log_likelihood : float
        Restricted when `method` is REML.
    method : {"REML", "ML"}
    n : int
        Observations.
    state : LikelihoodState
        The likelihood at the optimum, from which degrees of freedom are made.
    """

    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    variances: Mapping[str, float]
    at_boundary: tuple[str, ...]
    log_likelihood: float
    method: Method
    n: int
    state: LikelihoodState

    @property
    def standard_errors(self) -> Floats:
        """Square roots of the diagonal of `covariance`."""
        errors: Floats = np.sqrt(np.diag(self.covariance))
        return errors

    def weights(self, **coefficients: float) -> Floats:
        """Return the contrast that weights the named coefficients, zero elsewhere.

        Raises
        ------
        InputError
            If a name is not a fixed effect of this model.
        """
        out = np.zeros(len(self.names))
        for name, weight in coefficients.items():
            if name not in self.names:
                raise InputError(name, "it is not a fixed effect", f"use one of {', '.join(self.names)}")
            out[self.names.index(name)] = weight
        return out

    def __str__(self) -> str:
        lines = [f"Linear mixed model by {self.method}, {self.n} observations"]
        lines += [
            f"  {name:<24} {b: .5g} (SE {se:.4g})"
            for name, b, se in zip(self.names, self.coefficients, self.standard_errors, strict=True)
        ]
        lines += [f"  variance, {name:<14} {value: .5g}" for name, value in self.variances.items()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "coefficients": dict(zip(self.names, self.coefficients.tolist(), strict=True)),
            "standard_errors": dict(zip(self.names, self.standard_errors.tolist(), strict=True)),
            "variances": dict(self.variances),
            "at_boundary": list(self.at_boundary),
            "log_likelihood": self.log_likelihood,
            "method": self.method,
            "n": self.n,
        }


def fit_mixed_model(
    response: ArrayLike,
    design: ArrayLike,
    terms: Sequence[RandomTerm],
    *,
    names: Sequence[str] | None = None,
    known_variance: ArrayLike | None = None,
    method: Method = "REML",
) -> MixedModel:
    """Fit a linear mixed model.

    Parameters
    ----------
    response : array (n,)
    design : array (n, p)
        Fixed effects, intercept included by the caller, of full column rank.
    terms : sequence of RandomTerm
        Random effects; may be crossed. A residual variance is always added.
    names : sequence of str, optional
        Names of the fixed effects; ``x0``, ``x1`` … otherwise.
    known_variance : array (n,), optional
        Known part of each observation's variance (squared standard error of the measurement).
    method : {"REML", "ML"}
        Restricted or full maximum likelihood. Kenward-Roger needs REML.

    Returns
    -------
    MixedModel

    Raises
    ------
    InputError
        If values are missing, the design is not of full rank, nothing is left to estimate the variance from,
        the response does not vary around the fixed effects, or the search does not converge.

    Notes
    -----
    Damped Newton steps on the Cholesky factors with the exact observed Hessian, its negative eigenvalues
    reversed, so that saddle points (a zero factor) repel. Variances do not go below zero.

    Examples
    --------
    >>> before_after = [1.0, 1.6, 2.0, 2.4, 3.0, 3.3, 4.0, 4.7]
    >>> design = [[1, 0], [1, 1]] * 4
    >>> model = fit_mixed_model(before_after, design, [RandomTerm("patient", [1, 1, 2, 2, 3, 3, 4, 4])])
    >>> model.coefficients.round(3).tolist()
    [2.5, 0.5]
    """
    y, X, known = _checked(response, design, terms, known_variance)
    n, p = X.shape
    labels = tuple(names) if names is not None else tuple(f"x{i}" for i in range(p))
    if len(labels) != p:
        raise InputError("names", f"{len(labels)} names for {p} fixed effects", "give one name per column")

    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    spread = float(np.sqrt(residual @ residual / (n - p)))
    if spread <= 1e-10 * max(1e-300, float(np.abs(y).max())):
        raise InputError(
            "response", "it has no variation beyond the fixed effects", "check whether values were copied"
        )
    # Work in units of the spread, so that one set of tolerances serves millivolts and percentages.
    likelihood = MixedLikelihood(y / spread, X, terms, known / spread**2, method)
    state = _search(likelihood, _start(likelihood))

    theta = likelihood.theta(state.phi)
    zero, singular = _boundary(likelihood, state.phi)
    theta[zero] = 0.0
    component_names = _component_names(likelihood)
    scaled_free = n - p if method == "REML" else n
    log_likelihood = -0.5 * state.deviance - scaled_free * np.log(spread)
    return MixedModel(
        names=labels,
        coefficients=state.beta * spread,
        covariance=np.asarray(state.Phi * spread**2, dtype=float),
        variances=dict(zip(component_names, (theta * spread**2).tolist(), strict=True)),
        at_boundary=tuple(component_names[k] for k in np.flatnonzero(zero)) + singular,
        log_likelihood=float(log_likelihood),
        method=method,
        n=n,
        state=state,
    )


def _checked(
    response: ArrayLike, design: ArrayLike, terms: Sequence[RandomTerm], known_variance: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    y, X = np.asarray(response, dtype=float), np.asarray(design, dtype=float)
    known = np.zeros(len(y)) if known_variance is None else np.asarray(known_variance, dtype=float)
    if X.ndim != 2 or len(X) != len(y) or len(known) != len(y) or any(len(t.groups) != len(y) for t in terms):
        raise InputError("mixed model", "its columns differ in length", "give one row per observation")
    if not (np.isfinite(y).all() and np.isfinite(X).all() and np.isfinite(known).all()):
        raise InputError("mixed model", "it holds missing values", "leave incomplete rows out")
    if known.min(initial=0.0) < 0:
        raise InputError("known variance", "it is negative", "give squared standard errors")
    if len(y) <= X.shape[1]:
        raise InputError(
            "mixed model", f"{len(y)} observations for {X.shape[1]} fixed effects", "add data or drop effects"
        )
    if np.linalg.matrix_rank(X) < X.shape[1]:
        raise InputError("mixed model", "the fixed effects are collinear", "drop one of them")
    for term in terms:
        if group_codes(term.groups).max() + 1 == len(y):
            raise InputError(
                f"random term {term.name}", "each group has one observation", "drop the term or add repeats"
            )
    return y, X, known


def _start(likelihood: MixedLikelihood) -> Floats:
    """Share the variance (one, after scaling) evenly among the terms and the residual."""
    share = 1.0 / np.sqrt(1 + len(likelihood.terms))
    column_scale = [
        [max(1e-12, float(np.sqrt((likelihood.Z[:, block] ** 2).sum(axis=1).mean()))) for block in term]
        for term in likelihood.slices
    ]
    return np.array(
        [
            share
            if c is RESIDUAL
            else (c.row == c.column)
            * share
            / column_scale[c.term][c.row]
            / np.sqrt(len(column_scale[c.term]))
            for c in likelihood.components
        ],
        dtype=float,
    )


def _search(likelihood: MixedLikelihood, phi: Floats) -> LikelihoodState:
    """Minimise the deviance by damped Newton steps."""
    state = likelihood.at(phi)
    if state is None:
        raise InputError("mixed model", "the variances have no starting value", "check the known variances")
    step, decrement = _newton_step(state)
    for _ in range(MAX_STEPS):
        if decrement < 1e-9:
            # The deviance no longer shows progress in double precision: go on while the gradient shrinks.
            trial = likelihood.at(state.phi + step)
            trial_step, trial_decrement = (step, np.inf) if trial is None else _newton_step(trial)
            if trial is None or trial_decrement >= decrement / 4:
                return state
        else:
            trial = _line_search(likelihood, state, step, decrement)
            if trial is None:
                break
            trial_step, trial_decrement = _newton_step(trial)
        state, step, decrement = trial, trial_step, trial_decrement
    raise InputError(
        "mixed model", "the search for the variances does not converge", "use fewer random terms"
    )


def _line_search(
    likelihood: MixedLikelihood, state: LikelihoodState, step: Floats, decrement: float
) -> LikelihoodState | None:
    """Halve the step until the deviance falls enough (Armijo)."""
    for fraction in 0.5 ** np.arange(40):
        trial = likelihood.at(state.phi + step * fraction)
        if trial is not None and trial.deviance <= state.deviance - 1e-4 * decrement * fraction:
            return trial
    return None


def _newton_step(state: LikelihoodState) -> tuple[Floats, float]:
    """Return the step that leads downhill even at a saddle, and the decrease of the deviance it promises."""
    gradient, hessian = state.derivatives
    # Scale-free: columns measured in different units (intercept, slope) get steps in their own units.
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-8))
    values, vectors = np.linalg.eigh(hessian * np.outer(scale, scale))
    step = -scale * (vectors @ ((vectors.T @ (scale * gradient)) / np.maximum(np.abs(values), 1e-6)))
    return step, float(-gradient @ step)


def _component_names(likelihood: MixedLikelihood) -> list[str]:
    names = []
    for c in likelihood.components:
        if c is RESIDUAL:
            names.append("residual")
            continue
        term = likelihood.terms[c.term]
        if len(likelihood.slices[c.term]) == 1:
            names.append(term.name)
        elif c.row == c.column:
            names.append(f"{term.name}: {term.column_names[c.row]}")
        else:
            names.append(f"{term.name}: {term.column_names[c.column]}, {term.column_names[c.row]}")
    return names


def _boundary(likelihood: MixedLikelihood, phi: Floats) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    """Return which parameters are variances of zero, and the names of terms with a singular covariance."""
    factors, sigma = likelihood.factors(phi)
    zero = np.zeros(likelihood.size, dtype=bool)
    zero[-1] = abs(sigma) < BOUNDARY
    singular = []
    for t, factor in enumerate(factors):
        if len(factor) == 1:
            zero[next(k for k, c in enumerate(likelihood.components) if c.term == t)] = (
                abs(factor[0, 0]) < BOUNDARY
            )
        elif np.abs(np.diag(factor)).min() < BOUNDARY:
            singular.append(f"{likelihood.terms[t].name}: singular covariance")
    return zero, tuple(singular)
