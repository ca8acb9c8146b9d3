"""Files that no parser survives, and small files that unpack to large ones: each a sentence."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.limits import SETTING
from sudeck.tms import readers
from sudeck.tms.readers import read_file
from sudeck.tms.readers.base import Hints
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of


def test_small_files_that_unpack_to_large_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scipy.io import savemat

    monkeypatch.setenv(SETTING, "0.01")
    zeros = np.zeros((40, 20_000))
    savemat(tmp_path / "a.mat", {"emg": zeros, "fs": 5000.0}, do_compression=True)
    np.savez_compressed(tmp_path / "a.npz", emg=zeros, fs=5000.0)
    names = ["a.mat", "a.npz"]
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "b.mat", "w") as file:
        file.create_dataset("emg", shape=zeros.shape, dtype="f8", chunks=(1, 1000))
    names.append("b.mat")
    for name in names:
        with pytest.raises(InputError, match=f"set {SETTING}="):
            read_file(tmp_path / name)


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_refused(rate_hz: float) -> None:
    with pytest.raises(InputError, match="no usable sampling rate"):
        signals_of([RawChannel("FDI", np.zeros(10), "mV", rate_hz)], "a.smr", Hints())


def test_cfs_without_frames_is_refused(tmp_path: Path, forge: ModuleType) -> None:
    path = forge.write_cfs(tmp_path / "a.cfs", [np.zeros(500)], table=False)
    data = bytearray(path.read_bytes())
    last_frame_at = 52  # of the header 8 + 14 + 4 + 8 + 8 bytes, then five counts of two bytes
    data[last_frame_at : last_frame_at + 4] = struct.pack("<i", 0)
    path.write_bytes(data)
    with pytest.raises(InputError, match="frame"):
        read_file(path)


@pytest.mark.parametrize("name", ["x" * 300 + ".eeg", "..", "a\0b"])
def test_a_data_file_whose_name_no_file_can_have(tmp_path: Path, forge: ModuleType, name: str) -> None:
    path = forge.write_brainvision(tmp_path / "a.vhdr", forge.make_emg())
    path.write_text(path.read_text().replace("DataFile=a.eeg", f"DataFile={name}"))
    assert read_file(path).signals[0].samples_mv.size == 60_000


def test_a_path_that_is_too_long_and_a_pipe_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_file(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(InputError, match="pipe"):
        read_file(tmp_path / "a.csv")


@pytest.mark.parametrize("fault", [ZeroDivisionError, RecursionError, MemoryError, OverflowError, KeyError])
def test_whatever_a_parser_fails_with_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def read(path: Path, hints: Hints) -> None:
        raise fault("inside the parser")

    monkeypatch.setattr(readers, "reader_of", lambda path: SimpleNamespace(FORMAT="EDF", read=read))
    with pytest.raises(InputError, match=r"a\.edf: ") as caught:
        read_file(tmp_path / "a.edf")
    assert "inside the parser" not in str(caught.value)
