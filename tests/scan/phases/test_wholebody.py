"""Hands and feet cut out of a whole-body sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sudeck.scan.phases.phase_series import read_scan

Refusal = Callable[..., str]


def test_the_limb_must_be_stated(study: Any, refusal: Refusal) -> None:
    assert "--limb" in refusal(read_scan, [study.write("wb.dcm", study.sweep())])


def test_feet_are_the_lowest_30_cm(study: Any) -> None:
    scan = read_scan([study.write("wb.dcm", study.sweep())], limb="foot")
    bone = scan.phases["bone"]
    # body ends at row 380; 300 mm above it and 25 mm below, of 4.5 mm rows
    assert bone.counts.shape[1] == pytest.approx((300 + 25) / 4.5, abs=5)
    assert scan.limb == "foot"
    assert "whole-body-cropped" in {flag.code for flag in scan.flags}
    columns = bone.counts[0].sum(axis=0)
    assert columns[40:56].sum() > 0.9 * columns[:60].sum()


def test_hands_apart_from_the_thighs(study: Any) -> None:
    bone = read_scan([study.write("wb.dcm", study.sweep())], limb="hand").phases["bone"]
    columns = bone.counts[0].sum(axis=0)
    assert columns[40:80].sum() < 0.02 * columns.sum()
    for hand in (columns[:30], columns[90:]):
        assert hand.sum() > 0.4 * columns.sum()


def test_hands_on_the_thighs_are_refused(study: Any, refusal: Refusal) -> None:
    path = study.write("wb.dcm", study.sweep(apart=False))
    assert "touch the thighs" in refusal(read_scan, [path], limb="hand")


def test_an_empty_sweep_has_no_body(study: Any, refusal: Refusal) -> None:
    dataset = study.sweep()
    counts = bytearray(len(dataset.PixelData))
    counts[40_000:40_100] = b"\x05\x00" * 50
    dataset.PixelData, dataset.CountsAccumulated = bytes(counts), 250
    assert "no body" in refusal(read_scan, [study.write("wb.dcm", dataset)], limb="foot")


def test_a_spot_view_goes_before_the_sweep(study: Any) -> None:
    study.write("wb.dcm", study.sweep())
    study.write("spot.dcm", study.delayed())
    scan = read_scan([study.folder])
    assert scan.phases["bone"].sources[0].label == "spot.dcm"
    assert "spot view" in scan.skipped[0].reason
