"""How responses vary from trial to trial: two noises about the circuit, which has none of its own.

Excitability fluctuates before recruitment, as if every pulse were a little stronger or weaker, and the
response once more after it (the two sources of Goetz and colleagues 2014, Brain Stimulation 7:541-552).
Where the recruitment curve is steep the first counts for more, so that the spread falls with intensity by
itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sudeck.circuit.engines import Engine, default_engine
from sudeck.circuit.parameters import Circuit, Floats
from sudeck.circuit.protocols import single
from sudeck.circuit.readout import find_thresholds, read_trials
from sudeck.circuit.simulation import DT_MS

# On the natural-log scale, of intensity and of the response. The two sizes are fitted to the coefficients of
# variation of 27 volunteers at five intensities (public single trials): benchmarks/bench_circuit.py.
EXCITABILITY_SD: Final = 0.025
RESPONSE_SD: Final = 0.40
_NODES: Final = 9


def trial_variation(
    circuits: Circuit,
    intensities: Sequence[float],
    *,
    rmt: Floats | None = None,
    dt_ms: float = DT_MS,
    engine: Engine | None = None,
) -> Floats:
    """Return the coefficient of variation of single responses, shape (intensities, n).

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    intensities : sequence of float
        In RMT.
    rmt : array, shape (2, n), optional
        Thresholds already known.
    dt_ms, engine
        As in `readout.measure`.
    """
    engine = engine or default_engine()
    if rmt is None:
        rmt = find_thresholds(circuits, both=False, dt_ms=dt_ms, engine=engine)
    node, weight = np.polynomial.hermite_e.hermegauss(_NODES)
    weight = weight / weight.sum()
    trials = [[single(float(x * np.exp(EXCITABILITY_SD * z))) for z in node] for x in intensities]
    shown = read_trials(
        circuits, [(trial, "mep") for row in trials for trial in row], rmt, dt_ms=dt_ms, engine=engine
    )
    response = np.array([[shown[trial, "mep"] for trial in row] for row in trials])
    mean, square = (np.einsum("k,ikn->in", weight, response**power) for power in (1, 2))
    return np.asarray(np.sqrt(square / mean**2 * np.exp(RESPONSE_SD**2) - 1))
