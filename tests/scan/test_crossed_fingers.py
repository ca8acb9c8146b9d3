"""Fingers that lie over each other are found; a bent, missing, hot or spread one is none of that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sudeck.scan.posing import pose_scan
from sudeck.synthetic.limbs.posture import Posture
from support.phantoms import as_bone_scan, synthetic

COUNTS = dict.fromkeys(("vascular", "tissue", "bone"), 60_000.0)
CROSSED = Posture(turns_deg=(0.0, 0.0, -11.0, 11.0, 0.0), above=(3,))


def codes(scan) -> dict[str, str]:
    posed = pose_scan(scan, affected="right")
    return {flag.code: flag.severity for flag in posed.flags}


def hands(seed: int = 3, **design):
    return synthetic(
        seed, limb="hand", gap_mm=25.0, counts_per_limb=COUNTS, VPr=1.1, TPr=1.3, BPr=1.5, **design
    )


@pytest.mark.parametrize("side", ["left", "right"])
def test_crossed_fingers_are_a_serious_finding_on_either_hand(side: str) -> None:
    posed = pose_scan(as_bone_scan(hands(postures={side: CROSSED})), affected="right")
    (found,) = [flag for flag in posed.flags if flag.code == "fingers-crossed"]
    assert found.severity == "serious"
    assert f"of the {'affected' if side == 'right' else 'healthy'} hand" in str(found)


@pytest.mark.parametrize(
    "postures",
    [
        {},
        {
            "right": Posture(turns_deg=(6.0, 3.0, -3.0, 3.0, -3.0)),
            "left": Posture(turns_deg=(0.0, -3.0, 2.0, 1.0, 3.0)),
        },
        {"right": Posture(lengths=(1.0, 1.0, 0.7, 0.8, 1.0))},
        {"left": Posture(missing=(3,))},
    ],
)
def test_other_postures_are_not(postures) -> None:
    assert "fingers-crossed" not in codes(as_bone_scan(hands(postures=postures)))


def test_one_hot_finger_is_not() -> None:
    """It makes a hand narrow and bright, but nothing lacks on it."""
    study = hands()
    scan = as_bone_scan(study)
    hot = {}
    for name, series in scan.phases.items():
        truth = study.truth.phases[name]
        rows, columns = np.nonzero(truth.labels == (1 if study.design.image_left == "right" else 2))
        tip = rows.min()
        column = int(np.median(columns[rows < tip + 3]))
        counts = series.counts.copy()
        counts[:, tip : tip + 28, column - 3 : column + 4] *= 2.5
        hot[name] = replace(series, counts=counts)
    assert "fingers-crossed" not in codes(replace(scan, phases=hot))


@pytest.mark.parametrize(("counts", "severity"), [(6_000.0, "serious"), (2_500.0, "caution")])
def test_few_counts_tell_it_too_and_very_few_with_caution(counts: float, severity: str) -> None:
    few = dict.fromkeys(COUNTS, counts)
    study = synthetic(4, limb="hand", gap_mm=25.0, counts_per_limb=few, postures={"right": CROSSED})
    assert codes(as_bone_scan(study))["fingers-crossed"] == severity
    flat = synthetic(4, limb="hand", gap_mm=25.0, counts_per_limb=few)
    assert "fingers-crossed" not in codes(as_bone_scan(flat))
