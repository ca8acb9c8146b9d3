"""Opening files: every dialect of the standard, and everything that is no counts at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.pixels.decoders.base
import pytest
from pydicom.uid import JPEG2000, JPEGLosslessSV1, RLELossless

from sudeck.core.errors import InputError
from sudeck.scan.phases.phase_series import read_scan
from sudeck.scan.reading.dicom import Header, classify, find_files, open_dicom
from sudeck.scan.reading.identity import patient_of, redactor_of

Refusal = Callable[..., str]
IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG, DEFLATED])
@pytest.mark.parametrize("preamble", [True, False])
def test_every_uncompressed_encoding_gives_the_same_counts(study: Any, syntax: str, preamble: bool) -> None:
    if syntax == DEFLATED and not preamble:
        pytest.skip("a deflated data set cannot be told without file meta information")
    path = study.write("delayed.dcm", study.delayed(), syntax=syntax, preamble=preamble)
    counts = read_scan([path]).phases["bone"].counts
    np.testing.assert_array_equal(counts, study.limbs(60_000, seed=4))


@pytest.mark.parametrize("bits", [8, 32])
def test_other_pixel_sizes(study: Any, bits: int) -> None:
    dataset = study.delayed()
    counts = np.frombuffer(dataset.PixelData, np.uint16) // (8 if bits == 8 else 1)
    dataset.PixelData = counts.astype(f"u{bits // 8}").tobytes()
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.CountsAccumulated = bits - 1, int(counts.sum())
    scan = read_scan([study.write("delayed.dcm", dataset)])
    assert scan.phases["bone"].counts.sum() == counts.sum()


def test_bits_above_the_stored_ones_are_dropped(study: Any) -> None:
    dataset = study.delayed()
    counts = np.frombuffer(dataset.PixelData, np.uint16)
    dataset.PixelData = (counts | 0x8000).tobytes()
    dataset.BitsStored, dataset.HighBit = 15, 14
    scan = read_scan([study.write("delayed.dcm", dataset)])
    assert scan.phases["bone"].counts.sum() == counts.sum()


def test_float_pixels(study: Any, refusal: Refusal) -> None:
    dataset = study.delayed()
    counts = np.frombuffer(dataset.PixelData, np.uint16)
    del dataset.PixelData
    dataset.FloatPixelData = counts.astype(np.float32).tobytes()
    dataset.BitsAllocated = 32
    assert read_scan([study.write("whole.dcm", dataset)]).phases["bone"].counts.sum() == counts.sum()
    dataset.FloatPixelData = (counts * np.float32(0.7)).tobytes()
    assert "fractions" in refusal(read_scan, [study.write("part.dcm", dataset)])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"Modality": "CT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "modality is CT"),
        ({"SOPClassUID": "1.2.840.10008.1.3.10", "Modality": ""}, "DICOMDIR"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "colour"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colours"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]}, "not a planar image"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "GATED", "EMISSION"]}, "not a planar image"),
        ({"ImageType": ["DERIVED", "PRIMARY", "RECON TOMO", "EMISSION"]}, "not a planar image"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "TRANSMISSION"]}, "transmission"),
        ({"SliceVector": [1]}, "not a planar image"),
        ({"Rows": 0}, "size of the image"),
        ({"BitsAllocated": 12}, "size of the image"),
        ({"NumberOfFrames": 2**31 - 1}, "frames"),
    ],
)
def test_what_is_no_planar_image_of_counts(
    study: Any, refusal: Refusal, change: dict[str, Any], what: str
) -> None:
    dataset = study.delayed()
    for keyword, value in change.items():
        setattr(dataset, keyword, value)
    assert what in refusal(read_scan, [study.write("image.dcm", dataset)])


def test_a_secondary_capture_of_another_modality_is_a_screen(study: Any) -> None:
    dataset = study.delayed()
    dataset.SOPClassUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.7", "OT"
    assert classify(Header(dataset))[0] == "screen capture"


def test_no_pixels_and_cut_pixels(study: Any, refusal: Refusal) -> None:
    dataset = study.flow()
    path = study.write("cut.dcm", dataset)
    data = path.read_bytes()
    for cut in (10, 3 * 2 * 32 * 32):
        path.write_bytes(data[:-cut])
        assert "cut short" in refusal(read_scan, [path])
    del dataset.PixelData
    assert "no pixel data" in refusal(read_scan, [study.write("none.dcm", dataset)])


def test_lossless_compression_gives_the_same_counts(study: Any) -> None:
    dataset = study.delayed()
    expected = study.limbs(60_000, seed=4)
    path = study.write("plain.dcm", dataset)
    packed = pydicom.dcmread(path)
    packed.compress(RLELossless, expected[0], encoding_plugin="pydicom", generate_instance_uid=False)
    packed.save_as(path)
    np.testing.assert_array_equal(read_scan([path]).phases["bone"].counts, expected)


def encapsulated(study: Any, syntax: str) -> Path:
    dataset = study.delayed()
    dataset.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8 not an image \xff\xd9 "])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    path: Path = study.write("packed.dcm", dataset, syntax=syntax)
    return path


def test_a_missing_decoder_names_the_extra(
    study: Any, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encapsulated(study, JPEGLosslessSV1)
    decoder = pydicom.pixels.decoders.base.get_decoder(JPEGLosslessSV1)
    monkeypatch.setattr(type(decoder), "is_available", False)
    assert "pip install 'sudeck[compressed]'" in refusal(read_scan, [path])


def test_lossy_and_undecodable_files(study: Any, refusal: Refusal) -> None:
    assert "lossy" in refusal(read_scan, [encapsulated(study, JPEG2000)])
    assert "decod" in refusal(read_scan, [encapsulated(study, RLELossless)])


def test_folders_are_searched_once_and_in_order(study: Any) -> None:
    paths = [study.write(name, study.delayed()) for name in ("b/2.dcm", "a/1.dcm", "a/.hidden")]
    assert find_files([study.folder, paths[0]]) == (paths[1], paths[0])


@pytest.mark.parametrize("content", [b"\x00" * 200, b"GIF89a" + b"x" * 300, b"\x08\x00", b"\x02\x00" * 90])
def test_files_that_are_not_dicom(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_scan([path])


def test_whoever_is_named_is_masked(study: Any) -> None:
    dataset = study.delayed()
    dataset.OperatorsName = "MERCIER^ANNE"
    dataset.add_new(0x00101001, "PN", ["DURAND^Z", "PETIT^ZELDA"])
    dataset.OtherPatientIDs = ["ALT-5566"]
    dataset.RequestAttributesSequence = [study.item(ScheduledPerformingPhysicianName="KELLER^UWE")]
    block = dataset.private_block(0x0009, "GEMS_GENIE_1", create=True)
    block.add_new(0x40, "LO", "BERTIN,ZOE")
    for syntax in (EXPLICIT, IMPLICIT):
        header = open_dicom(study.write(f"{syntax}.dcm", dataset, syntax=syntax)).header
        redactor = redactor_of(header)
        text = (
            "durand petit ZELDA mercier anne keller bertin zoe 77123 rec-77123 alt-5566 1961-02-03 03021961"
        )
        assert redactor.clean(text).replace("[removed]", "").split() in ([], ["-"])
        assert redactor.label("/x/durand/Bone_Zelda.dcm") == "Bone_[removed].dcm"


def test_one_patient_however_the_name_is_written(study: Any) -> None:
    first, second = study.delayed(), study.delayed()
    second.PatientName = "Durand Zelda"
    assert patient_of(Header(first)) == patient_of(Header(second))
    second.PatientID = "REC-2"
    assert patient_of(Header(first)) != patient_of(Header(second))


def test_real_private_name_is_found(shared: Path) -> None:
    header = open_dicom(shared / "scan" / "real" / "wb_bone_ge_jpegll.dcm").header
    assert redactor_of(header).clean("Berra james") == "[removed] [removed]"


def test_what_would_unpack_to_too_much_is_refused_before_it_is_unpacked(
    study: Any, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = study.delayed()
    large.ImageComments = "0" * 10_000
    large.add_new(0x00290010, "LO", "SOMEBODY")
    large.add_new(0x00291010, "OB", bytes(20_000_000))
    packed = study.write("packed.dcm", large, syntax=DEFLATED)
    claims = study.delayed()
    claims.Rows, claims.Columns, claims.NumberOfFrames = 4096, 4096, 2
    monkeypatch.setenv("SUDECK_MEMORY_GB", "0.03")
    assert "would take 0.0" in refusal(open_dicom, packed)
    assert "would take 0.19 GB" in refusal(read_scan, [study.write("claims.dcm", claims)])


def test_a_pixel_element_of_no_known_kind_is_damage(study: Any, refusal: Refusal) -> None:
    path = study.write("bone.dcm", study.delayed(), syntax=EXPLICIT)
    data = path.read_bytes()
    place = data.index(b"\xe0\x7f\x10\x00OW")
    path.write_bytes(data[: place + 4] + b"O\0" + data[place + 6 :])
    assert "damaged" in refusal(read_scan, [path])
