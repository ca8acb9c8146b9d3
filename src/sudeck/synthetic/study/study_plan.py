"""A whole synthetic study: which patients it has, how each one's scan and stimulation are made, what is odd.

Nothing is simulated until asked for: a study is a plan, and `scan_of`, `recording_of` and `trials_of` make
one patient at a time from seeds of their own. So the files are the same whether one process writes them all
or several share them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from sudeck.core.vocabulary import (
    PHASE_RATIOS,
    SCAN_PHASES,
    SIDES,
    Limb,
    Side,
    opposite,
    pain_side_hemisphere,
)
from sudeck.synthetic.dicom.nm_dialects import Dialect
from sudeck.synthetic.emg.synthetic_recording import (
    Amplifier,
    Stimulus,
    SyntheticRecording,
    TrialTruth,
    VirtualHemisphere,
    paired_pulse_block,
    recruitment_block,
    simulate_emg,
    simulate_trials,
)
from sudeck.synthetic.scan.bone_scan import SyntheticBoneScan, simulate_bone_scan
from sudeck.synthetic.scan.random_designs import random_design, unlike_design
from sudeck.synthetic.scan.scan_design import CLINICAL_COUNTS, BoneScanDesign
from sudeck.synthetic.study.population import CohortSettings
from sudeck.synthetic.study.synthetic_cohort import SyntheticCohort, draw_cohort
from sudeck.synthetic.study.worlds import World

Oddity = Literal["", "damaged scan", "damaged bone phase", "stray files", "sides not said"]
Visit = Literal["pre", "post"]

VISITS: Final[tuple[Visit, ...]] = ("pre", "post")
# By how much the logarithms of ratios measured on the pixels of such a study differ from the true ones. Keeps
# the correlations of the measured ratios, not of the true ones, at what was published.
_PIXEL_ERROR: Final = {"VPr": 0.018, "TPr": 0.019, "BPr": 0.015}
# How cameras write: most of them plainly, some in the ways that need care.
_DIALECTS: Final[tuple[Dialect, ...]] = ("standard", "implicit", "single-file", "standard", "big-endian")
_UNSAID: Final[Dialect] = "sparse"
_STIMULATED: Final = 19 / 105  # share of the patients with magnetic stimulation, as in the two publications
_COUNTS_SPREAD: Final = 0.25  # of the logarithm of the counts of a scan
# Stimulation, after the findings of the second publication: at the start SICI is weak on the pain side only;
# with relief it is restored, and ICF falls by a fifth. Sizes are ours, the publication's abstract gives none:
# those of the world ``as-published``, per per cent of relief at the usual relief.
_SICI_PAIN_SIDE, _SICI_OTHER, _ICF = 0.70, 0.50, 1.60
_SICI_PER_RELIEF = math.log(_SICI_OTHER / _SICI_PAIN_SIDE) / CohortSettings().mean_relief
_ICF_PER_RELIEF = math.log(0.8) / CohortSettings().mean_relief
_BETWEEN_PATIENTS: Final = 0.15  # of the log ratios
_EXCITABILITY_SPREAD: Final = 0.35  # of its logarithm between people, see `VirtualHemisphere`
_TEST_RMT: Final = 120.0
# Of each kind of pair, and of the test pulse alone: responses scatter so much that a dozen would hide what
# changes.
_TRIALS: Final = 25
# Nobody at a stimulator knows the threshold. It is searched for before treatment, and what was found sets the
# intensities of both visits. SD of what the rule of 5 in 10 finds, from its mean error of 1.28 %MSO in 4,000
# virtual subjects (benchmarks/bench_tms_threshold.py).
_SEARCH_SD: Final = 1.6
# Pulses follow each other faster than in any laboratory, only so that files stay small.
_AMPLIFIER: Final = Amplifier(
    rate_hz=4000.0, interval_s=0.6, noise_rms_mv=0.003, hum_mv=0.005, resting_rms_mv=0.002
)
_TABLE_EVERY: Final = 5  # stimulated patient whose laboratory kept a table of amplitudes, and no traces


@dataclass(frozen=True)
class PlannedPatient:
    """One patient of a synthetic study, before any image or trace is made.

    Attributes
    ----------
    participant_id : str
    number : int
        Place in the study; with the seed of the study it seeds everything of this patient.
    limb, affected
        What is imaged, and the side with CRPS.
    ratios : Mapping of str to float
        True VPr, TPr and BPr.
    relief_percent : float
        Relief at the end of treatment before rounding.
    dialect : str
        How the camera writes.
    oddity : str
        ``"damaged scan"`` (every file cut short), ``"damaged bone phase"``, ``"stray files"``, ``"sides not
        said"`` (a person has to tell which side is at image-left) or none.
    stimulated : bool
        Whether recorded with magnetic stimulation before and after treatment.
    changes : bool
        Whether SICI is weak on the pain side before treatment and, with ICF, goes with relief after it.
    unlike : bool
        Whether the limbs are unlike in shape, and the scan poor.
    """

    participant_id: str
    number: int
    limb: Limb
    affected: Side
    ratios: Mapping[str, float]
    relief_percent: float
    dialect: Dialect
    oddity: Oddity
    stimulated: bool
    changes: bool = True
    unlike: bool = False


@dataclass(frozen=True)
class SyntheticStudy:
    """A synthetic study as planned.

    Attributes
    ----------
    cohort : SyntheticCohort
        The tables: participants, pain by day; and the truth.
    patients : tuple of PlannedPatient
    seed : int
    """

    cohort: SyntheticCohort
    patients: tuple[PlannedPatient, ...]
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return the truth as plain JSON-ready values."""
        truth = self.cohort.truth
        return {
            "seed": self.seed,
            "slopes_of_relief": dict(truth.slopes),
            "correlations_of_relief": dict(truth.correlations),
            "residual_sd_of_relief": truth.residual_sd,
            "patients": {
                patient.participant_id: {
                    "ratios": dict(patient.ratios),
                    "relief_percent": patient.relief_percent,
                    "dialect": patient.dialect,
                    "oddity": patient.oddity or None,
                    "stimulated": patient.stimulated,
                }
                for patient in self.patients
            },
        }


