"""What is wrong with a sweep at first sight: dead, interrupted, or the copy of another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.flags import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.tms.signals.trials import TrialSet


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
        digest = _digest(sweep)
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


def duplicate_flags(sets: Sequence[TrialSet]) -> tuple[Flag, ...]:
    """Flag recordings of a batch that hold the same sweeps under two names.

    Sweeps are compared to the precision of single floats, whatever their order, so that a file exported
    twice is found; half of the sweeps of the smaller recording in common is enough.
    """
    flags = []
    digests = [{_digest(sweep) for sweep in item.emg_mv if np.ptp(sweep) > 0} for item in sets]
    for i, one in enumerate(sets):
        for j in range(i + 1, len(sets)):
            other = sets[j]
            shared = len(digests[i] & digests[j])
            smaller = min(len(digests[i]), len(digests[j]))
            if shared and shared >= 0.5 * smaller:
                names = f"{one.source.label} ({one.channel}) and {other.source.label} ({other.channel})"
                flags.append(
                    Flag(
                        "duplicate-recording",
                        f"{names} share {shared} of {smaller} sweeps: the same recording under two names.",
                        "serious",
                        other.source.label,
                        value=float(shared),
                        limit=0.0,
                        unit="sweeps",
                    )
                )
    return tuple(flags)


def _digest(sweep: NDArray[np.float64]) -> str:
    limit = np.finfo(np.float32).max
    return hashlib.sha256(np.clip(sweep, -limit, limit).astype(np.float32).tobytes()).hexdigest()
