"""The Gaussian likelihood of a linear mixed model, with exact first and second derivatives.

The observations vary as ``V = diag(known) + sigma^2 I + sum_t Z_t D_t Z_t'``: variances known beforehand (the
error of each measurement), a residual variance, and one covariance matrix ``D_t`` for each random term. V is
linear in its unknown parameters ``theta`` (the elements of the ``D_t`` and ``sigma^2``), which makes every
derivative short; it is searched through the Cholesky factors ``phi`` of the ``D_t`` and through sigma, which
keeps V positive. All work is done in the space of the random effects, so that thousands of observations with
a few dozen effects, crossed or nested, cost little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Method = Literal["REML", "ML"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RandomTerm:
    """Random effects that the observations of one group share: an intercept, or an intercept and slopes.

    Attributes
    ----------
    name : str
        What the groups are, e.g. ``"patient"``.
    groups : sequence of hashable, length n
        Group of each observation.
    columns : array (n, c), optional
        Regressors whose coefficients vary between groups, with free covariance; an intercept when absent.
    column_names : sequence of str
        Names of the columns.
    """

    name: str
    groups: Sequence[Any] | NDArray[Any]
    columns: ArrayLike | None = None
    column_names: Sequence[str] = ("intercept",)

    def indicators(self) -> list[Floats]:
        """Return one (n, groups) matrix a column: its value in the observation's group, else zero."""
        codes = group_codes(self.groups)
        n = len(codes)
        columns = np.ones((n, 1)) if self.columns is None else np.asarray(self.columns, dtype=float)
        matrices = []
        for column in columns.T:
            matrix = np.zeros((n, int(codes.max()) + 1))
            matrix[np.arange(n), codes] = column
            matrices.append(matrix)
        return matrices


def group_codes(groups: Sequence[Any] | NDArray[Any]) -> NDArray[np.int64]:
    """Return 0, 1, 2 … for each observation, numbering the groups in their order of first appearance."""
    order: dict[Any, int] = {}
    return np.array([order.setdefault(group, len(order)) for group in groups], dtype=np.int64)


@dataclass(frozen=True)
class _Component:
    """One element of theta: entry (row, column) of the covariance of one term, or the residual variance."""

    term: int
    row: int
    column: int


RESIDUAL = _Component(-1, 0, 0)


class MixedLikelihood:
    """Minus twice the (restricted) log-likelihood as a function of the parameters of V.

    Parameters
    ----------
    response : array (n,)
    design : array (n, p)
        Full column rank.
    terms : sequence of RandomTerm
    known_variance : array (n,)
        Part of each observation's variance that is known; zeros when none is.
    method : {"REML", "ML"}
    """

    def __init__(
        self,
        response: Floats,
        design: Floats,
        terms: Sequence[RandomTerm],
        known_variance: Floats,
        method: Method,
    ) -> None:
        self.y, self.X, self.known, self.method = response, design, known_variance, method
        self.terms = tuple(terms)
        blocks: list[list[Floats]] = [term.indicators() for term in terms]
        self.Z = np.hstack([b for term in blocks for b in term]) if blocks else np.zeros((len(response), 0))
        self.slices: list[list[slice]] = []
        start = 0
        for term in blocks:
            self.slices.append([])
            for block in term:
                self.slices[-1].append(slice(start, start + block.shape[1]))
                start += block.shape[1]
        self.components = [
            _Component(t, a, b)
            for t, term in enumerate(blocks)
            for a in range(len(term))
            for b in range(a + 1)
        ] + [RESIDUAL]

    @property
    def size(self) -> int:
        """How many parameters V has."""
        return len(self.components)

    def factors(self, phi: Floats) -> tuple[list[Floats], float]:
        """Return the Cholesky factor of each term's covariance, and the residual standard deviation."""
        factors = [np.zeros((len(term), len(term))) for term in self.slices]
        for value, component in zip(phi, self.components, strict=True):
            if component is not RESIDUAL:
                factors[component.term][component.row, component.column] = value
        return factors, float(phi[-1])

    def theta(self, phi: Floats) -> Floats:
        """Return the (co)variances that belong to the Cholesky factors `phi`."""
        factors, sigma = self.factors(phi)
        covariances = [factor @ factor.T for factor in factors]
        return np.array(
            [sigma**2 if c is RESIDUAL else covariances[c.term][c.row, c.column] for c in self.components]
        )

    def theta_derivatives(self, phi: Floats) -> tuple[Floats, Floats]:
        """Return d theta / d phi, (r, r), and the second derivatives, (r, r, r) with theta first."""
        factors, sigma = self.factors(phi)
        r = self.size
        jacobian, curvature = np.zeros((r, r)), np.zeros((r, r, r))
        jacobian[-1, -1], curvature[-1, -1, -1] = 2 * sigma, 2.0
        for k, c in enumerate(self.components[:-1]):
            for x, first in enumerate(self.components[:-1]):
                if first.term != c.term:
                    continue
                factor = factors[c.term]
                jacobian[k, x] = (first.row == c.row) * factor[c.column, first.column] + (
                    first.row == c.column
                ) * factor[c.row, first.column]
                for z, second in enumerate(self.components[:-1]):
                    if second.term == c.term and second.column == first.column:
                        curvature[k, x, z] = (first.row == c.row) * (second.row == c.column) + (
                            first.row == c.column
                        ) * (second.row == c.row)
        return jacobian, curvature

    def at(self, phi: Floats) -> LikelihoodState | None:
        """Return everything at `phi`, or None where V is singular there."""
        factors, sigma = self.factors(phi)
        variance = self.known + sigma**2
        if not variance.min() > 1e-12 * max(1.0, float(variance.max())):
            return None
        return LikelihoodState(self, phi, factors, variance)