def plan_study(*, patients: int = 105, seed: int = 2018, world: World | None = None) -> SyntheticStudy:
    """Plan a study whose measured ratios go with relief, on average over studies, as published.

    Parameters
    ----------
    patients : int
    seed : int
    world : World, optional
        Of another truth: the cohort's settings, ratios that all share and unlike limbs are taken from it, and
        stimulation shows either what was published or, where the world has no change, nothing. Its files have
        no oddities.

    Examples
    --------
    >>> study = plan_study(patients=105, seed=1)
    >>> sum(patient.stimulated for patient in study.patients)
    19
    """
    base = CohortSettings() if world is None else world.cohort
    settings = replace(base, n=patients, measurement_sd=_PIXEL_ERROR)
    # Every patient comes to the scan; what is lost of it is lost on the way, see the oddities.
    settings = replace(settings, missing={**settings.missing, "scan": 0.0})
    cohort = draw_cohort(settings, rng=np.random.default_rng([seed, 0]))
    same = {} if world is None else world.same_ratios
    truth = cohort.truth.patients.to_dict("records")
    rows = cohort.participants.to_dict("records")
    oddities = _oddities(patients) if world is None else {}
    hands = [number for number, row in enumerate(rows) if row["limb"] == "hand" and number not in oddities]
    stimulated = set(hands[: round(_STIMULATED * patients)])
    planned = tuple(
        PlannedPatient(
            participant_id=row["participant_id"],
            number=number,
            limb=row["limb"],
            affected=row["affected_side"],
            ratios={
                name: same.get(name, float(true[name]))
                for name in (PHASE_RATIOS[phase] for phase in SCAN_PHASES)
            },
            relief_percent=float(true["relief_percent"]),
            dialect=_UNSAID
            if oddities.get(number) == "sides not said"
            else _DIALECTS[number % len(_DIALECTS)],
            oddity=oddities.get(number, ""),
            stimulated=number in stimulated,
            changes=world is None or bool(world.stimulation.change),
            unlike=world is not None and world.unlike_limbs,
        )
        for number, (row, true) in enumerate(zip(rows, truth, strict=True))
    )
    return SyntheticStudy(cohort, planned, seed)


def scan_of(patient: PlannedPatient, *, seed: int) -> SyntheticBoneScan:
    """Simulate the bone scan of one patient: a random pose, the patient's own ratios over the whole limb."""
    rng = np.random.default_rng([seed, 1, patient.number])
    return simulate_bone_scan(_design(patient, rng), rng=rng)


def recording_of(patient: PlannedPatient, visit: Visit, hemisphere: Side, *, seed: int) -> SyntheticRecording:
    """Simulate the EMG of one hemisphere at one visit: threshold, single and paired pulses."""
    truth, stimuli, rng = _stimulation(patient, visit, hemisphere, seed)
    return simulate_emg(truth, stimuli, amplifier=_AMPLIFIER, rng=rng)


def trials_of(patient: PlannedPatient, visit: Visit, *, seed: int) -> list[dict[str, object]]:
    """Simulate the same of both hemispheres as a table of amplitudes.

    Returns
    -------
    list of dict
        One row a trial, as some laboratories keep them: hemisphere, muscle, condition, intensities,
        amplitude. The hemispheres differ between the visits in SICI and ICF alone.
    """
    rows: list[dict[str, object]] = []
    for hemisphere in SIDES:
        truth, stimuli, rng = _stimulation(patient, visit, hemisphere, seed)
        rows += [_row(trial, truth, visit) for trial in simulate_trials(truth, stimuli, rng=rng)]
    return rows


def keeps_amplitudes(patient: PlannedPatient) -> bool:
    """Return whether the patient's laboratory kept a table of amplitudes instead of traces."""
    return patient.number % _TABLE_EVERY == _TABLE_EVERY - 1


