"""Throw damaged files at every parser: each must give a result or one sentence, and mutter nothing.

    python tools/fuzz.py --seconds 120 --seed 1 [--only edf --only xlsx] [--seeds FOLDER]

Seeds are small valid files made here, or every file of a folder. Each input is a seed with a few mutations:
bytes flipped, cut, doubled, zeroed, numbers made huge, brackets nested deeply. What is neither a result nor a
`SudeckError` is a traceback; lines on screen and library warnings are chatter; both are printed once a place,
with the number of the input that shows it first. The exit status is 1 if there was any.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

from fuzz_answers import ANSWERS
from sudeck.core.errors import SudeckError

# Longer than this for a small file is as bad as a traceback.
LONGEST_S = 20
RATE_HZ = 1000.0


def read_tms(path: Path) -> object:
    """Read a recording as the command does."""
    from sudeck.tms.recordings.labelled_trials import read_trials

    return read_trials(path)


def read_events(path: Path) -> object:
    """Read a table of events."""
    from sudeck.tms.signals.events import read_events

    return read_events(path)


def read_protocol(path: Path) -> object:
    """Read a protocol in TOML."""
    from sudeck.tms.recordings.protocol import read_protocol

    return read_protocol(path)


def read_dicom(path: Path) -> object:
    """Read a scan of one file."""
    from sudeck.scan.phases.phase_series import read_scan

    return read_scan([path], image_left="right", phase_of={path.name: "bone"})


def read_table(path: Path) -> object:
    """Read a table of a study."""
    from sudeck.study.folder.schema import TABLES
    from sudeck.study.folder.tables import read_table

    return [read_table(path, table) for table in TABLES.values()]


def read_settings(path: Path) -> object:
    """Read the settings of a study."""
    from sudeck.study.folder.layout import StudyFolder
    from sudeck.study.folder.settings import read_settings

    (path.parent / "sudeck.toml").write_bytes(path.read_bytes())
    return read_settings(StudyFolder(path.parent))


def read_decision(path: Path) -> object:
    """Read a decision of a person."""
    from sudeck.study.folder.decisions import read_decisions
    from sudeck.study.folder.layout import StudyFolder

    study = StudyFolder(path.parent)
    folder = study.decisions / "sub-001"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "0001_side.json").write_bytes(path.read_bytes())
    return read_decisions(study)


def read_redcap_map(path: Path) -> object:
    """Read the map of a REDCap import."""
    from sudeck.study.imports.redcap_map import read_map

    return read_map(path)


def read_redcap_export(path: Path) -> object:
    """Read an export of REDCap."""
    from sudeck.study.imports.redcap_export import read_export

    return read_export(path)


def read_region(path: Path) -> object:
    """Read a drawn region."""
    from sudeck.scan.ratios.drawn_regions import read_region_file

    return read_region_file(path)


def read_decision_lines(path: Path) -> object:
    """Read the decisions about a patient, line by line."""
    from sudeck.study.folder.decisions import read_log
    from sudeck.study.folder.layout import StudyFolder

    study = StudyFolder(path.parent)
    study.decisions.mkdir(exist_ok=True)
    (study.decisions / "sub-001.jsonl").write_bytes(path.read_bytes())
    return read_log(study, "sub-001")


def read_given(path: Path) -> object:
    """Read what was given, and hold it against itself and the study."""
    from sudeck.study.checks.check import check_study
    from sudeck.study.folder.layout import StudyFolder

    study = StudyFolder(path.parent)
    study.table_file("treatment").parent.mkdir(exist_ok=True)
    study.table_file("treatment").write_bytes(path.read_bytes())
    study.table_file("participants").write_text("participant_id\tweight_kg\nsub-001\t70\n", encoding="utf-8")
    return check_study(study, pixels=False)


def read_list(path: Path) -> object:
    """Read the centre's own list of patients."""
    from sudeck.study.imports.import_people import read_ids

    return read_ids(path)


Target = Callable[[Path], object]


def make_seeds(folder: Path, only: list[str] | None = None) -> dict[str, tuple[Path, Target]]:
    """Write one small valid file a format; a format whose library is not installed is left out."""
    seeds: dict[str, tuple[Path, Target]] = {}
    for name, make in (_RECORDINGS | _OTHERS | ANSWERS).items():
        if only and name not in only:
            continue
        place = folder / name
        place.mkdir()
        try:
            path, target = make(place)
        except ImportError:
            continue
        copy = shutil.copytree(place, folder / "copies" / name)
        try:
            target(copy / path.name)
        except SudeckError as error:  # then damage would say nothing
            raise SystemExit(f"the undamaged {name} is refused: {error}") from error
        seeds[name] = (path, target)
    return seeds


