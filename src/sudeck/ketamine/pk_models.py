"""Models of ketamine in plasma, as data: parameters, source, what they were measured in, how wrong they are.

Volumes are litres and clearances litres an hour, for 70 kg. `PkModel.system` makes of each the matrix of its
rates. Dose and concentration are of the same thing: a racemate in gives both forms together, S-ketamine in
gives S-ketamine; the two are never overlaid without the share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError

Floats = NDArray[np.float64]
_NORKETAMINE_MASS: Final = 223.70 / 237.725
# Between people, of a log-normal: Herd & Anderson 2007, 54 children, lent to every other model of adults;
# none of those printed its own in what was read.
PEOPLE_CV: Final[Mapping[str, float]] = {"V1": 0.64, "V2": 0.517, "CL": 0.381, "Q2": 0.19}
# Of norketamine: Perez-Ruixo et al. 2021, lent to the fit to mean curves.
NORKETAMINE_CV: Final[Mapping[str, float]] = {"Vn": 0.316, "CLn": 0.254}

_FORMS: Final = {"ketamine": "racemate", "esketamine": "S-ketamine"}


@dataclass(frozen=True, slots=True)
class System:
    """Linear kinetics: d state / dt = rates @ state + input, concentrations = outputs @ state.

    Attributes
    ----------
    rates : array (..., states, states)
        Per hour; doses enter the first state, in mg.
    outputs : array (..., substances, states)
        Ketamine first, norketamine second where the model has it; per litre, so mg/L.
    """

    rates: Floats
    outputs: Floats


@dataclass(frozen=True, slots=True)
class PkModel:
    """One published model.

    Attributes
    ----------
    key, title, source : str
    read : str
        How far the source was read.
    people : str
        Whom and what it was measured in.
    site : {"venous", "arterial"}
        Whose blood its concentration is that of.
    values : Mapping of str to float
        ``V1 V2 V3`` and ``CL Q2 Q3`` for 70 kg; liver and norketamine where it has them.
    weight_power : float
        Clearances go with weight to this power; volumes in proportion.
    ensemble : bool
        Whether it is one of those whose spread is shown as that of models.
    form : {"both", "ketamine", "esketamine"}
        What it was measured in.
    factors : Mapping of str to float
        Coefficients of variation between people.
    """

    key: str
    title: str
    source: str
    read: str
    people: str
    site: Literal["venous", "arterial"]
    values: Mapping[str, float]
    weight_power: float = 0.75
    ensemble: bool = False
    form: Literal["both", "ketamine", "esketamine"] = "ketamine"
    factors: Mapping[str, float] = field(default_factory=lambda: PEOPLE_CV)

    @property
    def has_norketamine(self) -> bool:
        """Whether it predicts norketamine."""
        return "CLn" in self.values

    def remarks(self, drug: str) -> tuple[str, ...]:
        """Return what to mind where its curve stands for a drug: another form, blood of an artery."""
        found = []
        if self.form not in ("both", drug):
            found.append(f"measured in {_FORMS[self.form]}, the forms taken as alike")
        if self.site == "arterial":
            found.append("arterial blood")
        return tuple(found)

    def system(self, weight_kg: float = 70.0, people: Mapping[str, Floats] | None = None) -> System:
        """Return its kinetics at a body weight, for one typical or many drawn people.

        Parameters
        ----------
        weight_kg : float
        people : Mapping of parameter to array (people,), optional
            Factors of each person, see `draw_people`.
        """
        scale = weight_kg / 70.0
        value = {
            name: np.asarray(
                number
                * (1.0 if name.startswith("k") or name == "fm" else scale ** self._power(name))
                * (1.0 if people is None else people.get(name, 1.0))
            )
            for name, number in self.values.items()
        }
        return _liver(value) if "Vh" in value else _mammillary(value)

    def _power(self, name: str) -> float:
        return 1.0 if name.startswith("V") else self.weight_power


def draw_people(model: PkModel, n: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Draw factors of parameters between people, log-normal with median 1."""
    return {
        name: np.exp(math.sqrt(math.log1p(cv**2)) * rng.standard_normal(n))
        for name, cv in model.factors.items()
        if name in model.values
    }


