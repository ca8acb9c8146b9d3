"""Cut-off and damaged files of every format: a clean sentence or a clean result, never anything else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.tms.recordings.labelled_trials import read_trials
from sudeck.tms.recordings.protocol import protocol_from, read_protocol
from sudeck.tms.signals.events import read_events
from sudeck.tms.signals.table_text import read_table
from sudeck.tms.signals.trials import TrialSet

RATE_HZ = 1000.0
VARIANTS = 60


def _matlab(folder: Path, forge: ModuleType) -> Path:
    from scipy.io import savemat

    truth = small(forge)
    savemat(folder / "a.mat", {"emg": truth.emg_mv[:, :600], "fs": RATE_HZ, "pulse_ms": 200.0})
    return folder / "a.mat"


def _numpy(folder: Path, forge: ModuleType) -> Path:
    np.savez(folder / "a.npz", emg_mV=small(forge).emg_mv[:, :600], fs=RATE_HZ, pulse_ms=200.0)
    return folder / "a.npz"


def _amplitudes(folder: Path, forge: ModuleType) -> Path:
    (folder / "a.csv").write_text(
        "amplitude_mv,isi_ms,hemisphere\n1.0,n/a,left\n0.5,2.5,left\n0.3,2.5,right\n"
    )
    return folder / "a.csv"


def small(forge: ModuleType) -> object:
    """Return a recording small enough that damage often hits its header."""
    return forge.make_emg(times_s=(0.4, 1.4), isis_ms=(None, None), duration_s=2.0, rate_hz=RATE_HZ)


MAKERS: dict[str, Callable[[Path, ModuleType], Path]] = {
    "brainvision": lambda folder, forge: forge.write_brainvision(folder / "a.vhdr", small(forge)),
    "edf": lambda folder, forge: forge.write_edf(folder / "a.edf", small(forge)),
    "bdf": lambda folder, forge: forge.write_edf(folder / "a.bdf", small(forge), bdf=True),
    "cfs": lambda folder, forge: forge.write_cfs(
        folder / "a.cfs", list(small(forge).emg_mv[0].reshape(2, 1000)), rate_hz=RATE_HZ, first_x=-0.4
    ),
    "brainsight": lambda folder, forge: forge.write_brainsight(folder / "a.txt", small(forge)),
    "matlab": _matlab,
    "numpy": _numpy,
    "amplitudes": _amplitudes,
}


def read_or_refuse(path: Path) -> bool:
    """Read a file; return whether it was refused, and fail on every other outcome."""
    try:
        sets = read_trials(path)
    except InputError as error:
        text = str(error)
        assert "\n" not in text.strip()
        assert "Traceback" not in text
        return True
    for found in sets:
        assert found.n_trials == len(found.pulses) > 0
        if isinstance(found, TrialSet):
            assert 0 < found.pulse_sample < found.emg_mv.shape[1]
            assert found.rate_hz > 0
    return False


@pytest.fixture(params=list(MAKERS))
def intact(request: pytest.FixtureRequest, tmp_path: Path, forge: ModuleType) -> Path:
    path = MAKERS[request.param](tmp_path, forge)
    assert not read_or_refuse(path)
    return path


def test_a_file_cut_off_anywhere(intact: Path) -> None:
    for part in sorted(intact.parent.iterdir()):
        data = part.read_bytes()
        places = np.unique(np.geomspace(1, max(2, len(data) - 1), VARIANTS).astype(int))
        for place in [0, *places.tolist(), *(len(data) - np.arange(1, 12)).tolist()]:
            part.write_bytes(data[:place])
            read_or_refuse(intact)
        part.write_bytes(data)
    assert not read_or_refuse(intact)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_file_with_flipped_bytes(intact: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for part in sorted(intact.parent.iterdir()):
        data = part.read_bytes()
        for _ in range(VARIANTS):
            damaged = bytearray(data)
            for _ in range(int(rng.integers(1, 5))):
                # Headers are where damage hurts most.
                reach = len(data) if rng.random() < 0.3 else min(len(data), 2048)
                damaged[int(rng.integers(reach))] = int(rng.integers(256))
            part.write_bytes(bytes(damaged))
            read_or_refuse(intact)
        part.write_bytes(data)


@pytest.mark.parametrize("form", ["edf", "cfs", "brainvision"])
def test_a_file_cut_in_its_samples_is_refused(tmp_path: Path, forge: ModuleType, form: str) -> None:
    path = MAKERS[form](tmp_path, forge)
    data_path = path.with_suffix(".eeg") if form == "brainvision" else path
    data_path.write_bytes(data_path.read_bytes()[:-901])
    assert read_or_refuse(path)


@pytest.mark.parametrize(
    "name", ["cunningham/Spike/Example Data 1.smr", "oxford/S10.mat", "veta/SICI_example_data.mat"]
)
def test_damaged_real_files_read_by_libraries(shared: Path, tmp_path: Path, name: str) -> None:
    original = shared / "tms" / name
    if not original.is_file():
        pytest.skip("this recording is not among the shared files")
    data = original.read_bytes()
    rng = np.random.default_rng(5)
    path = tmp_path / original.name
    for share in (0.0, 1e-4, 0.01, 0.3, 0.9):
        path.write_bytes(data[: int(share * len(data))])
        read_or_refuse(path)
    for _ in range(6):
        damaged = bytearray(data)
        for place in rng.integers(0, 4096, 3):
            damaged[place] = int(rng.integers(256))
        path.write_bytes(bytes(damaged))
        read_or_refuse(path)
    shutil.rmtree(tmp_path)


@settings(max_examples=150)
@given(st.text(max_size=300))
def test_any_text_as_a_table(text: str) -> None:
    assert isinstance(read_table(text), list)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_as_events_or_protocol(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "events.tsv"
    for content in (data, b"onset\ttrial_type\tisi_ms\n" + data):
        path.write_bytes(content)
        for reader in (read_events, read_protocol):
            with suppress(InputError):
                reader(path)


@settings(max_examples=150)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["recording", "pulses", "channels", "conditions", "sequence", "unit", "markers", "isi_ms"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, dict))
)
def test_any_protocol_is_checked(content: dict[str, object]) -> None:
    with suppress(InputError):
        protocol_from(content)
