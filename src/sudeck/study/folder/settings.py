"""The settings of a study, ``sudeck.toml``: read, checked, turned into the settings of the measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from sudeck.core.errors import InputError
from sudeck.core.storage import parse_toml, read_limited
from sudeck.core.vocabulary import NAMED_REGIONS, PHASE_RATIOS, RATIOS_OF_RATIOS
from sudeck.ketamine.pk_models import MODEL_KEYS
from sudeck.study.folder.decision_kinds import VIEWS
from sudeck.study.folder.layout import SETTINGS_FILE, StudyFolder
from sudeck.study.folder.settings_section import SettingsSection
from sudeck.study.folder.stated_rules import (
    CentreLimit,
    HealthyValues,
    PairRule,
    ResponderRule,
    centre_limit,
    healthy_values,
    pair_rule,
    responder_rule,
)

if TYPE_CHECKING:
    from sudeck.scan.measurement import MeasureSettings
    from sudeck.tms.measures.measure_settings import GroupSettings

Background = Literal["none", "region"]
_SCAN_KEYS: Final = (
    "session",
    "region",
    "background",
    "view",
    "flow_seconds",
    "camera_fwhm_mm",
    "camera_scatter",
    "retest_sd",
)
_REGION_NAMES: Final = tuple(dict.fromkeys(name for names in NAMED_REGIONS.values() for name in names))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a study decides before its data are looked at.

    Attributes
    ----------
    baseline : str
        Visit of the pain score that relief is counted from.
    end : str
        Visit at the end of treatment.
    follow_up : tuple of str
        Later visits.
    responder : ResponderRule
    pain_reliability : float or None
        Test-retest reliability of the pain score, for reliable change; None: from repeated baselines.
    scan_session : str
        Session of the bone scan.
    tms_sessions : tuple of str
        Sessions of the recordings, in order: before, after, ...
    region : str
        Named region of the limb that is measured.
    background : {"none", "region"}
        What is subtracted from the uptake.
    view : str
        View in which all scans are taken, for files in which nothing tells the side; empty where unknown.
    flow_seconds : float or None
        Seconds of the flow to measure, from its start; None for all of it, up to 2 min of a long one.
    camera_fwhm_mm, camera_scatter : float or None
        Resolution of the camera at the limb, and the share of the counts that were scattered, from its
        acceptance test; None for the defaults of `sudeck.scan.ratios.camera_response`.
    retest_sd : Mapping of str to float
        Standard deviation of the natural logarithm of a ratio between scans of one patient, each about their
        mean: everything that makes a second scan another number. Empty where the centre does not know it.
    muscles : tuple of str
        Muscles recorded; empty for all.
    pairs : tuple of PairRule
        Which interval is SICI, ICF ...; empty for the defaults.
    covariates : tuple of str
        Declared covariates of the prediction, e.g. ``"log duration_months"``.
    mechanism_covariates : tuple of str
        Declared covariates of the changes, e.g. ``"midazolam_left_mg"``; see
        `sudeck.study.answers.patient_factors`.
    healthy : tuple of HealthyValues
        Reference values that patients are compared with.
    ketamine_model : str
        Whose typical person stands for a course, see `sudeck.ketamine.pk_models`.
    ketamine_level_ng_per_ml : float
        Concentration that hours are counted above.
    ketamine_limits : tuple of CentreLimit
    level : float
        Coverage of all intervals.
    key_file : str
        The key of the pseudonyms, relative to the study folder; empty for the default beside it.
    free_text : bool
        Whether comments and the reasons of decisions go into tables and pages that are shared: what people
        type may name a patient.
    """

    baseline: str = "baseline"
    end: str = "day 5"
    follow_up: tuple[str, ...] = ("week 4", "week 12")
    responder: ResponderRule = field(default_factory=ResponderRule)
    pain_reliability: float | None = None
    scan_session: str = "ses-pre"
    tms_sessions: tuple[str, ...] = ("ses-pre", "ses-post")
    region: str = "whole"
    background: Background = "none"
    view: str = ""
    flow_seconds: float | None = None
    camera_fwhm_mm: float | None = None
    camera_scatter: float | None = None
    retest_sd: Mapping[str, float] = field(default_factory=dict)
    muscles: tuple[str, ...] = ()
    pairs: tuple[PairRule, ...] = ()
    covariates: tuple[str, ...] = ("log duration_months", "limb")
    mechanism_covariates: tuple[str, ...] = ()
    healthy: tuple[HealthyValues, ...] = ()
    ketamine_model: str = "kamp"
    ketamine_level_ng_per_ml: float = 100.0
    ketamine_limits: tuple[CentreLimit, ...] = ()
    level: float = 0.95
    key_file: str = ""
    free_text: bool = False

    @property
    def visits(self) -> tuple[str, ...]:
        """Visits with a pain score that the study names, in order, each once."""
        return tuple(dict.fromkeys((self.baseline, self.end, self.responder.visit, *self.follow_up)))

    def key_path(self, study: StudyFolder) -> Path:
        """Return the path of the key of the pseudonyms."""
        return study.root / self.key_file if self.key_file else study.default_key_file

    def scan_settings(self) -> MeasureSettings:
        """Return how bone scans are measured."""
        from sudeck.scan.measurement import MeasureSettings
        from sudeck.scan.ratios.camera_response import CameraResponse

        camera = CameraResponse.stated(fwhm_mm=self.camera_fwhm_mm, scatter_share=self.camera_scatter)
        return MeasureSettings(
            region=self.region, background=self.background, level=self.level, camera=camera
        )

    def tms_settings(self) -> GroupSettings:
        """Return how recordings are measured."""
        from sudeck.tms.measures.measure_settings import GroupSettings
        from sudeck.tms.measures.paired_pulse_rules import DEFAULT_RULES, PairedPulseRule, PairedPulseRules

        rules = PairedPulseRules(
            tuple(
                PairedPulseRule(pair.measure, *pair.isi_ms, *pair.conditioning_rmt, pair.other_hemisphere)
                for pair in self.pairs
            )
        )
        return GroupSettings(rules=rules if self.pairs else DEFAULT_RULES, level=self.level)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "baseline": self.baseline,
            "end": self.end,
            "follow_up": list(self.follow_up),
            "responder": {
                "at_least": self.responder.at_least,
                "unit": self.responder.unit,
                "visit": self.responder.visit,
            },
            "pain_reliability": self.pain_reliability,
            "scan_session": self.scan_session,
            "tms_sessions": list(self.tms_sessions),
            "region": self.region,
            "background": self.background,
            "view": self.view,
            "flow_seconds": self.flow_seconds,
            "camera_fwhm_mm": self.camera_fwhm_mm,
            "camera_scatter": self.camera_scatter,
            "retest_sd": dict(self.retest_sd),
            "muscles": list(self.muscles),
            "pairs": [
                {
                    "measure": pair.measure,
                    "isi_ms": list(pair.isi_ms),
                    "conditioning_rmt": list(pair.conditioning_rmt),
                    "other_hemisphere": pair.other_hemisphere,
                }
                for pair in self.pairs
            ],
            "covariates": list(self.covariates),
            "mechanism_covariates": list(self.mechanism_covariates),
            "healthy": [asdict(values) for values in self.healthy],
            "ketamine": {
                "model": self.ketamine_model,
                "level_ng_per_ml": self.ketamine_level_ng_per_ml,
                "limits": [asdict(limit) for limit in self.ketamine_limits],
            },
            "level": self.level,
            "free_text": self.free_text,
        }