def true_measures(patient: PlannedPatient, visit: Visit, *, seed: int) -> dict[Side, dict[str, float]]:
    """Return what is true of both hemispheres at a visit: RMT (%MSO), MEP of the test (mV), SICI, ICF."""
    found: dict[Side, dict[str, float]] = {}
    for hemisphere in SIDES:
        truth = true_hemisphere(patient, hemisphere, visit, seed=seed)
        test = float(round(_TEST_RMT / 100 * found_threshold(patient, hemisphere, seed=seed)))
        found[hemisphere] = {
            "RMT": truth.rmt_mso,
            f"MEP at {test:g} %MSO": float(truth.median_amplitude_mv(test)),
            **truth.ratios,
        }
    return found


def _stimulation(
    patient: PlannedPatient, visit: Visit, hemisphere: Side, seed: int
) -> tuple[VirtualHemisphere, list[Stimulus], np.random.Generator]:
    truth = true_hemisphere(patient, hemisphere, visit, seed=seed)
    rng = np.random.default_rng([seed, 3, patient.number, SIDES.index(hemisphere), VISITS.index(visit)])
    about = found_threshold(patient, hemisphere, seed=seed)
    steps = [round(about) + step for step in (-4, -2, 0, 2, 4)]
    stimuli = recruitment_block(steps, trials=4, rng=rng)
    stimuli += paired_pulse_block(truth, trials=_TRIALS, test_rmt=_TEST_RMT, rmt_mso=about, rng=rng)
    return truth, stimuli, rng


def _design(patient: PlannedPatient, rng: np.random.Generator) -> BoneScanDesign:
    factor = math.exp(_COUNTS_SPREAD * rng.standard_normal())
    counts = {phase: factor * number for phase, number in CLINICAL_COUNTS.items()}
    while True:
        design = random_design(rng, limb=patient.limb, counts=counts, region="whole")
        # Arrival times and pose belong to a side, so a design of the other side is drawn again, not turned
        # over.
        if design.affected == patient.affected:
            design = replace(design, **dict[str, Any](patient.ratios))
            return unlike_design(design, rng) if patient.unlike else design


def true_hemisphere(
    patient: PlannedPatient, hemisphere: Side, visit: Visit, *, seed: int
) -> VirtualHemisphere:
    """Draw what is true of a hemisphere; the same at both visits but for what relief changes."""
    traits = _traits(patient, hemisphere, seed)
    pain_side = hemisphere == pain_side_hemisphere(patient.affected)
    s50, sici, icf, change_sici, change_icf, excitability, _ = traits
    weak = pain_side and patient.changes
    log_sici = math.log(_SICI_PAIN_SIDE if weak else _SICI_OTHER) + _BETWEEN_PATIENTS * sici
    log_icf = math.log(_ICF) + _BETWEEN_PATIENTS * icf
    if visit == "post":
        relief = patient.relief_percent if patient.changes else 0.0
        log_sici += (_SICI_PER_RELIEF * relief if pain_side else 0.0) + 0.5 * _BETWEEN_PATIENTS * change_sici
        log_icf += _ICF_PER_RELIEF * relief + 0.5 * _BETWEEN_PATIENTS * change_icf
    usual = VirtualHemisphere()
    return replace(
        usual,
        hemisphere=hemisphere,
        s50_mso=usual.s50_mso + 4.0 * s50,
        excitability_sd_mso=usual.excitability_sd_mso * math.exp(_EXCITABILITY_SPREAD * excitability),
        ratios={"SICI": math.exp(log_sici), "ICF": math.exp(log_icf)},
    )


def found_threshold(patient: PlannedPatient, hemisphere: Side, *, seed: int) -> float:
    """Draw the threshold (%MSO) that a search at the stimulator found before treatment."""
    truth = true_hemisphere(patient, hemisphere, "pre", seed=seed)
    return truth.rmt_mso + _SEARCH_SD * _traits(patient, hemisphere, seed)[-1]


def _traits(patient: PlannedPatient, hemisphere: Side, seed: int) -> list[float]:
    """Draw how a hemisphere differs from the usual one, in standard deviations."""
    rng = np.random.default_rng([seed, 2, patient.number, SIDES.index(hemisphere)])
    return [float(one) for one in rng.standard_normal(7)]


def _row(trial: TrialTruth, truth: VirtualHemisphere, visit: Visit) -> dict[str, object]:
    stimulus = trial.stimulus
    return {
        "visit": visit,
        "hemisphere": truth.hemisphere,
        "muscle": truth.muscle,
        "muscle_side": opposite(truth.hemisphere),
        "state": stimulus.state,
        "kind": "single" if stimulus.isi_ms is None else "paired",
        "condition": stimulus.condition,
        "isi_ms": stimulus.isi_ms,
        "test_mso": stimulus.test_mso,
        "conditioning_mso": stimulus.conditioning_mso,
        "amplitude_mv": round(trial.amplitude_mv, 5),
        "latency_ms": round(trial.latency_ms, 2),
    }


def _oddities(patients: int) -> dict[int, Oddity]:
    """Spread one of each kind over the study, as far as it has patients."""
    kinds: tuple[Oddity, ...] = ("damaged scan", "damaged bone phase", "stray files", "sides not said")
    return {(2 * index + 1) * patients // 8: kind for index, kind in enumerate(kinds) if patients >= 8}
