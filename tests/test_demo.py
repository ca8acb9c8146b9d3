import json
import re

from sudeck.demo import run_demo


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
