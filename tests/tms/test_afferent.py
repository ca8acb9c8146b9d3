"""A stimulus to a nerve before the pulse is SAI, whatever the rules of pairs say of its interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sudeck.core.provenance import SourceFile
from sudeck.report.tms.page import tms_report
from sudeck.tms.measurement import measure_trials
from sudeck.tms.signals.events import given_by
from sudeck.tms.signals.forms import missing_form, protocol_form
from sudeck.tms.signals.trials import Pulse, TrialSet

TEST = Pulse(float("nan"), "single", hemisphere="left", muscle="FDI", state="rest", test_rmt=120.0)


@pytest.mark.parametrize("how", [{"conditioning_kind": "afferent"}, {"condition": "SAI 22"}])
def test_afferent_inhibition_is_measured_beside_intracortical(mep, how: dict[str, str]) -> None:
    emg = np.vstack(
        [mep(15, amplitude_mv=size, seed=seed).emg_mv for seed, size in enumerate((1.0, 0.5, 1.4))]
    )
    pair = replace(TEST, kind="paired")
    afferent = replace(pair, isi_ms=22.0, **how)
    icf = replace(pair, isi_ms=22.0, conditioning_rmt=80.0)
    pulses = (TEST,) * 15 + (afferent,) * 15 + (icf,) * 15
    result = measure_trials([TrialSet(emg, 5000.0, 1500, pulses, "FDI", SourceFile("a", "0" * 64, 0))])
    (sai,) = result.find("SAI")
    assert sai.estimate.low < 0.5 < sai.estimate.high < 1
    assert sai.conditioning == "afferent"
    (facilitation,) = result.find("ICF")
    assert facilitation.estimate.value > 1
    assert ">SAI<" in tms_report(result)


def test_an_events_table_says_so_in_its_words() -> None:
    assert given_by({"cs_type": "median nerve"}, "events.tsv") == {"conditioning_kind": "afferent"}


def test_what_is_asked_of_a_nerve_stimulus_is_no_intensity_of_a_coil() -> None:
    pulses = [
        Pulse(1.0, "single", hemisphere="left", muscle="FDI", state="rest", condition="test"),
        Pulse(6.0, "paired", isi_ms=20.0, hemisphere="left", muscle="FDI", state="rest", condition="SAI 20"),
    ]
    assert '[conditions."SAI 20"]' in missing_form(pulses, ["FDI"])
    assert "conditioning_rmt" not in missing_form(pulses, ["FDI"])
    assert 'conditioning_kind = "afferent"' in protocol_form(pulses, ["FDI"])
