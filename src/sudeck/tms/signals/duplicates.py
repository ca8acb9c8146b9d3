"""The same recording under two names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sudeck.core.flags import Flag
from sudeck.tms.signals.sweeps import sweep_digest
from sudeck.tms.signals.trials import TrialSet


def duplicate_flags(sets: Sequence[TrialSet]) -> tuple[Flag, ...]:
    """Flag recordings of a batch that hold the same sweeps under two names.

    Sweeps are compared to the precision of single floats, whatever their order, so that a file exported
    twice is found; half of the sweeps of the smaller recording in common is enough.
    """
    flags = []
    digests = [{sweep_digest(sweep) for sweep in item.emg_mv if np.ptp(sweep) > 0} for item in sets]
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
