import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.scan.bone_scan import BoneScanDesign, simulate_bone_scan

NAME, BIRTH, RECORD = "Quastenflosser^Jolanthe", "19610203", "MRN-77123"


def sudeck(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", "from sudeck.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    scan = simulate_bone_scan(BoneScanDesign(limb="hand", affected="right"), rng=np.random.default_rng(2))
    write_bone_scan(scan, folder, patient_name=NAME, patient_id=RECORD)
    (folder / "notes.txt").write_text("not an image")
    return folder


def test_small_matrices_are_worked_on_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    from sudeck.cli.scan import scan
    from sudeck.core.errors import InputError

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        monkeypatch.setenv(name, "unset")  # so that it is put back
        monkeypatch.delenv(name)
    with pytest.raises(InputError):
        scan(
            [Path("no-such-folder")],
            affected="right",
            camera_fwhm=None,
            camera_scatter=None,
            region_file=None,
        )
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def test_scan_measures_prints_and_writes(study: Path, tmp_path: Path) -> None:
    done = sudeck("scan", study, "--affected", "right", "--out", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    assert "BPr/TPr" in done.stdout
    content = json.loads((tmp_path / "results/scan.json").read_text())
    assert set(content["estimates"]) == {"VPr", "TPr", "BPr", "TPr/VPr", "BPr/TPr", "BPr/VPr"}
    assert any(item["file"] == "notes.txt" for item in content["skipped"])
    table = (tmp_path / "results/scan.tsv").read_text().splitlines()
    assert len(table) == 7
    assert (tmp_path / "results/report.html").stat().st_size < 2_000_000


def test_nothing_that_names_the_patient_is_printed_or_written(study: Path, tmp_path: Path) -> None:
    named = tmp_path / "Quastenflosser_MRN-77123"
    named.mkdir()
    for path in study.glob("*.dcm"):
        (named / f"quastenflosser_{path.name}").write_bytes(path.read_bytes())
    done = sudeck("scan", named, "--affected", "right", "--out", tmp_path / "results")
    shown = sudeck("inspect", named)
    assert done.returncode == 0, done.stderr
    texts = [done.stdout, done.stderr, shown.stdout, shown.stderr]
    texts += [path.read_text() for path in (tmp_path / "results").iterdir()]
    for text in texts:
        for secret in ("quastenflosser", "jolanthe", "mrn-77123", "77123"):
            assert secret not in text.lower()


def test_a_region_file_is_measured(study: Path, tmp_path: Path) -> None:
    region = tmp_path / "roi.json"
    region.write_text(json.dumps({"type": "ellipse", "unit": "px", "centre": [38, 70], "radii": [8, 8]}))
    done = sudeck("scan", study, "--affected", "right", "--region-file", region)
    assert done.returncode == 0, done.stderr
    region.write_text("{")
    done = sudeck("scan", study, "--affected", "right", "--region-file", region)
    assert done.returncode == 2
    assert "roi.json: it is not a JSON file" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("scan", "nowhere", "--affected", "right"), "nowhere: there is no such file or folder"),
        (("scan", "{study}/notes.txt", "--affected", "right"), "notes.txt: "),
        (("scan", "{study}", "--affected", "right", "--region", "ankle"), "no region of the hand"),
        (("scan", "{study}", "--affected", "right", "--phase", "flow"), "write it as FILE=vascular"),
        (("inspect", "nowhere"), "nowhere: there is no such file or folder"),
    ],
)
def test_refusals_are_one_sentence_and_status_two(study: Path, arguments: tuple[str, ...], says: str) -> None:
    done = sudeck(*(argument.format(study=study) for argument in arguments))
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_affected_side_must_be_said(study: Path) -> None:
    done = sudeck("scan", study)
    assert done.returncode == 2
    assert "--affected" in done.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['sudeck', '--help']\n"
        "from sudeck.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'scipy', 'pandas', 'pydicom', 'matplotlib', 'skimage', 'jinja2', 'neo', 'numba'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_import_sudeck_pulls_only_numpy_at_most() -> None:
    code = (
        "import sys, sudeck\n"
        "heavy = {'scipy', 'pandas', 'pydicom', 'matplotlib', 'skimage', 'typer', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_two_phases_for_one_file_are_refused(study: Path) -> None:
    done = sudeck(
        "inspect", study, "--phase", "bone.dcm=bone", "--phase", "bone.dcm=tissue", "--phase", "x.dcm=bone"
    )
    assert done.returncode == 2
    assert "another phase, bone, is stated for the same file" in done.stderr


def test_arrays_beside_the_images_are_listed_not_complained_about(study: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(study, tmp_path / "mixed")
    np.savez(tmp_path / "mixed" / "masks.npz", masks=np.ones((8, 8)))
    done = sudeck("inspect", tmp_path / "mixed")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Not used" in done.stdout
    assert "masks.npz" in done.stdout


def test_the_camera_of_the_centre_moves_the_ratio_of_uptake_and_not_that_of_the_image(
    study: Path, tmp_path: Path
) -> None:
    found = []
    for folder, options in (("own", []), ("stated", ["--camera-fwhm", 10, "--camera-scatter", 0.3])):
        done = sudeck("scan", study, "--affected", "right", "--out", tmp_path / folder, *options)
        assert done.returncode == 0, done.stderr
        found.append(json.loads((tmp_path / folder / "scan.json").read_text()))
    assert found[0]["estimates"] == found[1]["estimates"]
    own, stated = (content["uptake_estimates"]["BPr"]["value"] for content in found)
    assert abs(stated / own - 1) > 0.002
    assert found[1]["provenance"]["settings"]["camera"]["fwhm_mm"] == 10
    assert found[0]["drivers"]["BPr/VPr"].startswith("bone up")
