"""Damaged files: a result or one clear sentence, never anything else, and never a warning."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.config import disable_value_validation

from sudeck.core.errors import InputError
from sudeck.scan.phases.phase_series import BoneScan, read_scan
from sudeck.scan.phases.scan_inspection import inspect_scan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def read(path: Path, data: bytes) -> BoneScan | str:
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inspect_scan([path])
        try:
            return read_scan([path])
        except InputError as error:
            return str(error)


def small(study: Any, kind: str) -> Any:
    """The same image in few pixels, so that most of the file is header."""
    dataset = {"flow": study.flow, "pair": study.pair, "delayed": study.delayed}[kind]()
    counts = np.frombuffer(dataset.PixelData, np.uint16).reshape(-1, 32, 32)[:, ::8, ::8]
    dataset.PixelData = counts.tobytes()
    dataset.Rows, dataset.Columns = counts.shape[1:]
    dataset.CountsAccumulated = int(counts.sum())
    return dataset


KINDS = ("flow", "pair", "delayed")
SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2")


@pytest.fixture(scope="module")
def samples() -> dict[tuple[str, str], bytes]:
    """Encoded small files of each kind in each encoding, made once."""
    return {}


def sample(samples: dict[tuple[str, str], bytes], study: Any, kind: str, syntax: str) -> bytes:
    if (kind, syntax) not in samples:
        samples[kind, syntax] = study.encode(small(study, kind), syntax=syntax)
    return samples[kind, syntax]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_undamaged_samples_are_read(study: Any, samples: Any, folder: Path, kind: str, syntax: str) -> None:
    found = read(folder / "a.dcm", sample(samples, study, kind, syntax))
    assert isinstance(found, BoneScan), found


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_flipped_bits(study: Any, samples: Any, folder: Path, syntax: str) -> None:
    @settings(max_examples=120)
    @given(
        kind=st.sampled_from(KINDS),
        damage=st.lists(
            st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12
        ),
    )
    def check(kind: str, damage: list[tuple[float, int]]) -> None:
        data = bytearray(sample(samples, study, kind, syntax))
        for where, value in damage:
            data[132 + int(where * (len(data) - 132))] = value
        read(folder / "flip.dcm", bytes(data))

    check()


def test_truncation(study: Any, samples: Any, folder: Path) -> None:
    @settings(max_examples=120)
    @given(kind=st.sampled_from(KINDS), syntax=st.sampled_from(SYNTAXES), share=st.floats(0, 0.999))
    def check(kind: str, syntax: str, share: float) -> None:
        data = sample(samples, study, kind, syntax)
        found = read(folder / "cut.dcm", data[: int(share * len(data))])
        assert isinstance(found, str)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_each_element_deleted_emptied_or_replaced(study: Any, folder: Path, kind: str) -> None:
    whole = small(study, kind)
    for tag in list(whole.keys()):
        for change in ("delete", "empty", "text"):
            dataset = small(study, kind)
            element = dataset[tag]
            if change == "delete":
                del dataset[tag]
            elif change == "empty":
                element.value = None
            elif element.VR in ("LO", "SH", "CS", "DA", "TM", "IS", "DS"):
                element._value = "?*'%#"
            # The writer needs these two; their loss in a file is the business of the bit flips.
            dataset.SOPClassUID = dataset.get("SOPClassUID") or "1.2.840.10008.5.1.4.1.1.20"
            dataset.SOPInstanceUID = dataset.get("SOPInstanceUID") or "1.2.3"
            with disable_value_validation():
                data = study.encode(dataset)
            found = read(folder / "element.dcm", data)
            if isinstance(found, BoneScan):
                total = sum(series.counts.sum() for series in found.phases.values())
                assert total == pytest.approx(np.frombuffer(whole.PixelData, np.uint16).sum(), rel=0.5)


def test_random_bytes(folder: Path) -> None:
    @settings(max_examples=100)
    @given(
        start=st.sampled_from([b"", b"\x08\x00", b"\x02\x00", b"\x00\x08", b"\x00" * 128 + b"DICM"]),
        rest=st.binary(),
    )
    def check(start: bytes, rest: bytes) -> None:
        assert isinstance(read(folder / "noise.dcm", start + rest), str)

    check()
