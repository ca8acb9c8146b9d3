"""The study: a folder goes in, every measure of every patient and who responds, and why, come out.

To read in this order: `folder` (what lies where, tables, settings, decisions, checks), `imports` (scans and
tables brought in, de-identified), `measuring` (every patient, resumed and skipped), `answers`.
"""

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.study.answers.who_responds import predict_study as predict_study
    from sudeck.study.answers.why import explain_study as explain_study
    from sudeck.study.checks.check import StudyCheck as StudyCheck
    from sudeck.study.checks.check import check_study as check_study
    from sudeck.study.folder.create import create_study as create_study
    from sudeck.study.folder.decision_kinds import Decision as Decision
    from sudeck.study.folder.decisions import read_decisions as read_decisions
    from sudeck.study.folder.decisions import record_decision as record_decision
    from sudeck.study.folder.decisions import standing_decisions as standing_decisions
    from sudeck.study.folder.layout import StudyFolder as StudyFolder
    from sudeck.study.folder.layout import open_study as open_study
    from sudeck.study.folder.settings import Settings as Settings
    from sudeck.study.folder.settings import read_settings as read_settings
    from sudeck.study.folder.tables import read_tables as read_tables
    from sudeck.study.imports.import_dicom import import_dicom as import_dicom
    from sudeck.study.imports.import_redcap import import_redcap as import_redcap
    from sudeck.study.measuring.run import RunSummary as RunSummary
    from sudeck.study.measuring.run import run_study as run_study

__all__ = [
    "Decision",
    "RunSummary",
    "Settings",
    "StudyCheck",
    "StudyFolder",
    "check_study",
    "create_study",
    "explain_study",
    "import_dicom",
    "import_redcap",
    "open_study",
    "predict_study",
    "read_decisions",
    "read_settings",
    "read_tables",
    "record_decision",
    "run_study",
    "standing_decisions",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    folder__layout="StudyFolder open_study",
    folder__create="create_study",
    folder__settings="Settings read_settings",
    folder__tables="read_tables",
    checks__check="StudyCheck check_study",
    folder__decision_kinds="Decision",
    folder__decisions="record_decision read_decisions standing_decisions",
    imports__import_dicom="import_dicom",
    imports__import_redcap="import_redcap",
    measuring__run="RunSummary run_study",
    answers__who_responds="predict_study",
    answers__why="explain_study",
)
