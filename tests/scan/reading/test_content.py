"""What an image shows: another modality, tracer, energy or part of the body is never measured in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sudeck.scan.phases.phase_series import read_scan
from sudeck.scan.reading.content import limb_in_texts, other_part_in_texts

Refusal = Callable[..., str]


def window(study: Any, low: float, high: float) -> Any:
    span = study.item(EnergyWindowLowerLimit=low, EnergyWindowUpperLimit=high)
    return study.item(EnergyWindowRangeSequence=[span])


@pytest.mark.parametrize("modality", ["CT", "PT", "ST", "MR"])
def test_another_modality_is_refused(study: Any, refusal: Refusal, modality: str) -> None:
    dataset = study.delayed()
    dataset.Modality = modality
    assert f"modality is {modality}" in refusal(read_scan, [study.write("a.dcm", dataset)])


def test_a_missing_modality_is_forgiven_by_the_class(study: Any) -> None:
    dataset = study.delayed()
    del dataset.Modality
    assert list(read_scan([study.write("a.dcm", dataset)]).phases) == ["bone"]


def test_only_the_photopeak_is_measured(study: Any, refusal: Refusal) -> None:
    dataset = study.delayed()
    dataset.EnergyWindowInformationSequence = [window(study, 90, 120)]
    sentence = refusal(read_scan, [study.write("scatter.dcm", dataset)])
    assert "90 to 120 keV" in sentence
    assert "photopeak" in sentence
    for low, high in ((126.45, 154.55), (0, 0)):
        dataset.EnergyWindowInformationSequence = [window(study, low, high)]
        assert list(read_scan([study.write("a.dcm", dataset)]).phases) == ["bone"]


@pytest.mark.parametrize(
    "radionuclide",
    ["^18^Fluorine", "18F", "F-18", "^67^Gallium", "Ga-68", "111In", "I-131", "^201^Thallium", "Tl 201"],
)
def test_another_radionuclide_is_refused(study: Any, refusal: Refusal, radionuclide: str) -> None:
    dataset = study.delayed()
    pharmaceutical = dataset.RadiopharmaceuticalInformationSequence[0]
    pharmaceutical.RadionuclideCodeSequence[0].CodeValue = "X"
    pharmaceutical.RadionuclideCodeSequence[0].CodeMeaning = radionuclide
    assert "not technetium-99m" in refusal(read_scan, [study.write("a.dcm", dataset)])
    del pharmaceutical.RadionuclideCodeSequence
    pharmaceutical.Radiopharmaceutical = radionuclide
    assert "not technetium-99m" in refusal(read_scan, [study.write("b.dcm", dataset)])


@pytest.mark.parametrize(
    "radionuclide", ["^99m^Technetium", "Technétium 99m", "99mTc", "Tc-99m HDP", "HDP", ""]
)
def test_technetium_and_silence_pass(study: Any, radionuclide: str) -> None:
    dataset = study.delayed()
    pharmaceutical = dataset.RadiopharmaceuticalInformationSequence[0]
    pharmaceutical.RadionuclideCodeSequence[0].CodeMeaning = radionuclide
    pharmaceutical.Radiopharmaceutical = radionuclide
    assert list(read_scan([study.write("a.dcm", dataset)]).phases) == ["bone"]


def test_the_half_life_of_another_radionuclide_is_refused(study: Any, refusal: Refusal) -> None:
    dataset = study.delayed()
    pharmaceutical = dataset.RadiopharmaceuticalInformationSequence[0]
    for half_life_s, measured in ((6586.2, False), (21624.0, True), (21672.0, True)):
        pharmaceutical.RadionuclideHalfLife = half_life_s
        path = study.write("a.dcm", dataset)
        if measured:
            assert list(read_scan([path]).phases) == ["bone"]
        else:
            assert "half-life of 1.8 h" in refusal(read_scan, [path])


@pytest.mark.parametrize("part", ["SKULL", "KIDNEY", "LUNG", "THORAX", "KNEE", "PELVIS"])
def test_another_part_of_the_body_is_refused_or_flagged(study: Any, refusal: Refusal, part: str) -> None:
    dataset = study.delayed()
    dataset.BodyPartExamined, dataset.SeriesDescription = part, "DELAYED"
    path = study.write("a.dcm", dataset)
    assert f"({part.lower()})" in refusal(read_scan, [path])
    given = read_scan([path], limb="foot")
    dataset.SeriesDescription = "DELAYED FEET"
    named = read_scan([study.write("b.dcm", dataset)])
    for scan in (given, named):
        assert [flag.severity for flag in scan.flags if flag.code == "other-part-named"] == ["serious"]


def test_another_part_beside_the_study_is_left_out(study: Any) -> None:
    study.three_phases()
    dataset = study.pair()
    dataset.BodyPartExamined, dataset.SeriesDescription = "", "DELAYED PELVIS"
    study.write("pelvis.dcm", dataset)
    scan = read_scan([study.folder])
    assert scan.phases["bone"].sources[0].label == "delayed.dcm"
    assert "pelvis" in next(item.reason for item in scan.skipped if item.label == "pelvis.dcm")
    assert "other-part-named" not in {flag.code for flag in scan.flags}


def test_the_absence_of_words_is_fine(study: Any) -> None:
    dataset = study.delayed()
    dataset.BodyPartExamined, dataset.SeriesDescription = "", "DELAYED HEAD 1"
    scan = read_scan([study.write("a.dcm", dataset)])
    assert scan.limb is None
    assert not [flag for flag in scan.flags if flag.severity != "info"]


def test_words_of_limbs_and_parts() -> None:
    assert limb_in_texts("", "BLOOD_POOL_MAINS") == "hand"
    assert limb_in_texts("HANDS AND FEET", "FEET") is None
    assert other_part_in_texts("EXTREMITY", "LOWER LEG ARM HEAD FIRST") == ""
    assert other_part_in_texts("STAT POUMON-REIN") == "poumon"
