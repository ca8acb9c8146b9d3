"""The scan report holds what a reader needs, nothing that names a patient, and nothing outside itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.provenance import Provenance, SourceFile
from sudeck.report.scan.page import scan_report
from sudeck.scan.measurement import measure_scan
from sudeck.scan.phases.phase_series import read_scan
from sudeck.scan.reading.collection import Skipped
from sudeck.scan.result import ScanResult
from sudeck.synthetic.scan.bone_scan import simulate_bone_scan
from sudeck.synthetic.scan.scan_design import BoneScanDesign
from sudeck.truth.in_memory import as_bone_scan
from support.page_outline import outline_of

HOSTILE = "<script>alert('x')</script>\"&\u202egpj.exe\udcff\x1b[2J.dcm"


@pytest.fixture(scope="module")
def page(result: ScanResult) -> str:
    return scan_report(result)


def test_all_six_ratios_stand_with_interval_cutoff_and_probability(result: ScanResult, page: str) -> None:
    words = outline_of(page).words
    for name, estimate in result.estimates.items():
        assert name in words
        assert f"{estimate.value:.3f}" in words
        assert f"{estimate.low:.3f} to {estimate.high:.3f}" in words
    for cutoff in ("1.125", "1.075", "0.935"):
        assert cutoff in words
    assert "not the probability that the patient responds" in words
    assert words.count("not a medical device") == 1


def test_every_part_of_the_specification_has_its_section(page: str) -> None:
    seen = outline_of(page).seen
    identifiers = {attributes.get("id") for tag, attributes in seen if tag == "section"}
    assert identifiers == {
        "ratios",
        "uptake-ratios",
        "meaning",
        "images",
        "curves-vascular",
        "budget",
        "uptake",
        "registration",
        "flags",
        "skipped",
        "provenance",
    }
    labels = [attributes.get("aria-label") or "" for tag, attributes in seen if tag == "svg"]
    for phase in ("vascular", "tissue", "bone"):
        assert any(label.startswith(f"{phase} phase, counts in inverse grey from zero") for label in labels)


def test_images_name_sides_scale_and_unit(page: str) -> None:
    words = outline_of(page).words
    assert words.count("Right · affected") == 3
    assert words.count("Left · healthy") == 3
    assert words.count("50 mm") == 3
    assert words.count("counts per pixel") >= 3


def test_hashes_settings_and_versions_are_printed(result: ScanResult, page: str) -> None:
    words = outline_of(page).words
    for source in result.provenance.sources:
        assert source.sha256 in words
    for name in result.provenance.settings:
        assert name in words
    assert result.provenance.version in words
    assert result.provenance.created in words


def test_nothing_refers_outside_the_page(page: str) -> None:
    assert "://" not in page
    assert "default-src 'none'" in page
    for tag, attributes in outline_of(page).seen:
        assert tag not in ("script", "link", "img", "iframe", "object")
        for name in ("src", "href", "xlink:href"):
            target = attributes.get(name)
            assert target is None or target.startswith(("#", "data:image/png;base64,"))
    assert not re.search(r"url\((?!#)", page)


def test_references_inside_the_page_lead_to_one_place_each(page: str) -> None:
    identifiers = [attributes["id"] for _, attributes in outline_of(page).seen if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    wanted = set(re.findall(r'url\(#([^)]+)\)|xlink:href="#([^"]+)"', page))
    assert {first or second for first, second in wanted} <= set(identifiers)


def test_the_page_is_small(page: str) -> None:
    assert len(page.encode("utf-8")) < 500_000


def test_equal_results_give_equal_bytes(result: ScanResult, page: str) -> None:
    assert scan_report(result) == page
    later = replace(result, provenance=replace(result.provenance, created="2031-05-06T07:08:09+00:00"))
    assert scan_report(later).replace(later.provenance.created, result.provenance.created) == page


def test_no_patient_is_named(page: str) -> None:
    assert "vesalius" not in page.lower()
    assert "andreas" not in page.lower()
    assert "7719340" not in page
    assert "notes.txt" in page  # the file left out is listed all the same


def test_hostile_text_is_shown_and_does_nothing(result: ScanResult) -> None:
    source = SourceFile(HOSTILE, "0" * 64, 1)
    hostile = replace(
        result,
        region=HOSTILE,
        flags=(Flag("x", HOSTILE, "serious", HOSTILE),),
        skipped=(Skipped(HOSTILE, HOSTILE),),
        estimates={"VPr": result.estimates["VPr"]},
        refused={"TPr": HOSTILE},
        phases={"vascular": result.phases["vascular"]},
        provenance=Provenance([source], {"drawn": {"name": HOSTILE}, HOSTILE: HOSTILE}, "0"),
    )
    page = scan_report(hostile)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    for letter in ("\u202e", "\udcff", "\x1b"):
        assert letter not in page
    page.encode("utf-8")
    outline_of(page)


def test_a_refused_phase_shows_its_reason_in_table_and_images(result: ScanResult) -> None:
    reason = "No usable image of the bone phase was found."
    partial = replace(
        result,
        phases={name: phase for name, phase in result.phases.items() if name != "bone"},
        estimates={name: item for name, item in result.estimates.items() if "BPr" not in name},
        refused={"BPr": reason, "BPr/TPr": "BPr/TPr needs BPr.", "BPr/VPr": "BPr/VPr needs BPr."},
    )
    words = outline_of(scan_report(partial)).words
    assert words.count(reason) == 2
    assert "Not measured. BPr/TPr needs BPr." in words


def test_the_image_of_a_refused_phase_is_shown_beside_the_reason(tmp_path: Path) -> None:
    counts = {"vascular": 60_000.0, "tissue": 80_000.0, "bone": 150_000.0}
    design = BoneScanDesign(counts_per_limb=counts)
    scan = as_bone_scan(simulate_bone_scan(design, rng=np.random.default_rng(5)))
    pool = scan.phases["tissue"]
    air = np.random.default_rng(6).poisson(pool.counts.mean(), pool.counts.shape).astype(float)
    spoilt = replace(scan, phases={**scan.phases, "tissue": replace(pool, counts=air)})
    result = measure_scan(spoilt, affected="right")
    assert "TPr" in result.refused
    page = scan_report(result)
    labels = [attributes.get("aria-label") or "" for tag, attributes in outline_of(page).seen if tag == "svg"]
    assert sum(label.startswith("tissue phase, not measured") for label in labels) == 1
    assert sum("region outlined" in label for label in labels) == 2
    assert sum(tag == "image" for tag, _ in outline_of(page).seen) == 3


def test_one_phase_without_times_spacing_or_curves_is_enough(result: ScanResult) -> None:
    bone = replace(result.phases["bone"], duration_s=None, curves=())
    flags = (Flag("no-pixel-size", "The bone phase states no pixel size.", "caution", "bone"),)
    bare = replace(
        result, phases={"bone": bone}, estimates={"BPr": result.estimates["BPr"]}, refused={}, flags=flags
    )
    words = outline_of(scan_report(bare)).words
    assert "duration not stated" in words
    assert "size not stated" in words
    assert "50 mm" not in words
    assert "No ratio of ratios could be measured" in words
    assert "Time-activity curves" not in words


def test_a_curve_without_a_clear_rise_is_drawn_and_said(result: ScanResult) -> None:
    vascular = result.phases["vascular"]
    flat = tuple(
        replace(curve, arrival=None, slope=None, fitted=curve.fitted[:0]) for curve in vascular.curves
    )
    page = scan_report(replace(result, phases={**result.phases, "vascular": replace(vascular, curves=flat)}))
    assert outline_of(page).words.count("no clear rise") == 4


def test_an_open_interval_and_a_missing_budget_are_no_obstacle(result: ScanResult) -> None:
    open_ended = Estimate("VPr", 1.2, 0.0, float("inf"), scale="log", se=9.0)
    page = scan_report(replace(result, estimates={**result.estimates, "VPr": open_ended}))
    assert "0.000 to ∞" in outline_of(page).words
    assert "nan" not in re.sub(r"base64,[^\"]*", "", page).lower().split()


def test_serious_flags_stand_beside_the_numbers(result: ScanResult) -> None:
    flag = Flag("rate-step", "The count rate falls by half in frame 12.", "serious", "vascular")
    page = scan_report(replace(result, flags=(*result.flags, flag)))
    top = page[: page.index('<section id="images">')]
    assert flag.message in top
    assert all(item.message not in top for item in result.flags if item.severity == "info")


def test_real_feet_with_known_truth_are_reported_with_the_files_left_out(shared: Path) -> None:
    result = measure_scan(read_scan([shared / "scan" / "semireal"]), affected="right")
    page = scan_report(result)
    words = outline_of(page).words
    assert "whole right foot against the left" in words
    for item in result.skipped:
        assert item.label in words
    assert len(page.encode("utf-8")) < 500_000
