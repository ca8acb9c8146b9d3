"""The demo's treatment: what the patients of the synthetic study were given, as exposure."""

from __future__ import annotations

from pathlib import Path

from sudeck.demo.part import DemoPart, Say


def treatment(folder: Path, *, say: Say) -> DemoPart:
    """Describe what the patients of the study were given, as `sudeck ketamine` does.

    Parameters
    ----------
    folder : Path
        The study.
    say : callable
    """
    from sudeck.report.ketamine.page import write_treatment_report
    from sudeck.study.answers.study_treatment import describe_treatment

    say("Asking what was given")
    described = describe_treatment(folder)
    page = write_treatment_report(folder, described)
    return DemoPart(
        title="What was given",
        text=(
            f"The exposure of {len(described.exposed)} of {len(described.courses)} patients of that study, "
            "held against published regimens, with what was on board at each recording."
        ),
        command="sudeck ketamine study",
        link=page.relative_to(folder.parent).as_posix(),
        rows=(),
    )
