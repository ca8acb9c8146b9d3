"""Pulses and trials: what is given, when, to which hemisphere, in which state of the muscle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sudeck.circuit.parameters import Circuit, Floats
from sudeck.circuit.steppers.kinetics import PULSE_MS, RELEASE_EFFICACY

Ints = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class CircuitPulse:
    """One pulse. `intensity` is in RMT of its hemisphere, or in circuit units where a function says so."""

    time_ms: float
    intensity: float
    hemisphere: int = 0


class Trials(NamedTuple):
    """Pulses of many trials, pulse on the first axis and trial on the last; absent pulses have intensity 0.

    Attributes
    ----------
    time_ms, intensity : array, shape (pulses, n)
        Intensity in circuit units (the unit of `Circuit.axon_threshold_e_rmt`).
    hemisphere : int array, shape (pulses, n)
    contraction_mv : array, shape (n,)
        Steady voluntary drive onto the corticospinal cells of hemisphere 0.
    """

    time_ms: Floats
    intensity: Floats
    hemisphere: Ints
    contraction_mv: Floats

    @property
    def n_trials(self) -> int:
        """How many trials there are."""
        return int(self.time_ms.shape[1])


def make_trials(pulses: list[CircuitPulse], *, count: int = 1, contraction_mv: float = 0.0) -> Trials:
    """Return `count` equal trials of `pulses`."""
    column = np.ones((1, count))
    return Trials(
        np.array([[p.time_ms] for p in pulses]).reshape(-1, 1) * column,
        np.array([[p.intensity] for p in pulses]).reshape(-1, 1) * column,
        np.array([[p.hemisphere] for p in pulses], int).reshape(-1, 1) * column.astype(int),
        np.full(count, contraction_mv),
    )


def recruit_axons(circuits: Circuit, trials: Trials) -> Floats:
    """Return the drive that every pulse gives to the axons of every population.

    ``0.9 · sigmoid((I − threshold) / spread)``; absent pulses (intensity 0) give none.

    Returns
    -------
    array, shape (pulses, 4, 2, n)
        Pulse, population, hemisphere, trial.
    """
    threshold = np.stack([getattr(circuits, f"axon_threshold_{p}_rmt") for p in "epab"])
    spread = np.stack([getattr(circuits, f"axon_spread_{p}_rmt") for p in "epab"])
    intensity = trials.intensity[:, None, None, :]
    recruited = 1 / (1 + np.exp(-np.clip((intensity - threshold) / spread, -60, 60)))
    here = trials.hemisphere[:, None, None, :] == np.arange(2)[None, None, :, None]
    return np.asarray(RELEASE_EFFICACY * recruited * (here & (intensity > 0)))


def pulse_share(since_ms: Floats) -> Floats:
    """Return the share of a pulse given until `since_ms` after its start: a raised cosine, integrated.

    Examples
    --------
    >>> pulse_share(np.array([0.0, 0.25, 0.5])).round(3).tolist()
    [0.0, 0.5, 1.0]
    """
    x = np.clip(since_ms / PULSE_MS, 0.0, 1.0)
    return np.asarray(x - np.sin(2 * np.pi * x) / (2 * np.pi))
