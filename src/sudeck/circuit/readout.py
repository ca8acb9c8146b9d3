"""From circuits to what a laboratory would measure on them: threshold, responses, ratios, silent periods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sudeck.circuit.engines import Engine, default_engine
from sudeck.circuit.parameters import Circuit, Floats, join, swap_hemispheres
from sudeck.circuit.protocols import CircuitTrial, Measure, Readout
from sudeck.circuit.simulation import DT_MS, run_trials
from sudeck.circuit.steppers.stimulus import Trials

THRESHOLD_MEP_MV: Final = 0.05
# A response has passed its peak this long after its pulse.
RESPONSE_MS: Final = 18.0
SILENT_WINDOW_MS: Final = 340.0
IPSILATERAL_WINDOW_MS: Final = (5.0, 100.0)
# Voluntary activity counts as silent below this share of its level before the pulse.
SILENT_SHARE: Final = 0.5

_GRID: Final = np.arange(0.6, 1.85, 0.2)
_INSIDE: Final = np.array([0.25, 0.5, 0.75])
_REFINEMENTS: Final = 2


class Responses(NamedTuple):
    """Measures of n circuits.

    Attributes
    ----------
    rmt : array, shape (2, n)
        Threshold of both hemispheres in circuit units; NaN where no intensity up to 1.8 gives 50 µV.
    values : dict of str to array, shape (n,)
    """

    rmt: Floats
    values: dict[str, Floats]


def response_mv(circuits: Circuit, drive: Floats) -> Floats:
    """Return the motor evoked potential that a peak of motoneuron drive gives in hemisphere 0, in mV.

    ``max · m^n / (threshold^n + m^n)``, the usual sigmoid of a recruited pool.
    """
    power = np.maximum(drive, 1e-9) ** circuits.motoneuron_exponent[0]
    half = circuits.motoneuron_threshold[0] ** circuits.motoneuron_exponent[0]
    return np.asarray(circuits.mep_max_mv[0] * power / (half + power))


def measure(
    circuits: Circuit,
    measures: Sequence[Measure],
    *,
    rmt: Floats | None = None,
    dt_ms: float = DT_MS,
    engine: Engine | None = None,
) -> Responses:
    """Measure every circuit, with the motor threshold found anew for each.

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    measures : sequence of Measure
    rmt : array, shape (2, n), optional
        Thresholds already known.
    dt_ms : float
    engine : {"numba", "numpy"}, optional
        The fastest one that is there, unless given.
    """
    engine = engine or default_engine()
    if rmt is None:
        both = any(pulse.hemisphere == 1 for m in measures for pulse in m.trial.pulses)
        rmt = find_thresholds(circuits, both=both, dt_ms=dt_ms, engine=engine)
    wanted = [(m.trial, m.readout) for m in measures] + [(m.over, "mep") for m in measures if m.over]
    shown = read_trials(circuits, list(dict.fromkeys(wanted)), rmt, dt_ms=dt_ms, engine=engine)
    values = {}
    for m in measures:
        value = shown[m.trial, m.readout]
        values[m.name] = value if m.over is None else value / shown[m.over, "mep"]
    return Responses(rmt, values)


def find_thresholds(
    circuits: Circuit, *, both: bool, dt_ms: float = DT_MS, engine: Engine | None = None
) -> Floats:
    """Return the resting motor threshold of the two hemispheres in circuit units, shape (2, n).

    With `both` false, and where the hemispheres are equal, the first stands for the second.
    """
    engine = engine or default_engine()
    equal = all((np.asarray(f)[0] == np.asarray(f)[-1]).all() for f in circuits)
    if not both or equal:
        first = find_intensity(circuits, THRESHOLD_MEP_MV, dt_ms=dt_ms, engine=engine)
        return np.stack([first, first])
    sides = join(circuits, swap_hemispheres(circuits))
    found = find_intensity(sides, THRESHOLD_MEP_MV, dt_ms=dt_ms, engine=engine)
    return found.reshape(2, -1)


def find_intensity(
    circuits: Circuit,
    target_mv: float | Floats,
    *,
    before: CircuitTrial | None = None,
    rmt: Floats | None = None,
    dt_ms: float = DT_MS,
    engine: Engine,
) -> Floats:
    """Return the test intensity, in circuit units, that gives a response of `target_mv` in hemisphere 0.

    One grid, twice a finer one between the two levels that enclose the target, and interpolation of the log
    response there: no loop over circuits.

    Parameters
    ----------
    before : Trial, optional
        Conditioning pulses given before, in RMT; `rmt` then is needed.
    """
    count = circuits.n_circuits
    target = np.log(np.broadcast_to(np.asarray(target_mv, float), (count,)))
    grid = np.repeat(_GRID[:, None], count, axis=1)
    logs = np.log(_responses_on(circuits, grid, before, rmt, dt_ms, engine))
    reached = (logs[0] < target) & (logs >= target).any(axis=0)
    for _ in range(_REFINEMENTS):
        grid, logs = _bracket(grid, logs, target)
        inside = grid[0] + (grid[1] - grid[0]) * _INSIDE[:, None]
        responses = np.log(_responses_on(circuits, inside, before, rmt, dt_ms, engine))
        grid, logs = np.vstack([grid[:1], inside, grid[1:]]), np.vstack([logs[:1], responses, logs[1:]])
    grid, logs = _bracket(grid, logs, target)
    rise = logs[1] - logs[0]
    share = np.clip((target - logs[0]) / np.where(rise > 0, rise, 1.0), 0, 1)
    return np.where(reached, grid[0] + share * (grid[1] - grid[0]), np.nan)


def _bracket(grid: Floats, logs: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Return the first two neighbours on the grid that enclose the target, and their log responses."""
    step = np.clip((logs >= target).argmax(axis=0), 1, len(grid) - 1)
    rows, column = np.stack([step - 1, step]), np.arange(grid.shape[1])
    return grid[rows, column], logs[rows, column]


