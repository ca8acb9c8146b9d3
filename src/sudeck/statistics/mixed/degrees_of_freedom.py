"""Tests of mixed-model contrasts with Satterthwaite or Kenward-Roger degrees of freedom.

Satterthwaite (1946; as lmerTest applies it: Kuznetsova, Brockhoff & Christensen, J Stat Softw 2017;82(13))
matches the variance of the contrast's variance, from the observed information. Kenward & Roger (Biometrics
1997;53:983-997) also widens the covariance of the coefficients for the variances being estimated, and is the
default here: at 19 patients a z test claims far too much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import t_quantile
from sudeck.core.record import Record
from sudeck.statistics.mixed.mixed_likelihood import Floats, LikelihoodState
from sudeck.statistics.mixed.mixed_model import MixedModel

DfMethod = Literal["kenward-roger", "satterthwaite"]
METHOD_TEXT: dict[DfMethod, str] = {"kenward-roger": "Kenward-Roger", "satterthwaite": "Satterthwaite"}


@dataclass(frozen=True)
class Contrast(Record):
    """One linear combination of fixed effects, tested against zero.

    Attributes
    ----------
    estimate : Estimate
        On the scale of the response, with a t interval.
    t, df, p : float
        Statistic, degrees of freedom, two-sided P.
    """

    estimate: Estimate
    t: float
    df: float
    p: float

    def __str__(self) -> str:
        return f"{self.estimate}, t({self.df:.1f}) = {self.t:.3f}, P = {self.p:.3g}"


@dataclass(frozen=True)
class JointTest(Record):
    """Several contrasts tested together: F, its degrees of freedom, and P."""

    f: float
    numerator_df: int
    denominator_df: float
    p: float
    method: str

    def __str__(self) -> str:
        df = f"{self.numerator_df}, {self.denominator_df:.1f}"
        return f"F({df}) = {self.f:.3f}, P = {self.p:.3g} ({self.method})"


def estimate_contrast(
    model: MixedModel,
    weights: ArrayLike,
    *,
    name: str = "contrast",
    method: DfMethod = "kenward-roger",
    level: float = 0.95,
) -> Contrast:
    """Estimate one linear combination of the fixed effects and test it against zero.

    Parameters
    ----------
    model : MixedModel
    weights : array (p,)
    name : str
        Name of the estimate.
    method : {"kenward-roger", "satterthwaite"}
    level : float
        Coverage of the interval.

    Raises
    ------
    InputError
        If Kenward-Roger is asked of a model fitted by ML, or the contrast has no variance.

    Examples
    --------
    >>> from sudeck.statistics.mixed.mixed_model import RandomTerm, fit_mixed_model
    >>> y = [1.0, 1.6, 2.0, 2.4, 3.0, 3.3, 4.0, 4.7]
    >>> patients = RandomTerm("patient", [1, 1, 2, 2, 3, 3, 4, 4])
    >>> model = fit_mixed_model(y, [[1, 0], [1, 1]] * 4, [patients], names=["start", "change"])
    >>> print(estimate_contrast(model, [0, 1], name="change"))
    change 0.5000 (95 % interval 0.2095 to 0.7905), t(3.0) = 5.477, P = 0.012
    """
    from scipy import stats

    w = np.asarray(weights, dtype=float)
    value = float(w @ model.coefficients)
    if method == "kenward-roger":
        covariance, df, _ = _kenward_roger(model, w[None, :])
    else:
        covariance, df = model.covariance, _satterthwaite(model, w)
    variance = float(w @ covariance @ w)
    if not variance > 0:
        raise InputError(name, "it has no variance", "check the weights and the data")
    se = math.sqrt(variance)
    estimate = Estimate.from_normal(
        name,
        value,
        se,
        level=level,
        quantile=t_quantile(level, df),
        method=f"mixed model by {model.method}, {METHOD_TEXT[method]} degrees of freedom",
        n=model.n,
        n_unit="observations",
    )
    return Contrast(estimate, value / se, df, float(2 * stats.t.sf(abs(value / se), df)))


def compare_jointly(
    model: MixedModel, weights: ArrayLike, *, method: DfMethod = "kenward-roger"
) -> JointTest:
    """Test several linear combinations of the fixed effects together.

    Parameters
    ----------
    model : MixedModel
    weights : array (q, p)
        One row a contrast, of full row rank.
    method : {"kenward-roger", "satterthwaite"}

    Raises
    ------
    InputError
        If the rows are linearly dependent, or Kenward-Roger is asked of a model fitted by ML.

    Notes
    -----
    Satterthwaite degrees of freedom of a joint test depend a little on how the rows span their space;
    lmerTest takes the rows of the unit upper triangle of X'X.

    Examples
    --------
    >>> from sudeck.statistics.mixed.mixed_model import RandomTerm, fit_mixed_model
    >>> y = [1.0, 1.6, 2.2, 2.0, 2.4, 3.1, 3.0, 3.3, 3.9]
    >>> design = [[1, 0, 0], [1, 1, 0], [1, 0, 1]] * 3
    >>> model = fit_mixed_model(y, design, [RandomTerm("patient", [1, 1, 1, 2, 2, 2, 3, 3, 3])])
    >>> print(compare_jointly(model, [[0, 1, 0], [0, 0, 1]]))
    F(2, 4.0) = 103.600, P = 0.000359 (Kenward-Roger)
    """
    from scipy import stats

    L = np.atleast_2d(np.asarray(weights, dtype=float))
    q = len(L)
    if np.linalg.matrix_rank(L) < q:
        raise InputError("contrasts", "they are linearly dependent", "drop the redundant ones")
    estimates = L @ model.coefficients
    if method == "kenward-roger":
        covariance, df, scale = _kenward_roger(model, L)
        f = scale / q * float(estimates @ np.linalg.solve(L @ covariance @ L.T, estimates))
    else:
        values, vectors = np.linalg.eigh(L @ model.covariance @ L.T)
        f = float(((vectors.T @ estimates) ** 2 / values).sum()) / q
        df = _pooled_df(np.array([_satterthwaite(model, row) for row in vectors.T @ L]))
    return JointTest(f, q, df, float(stats.f.sf(f, q, df)), METHOD_TEXT[method])


def _satterthwaite(model: MixedModel, w: Floats) -> float:
    state = model.state
    # d(w' Phi w)/d theta_k = u' dV_k u with u = V^-1 X Phi w.
    u = state.VX @ (state.Phi @ w)
    gradient_theta = np.array([u @ column[:, 0] for column in state.derivative_times(u[:, None])])
    jacobian, _ = state.model.theta_derivatives(state.phi)
    gradient = jacobian.T @ gradient_theta
    _, hessian = state.derivatives
    values, vectors = np.linalg.eigh(hessian)
    # A direction without curvature carries no information about the variance, and none of its change either.
    kept = values > 1e-9 * values.max()
    spread = float(((vectors[:, kept].T @ gradient) ** 2 * 2 / values[kept]).sum())
    variance = float(w @ state.Phi @ w)
    return 2 * variance**2 / spread if spread > 0 else math.inf


def _pooled_df(nu: Floats) -> float:
    """Degrees of freedom of a mean of squared t statistics, by the expectation of F (as lmerTest does)."""
    if len(nu) == 1 or np.ptp(nu) < 1e-8:
        return float(nu.mean())
    if nu.min() <= 2:
        return 2.0
    expectation = float((nu / (nu - 2)).sum())
    return 2 * expectation / (expectation - len(nu))


def _kenward_roger(model: MixedModel, L: Floats) -> tuple[Floats, float, float]:
    """Return the adjusted covariance of the coefficients, the denominator df and the scale of F."""
    if model.method != "REML":
        raise InputError("Kenward-Roger", "the model was fitted by ML", "fit it by REML or use Satterthwaite")
    state = model.state
    Phi = state.Phi
    P, Q = _kenward_roger_moments(state)
    _, information = state.traces(restricted=True)
    W = np.linalg.pinv(information / 2, rcond=1e-12, hermitian=True)
    PPhi = [p @ Phi for p in P]
    inflation = sum(W[i, j] * (Q[i][j] - PPhi[i] @ P[j]) for i in range(len(P)) for j in range(len(P)))
    adjusted = Phi + 2 * Phi @ inflation @ Phi
    # The state works in units of the response's spread; the model's covariance is in the user's units.
    unit = float(np.trace(model.covariance) / np.trace(Phi))

    q = len(L)
    ThetaPhi = L.T @ np.linalg.solve(L @ Phi @ L.T, L) @ Phi
    TPhi = [ThetaPhi @ p @ Phi for p in P]
    a1 = sum(W[i, j] * np.trace(TPhi[i]) * np.trace(TPhi[j]) for i in range(len(P)) for j in range(len(P)))
    a2 = sum(W[i, j] * float((TPhi[i] * TPhi[j].T).sum()) for i in range(len(P)) for j in range(len(P)))
    if q == 1:
        # One contrast: a1 = a2, F needs no scale, and the df are twice squared mean over variance.
        return adjusted * unit, 2.0 / float(a2) if a2 > 0 else math.inf, 1.0
    b = (a1 + 6 * a2) / (2 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    c = 3 * q + 2 * (1 - g)
    c1, c2, c3 = g / c, (q - g) / c, (q + 2 - g) / c
    expectation = 1 / (1 - a2 / q)
    variance = 2 / q * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    rho = variance / (2 * expectation**2)
    df = 4 + (q + 2) / (q * rho - 1)
    return adjusted * unit, float(df), float(df / (expectation * (df - 2)))


def _kenward_roger_moments(state: LikelihoodState) -> tuple[list[Floats], list[list[Floats]]]:
    """Return P_k = −X'V⁻¹ dV_k V⁻¹X and Q_ij = X'V⁻¹ dV_i V⁻¹ dV_j V⁻¹X for every parameter of V."""
    G_VX = state.derivative_times(state.VX)
    V_G_VX = [state.inverse_times(g) for g in G_VX]
    P = [-(state.VX.T @ g) for g in G_VX]
    Q = [[g.T @ v for v in V_G_VX] for g in G_VX]
    return P, Q
