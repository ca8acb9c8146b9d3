"""File names that may name a person never get out; those that can not stay readable."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.study.folder.settings import Settings
from sudeck.study.measuring.inputs import PatientInputs
from sudeck.study.measuring.neutral_names import neutral_names
from sudeck.study.measuring.patient_measures import measure_patient
from sudeck.tms.signals.neutral_labels import neutral_labels, neutralise


@pytest.mark.parametrize(
    "name",
    [
        "01_flow.dcm",
        "02_flow_and_pool.dcm",
        "sub-001_ses-pre_trials.tsv",
        "090500_static_3fa2b1.dcm",
        "IM00012",
    ],
)
def test_neutral_names_stay(name: str) -> None:
    assert neutral_names([Path(name)], "sub-001") == {}


@pytest.mark.parametrize(
    "name",
    ["dupont.dcm", "DUPONT_pool.dcm", "1961-02-03 müller.dcm", "K7304511.dcm", "19610203.dcm", "pool.anna"],
)
def test_others_are_replaced(name: str) -> None:
    instead = neutral_names([Path("01_flow.dcm"), Path(name)], "sub-001")
    assert instead[name].startswith("file-2")


def test_everywhere_in_a_record() -> None:
    instead = {"Ann & Co.dcm": "file-1.dcm", "Ann.dcm": "file-2.dcm"}
    record = {"Ann.dcm": ["in Ann & Co.dcm, twice Ann & Co.dcm", 3, None], "page": "<b>Ann &amp; Co.dcm</b>"}
    assert neutralise(record, instead) == {
        "file-2.dcm": ["in file-1.dcm, twice file-1.dcm", 3, None],
        "page": "<b>file-1.dcm</b>",
    }


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=12))
def test_no_name_survives(word: str) -> None:
    name = f"Dupont{word}.dcm"
    instead = neutral_names([Path(name)], "sub-001")
    assert name not in neutralise(f"{name}: the file is empty", instead)


def test_labels_that_are_of_the_field_stay() -> None:
    labels = ["RFDI", "left APB", "S 255", "EMG1", "Stim", "SICI 2.5 ms", "single", "Chan 3", "rest"]
    assert neutral_labels(labels) == {}
    assert neutral_labels(["Platysma"], allowed=["platysma"]) == {}


def test_labels_that_may_name_somebody_go_and_stay_apart() -> None:
    instead = neutral_labels(["RFDI Dupontel", "RFDI Martineau", "Jehanne", "stim 04121961", "Müller"])
    assert instead["RFDI Dupontel"] == "RFDI *"
    assert instead["RFDI Martineau"] == "RFDI * 2"
    assert instead["Jehanne"] != instead["Müller"]
    assert instead["stim 04121961"] == "stim *"
    record = {"muscle": "muscle", "flags": [{"message": "artefacts in RFDI Dupontel, twice"}]}
    assert (
        neutralise(record, {**instead, "muscle": "*"})["flags"][0]["message"] == "artefacts in RFDI *, twice"
    )
    assert "muscle" in neutralise(record, {"muscle": "*"})


def test_a_name_in_a_channel_reaches_no_record(tmp_path: Path) -> None:
    edfio = pytest.importorskip("edfio")
    rng = np.random.default_rng(3)
    signal = edfio.EdfSignal(
        rng.normal(0, 0.01, 24_000), 2000, label="RFDI Dupontel", physical_dimension="mV"
    )
    notes = [edfio.EdfAnnotation(1.0 + n, None, "Dupontel TMS") for n in range(10)]
    path = tmp_path / "sub-001_task-tms.edf"
    edfio.Edf([signal], annotations=notes).write(path)
    patient = PatientInputs("sub-001", "hand", "left", True, {}, {"ses-pre": (path,)})
    record = measure_patient(patient, Settings(), fingerprint="")
    said = json.dumps([record.to_dict(), list(record.trials.values())], default=str)
    assert record.trials
    assert record.trials["ses-pre"][0]["channel"] == "RFDI"
    assert "dupontel" not in said.lower()