def _mammillary(value: Mapping[str, Floats]) -> System:
    """Return a central compartment with one or two others, and norketamine behind two steps where known."""
    others = [n for n in ("2", "3") if f"V{n}" in value]
    norketamine = "CLn" in value
    states = 1 + len(others) + (4 if norketamine else 0)
    shape = np.broadcast_shapes(*(array.shape for array in value.values()))
    rates = np.zeros((*shape, states, states))
    outputs = np.zeros((*shape, 2 if norketamine else 1, states))
    out = value["CL"] / value["V1"]
    rates[..., 0, 0] -= out
    for place, n in enumerate(others, 1):
        _exchange(rates, 0, place, value[f"Q{n}"], value["V1"], value[f"V{n}"])
    outputs[..., 0, 0] = 1.0 / value["V1"]
    if norketamine:
        first, second, central, outer = range(1 + len(others), states)
        rates[..., first, 0] += value["fm"] * out * _NORKETAMINE_MASS
        for here, there in ((first, second), (second, central)):
            rates[..., here, here] -= value["kdelay"]
            rates[..., there, here] += value["kdelay"]
        rates[..., central, central] -= value["CLn"] / value["Vn"]
        _exchange(rates, central, outer, value["Qn"], value["Vn"], value["Vnp"])
        outputs[..., 1, central] = 1.0 / value["Vn"]
    return System(rates, outputs)


def _liver(value: Mapping[str, Floats]) -> System:
    """Return the kinetics of Perez-Ruixo: centre, two others, a liver that eliminates, norketamine."""
    shape = np.broadcast_shapes(*(array.shape for array in value.values()))
    rates = np.zeros((*shape, 6, 6))
    outputs = np.zeros((*shape, 2, 6))
    _exchange(rates, 0, 1, value["Q2"], value["V1"], value["V2"])
    _exchange(rates, 0, 2, value["Q3"], value["V1"], value["V3"])
    _exchange(rates, 0, 3, value["Qh"], value["V1"], value["Vh"])
    rates[..., 3, 3] -= value["kel"] + value["kmet"]
    rates[..., 4, 3] += value["kmet"] * _NORKETAMINE_MASS
    rates[..., 4, 4] -= value["CLn"] / value["Vn"]
    _exchange(rates, 4, 5, value["Qn"], value["Vn"], value["Vnp"])
    outputs[..., 0, 0] = 1.0 / value["V1"]
    outputs[..., 1, 4] = 1.0 / value["Vn"]
    return System(rates, outputs)


def _exchange(rates: Floats, here: int, there: int, flow: Floats, v_here: Floats, v_there: Floats) -> None:
    rates[..., here, here] -= flow / v_here
    rates[..., there, here] += flow / v_here
    rates[..., there, there] -= flow / v_there
    rates[..., here, there] += flow / v_there


def _of_rates(litres_per_kg: float, k10: float, *pairs: tuple[float, float]) -> dict[str, float]:
    """Return volumes and clearances for 70 kg from rate constants per minute."""
    v1 = 70.0 * litres_per_kg
    found = {"V1": v1, "CL": 60 * k10 * v1}
    for n, (away, back) in enumerate(pairs, 2):
        found |= {f"Q{n}": 60 * away * v1, f"V{n}": away / back * v1}
    return found


