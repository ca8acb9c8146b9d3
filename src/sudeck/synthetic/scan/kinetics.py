"""The flow: how a bolus arrives in a limb, passes, and stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SHAPE, _SCALE_S = 3.0, 2.6  # first pass: gamma variate, peak at their product after the arrival
_FILL_S = 12.0  # time constant with which blood pool and soft tissue fill


def first_pass(time_s: Array, arrival_s: float) -> Array:
    """Return the gamma-variate bolus, 0 before `arrival_s`, peak 1 at 7.8 s after it.

    ``(t/ab)^a exp(a - t/b)`` with t the time since arrival (Thompson et al., Circ Res 1964;14:502).
    """
    since = np.maximum(time_s - arrival_s, 0.0)
    return np.asarray((since / (_SHAPE * _SCALE_S)) ** _SHAPE * np.exp(_SHAPE - since / _SCALE_S))


def filling(time_s: Array, arrival_s: float) -> Array:
    """Return the plateau that builds up after the arrival: 0 before, 1 in the end."""
    return 1.0 - np.exp(-np.maximum(time_s - arrival_s, 0.0) / _FILL_S)


def frame_weights(frames: int, frame_s: float, arrival_s: float) -> dict[str, Array]:
    """Return the share of each frame in the counts of the whole flow, for vessels and for soft tissue.

    Parameters
    ----------
    frames : int
        Number of frames.
    frame_s : float
        Duration of one, in s.
    arrival_s : float
        Arrival of the bolus in the limb, in s after the start.

    Returns
    -------
    dict of str to array[frame]
        ``"vessels"`` and ``"soft"``, each summing to 1: the sum over the flow does not depend on timing.
    """
    per_frame = 8
    time = (np.arange(frames * per_frame) + 0.5) * frame_s / per_frame
    bolus, plateau = first_pass(time, arrival_s), filling(time, arrival_s)
    curves = {"vessels": bolus + 0.25 * plateau, "soft": 0.25 * bolus + plateau}
    shares = {}
    for name, curve in curves.items():
        per = curve.reshape(frames, per_frame).sum(axis=1)
        shares[name] = per / per.sum() if per.sum() > 0 else np.full(frames, 1.0 / frames)
    return shares
