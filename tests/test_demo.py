import json
import re

import pytest

from sudeck.core.errors import InputError
from sudeck.demo import run_demo, study_on_disk
from sudeck.demo.scan import real_scan
from sudeck.study.measuring.engine import Died
from support.page_outline import outline_of


def test_the_demo_measures_everything_and_links_to_it(tmp_path) -> None:
    given: list[str] = []
    page = run_demo(tmp_path / "demo", patients=0, say=given.append)
    text = page.read_text()
    links = re.findall(r'href="([^"]+)"', text)
    assert len(links) == 4
    assert "tms/comparison.html" in links
    for link in links:
        assert (page.parent / link).is_file()
    assert "http" not in "".join(links)
    scan = json.loads((tmp_path / "demo/synthetic-scan/scan.json").read_text())
    truth = json.loads((tmp_path / "demo/synthetic-scan/truth.json").read_text())["truth"]["image_ratios"]
    for name, value in truth.items():
        assert scan["estimates"][name]["low"] < value < scan["estimates"][name]["high"]
    real = json.loads((tmp_path / "demo/real-scan/scan.json").read_text())
    assert set(real["estimates"]) == {"BPr"}
    assert set(real["refused"]) == {"VPr", "TPr", "TPr/VPr", "BPr/TPr", "BPr/VPr"}
    assert given
    changed = outline_of((tmp_path / "demo/tms/comparison.html").read_text()).words
    for change in json.loads((tmp_path / "demo/tms/comparison.json").read_text())["changes"]:
        assert change["measure"] in changed
    assert "Post against pre" in (tmp_path / "demo/tms/change.txt").read_text()


def test_the_real_scan_is_left_out_where_it_is_not_installed(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pydicom.data.get_testdata_file", lambda *_, **__: None)
    given: list[str] = []
    assert real_scan(tmp_path, say=given.append) is None
    assert "pip install 'sudeck[demo]'" in given[0]


def test_a_patient_whose_writing_was_cut_short_is_no_complete_study(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(work, items, *, jobs=None):
        yield from ((index, Died()) for index, _ in enumerate(items))

    monkeypatch.setattr(study_on_disk, "spread", lost)
    with pytest.raises(InputError, match="sub-001: the process that wrote its files ended early"):
        study_on_disk.make_demo_study(tmp_path / "study", patients=2)
    assert not json.loads((tmp_path / "study-truth" / "truth.json").read_text())["complete"]
