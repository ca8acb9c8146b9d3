"""What was measured in files is held against their truth, and a blind study is sealed before it is scored."""

import json
import math
import shutil
import zipfile

import pytest

from sudeck.core.errors import InputError
from sudeck.core.storage import write_json
from sudeck.demo.study_on_disk import make_demo_study, truth_folder
from sudeck.study.folder.layout import open_study
from sudeck.truth import blind
from sudeck.truth.blind import SEAL, score_blind
from sudeck.truth.folder_score import score_patients, stratum


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    root = tmp_path_factory.mktemp("blind") / "study"
    make_demo_study(root, patients=3, seed=5, jobs=1)
    lines = score_blind(root, truth_folder(root), jobs=1)
    return root, lines


def test_a_study_is_measured_sealed_and_scored(measured):
    root, lines = measured
    assert (open_study(root).derivatives / SEAL).is_file()
    held = {line.goal.what: line for line in lines}
    assert held["image ratio: interval holds the true one"].n == 3
    assert held["image ratio: interval holds the true one"].measured > 0.7
    assert held["scan: nothing measured"].measured == 0.0
    assert held["scan page: a false claim"].n == 3
    assert held["recording page: a false claim"].measured == 0.0
    assert held["recording page: interval holds the true one"].measured > 0.7


def test_every_ratio_and_measure_is_scored_against_its_truth(measured):
    root, _ = measured
    scores = score_patients(open_study(root), truth_folder(root))
    assert set(scores) == {"sub-001", "sub-002", "sub-003"}
    assert all(len(one["image ratio: interval holds the true one"]) == 6 for one in scores.values())
    stimulated = [one for one in scores.values() if "RMT: interval holds the true one" in one]
    assert [len(one["SICI: interval holds the true one"]) for one in stimulated] == [4]
    # Two visits of two hemispheres: only the test intensity has a truth of its own.
    assert [len(one["MEP: interval holds the true one"]) for one in stimulated] == [4]


def test_residuals_are_errors_with_their_sign_over_the_stated_ones(measured):
    root, _ = measured
    scores = score_patients(open_study(root), truth_folder(root))
    for one in scores.values():
        for name in ("VPr", "TPr", "BPr"):
            (residual,) = one[f"residual of {name}"]
            assert any(math.isclose(residual**2, z) for z in one["image ratio: error over stated error"])
    assert any(len(one.get("residual of SICI", ())) == 4 for one in scores.values())


@pytest.mark.parametrize(
    ("fault", "expected"), [("sides-swapped", 10.0), ("errors-halved", 1.6), ("mirror-shifted", 1.3)]
)
def test_a_planted_fault_is_seen_in_the_ratios(measured, fault, expected):
    root, _ = measured
    errors = [
        math.sqrt(
            sum(sum(one["image ratio: error over stated error"]) for one in scores.values())
            / sum(len(one["image ratio: error over stated error"]) for one in scores.values())
        )
        for scores in (
            score_patients(open_study(root), truth_folder(root), fault=planted) for planted in ("", fault)
        )
    ]
    assert errors[1] > expected * errors[0]


def test_the_truth_may_be_an_archive(measured, tmp_path):
    root, lines = measured
    with zipfile.ZipFile(tmp_path / "truth.zip", "w") as archive:
        for path in truth_folder(root).iterdir():
            archive.write(path, f"deep/{path.name}")
    assert score_blind(root, tmp_path / "truth.zip") == lines


def test_results_that_changed_after_the_seal_are_not_scored(measured):
    root, _ = measured
    record = open_study(root).derivatives / "sub-001" / "sub-001.json"
    kept = record.read_text()
    given = json.loads(kept)
    given["scans"]["ses-pre"]["estimates"]["VPr"]["value"] *= 1.01
    record.write_text(json.dumps(given))
    try:
        with pytest.raises(InputError, match="sealed"):
            score_blind(root, truth_folder(root))
    finally:
        record.write_text(kept)


def test_a_ledger_that_changed_after_the_seal_is_not_scored(measured):
    root, _ = measured
    ledger = open_study(root).derivatives / "sub-001" / "ses-pre_scan_claims.json"
    kept = ledger.read_bytes()
    ledger.write_text("[]")
    try:
        with pytest.raises(InputError, match="sealed"):
            score_blind(root, truth_folder(root))
    finally:
        ledger.write_bytes(kept)


def test_the_truth_is_not_opened_before_the_seal(measured, tmp_path, monkeypatch):
    """The truth arrives only once the seal is written: whoever looks earlier finds none."""
    root, lines = measured
    copy, truth = tmp_path / "study", tmp_path / "truth"
    shutil.copytree(root, copy)
    truth.mkdir()
    (open_study(copy).derivatives / SEAL).unlink()

    def seal(path, content):
        write_json(path, content)
        shutil.copytree(truth_folder(root), truth, dirs_exist_ok=True)

    # Measured already: what is tested here is the order.
    monkeypatch.setattr(blind, "_measure", lambda root, jobs: None)
    monkeypatch.setattr(blind, "write_json", seal)
    assert score_blind(copy, truth) == lines


