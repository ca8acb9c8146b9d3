"""The demo's study: patients from files to who responds."""

from __future__ import annotations

import time
from pathlib import Path

from sudeck.demo.part import DemoPart, Say


def study(folder: Path, *, patients: int, say: Say) -> DemoPart:
    """Write a synthetic study, measure every patient, and predict who responds."""
    from sudeck.demo.study_on_disk import make_demo_study
    from sudeck.report.study.page import write_study_report
    from sudeck.report.study.patient_pages import present
    from sudeck.study.answers.who_responds import predict_study
    from sudeck.study.measuring.engine import Progress
    from sudeck.study.measuring.run import run_study

    def tell(progress: Progress) -> None:
        if progress.done % 20 == 0 or progress.done == progress.total:
            left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
            say(f"  {progress.done} of {progress.total} patients{left}")

    say(f"Writing a synthetic study of {patients} patients")
    make_demo_study(folder, patients=patients)
    say("Measuring every patient")
    begun = time.perf_counter()
    summary = run_study(folder, present=present, progress=tell)
    say(f"  {time.perf_counter() - begun:.0f} s")
    say("Asking who responds")
    page = write_study_report(folder, predict_study(folder))
    return DemoPart(
        title="A whole study",
        text=(
            f"{patients} synthetic patients with bone scans, some with magnetic stimulation before and after "
            f"treatment, a few with damaged or odd files. The run: {summary}. Its report holds the published "
            "rule, the published analysis and an honest model side by side; the truth lies in study-truth, "
            "never read by the analysis."
        ),
        command="sudeck run study && sudeck predict study",
        link=page.relative_to(folder.parent).as_posix(),
        rows=(),
    )
