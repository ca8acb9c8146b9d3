"""De-identification: nothing of the patient is left, and nothing is measured differently."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.core.privacy import Redactor
from sudeck.scan.measurement import measure_scan
from sudeck.scan.phases.phase_series import read_scan
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.pseudonyms import Key, open_key, read_key, write_key
from sudeck.study.imports.deidentify import deidentify, open_for_import
from sudeck.study.imports.wording import reduce_wording
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.scan.bone_scan import BoneScanDesign, simulate_bone_scan

KEY = Key(bytes(range(32)))


def cleaned(path: Path) -> bytes:
    return deidentify(open_for_import(path, "file 1"), KEY, "sub-001", subject="file 1").data


def test_a_planted_identity_is_nowhere_and_the_numbers_are_the_same(planted: Any, tmp_path: Path) -> None:
    for path in sorted(planted.folder.glob("*.dcm")):
        (tmp_path / path.name.removeprefix("Dupontel_")).write_bytes(cleaned(path))
    assert planted.leaks(planted.folder)
    assert not planted.leaks(tmp_path)
    before = measure_scan(read_scan([planted.folder]), affected="right")
    after = measure_scan(read_scan([tmp_path]), affected="right")
    assert len(before.estimates) == 6
    assert after.estimates == before.estimates


@pytest.mark.parametrize("dialect", ["two-detectors", "single-file", "sparse", "big-endian", "implicit"])
def test_every_dialect_of_camera_measures_the_same(dialect: Any, tmp_path: Path) -> None:
    scan = simulate_bone_scan(BoneScanDesign(limb="foot", opposed=True), rng=np.random.default_rng(7))
    view = {"view": "anterior"} if dialect == "sparse" else {}
    paths = write_bone_scan(scan, tmp_path / "in", dialect=dialect)
    for number, path in enumerate(paths):
        (tmp_path / f"{number}.dcm").write_bytes(cleaned(path))
        assert cleaned(path) == (tmp_path / f"{number}.dcm").read_bytes()
    after = [tmp_path / f"{number}.dcm" for number in range(len(paths))]
    first, second = (read_scan(files, **view) for files in (paths, after))
    assert first.phases.keys() == second.phases.keys()
    for name, phase in first.phases.items():
        other = second.phases[name]
        assert np.array_equal(phase.counts, other.counts)
        assert np.array_equal(phase.start_s, other.start_s)
        assert (phase.view, phase.image_left, phase.clock) == (other.view, other.image_left, other.clock)


def test_dates_move_together_and_identifiers_follow_the_key(planted: Any) -> None:
    path = sorted(planted.folder.glob("*.dcm"))[0]
    before = pydicom.dcmread(path)
    after = pydicom.dcmread(BytesIO(cleaned(path)))
    # PS3.15: whoever reads the file is told that it was de-identified, and how dates were treated.
    assert after.PatientIdentityRemoved == "YES"
    assert after.LongitudinalTemporalInformationModified == "MODIFIED"
    shift = KEY.shift("sub-001")
    assert timedelta(days=-3650) <= shift <= timedelta(days=-365)
    for keyword in ("StudyDate", "AcquisitionDate"):
        moved = date.fromisoformat(getattr(after, keyword)) - date.fromisoformat(getattr(before, keyword))
        assert moved == shift
    assert after.AcquisitionTime == before.AcquisitionTime
    assert after.StudyInstanceUID == KEY.uid(before.StudyInstanceUID) != before.StudyInstanceUID
    assert (after.PatientID, after.PatientName, after.PatientBirthDate) == ("sub-001", "sub-001", "")
    assert "ReferringPhysicianName" not in after or after.ReferringPhysicianName == ""
    private = [element for element in after if element.tag.is_private and not element.tag.is_private_creator]
    assert not private


@pytest.mark.parametrize("change", ["burned in", "secondary capture", "lossy", "negative"])
def test_what_may_show_a_name_is_refused(change: str, planted: Any, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(sorted(planted.folder.glob("*.dcm"))[-1])
    if change == "burned in":
        dataset.BurnedInAnnotation = "YES"
    elif change == "secondary capture":
        dataset.Modality = "OT"
    elif change == "lossy":
        dataset.LossyImageCompression = "01"
    else:
        dataset.CountsAccumulated = int(dataset.CountsAccumulated) * 2
    dataset.save_as(tmp_path / "DUPONTEL.dcm")
    with pytest.raises(InputError) as refusal:
        cleaned(tmp_path / "DUPONTEL.dcm")
    assert "dupontel" not in str(refusal.value).lower()


HIDDEN = b"DUPONTEL^JEHANNE"


@pytest.mark.parametrize("place", ["behind", "above", "beside"])
def test_no_name_survives_in_the_pixels(place: str, planted: Any, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(sorted(planted.folder.glob("*.dcm"))[-1])
    counts = dataset.pixel_array
    if place == "behind":
        dataset.PixelData += HIDDEN
    elif place == "above":
        assert counts.max() < 2**12
        dataset.BitsStored, dataset.HighBit = 12, 11
        flat = counts.astype("<u2").ravel()
        for n, bit in enumerate(np.unpackbits(np.frombuffer(HIDDEN, np.uint8))):
            flat[n] |= int(bit) << 15
        dataset.PixelData = flat.tobytes()
    else:
        pytest.importorskip("gdcm")
        dataset.compress("1.2.840.10008.1.2.5")
        from pydicom.encaps import encapsulate, generate_frames

        frames = list(generate_frames(dataset.PixelData, number_of_frames=1))
        dataset.PixelData = encapsulate([frame + HIDDEN for frame in frames])
    path = tmp_path / "in.dcm"
    dataset.save_as(path)
    data = cleaned(path)
    after = pydicom.dcmread(BytesIO(data))
    assert HIDDEN not in data
    assert len(after.PixelData) == counts.size * 2
    assert np.array_equal(after.pixel_array, counts)
    assert (np.frombuffer(after.PixelData, "<u2") == counts.ravel()).all()


CODE_STRINGS = (
    "ImageLaterality",
    "PatientPosition",
    "CorrectedImage",
    "Units",
    "CountsSource",
    "CollimatorType",
)


def test_a_name_in_an_element_that_stays_goes(planted: Any, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(sorted(planted.folder.glob("*.dcm"))[-1])
    dataset.PatientName = "X"  # so that nothing but the place tells that it is a name
    with pydicom.config.disable_value_validation():
        for keyword in CODE_STRINGS:
            setattr(dataset, keyword, "MARTINEAU")
        dataset.DetectorInformationSequence[0].CollimatorType = "MARTINEAU"
        dataset.SeriesNumber = 7788990
        dataset.add(pydicom.DataElement("SliceThickness", "LO", "MARTINEAU"))
        dataset.FrameOfReferenceUID = "1.2.MARTINEAU"
    path = tmp_path / "in.dcm"
    dataset.save_as(path)
    data = cleaned(path)
    assert b"MARTINEAU" not in data
    assert b"7788990" not in data


def test_an_unreadable_file_is_not_named(tmp_path: Path) -> None:
    path = tmp_path / "DUPONTEL.dcm"
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"^file 3: "):
        open_for_import(path, "file 3")


@given(
    st.lists(
        st.sampled_from(["Dupontel", "12.03.1961", "FEET", "ant", "Müller", "3h", "POST-INJ", "x"]),
        max_size=6,
    )
)
def test_only_known_words_pass(words: list[str]) -> None:
    reduced = reduce_wording(" ".join(words))
    assert set(reduced.replace("-", " ").split()) <= {"FEET", "ANT", "3H", "POST", "INJ", "*"}
    assert reduced.count("FEET") == words.count("FEET")
    assert reduce_wording(reduced) == reduced


def test_a_known_word_that_names_the_patient_goes() -> None:
    assert reduce_wording("POOL HANDS", Redactor.from_values(["POOL^JOHN"])) == "* HANDS"


def test_the_key_names_nobody_and_is_its_owners(study: StudyFolder) -> None:
    key = open_key(study, study.default_key_file).with_patients(["MRN-7788990", "mrn 7788990", "A1"])
    assert sorted(key.patients.values()) == ["sub-001", "sub-002"]
    write_key(study.default_key_file, key)
    assert study.default_key_file.stat().st_mode & 0o077 == 0
    assert "7788990" not in study.default_key_file.read_text()
    assert read_key(study.default_key_file) == key
    assert key.pseudonym("MRN7788990") == key.pseudonym("MRN-7788990") is not None
    assert key.pseudonym("sub-017") is None
    assert key.pseudonym("sub-017", own={"sub-017"}) == "sub-017"
    with pytest.raises(InputError, match="share it"):
        key.with_pseudonyms({"B1": "sub-009", "B2": "sub-009"})
    study.default_key_file.write_text("{}")
    with pytest.raises(InputError, match="not a key"):
        read_key(study.default_key_file)
