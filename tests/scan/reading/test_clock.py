"""Times of injection and acquisition, across midnight and in the formats files use."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest
from pydicom import Dataset

from sudeck.scan.reading.clock import (
    Clock,
    parse_date,
    parse_datetime,
    parse_time,
    read_clock,
    seconds_between,
)
from sudeck.scan.reading.dicom import Header


def clock(injected: str = "090000", **header: Any) -> Clock:
    dataset, tracer = Dataset(), Dataset()
    if injected:
        tracer.RadiopharmaceuticalStartTime = injected
    dataset.RadiopharmaceuticalInformationSequence = [tracer]
    for keyword, value in header.items():
        setattr(dataset, keyword, value)
    return read_clock(Header(dataset), "a.dcm")


@pytest.mark.parametrize(
    ("injected", "day", "at", "elapsed"),
    [
        ("090000", "20240305", "120000", 3 * 3600),
        ("233000", "20240306", "003000", 3600),
        ("090000", "20240306", "000500", 15 * 3600 + 300),
        ("090000", "20240305", "085500", -300),
        ("090000.500", "20240305", "090000.75", 0.25),
        ("235959", "20240101", "000005", 6),
    ],
)
def test_injection_lies_on_the_last_day_before_the_acquisition(
    injected: str, day: str, at: str, elapsed: float
) -> None:
    found = clock(injected, AcquisitionDate=day, AcquisitionTime=at)
    assert seconds_between(found.injected_at, found.acquired_at) == pytest.approx(elapsed)
    assert found.flags == ()


def test_a_full_date_and_time_goes_before_the_time_alone() -> None:
    dataset, tracer = Dataset(), Dataset()
    tracer.RadiopharmaceuticalStartDateTime = "20240304220000.000000+0100"
    tracer.RadiopharmaceuticalStartTime = "090000"
    dataset.RadiopharmaceuticalInformationSequence = [tracer]
    dataset.AcquisitionDateTime = "20240305010000"
    found = read_clock(Header(dataset), "a.dcm")
    assert found.injected_at == datetime(2024, 3, 4, 22)
    assert seconds_between(found.injected_at, found.acquired_at) == 3 * 3600


def test_an_injection_after_the_acquisition_is_ignored_and_said() -> None:
    dataset, tracer = Dataset(), Dataset()
    tracer.RadiopharmaceuticalStartDateTime = "20240305150000"
    dataset.RadiopharmaceuticalInformationSequence = [tracer]
    dataset.AcquisitionDate, dataset.AcquisitionTime = "20240305", "120000"
    found = read_clock(Header(dataset), "a.dcm")
    assert found.injected_at is None
    assert [flag.code for flag in found.flags] == ["injection-after-acquisition"]
    assert "3.0 h" in found.flags[0].message


def test_midnight_on_the_dot_is_an_empty_field() -> None:
    found = clock("000000", AcquisitionDate="20240305", AcquisitionTime="120000")
    assert found.injected_at is None
    assert [flag.code for flag in found.flags] == ["injection-at-midnight"]
    early = clock("000000", AcquisitionDate="20240305", AcquisitionTime="000005")
    assert seconds_between(early.injected_at, early.acquired_at) == 5


def test_other_times_stand_in_and_are_said() -> None:
    found = clock(SeriesDate="20240305", SeriesTime="120000")
    assert found.acquired_at == datetime(2024, 3, 5, 12)
    assert [flag.code for flag in found.flags] == ["acquisition-time-assumed"]
    assert clock().acquired_at is None
    assert clock().injected_at is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20240305", date(2024, 3, 5)),
        ("1993.11.24", date(1993, 11, 24)),
        ("00000000", None),
        ("20241345", None),
        ("", None),
    ],
)
def test_dates(text: str, expected: date | None) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("090005", time(9, 0, 5)),
        ("0900", time(9)),
        ("09:53:00", time(9, 53)),
        ("180656.0000", time(18, 6, 56)),
        ("235960", time(23, 59, 59)),
        ("250000", None),
        ("noon", None),
    ],
)
def test_times(text: str, expected: time | None) -> None:
    assert parse_time(text) == expected


def test_a_date_without_time_is_no_moment() -> None:
    assert parse_datetime("20240305") is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"RadionuclideHalfLife": 9000}, 9000),
        ({"Radiopharmaceutical": "Tc-99m HDP"}, 6.0067 * 3600),
        ({"Radiopharmaceutical": "99mTc-MDP"}, 6.0067 * 3600),
        ({"Radiopharmaceutical": "F-18"}, None),
        ({}, None),
    ],
)
def test_half_life(values: dict[str, Any], expected: float | None) -> None:
    tracer = Dataset()
    for keyword, value in values.items():
        setattr(tracer, keyword, value)
    dataset = Dataset()
    dataset.RadiopharmaceuticalInformationSequence = [tracer]
    assert read_clock(Header(dataset), "a.dcm").half_life_s == expected
