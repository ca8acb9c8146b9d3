"""Plain words follow from the intervals, not from the values alone."""

from __future__ import annotations

from dataclasses import replace

from sudeck.core.estimate import Estimate
from sudeck.report.scan.meaning import meanings
from sudeck.report.scan.words import (
    caveats,
    meaning,
    reason_words,
    sentences,
    subject_words,
    time_words,
)
from sudeck.scan.drivers import drivers
from sudeck.scan.result import ScanResult


def with_values(result: ScanResult, **intervals: tuple[float, float, float]) -> ScanResult:
    estimates = {
        name.replace("_", "/"): Estimate(name.replace("_", "/"), *numbers, scale="log", se=0.05)
        for name, numbers in intervals.items()
    }
    return replace(result, estimates=estimates, uptake_estimates=estimates, refused={})


def test_a_side_is_called_higher_only_when_the_interval_excludes_one(result: ScanResult) -> None:
    says = sentences(with_values(result, VPr=(1.3, 1.2, 1.4), TPr=(0.8, 0.7, 0.9), BPr=(1.05, 0.95, 1.2)))
    assert (
        says[0]
        == "Uptake is higher on the affected side in the vascular phase (1.30 times the healthy side)."
    )
    assert (
        says[1] == "Uptake is lower on the affected side in the tissue phase (0.80 times the healthy side)."
    )
    assert says[2].startswith("In the bone phase (1.05 times the healthy side) the measurement error")


def test_beside_an_interval_without_one_the_sentence_says_why_it_claims_nothing(result: ScanResult) -> None:
    barely = with_values(result, BPr=(1.16, 1.02, 1.31))
    said = " ".join(sentences(barely))
    assert (
        "bone phase (1.16 times the healthy side) the measurement error does not tell the two sides apart"
        in said
    )
    assert "since three phases share an error of 5 %." in said
    plainly = with_values(result, BPr=(1.16, 0.98, 1.37))
    assert "three phases share" not in " ".join(sentences(plainly))


def test_without_a_ratio_of_uptake_the_image_alone_is_spoken_of(result: ScanResult) -> None:
    image = with_values(result, VPr=(1.3, 1.2, 1.4))
    (says, _) = sentences(replace(image, uptake_estimates={}))
    assert says == (
        "The mean count in the image is higher on the affected side in the vascular phase "
        "(1.30 times the healthy side)."
    )


def test_what_drives_a_ratio_of_ratios(result: ScanResult) -> None:
    found = with_values(
        result,
        VPr=(0.8, 0.7, 0.9),
        TPr=(1.0, 0.9, 1.1),
        BPr=(1.4, 1.3, 1.5),
        BPr_VPr=(1.75, 1.6, 1.9),
        TPr_VPr=(1.25, 1.1, 1.4),
    )
    assert drivers(found.estimates, found.uptake_estimates) == {
        "BPr/VPr": "bone up, flow down",
        "TPr/VPr": "flow down",
    }
    assert "0.59 to 1.70 (ankle)" in " ".join(meanings(replace(found, limb="foot")))
    assert "no band" in " ".join(meanings(replace(found, limb="hand")))


def test_a_cutoff_inside_the_interval_is_left_open_with_its_probability(result: ScanResult) -> None:
    says = sentences(
        with_values(result, TPr_VPr=(1.2, 1.1, 1.3), BPr_TPr=(1.125, 1.0, 1.3), BPr_VPr=(0.9, 0.8, 1.0))
    )
    assert says == (
        "TPr/VPr lies above its published cut-off.",
        "BPr/VPr lies below its published cut-off.",
        "BPr/TPr (probability of being above it 50 %): the interval includes the published cut-off, so this "
        "scan does not settle it.",
    )


def test_a_region_of_ones_own_is_told_apart_from_the_publication(result: ScanResult) -> None:
    assert len(caveats(replace(result, region="wrist"))) == len(caveats(result)) + 1


def test_subject_and_meaning(result: ScanResult) -> None:
    assert subject_words(result) == "whole right hand against the left"
    assert (
        subject_words(replace(result, region="wrist", limb=None))
        == "right limb against the left, region wrist"
    )
    assert meaning("TPr/VPr") == "tissue over vascular phase"
    assert meaning("BPr") == "affected over healthy, bone phase"


def test_a_reason_does_not_name_its_phase_again(result: ScanResult) -> None:
    refused = {"BPr": "bone phase: its left and right are exchanged; check it.", "VPr": "No image was found."}
    without = replace(result, refused=refused)
    assert reason_words("BPr", without) == "Its left and right are exchanged; check it."
    assert reason_words("VPr", without) == "No image was found."


def test_the_time_says_how_much_of_the_flow_was_measured(result: ScanResult) -> None:
    flow = result.phases["vascular"]
    short = replace(result, phases={**result.phases, "vascular": replace(flow, duration_s=60.0)})
    assert time_words(short).endswith("; flow measured for 60 s")
