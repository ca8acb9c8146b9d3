"""One virtual patient recorded before and after treatment, both hemispheres, every truth known.

The change follows what Sorel et al. (2018, Clin Neurophysiol 129:990-1000) report of ketamine: inhibition
(SICI) weak before it in the hemisphere of the painful side and restored after it, facilitation (ICF) less on
both sides after it, the motor threshold unchanged. The sizes are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from sudeck.core.storage import write_json
from sudeck.core.vocabulary import SIDES, Side
from sudeck.synthetic.emg.emg_files import write_recording
from sudeck.synthetic.emg.synthetic_recording import (
    Amplifier,
    Stimulus,
    SyntheticRecording,
    VirtualHemisphere,
    paired_pulse_block,
    recruitment_block,
    silent_period_block,
    simulate_emg,
)

PAIN_SIDE_HEMISPHERE: Final[Side] = "left"
VISITS: Final = ("pre", "post")
_TEST_RMT = 120.0
_ISI_MS: Final = {"SICI": 2.5, "ICF": 12.0, "LICI": 100.0}
_CONDITIONING_RMT: Final = {"LICI": 120.0}  # 80 % of the threshold for the others
_TRUE_RATIOS: Final[dict[tuple[str, Side], dict[str, float]]] = {
    ("pre", "left"): {"SICI": 0.95, "ICF": 1.9, "LICI": 0.3},
    ("pre", "right"): {"SICI": 0.45, "ICF": 1.8, "LICI": 0.3},
    ("post", "left"): {"SICI": 0.40, "ICF": 1.1, "LICI": 0.3},
    ("post", "right"): {"SICI": 0.42, "ICF": 1.2, "LICI": 0.3},
}
_AMPLIFIER: Final = Amplifier(interval_s=1.5, hum_mv=0.008, noise_rms_mv=0.004, resting_rms_mv=0.002)


@dataclass(frozen=True, slots=True)
class DemoRecordings:
    """Files of the virtual patient, and what is true of it.

    Attributes
    ----------
    pre, post : tuple of Path
        Recordings of each visit, left hemisphere first.
    truth_file : Path
        JSON with the truth of every hemisphere and trial.
    truth : dict of (visit, hemisphere) to dict of str to float
        True RMT (%MSO), MEP at 120 % RMT (mV), and ratios by name.
    """

    pre: tuple[Path, ...]
    post: tuple[Path, ...]
    truth_file: Path
    truth: dict[tuple[str, Side], dict[str, float]]


def make_demo_recordings(folder: Path, seed: int = 1900, *, trials: int = 15) -> DemoRecordings:
    """Write a recording of each hemisphere before and after treatment, as EDF with BIDS tables.

    Parameters
    ----------
    folder : Path
        Files go to ``ses-pre/emg`` and ``ses-post/emg`` in it, the truth to ``truth.json``.
    seed : int
        The same seed writes the same bytes.
    trials : int
        Trials of each paired-pulse condition and of the test pulse alone.

    Returns
    -------
    DemoRecordings
        Where edfio is not installed, the recordings are tables of epochs (CSV) instead of EDF.
    """
    rng = np.random.default_rng(seed)
    files: dict[str, list[Path]] = {visit: [] for visit in VISITS}
    truth: dict[tuple[str, Side], dict[str, float]] = {}
    given: dict[str, object] = {}
    for visit in VISITS:
        for side in SIDES:
            recording = _recorded(visit, side, trials, rng)
            where = folder / f"ses-{visit}" / "emg"
            files[visit].append(write_recording(recording, where, stem=f"sub-001_ses-{visit}_task-tms{side}"))
            truth[visit, side] = {
                "RMT": recording.truth.rmt_mso,
                "MEP": float(recording.truth.median_amplitude_mv(_test_mso(recording.truth))),
                **recording.truth.ratios,
            }
            given[f"{visit} {side}"] = recording.to_dict()
    write_json(folder / "truth.json", {"pain_side_hemisphere": PAIN_SIDE_HEMISPHERE, **given})
    return DemoRecordings(tuple(files["pre"]), tuple(files["post"]), folder / "truth.json", truth)


def _test_mso(truth: VirtualHemisphere) -> float:
    """Return the test intensity on the scale of the stimulator, as `paired_pulse_block` sets it."""
    return float(round(_TEST_RMT / 100 * truth.rmt_mso))


def _recorded(visit: str, side: Side, trials: int, rng: np.random.Generator) -> SyntheticRecording:
    truth = replace(
        VirtualHemisphere(),
        hemisphere=side,
        s50_mso=57.0 if side == "left" else 55.0,
        ratios=_TRUE_RATIOS[visit, side],
    )
    rmt = truth.rmt_mso
    intensities = [float(round(share * rmt)) for share in (0.9, 0.96, 1.0, 1.05, 1.1, 1.3, 1.4, 1.5)]
    stimuli: list[Stimulus] = [
        *recruitment_block(intensities, trials=6, rng=rng),
        *paired_pulse_block(
            truth,
            isi_ms=_ISI_MS,
            trials=trials,
            test_rmt=_TEST_RMT,
            conditioning_rmt=_CONDITIONING_RMT,
            rng=rng,
        ),
        *silent_period_block(truth, trials=8),
    ]
    return simulate_emg(truth, stimuli, amplifier=_AMPLIFIER, rng=rng)
