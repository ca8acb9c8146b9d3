"""One Newton engine for logistic likelihoods: plain, Firth-penalised or ridge, one fit or thousands at once.

Kept by hand: what bootstraps calls this engine with a stack of patient weights, so that a thousand resamples
are one array operation, where libraries fit one table at a time. A resample is a row of weights: how often
each patient was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sudeck.statistics.arrays import BoolArray, FloatArray

_MAX_STEP = 5.0  # of any patient's linear predictor in one iteration: has no unit, keeps the direction
_HALVINGS = 12
# On the Newton decrement score' information⁻¹ score, which has no unit: 1e-22 is 1e-11 standard errors.
_DECREMENT_TOLERANCE = 1e-22
# Ill-conditioned designs never get there: below this, a decrement that no longer falls is rounding noise.
_DECREMENT_NOISE = 1e-12


@dataclass(frozen=True)
class LogisticFit:
    """Result of `maximise_logistic`; leading axes are those of the stack.

    Attributes
    ----------
    coefficients : array, shape (..., k)
        Estimates, in the order of the columns of the design.
    information : array, shape (..., k, k)
        Expected (Fisher) information of the unpenalised likelihood at the estimate.
    log_likelihood : array, shape (...)
        What was maximised: with its penalty, if any.
    converged : array of bool, shape (...)
        Whether the (penalised) score vanished. Without a penalty, ``False`` mostly means separated data.
    """

    coefficients: FloatArray
    information: FloatArray
    log_likelihood: FloatArray
    converged: BoolArray


def expit(x: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    tail = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, tail) / (1.0 + tail)


def logit(p: FloatArray) -> FloatArray:
    """Return log(p / (1 - p))."""
    return np.log(p) - np.log1p(-p)


def bernoulli_log_likelihood(outcome: FloatArray, linear_predictor: FloatArray) -> FloatArray:
    """Return the log-likelihood of each 0/1 outcome given its linear predictor."""
    return outcome * linear_predictor - np.logaddexp(0.0, linear_predictor)


def maximise_logistic(
    design: FloatArray,
    outcome: FloatArray,
    *,
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
    firth: bool = False,
    ridge: FloatArray | None = None,
    free: BoolArray | None = None,
    start: FloatArray | None = None,
    max_iterations: int = 60,
) -> LogisticFit:
    """Maximise a (penalised) logistic log-likelihood by Fisher scoring with step halving.

    Parameters
    ----------
    design : array, shape (n, k) or (..., n, k)
        Predictors, with a column of ones where an intercept is wanted.
    outcome : array, shape (n,) or (..., n)
        0 and 1.
    weights : array, shape (n,) or (..., n), optional
        How often each patient counts.
    offset : array, shape (n,) or (..., n), optional
        A part of the linear predictor with coefficient 1.
    firth : bool
        Add half the log determinant of the information (Firth 1993, Biometrika 80:27-38).
    ridge : array, shape (k, k) or (..., k, k), optional
        Matrix P of the penalty -β'Pβ/2.
    free : array of bool, shape (k,) or (..., k), optional
        Which coefficients move; the others keep their `start`, and still count in the Firth penalty.
    start : array, shape (k,) or (..., k), optional
        Where to begin; zero unless given.
    max_iterations : int
        After which a fit counts as not converged.
    """
    problem = _Problem.of(design, outcome, weights, offset, firth, ridge)
    k = design.shape[-1]
    shape = np.broadcast_shapes(
        problem.stack, () if free is None else free.shape[:-1], () if start is None else start.shape[:-1]
    )
    beta = np.zeros((*shape, k)) if start is None else np.array(np.broadcast_to(start, (*shape, k)))
    moves = np.ones(k, bool) if free is None else free
    both_free = moves[..., :, None] & moves[..., None, :]
    identity = np.eye(k)

    height, score, information = problem.evaluate(beta)
    converged = np.zeros(shape, bool)
    last = np.full(shape, np.inf)
    for _ in range(max_iterations):
        score = np.where(moves, score, 0.0)
        curvature = information if problem.ridge is None else information + problem.ridge
        step = solve_matrix(np.where(both_free, curvature, identity), score[..., None])[..., 0]
        decrement = np.abs((score * step).sum(axis=-1))
        converged = converged | (decrement < _DECREMENT_TOLERANCE)
        converged = converged | ((decrement >= last) & (decrement < _DECREMENT_NOISE))
        last = decrement
        if bool(converged.all()):
            break
        reach = np.abs((design @ step[..., None])[..., 0]).max(axis=-1)
        pace = np.where(converged, 0.0, _MAX_STEP / np.maximum(reach, _MAX_STEP))
        step = step * pace[..., None]
        proposal = beta + step
        new_height, new_score, new_information = problem.evaluate(proposal)
        for _ in range(_HALVINGS):
            worse = ~(new_height >= height - 1e-10 * (1.0 + np.abs(height)))
            if not bool(worse.any()):
                break
            step = np.where(worse[..., None], step / 2, step)
            proposal = beta + step
            new_height, new_score, new_information = problem.evaluate(proposal)
        beta, height, score, information = proposal, new_height, new_score, new_information
    return LogisticFit(beta, information, np.asarray(height), np.asarray(converged))


def separated(fit: LogisticFit, design: FloatArray, *, beyond: float = 15.0) -> BoolArray:
    """Tell which fits of a stack ran away: a linear predictor passed `beyond`, or no convergence.

    A linear predictor of 15 is a probability within 3e-7 of 0 or 1, which no cohort of hundreds can support;
    the likelihood of separated data climbs for ever in that direction (Albert & Anderson 1984, Biometrika
    71).
    """
    reach = np.abs(np.einsum("...nk,...k->...n", design, fit.coefficients)).max(axis=-1)
    return np.asarray(~fit.converged | (reach > beyond))


def solve_matrix(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve a stack of linear systems; a ridge of rounding size helps where one has become singular.

    Parameters
    ----------
    matrix : array, shape (..., k, k)
    right : array, shape (..., k, m)
    """
    try:
        return np.asarray(np.linalg.solve(matrix, right))
    except np.linalg.LinAlgError:
        size = np.trace(matrix, axis1=-2, axis2=-1)[..., None, None] / matrix.shape[-1]
        return np.asarray(np.linalg.solve(matrix + (1e-10 * size + 1e-300) * np.eye(matrix.shape[-1]), right))


