"""The demo's bone scans: a real one, and a synthetic one whose truth is known."""

from __future__ import annotations

from pathlib import Path

from sudeck.core.vocabulary import RATIOS_OF_RATIOS, Side
from sudeck.demo.part import SEED, DemoPart, Say, demo_row
from sudeck.report.scan.page import write_scan

REAL_SCAN = "JPEG-LL.dcm"  # whole-body bone scan of NEMA's sample set, in the package pydicom-data (MIT)


def real_scan(folder: Path, *, say: Say) -> DemoPart | None:
    """Measure the feet of a real whole-body bone scan; ``None`` where the package it comes in is missing."""
    from pydicom.data import get_testdata_file

    from sudeck.scan.measurement import measure_scan
    from sudeck.scan.phases.phase_series import read_scan

    found = get_testdata_file(REAL_SCAN, download=False)
    if not isinstance(found, str):
        say("The real bone scan is left out; pip install 'sudeck[demo]' brings it.")
        return None
    say("Measuring the feet of a real whole-body bone scan")
    result = measure_scan(read_scan([Path(found)], limb="foot", view="anterior"), affected="right")
    write_scan(result, folder)
    return DemoPart(
        title="A real whole-body bone scan",
        text=(
            "A Tc-99m bone scan from a clinical camera (GE Millennium, 1997), lossless JPEG, as it ships in "
            "the package pydicom-data. Its feet are measured; only the delayed phase exists, so only BPr can "
            "be had, and the other five are refused with the reason. Nothing is known of this patient's "
            "limbs: the right side is called affected for the sake of the example."
        ),
        command=f"sudeck scan {REAL_SCAN} --affected right --limb foot --view anterior --out real-scan",
        link="real-scan/report.html",
        rows=[demo_row(name, result.estimates[name], None) for name in result.estimates],
    )


def synthetic_scan(folder: Path, *, say: Say) -> DemoPart:
    """Simulate a three-phase study of two hands, write it as DICOM, measure it, and hold it to its truth."""
    import numpy as np

    from sudeck.scan.measurement import measure_scan
    from sudeck.scan.phases.phase_series import read_scan
    from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
    from sudeck.synthetic.scan.bone_scan import BoneScanDesign, simulate_bone_scan, write_truth

    say("Simulating a three-phase bone scan of two hands and measuring it")
    affected: Side = "left"
    design = BoneScanDesign(
        limb="hand",
        affected=affected,
        VPr=1.35,
        TPr=1.30,
        BPr=1.75,
        rotation_deg=8.0,
        scale=1.03,
        periarticular=0.3,
    )
    scan = simulate_bone_scan(design, rng=np.random.default_rng(SEED))
    write_bone_scan(scan, folder / "dicom")
    write_truth(scan, folder / "truth.json")
    result = measure_scan(read_scan([folder / "dicom"]), affected=affected)
    write_scan(result, folder)
    truths = scan.truth.image_ratios("whole")
    truths |= {name: _over(truths, *name.split("/")) for name in RATIOS_OF_RATIOS}
    rows = [demo_row(name, result.estimates[name], truths.get(name)) for name in result.estimates]
    return DemoPart(
        title="A synthetic three-phase study",
        text=(
            "Two hands, simulated from anatomy to Poisson counts and written as nuclear medicine DICOM, so "
            "that the truth is known: what a region without any error would measure in the image without "
            "noise."
        ),
        command=f"sudeck scan synthetic-scan/dicom --affected {affected} --out synthetic-scan",
        link="synthetic-scan/report.html",
        rows=rows,
    )


def _over(truths: dict[str, float], over: str, under: str) -> float:
    return truths[over] / truths[under]
