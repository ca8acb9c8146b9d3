"""Fitting the circuit to curves and drugs together: several parameter sets, because one would be a lie.

Every member fits its own draw of the targets and of the prior (each moved by half its spread), by damped
Gauss-Newton steps with finite differences, all members in one batch. What a member leaves open comes from its
linearised fit (`Calibration.factor`); `reference` puts both together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sudeck.circuit.circuit_prior import circuits_at, values_at
from sudeck.circuit.drugs import ARMS, apply_factors
from sudeck.circuit.engines import Engine, default_engine
from sudeck.circuit.interactions import AFTER
from sudeck.circuit.parameters import ASSUMED, FITTED, Circuit, Floats
from sudeck.circuit.protocols import MEASURES, MEP_AT_THE_END
from sudeck.circuit.readout import measure
from sudeck.circuit.simulation import Probe, find_instability, probe_rates
from sudeck.circuit.targets import TARGETS, Target
from sudeck.core.errors import InputError

_READ = MEASURES | AFTER | {MEP_AT_THE_END.name: MEP_AT_THE_END}
_DIFFERENCES = (0.02, 0.06)  # steps of the finite differences in turn, in prior standard deviations
_FIT_DT_MS = 0.2
_TARGET_DRAW = 0.5  # spread of the members' targets and prior means, in spreads
_START_SPREAD = 0.5  # of the prior draws among which the members begin
_LADDER = np.array([0.03, 0.3, 3.0, 30.0])  # step lengths tried, as shares of the damping
_LONGEST = 0.8  # no parameter moves further in one step
_LIMIT = 1.7  # members with a larger chi2 a target did not arrive and are left out
_STEPS_MS = (0.1, 0.05)  # that of patients' fits, and half of it
_LARGEST_STEP_ERROR = 0.02  # members whose measures move further when the step is halved are left out
_FAR = 4.0  # a log ratio beyond this says only "far off"
_LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of depression, as shares of what is assumed
_STEPS_A_LEVEL = 7
# After strong pulses pyramidal cells should be quiet, in states that drugs and patients reach too: a residual
# grows with the rate above 3 Hz, 40 ms after the pulse.
_STABILITY: tuple[tuple[dict[str, float | Floats], tuple[tuple[float, Probe], ...]], ...] = (
    ({"gaba_a": 0.7}, ((1.4, 0), (1.6, 0), (1.8, 0))),
    ({"ampa": 1.1}, ((1.6, 0), (1.8, 0))),
    ({}, ((1.8, 0), (1.6, "both"))),
)
_PROBE_MS = 40.0
_QUIET_PER_MS = 0.003
_RESTLESS_LOG_SD = 0.4
N_RESIDUALS = len(TARGETS) + sum(len(probes) for _, probes in _STABILITY)


@dataclass(frozen=True)
class Calibration:
    """Fitted circuits.

    Attributes
    ----------
    values : dict of str to array, shape (members,)
        The fitted parameters.
    factor : array, shape (members, 33, 33)
        Lower Cholesky factor of the covariance of each linearised fit, in units of `circuit_prior`.
    chi2 : array, shape (members,)
        Sum of squared distances to the targets themselves, in spreads.
    left_out : int
        Members that did not arrive, are unstable, or need a finer step.
    """

    values: dict[str, Floats]
    factor: Floats
    chi2: Floats
    left_out: int

    def __str__(self) -> str:
        chi2 = f"{self.chi2.min():.0f} to {self.chi2.max():.0f}" if self.chi2.size else "none"
        return (
            f"{self.chi2.size} circuits fitted to {len(TARGETS)} targets (chi2 {chi2}), "
            f"{self.left_out} left out"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "left_out": self.left_out,
            "chi2": [round(float(x), 3) for x in self.chi2],
            "values": {k: [float(f"{x:.6g}") for x in v] for k, v in self.values.items()},
            "factor": [[round(float(x), 4) for x in f[np.tril_indices(len(f))]] for f in self.factor],
        }


def predict_targets(
    circuits: Circuit,
    targets: Sequence[Target] = TARGETS,
    *,
    dt_ms: float = _FIT_DT_MS,
    engine: Engine | None = None,
) -> Floats:
    """Return what circuits show where the targets are stated, shape (targets, n); NaN where nothing is."""
    shown: dict[tuple[str, str], Floats] = {}
    arms = ["baseline", *dict.fromkeys(t.arm for t in targets if t.arm != "baseline")]
    for arm in arms:
        names = {t.measure for t in targets if arm in ("baseline", t.arm)} - {"RMT"}
        changed = apply_factors(circuits, ARMS[arm].factors)
        wanted = [_READ[name] for name in sorted(names)]
        responses = measure(changed, wanted, dt_ms=dt_ms, engine=engine)
        shown |= {(arm, name): value for name, value in responses.values.items()}
        shown[arm, "RMT"] = responses.rmt[0]
    # How far IHI is another after other pulses, not how strong it then is.
    for after in AFTER:
        if ("baseline", after) in shown:
            shown["baseline", after] = shown["baseline", after] / shown["baseline", "IHI_10"]
    return np.stack(
        [
            shown[t.arm, t.measure] / (1 if t.arm == "baseline" else shown["baseline", t.measure])
            for t in targets
        ]
    )


def calibrate(
    *,
    members: int = 32,
    rng: np.random.Generator | int = 0,
    candidates: int = 800,
    iterations: int = 12,
    progress: Callable[[str], None] = lambda text: None,
) -> Calibration:
    """Fit `members` circuits to the targets.

    Parameters
    ----------
    members : int
        How many are begun; those that do not arrive, are unstable or need a finer step are left out.
    rng : numpy Generator or seed
        Same seed, same circuits.
    candidates : int
        Prior draws from which the members start: the best of them.
    iterations : int
        Steps without depression; 7 more follow at each of four levels of it.
    progress : callable
        Is told how the fit goes.

    Raises
    ------
    MissingDependencyError
        If Numba is not installed.
    InputError
        If no circuit meets the targets.
    """
    from sudeck.circuit.engines import require_engine

    require_engine()
    rng = np.random.default_rng(rng)
    size = len(FITTED)
    draws = _START_SPREAD * rng.standard_normal((size, candidates))
    loss = (_distances(draws, np.zeros(N_RESIDUALS), 0.0) ** 2).clip(max=100).sum(axis=0)
    position: Floats = draws[:, np.argsort(loss)[:members]]
    progress(f"best of {candidates} prior draws: chi2 {np.sort(loss)[:members].round()}")
    shift = np.zeros((N_RESIDUALS, members))
    shift[: len(TARGETS)] = _TARGET_DRAW * rng.standard_normal((len(TARGETS), members))
    anchor = _TARGET_DRAW * rng.standard_normal((size, members))
    # Depression comes in steps: with all of it at once fewer members arrive.
    for level, steps in zip(_LEVELS, (iterations, *[_STEPS_A_LEVEL] * (len(_LEVELS) - 1)), strict=True):
        depression = level * ASSUMED["depression_of_e"]
        position = _descend(position, shift, anchor, depression, steps, progress)
    fitted = ASSUMED["depression_of_e"]
    chi2 = (_distances(position, np.zeros(N_RESIDUALS), fitted)[: len(TARGETS)] ** 2).sum(axis=0)
    stable = np.array([not problem for problem in find_instability(circuits_at(position), engine="numba")])
    true = _step_error(circuits_at(position)) <= _LARGEST_STEP_ERROR
    progress(f"chi2 {np.sort(chi2).round(1)}, stable {stable.sum()}, true to the step {true.sum()}")
    arrived = np.flatnonzero((chi2 <= _LIMIT * len(TARGETS)) & stable & true)
    arrived = arrived[np.argsort(chi2[arrived])]
    if not arrived.size:
        raise InputError(
            "The calibration", "no circuit met the targets", "begin with more members or take more iterations"
        )
    position = position[:, arrived]
    left_out = members - arrived.size
    return Calibration(values_at(position), _spread_about(position), chi2[arrived], left_out)


def _step_error(circuits: Circuit) -> Floats:
    """Return the largest relative change of any measure of each circuit when the step of a fit is halved."""
    coarse, fine = (measure(circuits, list(MEASURES.values()), dt_ms=dt) for dt in _STEPS_MS)
    changes = [np.abs(value / fine.values[name] - 1) for name, value in coarse.values.items()]
    return np.asarray(np.max([*changes, np.abs(coarse.rmt / fine.rmt - 1).max(axis=0)], axis=0))


def _descend(
    position: Floats,
    shift: Floats,
    anchor: Floats,
    depression: float,
    iterations: int,
    progress: Callable[[str], None],
) -> Floats:
    """Return where damped Gauss-Newton steps lead from `position`."""
    size, members = position.shape
    damping = np.full(members, 1.0)
    residual = _residual(position, shift, anchor, depression)
    for iteration in range(iterations):
        difference = _DIFFERENCES[iteration % len(_DIFFERENCES)]
        slope = _slopes(position, residual[:N_RESIDUALS], shift, depression, difference)
        # A step costs little beside the slopes, so several lengths are tried at once and the best is taken.
        tried = damping * _LADDER[:, None]
        trial = np.stack([_steps(position, slope, residual, row) for row in tried], axis=1)
        many = len(_LADDER)
        new = _residual(
            trial.reshape(size, -1), np.tile(shift, (1, many)), np.tile(anchor, (1, many)), depression
        )
        new = new.reshape(-1, many, members)
        best = (new**2).sum(axis=0).argmin(axis=0)
        column = np.arange(members)
        better = (new[:, best, column] ** 2).sum(axis=0) < (residual**2).sum(axis=0)
        position = np.where(better, trial[:, best, column], position)
        residual = np.where(better, new[:, best, column], residual)
        damping = np.clip(np.where(better, tried[best, column], damping * _LADDER[-1]), 1e-3, 1e5)
        progress(
            f"depression {depression:g}, {iteration + 1}/{iterations}: {(residual**2).sum(axis=0).round(1)}"
        )
    return position


def _steps(position: Floats, slope: Floats, residual: Floats, damping: Floats) -> Floats:
    """Return where damped Gauss-Newton steps of every member lead."""
    trial = np.empty_like(position)
    for m in range(position.shape[1]):
        jacobian = np.concatenate([slope[:, :, m], np.eye(len(position))])
        normal = jacobian.T @ jacobian + damping[m] * np.eye(len(position))
        move = np.linalg.solve(normal, -jacobian.T @ residual[:, m])
        trial[:, m] = position[:, m] + move * min(1.0, _LONGEST / np.abs(move).max())
    return trial


def _spread_about(position: Floats) -> Floats:
    """Return the Cholesky factor of the covariance of each fit, linearised at it."""
    none = np.zeros((N_RESIDUALS, position.shape[1]))
    fitted = ASSUMED["depression_of_e"]
    slope = _slopes(position, _distances(position, none, fitted), none, fitted, _DIFFERENCES[0])
    information = np.einsum("tim,tjm->mij", slope, slope) + np.eye(len(position))
    return np.asarray(np.linalg.cholesky(np.linalg.inv(information)))


def _slopes(
    position: Floats, distances: Floats, shift: Floats, depression: float, difference: float
) -> Floats:
    """Return the derivatives of the distances, shape (residuals, 33, members)."""
    size, members = position.shape
    steps = position[:, None, :] + difference * np.eye(size)[:, :, None]
    wide = _distances(steps.reshape(size, -1), np.tile(shift, (1, size)), depression)
    return np.asarray((wide.reshape(N_RESIDUALS, size, members) - distances[:, None, :]) / difference)


def _residual(position: Floats, shift: Floats, anchor: Floats, depression: float) -> Floats:
    return np.concatenate([_distances(position, shift, depression), position - anchor])


def _distances(position: Floats, shift: Floats, depression: float) -> Floats:
    """Return how far circuits are from the (shifted) targets and from rest after the probes, in spreads.

    Shape (residuals, n), the targets first.
    """
    circuits = circuits_at(position)
    circuits = circuits._replace(depression_of_e=np.full_like(circuits.depression_of_e, depression))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(predict_targets(circuits))
    spread = np.array([t.log_sd for t in TARGETS])[:, None]
    away = logs - np.log([t.value for t in TARGETS])[:, None]
    away = np.nan_to_num(np.clip(away, -_FAR, _FAR), nan=_FAR) / spread
    rates = np.concatenate(
        [
            probe_rates(apply_factors(circuits, factors), probes, after_ms=_PROBE_MS, engine=default_engine())
            for factors, probes in _STABILITY
        ]
    )
    restless = np.maximum(np.log(np.maximum(rates, 1e-9) / _QUIET_PER_MS), 0.0) / _RESTLESS_LOG_SD
    return np.concatenate([away, restless]) - (shift if shift.ndim == 2 else shift[:, None])
