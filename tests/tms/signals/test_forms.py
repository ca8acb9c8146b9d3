"""Forms hold what is missing and nothing else, and can be pasted as they are."""

from __future__ import annotations

import tomllib
from dataclasses import replace

from sudeck.tms.recordings.protocol import protocol_from
from sudeck.tms.signals.forms import missing_form
from sudeck.tms.signals.trials import Pulse

KNOWN = Pulse(1.0, "single", hemisphere="left", muscle="FDI", state="rest", condition="S 1", test_rmt=120.0)


def test_nothing_is_asked_where_all_is_said() -> None:
    assert missing_form([KNOWN], ["EMG 1"]) == ""


def test_all_that_is_missing_is_in_one_protocol() -> None:
    bare = replace(KNOWN, hemisphere=None, muscle=None, state=None, test_rmt=None)
    pair = replace(bare, kind="paired", isi_ms=2.0, condition="S 2")
    opened = replace(bare, kind="unknown", condition="S 3")
    stated = tomllib.loads(missing_form([bare, pair, opened], ["EMG 1"]))
    assert stated["hemisphere"] == "left"
    assert stated["channels"] == {"EMG 1": {"muscle": "FDI", "side": "right"}}
    assert stated["conditions"] == {
        "S 1": {"test_rmt": 120},
        "S 2": {"test_rmt": 120, "conditioning_rmt": 80},
        "S 3": {"kind": "single", "test_rmt": 120},
    }
    assert protocol_from(stated).conditions["s2"]["conditioning_rmt"] == 80


def test_without_names_the_kind_is_asked_for_all() -> None:
    stated = tomllib.loads(missing_form([replace(KNOWN, kind="unknown", condition="")], []))
    assert stated == {"kind": "single"}
