"""Fitting the circuit to curves and drugs together: several parameter sets, because one would be a lie.

Every member fits its own draw of the targets (by half their spread) and of the prior (a log-normal about
`STARTING_POINT`), by damped Gauss-Newton steps with finite differences, all members in one batch. With the
whole spread this would be randomised maximum likelihood, whose members are draws of the posterior; half of
it keeps every member a healthy circuit, so the members understate what is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sudeck.mechanism.circuit.drugs import ARMS, apply_factors
from sudeck.mechanism.circuit.measures import measure
from sudeck.mechanism.circuit.parameters import FITTED, STARTING_POINT, Circuit, Floats, make_circuits
from sudeck.mechanism.circuit.protocols import MEASURES
from sudeck.mechanism.circuit.simulate import Engine
from sudeck.mechanism.circuit.targets import TARGETS, Target

# Prior spread on the natural-log scale: wide for weights, narrow where intensities in RMT fix the scale.
_PRIOR_SD: Final = {name: 0.15 if name.startswith("axon_threshold") else 0.6 for name in FITTED} | {
    "nmda_on_e_mv": 0.9,
    "nmda_on_a_mv": 0.9,
    "nmda_on_b_mv": 0.9,
    "callosal_nmda_on_b_mv": 0.9,
    "callosal_nmda_on_e_mv": 0.9,
    "axon_threshold_p_rmt": 0.25,
    "release_threshold_mv": 0.3,
    "motoneuron_exponent": 0.3,
}
_DIFFERENCE = 0.02  # step of the finite differences, in prior standard deviations
_FIT_DT_MS = 0.2
_TARGET_DRAW = 0.5  # spread of the members' targets, in spreads
_LIMIT = 1.7  # members with a larger chi2 a target did not arrive and are left out
_FAR = 4.0  # a log ratio beyond this says only "far off"


@dataclass(frozen=True)
class Calibration:
    """Fitted circuits.

    Attributes
    ----------
    values : dict of str to array, shape (members,)
        The fitted parameters.
    chi2 : array, shape (members,)
        Sum of squared distances to the targets themselves, in spreads.
    left_out : int
        Members that did not arrive.
    seed : int
    """

    values: dict[str, Floats]
    chi2: Floats
    left_out: int
    seed: int

    def __str__(self) -> str:
        chi2 = f"{self.chi2.min():.0f} to {self.chi2.max():.0f}" if self.chi2.size else "none"
        return (
            f"{self.chi2.size} circuits fitted to {len(TARGETS)} targets (chi2 {chi2}), "
            f"{self.left_out} left out"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "seed": self.seed,
            "left_out": self.left_out,
            "chi2": [round(float(x), 3) for x in self.chi2],
            "values": {k: [float(f"{x:.6g}") for x in v] for k, v in self.values.items()},
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
        responses = measure(changed, [MEASURES[name] for name in sorted(names)], dt_ms=dt_ms, engine=engine)
        shown |= {(arm, name): value for name, value in responses.values.items()}
        shown[arm, "RMT"] = responses.rmt[0]
    return np.stack(
        [
            shown[t.arm, t.measure] / (1 if t.arm == "baseline" else shown["baseline", t.measure])
            for t in targets
        ]
    )


def calibrate(
    *,
    members: int = 16,
    seed: int = 0,
    candidates: int = 1200,
    iterations: int = 22,
    progress: Callable[[str], None] = lambda text: None,
) -> Calibration:
    """Fit `members` circuits to the targets.

    Parameters
    ----------
    members : int
        How many are begun; those that do not arrive are left out.
    seed : int
        Same seed, same circuits.
    candidates : int
        Prior draws from which the members start: the best of them.
    iterations : int
    progress : callable
        Is told how the fit goes.

    Raises
    ------
    MissingDependencyError
        If JAX is not installed.
    """
    from sudeck.mechanism.circuit.fast_stepper import require_jax

    require_jax()
    rng = np.random.default_rng(seed)
    size = len(FITTED)
    draws = rng.standard_normal((size, candidates)) * 0.8
    loss = (_distances(draws, np.zeros(len(TARGETS))) ** 2).clip(max=100).sum(axis=0)
    position: Floats = draws[:, np.argsort(loss)[:members]]
    progress(f"best of {candidates} prior draws: chi2 {np.sort(loss)[:members].round()}")
    shift = _TARGET_DRAW * rng.standard_normal((len(TARGETS), members))
    anchor = rng.standard_normal((size, members))
    damping = np.full(members, 10.0)
    residual = _residual(position, shift, anchor)
    for iteration in range(iterations):
        steps = position[:, None, :] + _DIFFERENCE * np.eye(size)[:, :, None]
        wide = _distances(steps.reshape(size, -1), np.tile(shift, (1, size)))
        slope = (wide.reshape(len(TARGETS), size, members) - residual[: len(TARGETS), None, :]) / _DIFFERENCE
        trial: Floats = np.empty_like(position)
        for m in range(members):
            jacobian = np.concatenate([slope[:, :, m], np.eye(size)])
            normal = jacobian.T @ jacobian + damping[m] * np.eye(size)
            move = np.linalg.solve(normal, -jacobian.T @ residual[:, m])
            trial[:, m] = position[:, m] + np.clip(move, -0.7, 0.7)
        new = _residual(trial, shift, anchor)
        better = (new**2).sum(axis=0) < (residual**2).sum(axis=0)
        position = np.where(better, trial, position)
        residual = np.where(better, new, residual)
        damping = np.clip(damping * np.where(better, 0.4, 4.0), 1e-3, 1e4)
        progress(f"{iteration + 1}/{iterations}: {(residual**2).sum(axis=0).round(1)}")
    chi2 = (_distances(position, np.zeros(len(TARGETS))) ** 2).sum(axis=0)
    arrived = np.flatnonzero(chi2 <= _LIMIT * len(TARGETS))
    arrived = arrived[np.argsort(chi2[arrived])]
    return Calibration(_to_values(position[:, arrived]), chi2[arrived], members - arrived.size, seed)


def _residual(position: Floats, shift: Floats, anchor: Floats) -> Floats:
    return np.concatenate([_distances(position, shift), position - anchor])


def _distances(position: Floats, shift: Floats) -> Floats:
    """Return how far circuits are from the (shifted) targets, in spreads, shape (targets, n)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(predict_targets(make_circuits(_to_values(position))))
    spread = np.array([t.log_sd for t in TARGETS])[:, None]
    away = logs - np.log([t.value for t in TARGETS])[:, None]
    away = np.nan_to_num(np.clip(away, -_FAR, _FAR), nan=_FAR)
    return np.asarray(away / spread - (shift if shift.ndim == 2 else shift[:, None]))


def _to_values(position: Floats) -> dict[str, Floats]:
    return {
        name: STARTING_POINT[name] * np.exp(_PRIOR_SD[name] * row)
        for name, row in zip(FITTED, position, strict=True)
    }