def mutated(data: bytes, rng: random.Random, *, text: bool) -> bytes:
    """Damage a file in one to eight places."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        # Headers are where structure is: half of the damage falls into the first kilobyte.
        at = rng.randrange(max(1, min(len(out), 1024 if rng.random() < 0.5 else len(out))))
        kind = rng.randrange(10 if text else 8)
        n = rng.choice((1, 1, 2, 4, 8, 64))
        if kind == 0:
            out[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1 and out:
            out[at : at + 1] = bytes([out[min(at, len(out) - 1)] ^ 1 << rng.randrange(8)])
        elif kind == 2:
            del out[at:]
        elif kind == 3:
            out[at:at] = out[at : at + n]
        elif kind == 4:
            del out[at : at + n]
        elif kind == 5:
            out[at : at + n] = bytes(n)
        elif kind == 6:
            out[at : at + n] = b"\xff" * n
        elif kind == 7:
            out[at : at + n] = rng.randbytes(n)
        elif kind == 8:
            out[at:at] = rng.choice((b"[", b"{", b"(", b'"', b"\n", b"\t", b"=")) * rng.choice((1, 2, 3000))
        else:
            out[at:at] = rng.choice(
                (b"9" * 400, b"1e999", b"nan", b"-1", b"\xe2\x80\xae", b"\x1b[31m", b"9" * 5000)
            )
    return bytes(out)


def run(seeds: dict[str, tuple[Path, Target]], *, seed: int, seconds: float) -> int:
    """Fuzz until the time is over; return how many tracebacks and how much chatter were found."""
    rng = random.Random(seed)
    faults: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    names = sorted(seeds)
    started, number = time.monotonic(), 0
    signal.signal(signal.SIGALRM, _too_long)
    with tempfile.TemporaryDirectory() as scratch:
        while time.monotonic() - started < seconds:
            name = names[number % len(names)]
            path, target = seeds[name]
            copy = Path(scratch) / path.name
            for companion in path.parent.iterdir():
                (Path(scratch) / companion.name).write_bytes(companion.read_bytes())
            data = path.read_bytes()
            copy.write_bytes(mutated(data, rng, text=b"\0" not in data))
            fault = _fault(target, copy)
            counts["refused" if fault == "" else "read" if fault is None else "fault"] += 1
            if fault:
                if not faults[f"{name}: {fault}"]:
                    print(f"input {number}, {name}: {fault}", flush=True)
                faults[f"{name}: {fault}"] += 1
            for file in Path(scratch).rglob("*"):
                if file.is_file():
                    file.unlink()
            number += 1
    total = sum(faults.values())
    print(f"{number} inputs: {counts['read']} read, {counts['refused']} refused, {total} faults")
    return total


def _fault(target: Target, path: Path) -> str | None:
    """Return ``None`` for a result, an empty text for a refusal, else what went wrong and where."""
    said = io.StringIO()
    fault: str | None = None
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        warnings.simplefilter("always")
        signal.alarm(LONGEST_S)
        try:
            target(path)
        except SudeckError as error:
            fault = "" if "\n" not in str(error) else f"a message of several lines: {str(error)[:80]!r}"
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)
            ours = next((f for f in reversed(last) if "sudeck" in f.filename), last[-1])
            fault = f"{type(error).__name__} at {Path(ours.filename).name}:{ours.lineno} ({str(error)[:80]})"
        finally:
            signal.alarm(0)
    if not fault and said.getvalue().strip():
        fault = f"chatter: {said.getvalue().strip().splitlines()[0][:100]}"
    if not fault and caught:
        first = caught[0]
        fault = f"warning at {Path(first.filename).name}:{first.lineno}: {str(first.message)[:80]}"
    return fault


def _too_long(number: int, frame: Any) -> None:
    raise TimeoutError(f"over {LONGEST_S} s")


# Seeds


def _forge() -> Any:
    """Return the makers of recordings that the tests use."""
    name = "made_recordings"
    if name not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "tests" / "tms" / f"{name}.py"
        spec = spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[spec.name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[spec.name])
    return sys.modules[name]


def _emg() -> Any:
    return _forge().make_emg(times_s=(0.4, 1.4), isis_ms=(None, None), duration_s=2.0, rate_hz=RATE_HZ)


def _cfs(folder: Path) -> Path:
    frames = list(_emg().emg_mv[0].reshape(2, 1000))
    return Path(_forge().write_cfs(folder / "a.cfs", frames, rate_hz=RATE_HZ, first_x=-0.4))


def _mat(folder: Path) -> Path:
    from scipy.io import savemat

    savemat(folder / "a.mat", {"emg": _emg().emg_mv[:, :600], "fs": RATE_HZ, "pulse_ms": 200.0})
    return folder / "a.mat"


def _mat73(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "a.mat", "w") as file:
        file["emg"], file["fs"], file["pulse_ms"] = _emg().emg_mv[:, :600].T, RATE_HZ, 200.0
    return folder / "a.mat"


def _eeglab(folder: Path) -> Path:
    from scipy.io import savemat

    truth = _emg()
    events = np.array([("S  1", 401.0), ("S  1", 1401.0)], dtype=[("type", "O"), ("latency", "O")])
    labels = np.array([(name,) for name in truth.names], dtype=[("labels", "O")])
    eeg = {"nbchan": 2.0, "trials": 1.0, "pnts": 2000.0, "srate": RATE_HZ, "xmin": 0.0}
    savemat(
        folder / "a.set",
        {"EEG": eeg | {"data": 1e3 * truth.emg_mv, "chanlocs": labels, "event": events}},
        appendmat=False,
    )
    return folder / "a.set"


def _npz(folder: Path) -> Path:
    np.savez(folder / "a.npz", emg_mV=_emg().emg_mv[:, :600], fs=RATE_HZ, pulse_ms=200.0)
    return folder / "a.npz"


def _nwb(folder: Path) -> Path:
    import h5py

    with h5py.File(folder / "a.nwb", "w") as file:
        series = file.create_group("acquisition/RFDI")
        series.create_dataset("data", data=_emg().emg_mv[0]).attrs["unit"] = "mV"
        series.create_dataset("starting_time", data=0.0).attrs["rate"] = RATE_HZ
        file["intervals/trials/start_time"] = [0.4, 1.4]
    return folder / "a.nwb"


def _text(folder: Path) -> Path:
    rows = "\n".join(f"{i / RATE_HZ:.4f},{x:.5f}" for i, x in enumerate(_emg().emg_mv[0]))
    return _written(folder / "a.csv", f"Time (s),RFDI (mV)\n{rows}\n")


def _labchart(folder: Path) -> Path:
    rows = "\n".join(f"{i / RATE_HZ:.4f}\t{x:.5f}" for i, x in enumerate(_emg().emg_mv[0]))
    head = "Interval=\t0.001 s\nTimeFormat=\tStartOfBlock\nChannelTitle=\tRFDI\nRange=\t10 mV\n"
    return _written(folder / "a.txt", f"{head}{rows}\t#* pulse\n")


def _delsys(folder: Path) -> Path:
    rows = [f"{i / RATE_HZ:.4f},{1e-3 * x:.8f},," for i, x in enumerate(_emg().emg_mv[0])]
    return _written(folder / "a.csv", "\n".join(['X [s],"RFDI: EMG 1 [V]",X [s],"RFDI: Acc 1 [g]"', *rows]))


def _spike2_text(folder: Path) -> Path:
    head = '"INFORMATION"\n"a.smr"\n"SUMMARY"\n"1"\t"Waveform"\t"RFDI"\t"mV"\t1000\n"2"\t"Evt+"\t"TMS"\n'
    wave = '"CHANNEL"\t"1"\n"Waveform"\n"No comment"\n"RFDI"\n\n"START"\t0.0\t0.001\n'
    events = '"CHANNEL"\t"2"\n"Evt+"\n"No comment"\n"TMS"\n\n0.4\n1.4\n'
    samples = "\n".join(f"{x:.5f}" for x in _emg().emg_mv[0])
    return _written(folder / "a.txt", f"{head}{wave}{samples}\n\n{events}")


def _fieldtrip(folder: Path) -> Path:
    from scipy.io import savemat

    truth = _emg()
    trial, time = np.empty((1, 2), dtype=object), np.empty((1, 2), dtype=object)
    for i, at in enumerate(truth.times_s):
        start = round(at * RATE_HZ) - 100
        trial[0, i], time[0, i] = truth.emg_mv[:, start : start + 400], np.arange(-100, 300)[None] / RATE_HZ
    labels = np.array([[name] for name in truth.names], dtype=object)
    units = {"chanunit": np.array([["mV"], ["mV"]], dtype=object)}
    data = {"label": labels, "fsample": RATE_HZ, "trial": trial, "time": time, "hdr": units}
    savemat(folder / "a.mat", {"data": data})
    return folder / "a.mat"


def _fif(folder: Path) -> Path:
    import mne

    truth = _emg()
    info = mne.create_info(list(truth.names), RATE_HZ, ["emg", "emg"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = mne.io.RawArray(1e-3 * truth.emg_mv, info, verbose="CRITICAL")
        raw.set_annotations(mne.Annotations(list(truth.times_s), 0.0, ["TMS", "TMS"]))
        raw.save(folder / "a_raw.fif", fmt="double", verbose="CRITICAL")
    return folder / "a_raw.fif"


def _axon(folder: Path) -> Path:
    import neo  # noqa: F401  the reader needs it

    sweeps = _emg().emg_mv[0].reshape(2, 1000)
    return Path(_forge().write_abf(folder / "a.abf", sweeps, RATE_HZ))


def _xdf(folder: Path) -> Path:
    import pyxdf  # noqa: F401  the reader needs it

    return Path(_forge().write_xdf(folder / "a.xdf", _emg()))


def _workbook(folder: Path, rows: list[list[object]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / "a.xlsx")
    return folder / "a.xlsx"


def _amplitude_book(folder: Path) -> Path:
    return _workbook(folder, [["amplitude_mv", "isi_ms"], *([1.0 / (i + 1), 3.0] for i in range(8))])


def _participants_book(folder: Path) -> Path:
    return _workbook(folder, [["participant_id", "age"], *([f"sub-{i:03d}", 40 + i] for i in range(8))])


def _dicom(folder: Path) -> Path:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, NuclearMedicineImageStorage, generate_uid

    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = NuclearMedicineImageStorage
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["a"])
    image.StudyInstanceUID = image.SeriesInstanceUID = generate_uid(entropy_srcs=["b"])
    image.Modality, image.PatientID, image.SeriesDescription = "NM", "sub-001", "HANDS DORSAL BONE"
    image.ImageType = ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]
    image.AcquisitionDate, image.AcquisitionTime = "20200101", "120000"
    image.ActualFrameDuration = 300_000
    image.Rows = image.Columns = 64
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation, image.NumberOfFrames = 15, 0, 1
    image.PixelSpacing = [4.0, 4.0]
    rng = np.random.default_rng(0)
    counts = rng.poisson(2.0, (64, 64)).astype("<u2")
    counts[10:50, 8:24] += 40
    counts[10:50, 40:56] += 30
    image.PixelData = counts.tobytes()
    image.CountsAccumulated = int(counts.sum())
    image.save_as(folder / "a.dcm", enforce_file_format=True)
    return folder / "a.dcm"


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


_TOML = '[recording]\nunit = "mV"\n[pulses]\nisi_ms = 3.0\n[conditions.SICI]\nisi_ms = 2.5\n'
_STUDY_TOML = (
    '[responder]\nat_least = 30\nunit = "percent"\nvisit = "day 5"\n[tms]\nmuscles = ["FDI"]\n'
    'sessions = ["ses-pre", "ses-post"]\n[scan]\nregion = "whole"\nretest_sd = { BPr = 0.05 }\n'
)
_MAP_TOML = (
    '[patients]\nidentifier = "mrn"\n[events]\nbaseline_arm_1 = { visit = "baseline", day = 0 }\n'
    '[participants]\nage = "age"\nsex = { column = "gender", values = { 1 = "M", 2 = "F" } }\n'
    '[[pain]]\nnrs = "pain_now"\nday = { column = "visit_on", since = "begun_on" }\n'
)
_TREATMENT = (
    "participant_id\tday\ttime\tdrug\troute\tdose_mg\tduration_h\tcomment\n"
    "sub-001\t0\t09:00\tketamine\tintravenous\t100\t4\tn/a\nsub-001\t1\t09:30\tmidazolam\toral\t2\tn/a\tn/a\n"
)
_DECISION = {
    "patient": "sub-001", "session": "ses-pre", "kind": "side", "about": "", "value": "left",
    "who": "a", "why": "b", "when": "2020-01-01",
}  # fmt: skip
_RECORDINGS: dict[str, Callable[[Path], tuple[Path, Target]]] = {
    "brainvision": lambda f: (_forge().write_brainvision(f / "a.vhdr", _emg()), read_tms),
    "edf": lambda f: (_forge().write_edf(f / "a.edf", _emg()), read_tms),
    "bdf": lambda f: (_forge().write_edf(f / "a.bdf", _emg(), bdf=True), read_tms),
    "cfs": lambda f: (_cfs(f), read_tms),
    "brainsight": lambda f: (_forge().write_brainsight(f / "a.txt", _emg()), read_tms),
    "mat": lambda f: (_mat(f), read_tms),
    "mat73": lambda f: (_mat73(f), read_tms),
    "eeglab": lambda f: (_eeglab(f), read_tms),
    "npz": lambda f: (_npz(f), read_tms),
    "nwb": lambda f: (_nwb(f), read_tms),
    "text": lambda f: (_text(f), read_tms),
    "labchart": lambda f: (_labchart(f), read_tms),
    "delsys": lambda f: (_delsys(f), read_tms),
    "spike2-text": lambda f: (_spike2_text(f), read_tms),
    "fieldtrip": lambda f: (_fieldtrip(f), read_tms),
    "fif": lambda f: (_fif(f), read_tms),
    "axon": lambda f: (_axon(f), read_tms),
    "xdf": lambda f: (_xdf(f), read_tms),
    "amplitudes": lambda f: (
        _written(f / "a.csv", "amplitude_mv,isi_ms\n1.0,n/a\n0.5,2.5\n0.3,2.5\n"),
        read_tms,
    ),
    "amplitudes-xlsx": lambda f: (_amplitude_book(f), read_tms),
}
_OTHERS: dict[str, Callable[[Path], tuple[Path, Target]]] = {
    "events": lambda f: (_written(f / "e.tsv", "onset\ttrial_type\tisi_ms\n1\tSICI\t3\n"), read_events),
    "protocol": lambda f: (_written(f / "p.toml", _TOML), read_protocol),
    "dicom": lambda f: (_dicom(f), read_dicom),
    "study-tsv": lambda f: (_written(f / "p.tsv", "participant_id\tage\nsub-001\t40\n"), read_table),
    "study-xlsx": lambda f: (_participants_book(f), read_table),
    "settings": lambda f: (_written(f / "s.toml", _STUDY_TOML), read_settings),
    "decision": lambda f: (_written(f / "d.json", json.dumps(_DECISION)), read_decision),
    "decision-lines": lambda f: (_decision_lines(f), read_decision_lines),
    "treatment": lambda f: (_written(f / "t.tsv", _TREATMENT), read_given),
    "ids": lambda f: (
        _written(f / "i.csv", "record_number,participant_id,onset_date\n7,,2020-01-05\n"),
        read_list,
    ),
    "redcap-map": lambda f: (_written(f / "m.toml", _MAP_TOML), read_redcap_map),
    "redcap-export": lambda f: (_written(f / "r.csv", "record_id,age\n1,40\n"), read_redcap_export),
    "region": lambda f: (
        _written(f / "r.json", '{"limb": "hand", "polygon": [[0, 0], [1, 2]]}'),
        read_region,
    ),
}


def _decision_lines(folder: Path) -> Path:
    from sudeck.study.folder.decision_kinds import Decision
    from sudeck.study.folder.decisions import decision_file, record_decision
    from sudeck.study.folder.layout import StudyFolder

    with tempfile.TemporaryDirectory() as place:
        study = StudyFolder(Path(place))
        for side in ("left", "right"):
            record_decision(
                study,
                Decision("sub-001", "side", side, who="a", why="b", when="2020-01-01", session="ses-pre"),
            )
        return _written(folder / "d.jsonl", decision_file(study, "sub-001").read_text(encoding="utf-8"))


_BY_SUFFIX: dict[str, Target] = {".dcm": read_dicom, ".toml": read_protocol, ".json": read_region}


def main() -> int:
    """Fuzz from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", help="names of seeds, as printed")
    parser.add_argument("--seeds", type=Path, help="take the files of this folder as seeds instead")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.seeds:
            found = (path for path in sorted(chosen.seeds.rglob("*")) if path.is_file())
            seeds = {path.name: (path, _BY_SUFFIX.get(path.suffix.lower(), read_tms)) for path in found}
        else:
            seeds = make_seeds(Path(folder), chosen.only)
        seeds = {name: seed for name, seed in seeds.items() if not chosen.only or name in chosen.only}
        print("seeds:", ", ".join(sorted(seeds)))
        return 1 if run(seeds, seed=chosen.seed, seconds=chosen.seconds) else 0


if __name__ == "__main__":
    sys.exit(main())