def read_settings(study: StudyFolder) -> Settings:
    """Read the settings of a study.

    Raises
    ------
    InputError
        If the file is not TOML, or an entry is unknown or not allowed.
    """
    text = read_limited(study.settings_file, subject=SETTINGS_FILE)
    content = parse_toml(text, subject=SETTINGS_FILE)
    return settings_from(content)


def settings_from(content: Mapping[str, Any]) -> Settings:
    """Build settings from the parsed content of ``sudeck.toml``; what is absent keeps its default.

    Raises
    ------
    InputError
        If an entry is unknown or not allowed.
    """
    visits = SettingsSection(content, "visits", ("baseline", "end", "follow_up"))
    responder = SettingsSection(content, "responder", ("at_least", "unit", "visit"))
    pain = SettingsSection(content, "pain", ("reliability",))
    scan = SettingsSection(content, "scan", _SCAN_KEYS)
    tms = SettingsSection(content, "tms", ("sessions", "muscles", "pairs"))
    prediction = SettingsSection(content, "prediction", ("covariates", "level"))
    mechanism = SettingsSection(content, "mechanism", ("covariates", "healthy"))
    ketamine = SettingsSection(content, "ketamine", ("model", "level_ng_per_ml", "limits"))
    privacy = SettingsSection(content, "privacy", ("key_file", "free_text"))
    known = {"visits", "responder", "pain", "scan", "tms", "prediction", "mechanism", "ketamine", "privacy"}
    for name in content:
        if name not in known:
            raise InputError(
                SETTINGS_FILE, f"nothing is known of [{name}]", f"use {', '.join(sorted(known))}"
            )
    default = Settings()
    end = visits.text("end", default.end)
    baseline = visits.text("baseline", default.baseline)
    judged = responder.text("visit", end)
    for section, key, visit in ((visits, "end", end), (responder, "visit", judged)):
        if visit == baseline:
            raise section.refusal(key, "is the baseline itself", "name a later visit")
    pairs = tms.get("pairs", [])
    if not isinstance(pairs, list):
        raise tms.refusal("pairs", "is not a list of tables", "write each as [[tms.pairs]]")
    healthy = mechanism.get("healthy", [])
    if not isinstance(healthy, list):
        raise mechanism.refusal("healthy", "is not a list of tables", "write each as [[mechanism.healthy]]")
    limits = ketamine.get("limits", [])
    if not isinstance(limits, list):
        raise ketamine.refusal("limits", "is not a list of tables", "write each as [[ketamine.limits]]")
    return Settings(
        baseline=baseline,
        end=end,
        follow_up=visits.texts("follow_up", default.follow_up),
        responder=responder_rule(responder, judged),
        pain_reliability=pain.number("reliability", None, low=0, high=1, open_low=True, open_high=True),
        scan_session=scan.text("session", default.scan_session),
        tms_sessions=tms.texts("sessions", default.tms_sessions),
        region=scan.choice("region", default.region, _REGION_NAMES),
        background=scan.choice("background", default.background, get_args(Background)),
        flow_seconds=scan.number("flow_seconds", None, low=5, high=600),
        camera_fwhm_mm=scan.number("camera_fwhm_mm", None, low=1, high=30),
        camera_scatter=scan.number("camera_scatter", None, low=0, high=0.6),
        view=scan.choice("view", "", VIEWS) if "view" in scan.content else "",
        retest_sd=_retest(scan),
        muscles=tms.texts("muscles", default.muscles),
        pairs=tuple(map(pair_rule, pairs)),
        covariates=prediction.texts("covariates", default.covariates),
        mechanism_covariates=mechanism.texts("covariates", default.mechanism_covariates),
        healthy=tuple(map(healthy_values, healthy)),
        ketamine_model=ketamine.choice("model", default.ketamine_model, MODEL_KEYS),
        ketamine_level_ng_per_ml=ketamine.number(
            "level_ng_per_ml", default.ketamine_level_ng_per_ml, low=0, high=1e5, open_low=True
        ),
        ketamine_limits=tuple(map(centre_limit, limits)),
        level=prediction.number("level", default.level, low=0.5, high=1, open_high=True),
        key_file=privacy.text("key_file", default.key_file),
        free_text=privacy.yes_no("free_text", default.free_text),
    )


def _retest(scan: SettingsSection) -> dict[str, float]:
    names = (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS)
    section = SettingsSection({"scan.retest_sd": scan.get("retest_sd", {})}, "scan.retest_sd", names)
    return {name: section.number(name, None, low=0, high=2) for name in names if name in section.content}
