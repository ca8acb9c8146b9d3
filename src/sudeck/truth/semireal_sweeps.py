"""Real sweeps with known paired-pulse ratios: responses of people, drawn again and scaled by a known factor.

Of real recordings of single pulses the sweeps of one intensity are drawn with replacement. Test pulses alone
are scaled by one factor, conditioned ones by it times the true ratio. Every factor is below 1, and real
background of other sweeps, long after their pulse, fills up what a factor takes from the noise, so that all
sweeps are as noisy as they were. How real responses are shaped and scatter is kept; how they drift within a
block, and what a conditioning pulse does beyond making them smaller or larger, is not.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.claim import claims_of
from sudeck.core.errors import InputError, SudeckError
from sudeck.core.provenance import SourceFile
from sudeck.report.tms.sentences import sentences
from sudeck.tms.measurement import measure_trials
from sudeck.tms.recordings.recording_batch import read_recordings
from sudeck.tms.signals.trials import LEAST_AFTER_MS, Pulse, TrialSet
from sudeck.truth.faults import halved
from sudeck.truth.folder_score import score_measure, score_recording
from sudeck.truth.goals import MEASURED, Line, judge_goals
from sudeck.truth.row import StudyRow, Task

WORLD: Final = "semireal"
TRIALS: Final = 12  # of each kind, as in the demo's study
_ISI_MS: Final = {"SICI": 2.5, "ICF": 12.0}
_RATIOS: Final = {"SICI": (0.3, 0.8), "ICF": (1.1, 1.8)}  # drawn evenly on the log scale
_BEFORE_MS: Final = 100.0
_QUIET_MS: Final = 300.0  # after a pulse: past the longest silent period at rest and the return from it
_LEAST_MV: Final = 0.5  # geometric mean of a pool: conditioned ones of a third are well above noise
_FEWEST: Final = 8  # sweeps of a pool
_RESPONSE_MS: Final = (15.0, 50.0)
_LARGEST: Final = 0.9  # factor, so that every sweep has background of its own


@dataclass(frozen=True)
class SweepPool:
    """Real sweeps of one person at one intensity.

    Attributes
    ----------
    emg_mv : ndarray, shape (n_trials, n_samples)
    background_mv : ndarray, shape (n_trials, n_samples)
        Of the same recording, long after its pulses.
    rate_hz : float
    pulse_sample : int
    test_mso : float or None
    """

    emg_mv: NDArray[np.float64]
    background_mv: NDArray[np.float64]
    rate_hz: float
    pulse_sample: int
    test_mso: float | None


def score_semireal_sweeps(
    source: Path, *, recordings: int, seed: int = 0, fault: str = ""
) -> tuple[Line, ...]:
    """Resample real sweeps to many recordings, measure each and hold its ratios against the truth.

    Parameters
    ----------
    source : Path
        A recording of single pulses, or a folder of recordings, a person each.
    recordings : int
        How many are made of them.
    seed : int
    fault : str
        ``"errors-halved"`` or none: no other fault touches a recording alone.

    Raises
    ------
    InputError
        If there is no such recording.
    """
    if fault not in ("", "errors-halved"):
        raise InputError(fault, "this fault can not be seen in recordings alone", "use errors-halved")
    pools = read_pools(source)
    rows = []
    for number in range(recordings):
        rng = np.random.default_rng([seed, number])
        rows.append(
            _score(*resampled(pools[rng.integers(len(pools))], rng), Task(WORLD, (seed, number), fault))
        )
    return judge_goals(rows, [replace(goal, worlds=(WORLD,)) for goal in MEASURED])


def read_pools(source: Path) -> tuple[SweepPool, ...]:
    """Read the sweeps of each recording and intensity whose responses are large enough.

    Raises
    ------
    InputError
        If there are none.
    """
    if not source.exists():
        raise InputError(source.name, "it is not there", "name a scan with truth.json, or recordings")
    try:
        sets = read_recordings(source).sets
    except SudeckError as error:
        raise InputError(
            source.name,
            "it holds neither a scan with truth.json nor a recording that can be read",
            "name such a folder, or recordings of single pulses",
        ) from error
    pools = [pool for one in sets if isinstance(one, TrialSet) for pool in pools_of(one)]
    if not pools:
        raise InputError(
            source.name,
            f"no recording has {_FEWEST} single pulses of one intensity with responses above "
            f"{_LEAST_MV:g} mV and {_QUIET_MS + _BEFORE_MS + LEAST_AFTER_MS:g} ms of EMG after each",
            "name recordings of single pulses at rest, well above threshold, in long sweeps",
        )
    return tuple(pools)


def pools_of(trials: TrialSet) -> tuple[SweepPool, ...]:
    """Return the sweeps of each intensity whose responses are large enough, without dead ones."""
    first, last = (
        trials.pulse_sample + round(ms * trials.rate_hz / 1e3) for ms in (-_BEFORE_MS, LEAST_AFTER_MS)
    )
    quiet = trials.pulse_sample + round(_QUIET_MS * trials.rate_hz / 1e3)
    if first < 0 or trials.emg_mv.shape[1] - (last - first) < quiet:
        return ()
    begin, end = (trials.pulse_sample + round(ms * trials.rate_hz / 1e3) for ms in _RESPONSE_MS)
    # The offset of the amplifier is not scaled with the response.
    emg = trials.emg_mv - np.median(trials.emg_mv, axis=1, keepdims=True)
    alive = np.ptp(emg, axis=1) > 0
    background = emg[alive, -(last - first) :]
    found = []
    for intensity in sorted({pulse.test_mso for pulse in trials.pulses}, key=lambda mso: mso or 0.0):
        alike = [
            one.test_mso == intensity and one.kind == "single" and one.state != "active"
            for one in trials.pulses
        ]
        own = emg[alive & np.array(alike)]
        if len(own) < _FEWEST or np.log(np.ptp(own[:, begin:end], axis=1)).mean() < math.log(_LEAST_MV):
            continue
        pool = SweepPool(
            own[:, first:last], background, trials.rate_hz, trials.pulse_sample - first, intensity
        )
        found.append(pool)
    return tuple(found)


def resampled(pool: SweepPool, rng: np.random.Generator) -> tuple[TrialSet, dict[str, float]]:
    """Draw a recording of test pulses alone, SICI and ICF, in random order, and what is true of it."""
    true = {
        name: math.exp(rng.uniform(math.log(low), math.log(high))) for name, (low, high) in _RATIOS.items()
    }
    unit = _LARGEST / max(1.0, *true.values())
    kinds = [name for name in ("", *true) for _ in range(TRIALS)]
    rng.shuffle(kinds)
    factors = unit * np.array([true.get(kind, 1.0) for kind in kinds])[:, None]
    drawn = pool.emg_mv[rng.integers(len(pool.emg_mv), size=len(kinds))]
    noise = pool.background_mv[rng.integers(len(pool.background_mv), size=len(kinds))]
    emg = factors * drawn + np.sqrt(1 - factors**2) * noise
    pulses = tuple(_pulse(5.0 * number, kind, pool.test_mso) for number, kind in enumerate(kinds))
    source = SourceFile(WORLD, "0" * 64, 0)
    return TrialSet(emg, pool.rate_hz, pool.pulse_sample, pulses, "EMG", source), true


def _pulse(time_s: float, kind: str, test_mso: float | None) -> Pulse:
    single = Pulse(
        time_s, "single", test_mso=test_mso, test_rmt=120.0, hemisphere="left", state="rest", visit="pre"
    )
    if not kind:
        return single
    return replace(single, kind="paired", isi_ms=_ISI_MS[kind], conditioning_rmt=80.0)


def _score(trials: TrialSet, true: dict[str, float], task: Task) -> StudyRow:
    result = measure_trials([trials])
    numbers: dict[str, list[float]] = defaultdict(list)
    for name, value in true.items():
        for one in result.find(name):
            found = halved(one.estimate) if task.fault else one.estimate
            se = math.nan if found.se is None else found.se
            score_measure(numbers, name, (found.value, found.low, found.high, se), value, linear=False)
    score_recording(numbers, claims_of(sentences(result)), {"pre": {"left": true}})
    return StudyRow(task, {name: tuple(values) for name, values in numbers.items()}, ())