def test_a_truth_that_is_not_there_is_told_before_anything_is_measured(measured, tmp_path, monkeypatch):
    monkeypatch.setattr(blind, "_measure", lambda root, jobs: pytest.fail("measured"))
    with pytest.raises(InputError, match="no truth"):
        score_blind(measured[0], tmp_path / "nowhere")


def test_a_truth_without_patients_is_told(measured, tmp_path):
    with pytest.raises(InputError, match="participant"):
        score_blind(measured[0], tmp_path)


@pytest.mark.parametrize("seal", ['{"sha', "[]", '{"sha256": {}}'])
def test_a_damaged_seal_scores_nothing(measured, seal):
    root, _ = measured
    place = open_study(root).derivatives / SEAL
    kept = place.read_bytes()
    place.write_text(seal)
    try:
        with pytest.raises(InputError, match="sealed"):
            score_blind(root, truth_folder(root))
    finally:
        place.write_bytes(kept)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("scan", '{"image_ratios": {"VPr"', "no readable JSON"),
        ("scan", "[1, 2]", "does not hold names"),
        ("scan", '{"image_ratios": 3}', "'image_ratios' does not hold names"),
        ("scan", '{"image_ratios": {"VPr": "high"}}', "'VPr' in 'image_ratios' is no number above 0"),
        ("scan", '{"uptake_ratios": {"BPr": -1.2}}', "'BPr' in 'uptake_ratios' is no number above 0"),
        ("tms", '{"pre": 3}', "'pre' does not hold names"),
        ("tms", '{"pre": {"left": {"RMT": 0}}}', "'RMT' in 'pre', 'left' is no number above 0"),
    ],
)
def test_what_is_no_truth_is_told_with_its_file(measured, tmp_path, name, text, problem):
    (tmp_path / f"sub-001_{name}.json").write_text(text)
    with pytest.raises(InputError, match=f"sub-001_{name}.json: .*{problem}"):
        score_blind(measured[0], tmp_path)


def test_what_is_not_known_is_not_scored(measured, tmp_path):
    truth = '{"image_ratios": {"VPr": 1.2, "TPr": null}, "design": "a drawing"}'
    (tmp_path / "sub-001_scan.json").write_text(truth)
    found = score_patients(open_study(measured[0]), tmp_path)["sub-001"]
    assert len(found["image ratio: interval holds the true one"]) == 1


def test_a_damaged_archive_is_told(measured, tmp_path):
    root, _ = measured
    with zipfile.ZipFile(tmp_path / "truth.zip", "w") as archive:
        archive.write(truth_folder(root) / "sub-001_scan.json", "sub-001_scan.json")
    data = bytearray((tmp_path / "truth.zip").read_bytes())
    data[200:260] = bytes(60)
    (tmp_path / "truth.zip").write_bytes(data)
    with pytest.raises(InputError, match="can not be unpacked"):
        score_blind(root, tmp_path / "truth.zip")


def test_ratios_are_scored_by_limb_and_by_counts(measured):
    scores = score_patients(open_study(measured[0]), truth_folder(measured[0]))
    what = "uptake ratio: interval holds the true one, "
    for one in scores.values():
        limbs = [len(one.get(f"{what}{name}", ())) for name in ("hand", "foot")]
        counts = [len(values) for name, values in one.items() if name.startswith(f"{what}counts")]
        assert sorted(limbs) == [0, 6]
        assert counts == [6]


def test_strata_cover_every_ratio():
    assert [stratum(ratio) for ratio in (1.0, 0.95, 1 / 1.3, 1.3, 5.0)] == [
        "|log ratio| 0 to 0.1",
        "|log ratio| 0 to 0.1",
        "|log ratio| 0.2 to 0.4",
        "|log ratio| 0.2 to 0.4",
        "|log ratio| above 0.6",
    ]


def test_a_false_sentence_of_a_scan_is_seen(measured, tmp_path):
    root, _ = measured
    given = json.loads((truth_folder(root) / "sub-001_scan.json").read_text())
    turned = {
        quantity: {name: 1 / value**3 for name, value in given[quantity].items()}
        for quantity in ("image_ratios", "uptake_ratios")
    }
    (tmp_path / "sub-001_scan.json").write_text(json.dumps(turned))
    scores = score_patients(open_study(root), tmp_path)["sub-001"]
    assert scores["scan page: a false claim"] == (True,)
    assert any(scores["scan page: a side or cut-off that is called sure, falsely"])
