import json
import re

import pytest

from sudeck.demo import run_demo
from sudeck.demo.scan import real_scan


def test_the_demo_measures_everything_and_links_to_it(tmp_path) -> None:
    told: list[str] = []
    page = run_demo(tmp_path / "demo", patients=0, say=told.append)
    text = page.read_text()
    links = re.findall(r'href="([^"]+)"', text)
    assert len(links) == 3
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
    assert told


def test_the_real_scan_is_left_out_where_it_is_not_installed(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pydicom.data.get_testdata_file", lambda *_, **__: None)
    told: list[str] = []
    assert real_scan(tmp_path, say=told.append) is None
    assert "pip install 'sudeck[demo]'" in told[0]