@dataclass(frozen=True)
class _Problem:
    """The data of one stack of fits, and what Newton asks of them."""

    design: FloatArray
    outcome: FloatArray
    weights: FloatArray
    offset: FloatArray
    firth: bool
    ridge: FloatArray | None
    stack: tuple[int, ...]

    @classmethod
    def of(
        cls,
        design: FloatArray,
        outcome: FloatArray,
        weights: FloatArray | None,
        offset: FloatArray | None,
        firth: bool,
        ridge: FloatArray | None,
    ) -> _Problem:
        n = design.shape[-2]
        w = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
        o = np.zeros(n) if offset is None else np.asarray(offset, dtype=np.float64)
        stack = np.broadcast_shapes(design.shape[:-2], outcome.shape[:-1], w.shape[:-1], o.shape[:-1])
        if ridge is not None:
            stack = np.broadcast_shapes(stack, ridge.shape[:-2])
        return cls(design, outcome, w, o, firth, ridge, stack)

    def evaluate(self, beta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the penalised log-likelihood, its score, and the Fisher information."""
        eta = self.offset + (self.design @ beta[..., None])[..., 0]
        p = expit(eta)
        variance = self.weights * p * (1.0 - p)
        information = np.swapaxes(self.design, -1, -2) * variance[..., None, :] @ self.design
        height = (self.weights * bernoulli_log_likelihood(self.outcome, eta)).sum(axis=-1)
        residual = self.weights * (self.outcome - p)
        if self.firth:
            # Where no information is left it is minus infinity, and the step is halved.
            with np.errstate(divide="ignore"):
                height = height + 0.5 * np.linalg.slogdet(information)[1]
            # By the small inverse: solving for every patient takes several times as long.
            inverse = solve_matrix(information, np.broadcast_to(np.eye(beta.shape[-1]), information.shape))
            leverage = variance * ((self.design @ inverse) * self.design).sum(axis=-1)
            residual = residual + leverage * (0.5 - p)
        score = (np.swapaxes(self.design, -1, -2) @ residual[..., None])[..., 0]
        if self.ridge is not None:
            pull = (self.ridge @ beta[..., None])[..., 0]
            height = height - 0.5 * (beta * pull).sum(axis=-1)
            score = score - pull
        return np.asarray(height), score, information
