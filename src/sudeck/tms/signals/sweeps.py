"""What is wrong with a sweep at first sight: dead, interrupted, or the copy of another of its recording."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.flags import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sweep_flags(emg_mv: NDArray[np.float64]) -> tuple[Flag, ...]:
    """Flag dead, interrupted (NaN) and repeated sweeps; clipping is judged on the response.

    Parameters
    ----------
    emg_mv : ndarray, shape (n_trials, n_samples)

    Returns
    -------
    tuple of Flag
        One per sweep and finding; `Flag.subject` is ``"trial 3"``, counted from 1.

    Examples
    --------
    >>> [flag.subject for flag in sweep_flags(np.zeros((1, 100)))]
    ['trial 1']
    """
    flags: list[Flag] = []
    first_seen: dict[str, int] = {}
    for index, sweep in enumerate(emg_mv):
        subject = f"trial {index + 1}"
        missing = int(np.count_nonzero(~np.isfinite(sweep)))
        if missing:
            flags.append(
                Flag(
                    "missing-samples",
                    f"In {subject}, {missing} of {sweep.size} samples are no numbers.",
                    "serious",
                    subject,
                    value=float(missing),
                    limit=0.0,
                    unit="samples",
                )
            )
        finite = sweep[np.isfinite(sweep)]
        if finite.size == 0 or finite.min() == finite.max():
            flags.append(Flag("dead-sweep", f"In {subject} the signal never changes.", "serious", subject))
            continue
        digest = sweep_digest(sweep)
        if digest in first_seen:
            flags.append(
                Flag(
                    "repeated-sweep",
                    f"Trial {index + 1} is the same sweep as trial {first_seen[digest] + 1}.",
                    "serious",
                    subject,
                )
            )
        first_seen.setdefault(digest, index)
    return tuple(flags)


def sweep_digest(sweep: NDArray[np.float64]) -> str:
    """Return a hash of a sweep to the precision of single floats: alike for one exported twice."""
    limit = np.finfo(np.float32).max
    return hashlib.sha256(np.clip(sweep, -limit, limit).astype(np.float32).tobytes()).hexdigest()
