from __future__ import annotations

import pytest

from sudeck.core.errors import InputError
from sudeck.tms.checklist import reporting_checklist
from sudeck.tms.measurement import measure_recordings
from sudeck.tms.recordings.protocol import protocol_from
from sudeck.tms.recordings.reporting_items import KEYS, checked_answers

PAIRED = (
    "amplitude_mv,hemisphere,muscle,state,kind,isi_ms,test_rmt,conditioning_rmt,time_s\n"
    + "".join(f"{1 + 0.01 * i},left,FDI,rest,single,,120,,{10 * i}\n" for i in range(10))
    + "".join(f"{0.5 + 0.01 * i},left,FDI,rest,paired,2.5,120,80,{10 * i + 5}\n" for i in range(10))
)


def test_thirty_items_and_what_the_recording_shows(tmp_path) -> None:
    assert len(KEYS) == len(set(KEYS)) == 30
    path = tmp_path / "trials.csv"
    path.write_text(PAIRED)
    items = {item.key: item for item in reporting_checklist(measure_recordings(path))}
    assert len(items) == 30
    assert items["isi"].answer == "2.5 ms"
    assert items["test_intensity"].answer == "120 %RMT"
    assert items["conditioning_intensity"].answer == "80 %RMT"
    assert items["number_of_meps"].answer == "20 trials"
    assert items["time_between_trials"].answer.startswith("median 5.0 s")
    assert "MEP 1.0" in items["unconditioned_size"].answer
    assert items["contraction"].answer == "rest"
    assert {items[key].origin for key in ("coil_type", "age", "attention")} == {"open"}
    assert str(items["age"]).endswith("(open)")


def test_without_pairs_twenty_seven_items_and_the_protocol_goes_first(tmp_path) -> None:
    path = tmp_path / "trials.csv"
    path.write_text("amplitude_mv\n1.0\n1.1\n0.9\n")
    protocol = protocol_from({"reporting": {"age": 52, "number_of_meps": "three, by design"}})
    items = {item.key: item for item in reporting_checklist(measure_recordings(path, protocol=protocol))}
    assert len(items) == 27
    assert items["age"].answer == "52"
    assert (items["number_of_meps"].answer, items["number_of_meps"].origin) == (
        "three, by design",
        "protocol",
    )
    assert items["unconditioned_size"].number == 30


@pytest.mark.parametrize("table", [{"coil": "round"}, {"age": True}, {"sex": ["f"]}])
def test_wrong_answers_are_refused(table) -> None:
    with pytest.raises(InputError, match=r"\[reporting\]"):
        checked_answers(table, "protocol.toml")
