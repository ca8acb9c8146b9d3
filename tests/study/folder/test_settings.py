"""The settings: what init writes equals the defaults, and what is wrong is said in one sentence."""

from __future__ import annotations

import pytest

from sudeck.core.errors import InputError
from sudeck.scan.ratios.camera_response import CameraResponse
from sudeck.study.folder.layout import StudyFolder, open_study
from sudeck.study.folder.settings import Settings, read_settings, settings_from
from sudeck.study.measuring.inputs import measurement_settings
from sudeck.tms.measures.paired_pulse_rules import DEFAULT_RULES


def test_a_new_study_has_the_defaults(study: StudyFolder) -> None:
    settings = read_settings(open_study(study.root))
    plain, default = settings.to_dict(), Settings().to_dict()
    assert {k: v for k, v in plain.items() if k != "pairs"} == {
        k: v for k, v in default.items() if k != "pairs"
    }
    assert settings.tms_settings().rules == DEFAULT_RULES
    assert str(settings.responder) == "relief of 30 % or more at day 5"
    assert settings.key_path(study).resolve().parent == study.root.resolve().parent


def test_other_choices_arrive_at_the_measurements() -> None:
    settings = settings_from(
        {
            "responder": {"at_least": 2, "unit": "points", "visit": "week 4"},
            "scan": {"region": "wrist", "background": "region"},
            "tms": {"pairs": [{"measure": "SICI", "isi_ms": [2.0, 3.0]}]},
            "prediction": {"level": 0.9},
        }
    )
    assert settings.visits == ("baseline", "day 5", "week 4", "week 12")
    assert settings.scan_settings().region == "wrist"
    assert settings.scan_settings().level == 0.9
    assert settings.tms_settings().rules.measure(2.5) == "SICI"
    assert settings.tms_settings().rules.measure(10) is None


def test_the_camera_of_a_centre_reaches_its_scans_and_only_then_their_fingerprint() -> None:
    stated = settings_from({"scan": {"camera_fwhm_mm": 9.0, "camera_scatter": 0.2}})
    camera = stated.scan_settings().camera
    assert (camera.fwhm_mm, camera.scatter_share) == (9.0, 0.2)
    assert (camera.fwhm_sd_mm, camera.scatter_share_sd) == pytest.approx((0.9, 0.02))
    assert measurement_settings(stated)["camera_fwhm_mm"] == 9.0
    assert "camera_fwhm_mm" not in measurement_settings(Settings())
    assert Settings().scan_settings().camera == CameraResponse()


@pytest.mark.parametrize(
    "content",
    [
        {"scan": {"camera_fwhm_mm": 0.5}},
        {"respnder": {}},
        {"responder": {"at_least": 0}},
        {"responder": {"at_least": "30"}},
        {"responder": {"unit": "percents"}},
        {"responder": {"visit": "baseline"}},
        {"visits": {"follow_up": "week 4"}},
        {"visits": {"end": ""}},
        {"scan": {"region": "elbow"}},
        {"scan": 3},
        {"prediction": {"level": 1.0}},
        {"pain": {"reliability": True}},
        {"tms": {"pairs": {"measure": "SICI"}}},
        {"tms": {"pairs": [{"measure": "SICI", "isi_ms": [6, 1]}]}},
        {"tms": {"pairs": [{"isi_ms": [1, 6]}]}},
    ],
)
def test_wrong_entries_are_refused(content: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"sudeck\.toml.*\.$"):
        settings_from(content)


def test_a_file_that_is_no_toml(study: StudyFolder) -> None:
    study.settings_file.write_text("[visits\n")
    with pytest.raises(InputError, match="not valid TOML"):
        read_settings(study)


def test_a_folder_that_is_no_study(study: StudyFolder) -> None:
    with pytest.raises(InputError, match="sudeck init"):
        open_study(study.root / "sourcedata")
    with pytest.raises(InputError, match="no such folder"):
        open_study(study.root / "nowhere")
