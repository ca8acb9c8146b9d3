"""A scan thinned to other ratios: counts go as told, and each is another person's."""

import json

import numpy as np
import pydicom
import pytest

from sudeck.core.errors import InputError
from sudeck.study.folder.create import create_study
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.scan.bone_scan import simulate_bone_scan
from sudeck.synthetic.scan.scan_design import BoneScanDesign
from sudeck.truth.semireal import make_semireal, score_semireal

TOLD = {"VPr": 1.2, "TPr": 1.1, "BPr": 1.0}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    counts = {"vascular": 40_000, "tissue": 60_000, "bone": 60_000}
    scan = simulate_bone_scan(
        BoneScanDesign(limb="foot", counts_per_limb=counts), rng=np.random.default_rng(0)
    )
    write_bone_scan(scan, folder, dialect="standard", patient_name="a", patient_id="a")
    limb = np.zeros((128, 128), dtype=np.uint8)
    limb[40:90, 20:60], limb[40:90, 68:108] = 1, 2
    np.savez(folder / "truth_masks.npz", limb=limb)
    (folder / "truth.json").write_text(json.dumps({"true_ratio_limb1_over_limb2": TOLD}))
    return folder


def halves(path):
    data = pydicom.dcmread(path)
    counts = data.pixel_array.reshape(-1, 128, 128).sum(axis=0)
    assert int(data.CountsAccumulated) == counts.sum()
    return counts[:, :64].sum(), counts[:, 64:].sum(), data.StudyInstanceUID


def test_counts_are_thinned_to_the_ratio_that_is_told(source, tmp_path):
    study, truth = create_study(tmp_path / "study").study, tmp_path / "truth"
    truth.mkdir()
    make_semireal(source, study, truth, patients=2, seed=4)
    studies = set()
    for name in ("sub-001", "sub-002"):
        given = json.loads((truth / f"{name}_scan.json").read_text())["image_ratios"]
        files = sorted(study.scan_folder(name, "ses-pre").glob("*.dcm"))
        assert len(files) == 3
        for ratio, path in zip(("VPr", "TPr", "BPr"), files, strict=True):
            before, after = halves(source / path.name), halves(path)
            assert after[0] <= before[0]
            assert after[1] <= before[1]
            changed = (after[0] / after[1]) / (before[0] / before[1])
            error = np.sqrt(1 / after[0] + 1 / after[1])
            assert np.log(changed / (given[ratio] / TOLD[ratio])) == pytest.approx(0.0, abs=4 * error)
            studies.add(after[2])
    assert len(studies) == 2


def test_a_folder_without_truth_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"truth\.json"):
        score_semireal(tmp_path, patients=1, jobs=1)