MODELS: Final = (
    PkModel(
        "kamp",
        "Kamp 2020",
        "Kamp et al. 2020, Anesthesiology, meta-analysis of 18 studies, doi 10.1097/ALN.0000000000003577",
        "six parameters as two public infusion programs print them; table not seen",
        "adults and children, both forms",
        # Its centre is arterial; two delays lead to venous blood, which the programs leave out.
        "arterial",
        {"V1": 25.0, "V2": 56.0, "V3": 157.0, "CL": 84.0, "Q2": 161.0, "Q3": 79.0},
        ensemble=True,
        form="both",
    ),
    PkModel(
        "herd",
        "Herd & Anderson 2007",
        "Herd & Anderson 2007, Paediatr Anaesth, doi 10.1111/j.1460-9592.2006.02145.x",
        "abstract",
        "54 children, racemate, scaled to 70 kg",
        "venous",
        {"V1": 38.7, "V2": 102.0, "CL": 90.0, "Q2": 215.0},
        ensemble=True,
    ),
    PkModel(
        "clements",
        "Clements 1981",
        "Clements & Nimmo 1981, Br J Anaesth, doi 10.1093/bja/53.1.27",
        "parameters as a public infusion program prints them",
        "adults, racemate, 250 µg/kg",
        "venous",
        _of_rates(1.7522, 0.0109, (0.0186, 0.0137)),
        weight_power=1.0,
        ensemble=True,
    ),
    PkModel(
        "domino",
        "Domino 1982",
        "Domino et al. 1982, PMID 7198883",
        "parameters as two public infusion programs print them",
        "adults, racemate",
        "venous",
        _of_rates(0.063, 0.4381, (0.5921, 0.2470), (0.5900, 0.0146)),
        weight_power=1.0,
        ensemble=True,
    ),
    PkModel(
        "leiden",
        "Fit to the Leiden curves",
        "our fit to six digitised mean curves of Kamp et al. 2020, Br J Anaesth, 10.1016/j.bja.2020.06.067",
        "curves of one study, so no spread of people",
        "men, S-ketamine",
        "arterial",
        {
            "V1": 19.9,
            "V2": 30.5,
            "V3": 224.0,
            "CL": 83.7,
            "Q2": 252.0,
            "Q3": 111.0,
            "fm": 0.80,
            "kdelay": 11.9,
            "Vn": 53.6,
            "CLn": 32.2,
            "Qn": 84.1,
            "Vnp": 118.0,
        },
        form="esketamine",
        factors={**PEOPLE_CV, **NORKETAMINE_CV},
    ),
    PkModel(
        "perez-ruixo",
        "Perez-Ruixo 2021",
        "Perez-Ruixo et al. 2021, Clin Pharmacokinet, doi 10.1007/s40262-020-00953-4",
        "parameters of a public library of models; its norketamine is 1.4 to 1.6 times too high",
        "820 adults, S-ketamine, mostly nasal",
        "venous",
        {
            "V1": 192.0,
            "Q2": 84.3,
            "V2": 143.0,
            "Q3": 37.6,
            "V3": 417.0,
            "Qh": 151.0,
            "Vh": 101.0,
            "kel": 1.11,
            "kmet": 2.77,
            "Vn": 70.0,
            "CLn": 38.0,
            "Qn": 26.1,
            "Vnp": 115.0,
        },
        weight_power=0.0,
        form="esketamine",
        factors={"V1": 0.275, "V2": 0.493, "Qh": 0.232, "Vh": 0.346, "kel": 1.20, **NORKETAMINE_CV},
    ),
    PkModel(
        "flint",
        "Flint 2017",
        "Flint et al. 2017, Paediatr Anaesth, doi 10.1111/pan.13239",
        "parameters of a public library of models; norketamine left out, its clearance changes with time",
        "children in intensive care, S-ketamine",
        "venous",
        {"V1": 7.73, "V2": 545.0, "CL": 112.0, "Q2": 196.0},
        form="esketamine",
    ),
    PkModel(
        "hijazi",
        "Hijazi 2003",
        "Hijazi et al. 2003, Br J Anaesth, doi 10.1093/bja/aeg028",
        "parameters as a public infusion program prints them",
        "12 adults in neurological intensive care",
        "venous",
        _of_rates(1.08, 0.0333, (0.0088, 0.0030)),
        weight_power=1.0,
    ),
)
DEFAULT: Final = "kamp"
NORKETAMINE: Final = "leiden"
MODEL_KEYS: Final = tuple(one.key for one in MODELS)


def pk_model(key: str) -> PkModel:
    """Return a model by its name.

    Raises
    ------
    InputError
        If none is called so.
    """
    for one in MODELS:
        if one.key == key.strip().lower():
            return one
    raise InputError(f"model {key}", "none is called so", f"use one of {', '.join(MODEL_KEYS)}")


def ensemble() -> Sequence[PkModel]:
    """Return the models whose spread is shown."""
    return tuple(one for one in MODELS if one.ensemble)
