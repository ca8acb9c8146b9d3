from __future__ import annotations

from sudeck.core.storage import parse_json, to_json
from sudeck.report.tms.settings_words import settings_rows
from sudeck.tms.measurement import TmsSettings
from sudeck.tms.measures.measure_settings import GroupSettings
from sudeck.tms.responses.response_settings import ResponseSettings


def test_every_setting_has_a_name_and_its_unit() -> None:
    rows = dict(settings_rows(TmsSettings().to_dict()))
    assert len(rows) == 25
    assert not any(mark in text for row in rows.items() for text in row for mark in ("_", "{", "[", "None"))
    assert not any(name.startswith(("responses", "measures")) for name in rows)
    assert rows["Response at rest, from"] == "0.05 mV"
    assert rows["A pair counts as SICI"] == "1 to 6 ms, conditioning below 100 %RMT"
    assert rows["A pair counts as LICI"] == "50 to 250 ms, conditioning from 100 %RMT"
    assert rows["A pair counts as IHI"] == "6 to 60 ms, conditioning of the other hemisphere"
    assert rows["Coverage of the intervals"] == "95 %"


def test_settings_read_back_say_the_same() -> None:
    settings = TmsSettings(
        ResponseSettings(search_ms=(18.0, 45.0), highpass_hz=2.0), GroupSettings(floor_mv=0.01)
    )
    rows = settings_rows(settings.to_dict())
    assert settings_rows(parse_json(to_json(settings.to_dict()), subject="settings")) == rows
    assert dict(rows)["Window in which a response is looked for"] == "18 to 45 ms"
    assert dict(rows)["High-pass against drift"] == "2 Hz"


def test_a_setting_of_a_later_version_is_still_told() -> None:
    assert settings_rows({"responses": {"new_thing_ms": 3.0}}) == (("responses, new thing ms", "3 ms"),)