class LikelihoodState:
    """The likelihood at one point: its value, its derivatives, and products with V inverse.

    V inverse is kept as ``diag(1/r) - C C'`` and the residual-maker ``P`` as ``diag(1/r) - F F'``,
    C and F being narrow.
    """

    def __init__(self, model: MixedLikelihood, phi: Floats, factors: list[Floats], variance: Floats) -> None:
        from scipy.linalg import solve_triangular

        self.model, self.phi = model, phi
        n, p = model.X.shape
        self.r_inv = 1.0 / variance
        scaled = self._times_factor(model.Z, factors)
        core = np.eye(scaled.shape[1]) + scaled.T @ (scaled * self.r_inv[:, None])
        chol = np.linalg.cholesky(core)
        self.C = solve_triangular(chol, (scaled * self.r_inv[:, None]).T, lower=True).T
        self.VX = self.inverse_times(model.X)
        information = model.X.T @ self.VX
        chol_x = np.linalg.cholesky(information)
        self.Phi: Floats = np.asarray(np.linalg.inv(information), dtype=float)
        self.F = np.hstack([self.C, solve_triangular(chol_x, self.VX.T, lower=True).T])
        self.beta = self.Phi @ (self.VX.T @ model.y)
        self.Py = self.project(model.y)
        log_det = float(np.log(variance).sum() + 2 * np.log(np.diag(chol)).sum())
        free = n - p if model.method == "REML" else n
        if model.method == "REML":
            log_det += 2 * float(np.log(np.diag(chol_x)).sum())
        self.deviance = log_det + float(model.y @ self.Py) + free * math.log(2 * math.pi)

    def _times_factor(self, Z: Floats, factors: list[Floats]) -> Floats:
        """Multiply Z by the block Cholesky factor of the random effects' covariance."""
        out = np.zeros_like(Z)
        for slices, factor in zip(self.model.slices, factors, strict=True):
            for b, target in enumerate(slices):
                for a in range(b, len(slices)):
                    out[:, target] += Z[:, slices[a]] * factor[a, b]
        return out

    def inverse_times(self, matrix: Floats) -> Floats:
        """Return V inverse times a vector or matrix."""
        r_inv = self.r_inv if matrix.ndim == 1 else self.r_inv[:, None]
        product: Floats = matrix * r_inv - self.C @ (self.C.T @ matrix)
        return product

    def project(self, matrix: Floats) -> Floats:
        """Return P times a vector or matrix, P = V⁻¹ − V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹."""
        r_inv = self.r_inv if matrix.ndim == 1 else self.r_inv[:, None]
        product: Floats = matrix * r_inv - self.F @ (self.F.T @ matrix)
        return product

    def derivative_times(self, matrix: Floats) -> list[Floats]:
        """Return (d V / d theta_k) times a matrix, for each k."""
        Z, products = self.model.Z, []
        for c in self.model.components:
            if c is RESIDUAL:
                products.append(matrix.copy())
                continue
            a, b = self.model.slices[c.term][c.row], self.model.slices[c.term][c.column]
            product = Z[:, a] @ (Z[:, b].T @ matrix)
            if c.row != c.column:
                product = product + Z[:, b] @ (Z[:, a].T @ matrix)
            products.append(product)
        return products

    def traces(self, *, restricted: bool) -> tuple[Floats, Floats]:
        """Return tr(S dV_k), (r,), and tr(S dV_i S dV_j), (r, r); S is P when restricted, else V inverse."""
        model = self.model
        low_rank = self.F if restricted else self.C
        SZ = self.project(model.Z) if restricted else self.inverse_times(model.Z)
        K, K2 = model.Z.T @ SZ, SZ.T @ SZ
        r = model.size
        first, second = np.zeros(r), np.zeros((r, r))
        first[-1] = self.r_inv.sum() - (low_rank**2).sum()
        second[-1, -1] = (
            (self.r_inv**2).sum()
            - 2 * (self.r_inv @ low_rank**2).sum()
            + ((low_rank.T @ low_rank) ** 2).sum()
        )
        for i, c in enumerate(model.components[:-1]):
            pairs_i = self._ordered_pairs(c)
            first[i] = sum(np.trace(K[a, b]) for a, b in pairs_i)
            second[i, -1] = second[-1, i] = sum(np.trace(K2[a, b]) for a, b in pairs_i)
            for j, d in enumerate(model.components[: i + 1]):
                second[i, j] = second[j, i] = sum(
                    float((K[a, e] * K[b, f]).sum()) for a, b in pairs_i for f, e in self._ordered_pairs(d)
                )
        return first, second

    def _ordered_pairs(self, c: _Component) -> list[tuple[slice, slice]]:
        a, b = self.model.slices[c.term][c.row], self.model.slices[c.term][c.column]
        return [(a, b)] if c.row == c.column else [(a, b), (b, a)]

    @cached_property
    def derivatives(self) -> tuple[Floats, Floats]:
        """Gradient and observed Hessian of the deviance with respect to phi."""
        first, second = self.traces(restricted=self.model.method == "REML")
        G_Py = np.column_stack(self.derivative_times(self.Py[:, None]))
        gradient_theta = first - G_Py.T @ self.Py
        hessian_theta = -second + 2 * G_Py.T @ self.project(G_Py)
        jacobian, curvature = self.model.theta_derivatives(self.phi)
        gradient = jacobian.T @ gradient_theta
        hessian = jacobian.T @ hessian_theta @ jacobian + np.einsum("k,kij->ij", gradient_theta, curvature)
        return gradient, hessian
