"""A small study to review, and a client that has the token."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="needs the extra: pip install 'sudeck[review]'")
pytest.importorskip("httpx2", reason="needs httpx2, which the extra dev brings")

from starlette.testclient import TestClient

from sudeck.app.server import review_app
from sudeck.demo.study_on_disk import make_demo_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.run import run_study
from sudeck.synthetic.emg.demo_recordings import make_demo_recordings
from support.reviewing import ADDRESS, EMG_SESSION, PORT, TOKEN, Reader


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients with scans, one of them with sweeps too, as a run left them; to be copied."""
    folder = tmp_path_factory.mktemp("review")
    root = folder / "study"
    make_demo_study(root, patients=3, jobs=1)
    pre = make_demo_recordings(folder / "emg", trials=4).pre[0]
    target = root / "sub-001" / EMG_SESSION / "emg"
    target.mkdir(parents=True)
    for path in pre.parent.glob(f"{pre.name.removesuffix('_emg.edf')}*"):
        shutil.copy(path, target / path.name.replace("ses-pre", EMG_SESSION))
    run_study(root, jobs=1)
    return root


@pytest.fixture
def study(measured: Path, tmp_path: Path) -> StudyFolder:
    return StudyFolder(shutil.copytree(measured, tmp_path / "study"))


@pytest.fixture
def reader(study: StudyFolder) -> Iterator[Reader]:
    app = review_app(study, token=TOKEN, port=PORT)
    with TestClient(app, base_url=ADDRESS, headers={"origin": ADDRESS}) as client:
        assert client.get("/", params={"token": TOKEN}).status_code == 200
        yield Reader(client, study)
