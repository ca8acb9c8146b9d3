"""Base and salt, racemate and S form, milligrams and moles of ketamine.

Doses are compared as milligrams of base: labels state base (250 mg base are 288.4 mg of hydrochloride),
trials and pharmacies do not always. Concentrations are nanograms a millilitre of base.
"""

from __future__ import annotations

from typing import Final

from sudeck.core.errors import InputError

BASE_SHARE: Final = 237.725 / 274.19  # molar masses of base and hydrochloride
# Of a dose, by what the drug is; the racemate is half S.
S_SHARE: Final = {"ketamine": 0.5, "esketamine": 1.0, "arketamine": 0.0}
KETAMINES: Final = tuple(S_SHARE)
_NG_PER_NMOL: Final = 237.725
_NG_PER_ML: Final = {
    "ng/ml": 1.0,
    "µg/l": 1.0,
    "µg/ml": 1000.0,
    "mg/l": 1000.0,
    "nmol/l": _NG_PER_NMOL / 1000.0,
    "nmol/ml": _NG_PER_NMOL,
    "µmol/l": _NG_PER_NMOL,
}


def ng_per_ml(value: float, unit: str) -> float | None:
    """Return a concentration of ketamine in ng/ml of base; None where its unit is not known.

    Examples
    --------
    >>> ng_per_ml(0.2, "mg/L"), round(ng_per_ml(1.0, "umol/l"), 1), ng_per_ml(1.0, "")
    (200.0, 237.7, None)
    """
    plain = unit.strip().lower().replace("\u03bc", "µ").replace("mcg", "µg")
    factor = _NG_PER_ML.get("µ" + plain[1:] if plain.startswith("u") else plain)
    return None if factor is None else value * factor


def base_mg(dose_mg: float, form: str | None) -> float:
    """Return a dose as base; a form that is not stated is taken as base, as labels are.

    Raises
    ------
    InputError
        If it is another salt, whose share of base is not known here.

    Examples
    --------
    >>> round(base_mg(288.4, "hydrochloride"), 1), base_mg(250, None)
    (250.0, 250)
    """
    if form in (None, "base"):
        return dose_mg
    if form == "hydrochloride":
        return dose_mg * BASE_SHARE
    raise InputError(f"dose form {form}", "its share of base is not known", "state the dose as base")