def _responses_on(
    circuits: Circuit,
    grid: Floats,
    before: CircuitTrial | None,
    rmt: Floats | None,
    dt_ms: float,
    engine: Engine,
) -> Floats:
    levels, count = grid.shape
    which = np.tile(np.arange(count), levels)
    conditioning = before.pulses if before else ()
    lead = -min((pulse.time_ms for pulse in conditioning), default=0.0)
    rows = len(conditioning) + 1
    time_ms = np.full((rows, which.size), lead)
    intensity = np.tile(grid.reshape(1, -1), (rows, 1))
    side = np.zeros((rows, which.size), int)
    for row, pulse in enumerate(conditioning):
        assert rmt is not None
        time_ms[row] += pulse.time_ms
        intensity[row] = pulse.intensity * rmt[pulse.hemisphere][which]
        side[row] = pulse.hemisphere
    trials = Trials(time_ms, intensity, side, np.zeros(which.size))
    course, _ = run_trials(
        circuits,
        trials,
        which,
        duration_ms=lead + RESPONSE_MS,
        record_ms=RESPONSE_MS,
        dt_ms=dt_ms,
        engine=engine,
    )
    return response_mv(circuits, course.max(axis=0).reshape(levels, count))


def read_trials(
    circuits: Circuit,
    wanted: Sequence[tuple[CircuitTrial, Readout]],
    rmt: Floats,
    *,
    test_intensity: Floats | None = None,
    dt_ms: float = DT_MS,
    engine: Engine,
) -> dict[tuple[CircuitTrial, Readout], Floats]:
    """Run every trial on every circuit, trials with the same readout together, and read each.

    Parameters
    ----------
    rmt : array, shape (2, n)
        What intensities are multiplied by, for the hemisphere each pulse stimulates.
    test_intensity : array, shape (n,), optional
        Intensity of the test pulse in circuit units, instead of the one of the trial.
    """
    shown = {}
    groups: dict[Readout, list[CircuitTrial]] = {}
    for trial, readout in wanted:
        groups.setdefault(readout, []).append(trial)
    for readout, members in groups.items():
        trials, which = _lay_out(members, rmt, test_intensity)
        record_ms, read = _READ[readout]
        test_at_ms = np.repeat([-trial.pulses[0].time_ms for trial in members], rmt.shape[1])
        course, _ = run_trials(
            circuits,
            trials,
            which,
            duration_ms=test_at_ms + record_ms,
            record_ms=record_ms,
            dt_ms=dt_ms,
            engine=engine,
        )
        for trial, part in zip(members, np.split(course, len(members), axis=1), strict=True):
            shown[trial, readout] = read(circuits, part, dt_ms)
    return shown


def _lay_out(
    members: list[CircuitTrial], rmt: Floats, test_intensity: Floats | None
) -> tuple[Trials, npt.NDArray[np.integer[Any]]]:
    """Return the trials of all members, each on every circuit, and the circuit of each trial."""
    count = rmt.shape[1]
    rows = max(len(trial.pulses) for trial in members)
    time_ms = np.zeros((rows, len(members), count))
    intensity = np.zeros_like(time_ms)
    side = np.zeros(time_ms.shape, int)
    contraction = np.zeros(time_ms.shape[1:])
    for column, trial in enumerate(members):
        contraction[column] = trial.contraction_mv
        for row, pulse in enumerate(trial.pulses):
            time_ms[row, column] = pulse.time_ms - trial.pulses[0].time_ms
            intensity[row, column] = pulse.intensity * rmt[pulse.hemisphere]
            side[row, column] = pulse.hemisphere
        if test_intensity is not None:
            intensity[len(trial.pulses) - 1, column] = test_intensity
    trials = Trials(
        time_ms.reshape(rows, -1), intensity.reshape(rows, -1), side.reshape(rows, -1), contraction.ravel()
    )
    return trials, np.tile(np.arange(count), len(members))


def _read_mep(circuits: Circuit, course: Floats, dt_ms: float) -> Floats:
    return response_mv(circuits, course.max(axis=0))


def _read_silent_period(circuits: Circuit, course: Floats, dt_ms: float) -> Floats:
    """Return the time from the pulse until half the voluntary activity is back, in ms; 0 without silence."""
    level = course / course[0]
    below = level < SILENT_SHARE
    last = below.shape[0] - 1 - below[::-1].argmax(axis=0)
    after = np.minimum(last + 1, below.shape[0] - 1)
    column = np.arange(level.shape[1])
    rise = np.maximum(level[after, column] - level[last, column], 1e-9)
    crossing = last + np.clip((SILENT_SHARE - level[last, column]) / rise, 0, 1)
    return np.asarray(np.where(below.any(axis=0), crossing * dt_ms, 0.0))


def _read_ipsilateral_area(circuits: Circuit, course: Floats, dt_ms: float) -> Floats:
    """Return the voluntary activity lost after a pulse to the other hemisphere, as ms of full silence."""
    start, stop = (round(edge / dt_ms) for edge in IPSILATERAL_WINDOW_MS)
    return np.asarray(np.maximum(1 - course[start:stop] / course[0], 0).sum(axis=0) * dt_ms)


# How long a response is recorded from the test pulse on, and how it is read.
_READ: Final = {
    "mep": (RESPONSE_MS, _read_mep),
    "silent_period": (SILENT_WINDOW_MS, _read_silent_period),
    "ipsilateral_area": (IPSILATERAL_WINDOW_MS[1], _read_ipsilateral_area),
}
