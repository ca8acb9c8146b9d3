"""Recruitment curves of many people at once: a hierarchical Bayesian fit in which people inform each other.

A person whose plateau was not reached borrows what is typical from the others, as strongly as the others
agree, instead of leaning on a fixed prior. Needs NumPyro (extra ``circuit``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.tms.lognormal import checked_amplitudes
from sudeck.tms.recruitment import MIN_INTENSITIES
from sudeck.tms.recruitment_posterior import ERROR_DF

FloatArray = NDArray[np.float64]

# Chains that disagree by more than this (split R-hat; Vehtari 2021) have not settled.
R_HAT_LIMIT = 1.02
# Population parameters: S50 in the data's own intensity scale, the rest as logarithms.
_NAMES = ("s50", "log_width", "log_max", "log_base", "log_sd")
_METHOD = "hierarchical Boltzmann curve on ln amplitude, No-U-Turn sampler, posterior median"
_UNITS = {"S50": "%MSO", "MEPmax": "mV", "slope": "mV/%MSO"}


@dataclass(frozen=True, slots=True)
class HierarchicalRecruitment:
    """Recruitment curves of several people, fitted together.

    Attributes
    ----------
    people : Mapping of str to mapping of str to Estimate
        For each person ``"S50"``, ``"MEPmax"`` and ``"slope"`` (the steepest).
    population : Mapping of str to Estimate
        The same for the typical person.
    r_hat : float
        Largest split R-hat over all parameters.
    divergences : int
        Divergent transitions of the sampler.
    flags : sequence of Flag
    """

    people: Mapping[str, Mapping[str, Estimate]]
    population: Mapping[str, Estimate]
    r_hat: float
    divergences: int
    flags: Sequence[Flag] = ()

    def __str__(self) -> str:
        lines = [f"Typical of {len(self.people)} people: " + "; ".join(map(str, self.population.values()))]
        lines += [f"{name}: " + "; ".join(map(str, row.values())) for name, row in self.people.items()]
        return "\n".join([*lines, *map(str, self.flags)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "people": {
                name: {key: estimate.to_dict() for key, estimate in row.items()}
                for name, row in self.people.items()
            },
            "population": {key: estimate.to_dict() for key, estimate in self.population.items()},
            "r_hat": self.r_hat,
            "divergences": self.divergences,
            "flags": [flag.to_dict() for flag in self.flags],
        }


def hierarchical_recruitment(
    intensity_mso: ArrayLike,
    amplitude_mv: ArrayLike,
    person: Sequence[str],
    *,
    floor_mv: float = 0.0,
    warmup: int = 600,
    draws: int = 600,
    chains: int = 2,
    seed: int = 1900,
    level: float = 0.95,
) -> HierarchicalRecruitment:
    """Fit one recruitment curve to each person, the curves' parameters being drawn from a population.

    Parameters
    ----------
    intensity_mso, amplitude_mv : array-like, shape (n,)
        Intensity and peak-to-peak amplitude of each trial of everybody.
    person : sequence of str, length n
        Whose trial it is.
    floor_mv : float
        Noise floor: smaller amplitudes are taken as the floor.
    warmup, draws, chains : int
        Of the No-U-Turn sampler.
    seed : int
        Seed of the sampler.
    level : float
        Probability of the intervals.

    Returns
    -------
    HierarchicalRecruitment
        With a flag ``sampler-not-settled`` where chains disagree or transitions diverged.

    Raises
    ------
    MissingDependencyError
        If NumPyro is not installed.
    InputError
        If there are fewer than three people, or one has fewer than four intensities.

    Notes
    -----
    The curve and its errors are those of `sudeck.tms.recruitment.recruitment_curve`. Each of its five
    parameters is normal over people, with weakly informative normal and gamma hyperpriors on the scale of the
    data. Sampler: Hoffman & Gelman (2014), J Mach Learn Res 15:1593-1623.
    """
    amplitude = np.maximum(checked_amplitudes(amplitude_mv, floor_mv), floor_mv)
    intensity = np.atleast_1d(np.asarray(intensity_mso, dtype=np.float64))
    names, which = np.unique(np.asarray(person, dtype=str), return_inverse=True)
    _check(intensity, amplitude, which, names)
    scale = float(intensity.std())
    x = (intensity - intensity.mean()) / scale
    draws_of, r_hat, divergences = _sample(
        x, np.log(amplitude), which, names.size, (warmup, draws, chains), seed
    )

    def summarised(parameters: Mapping[str, FloatArray], n: float, unit: str) -> dict[str, Estimate]:
        width = scale * np.exp(parameters["log_width"])
        mep_max = np.exp(parameters["log_max"])
        values = {
            "S50": intensity.mean() + scale * parameters["s50"],
            "MEPmax": mep_max,
            "slope": mep_max / (4 * width),
        }
        tails = (0.5, 0.5 - level / 2, 0.5 + level / 2)
        estimates = {}
        for key, value in values.items():
            middle, low, high = map(float, np.quantile(value, tails))
            estimates[key] = Estimate(
                key, middle, low, high, unit=_UNITS[key], n=n, n_unit=unit, level=level, method=_METHOD
            )
        return estimates

    people = {
        str(name): summarised(
            {key: draws_of[key][:, index] for key in _NAMES}, float((which == index).sum()), "trials"
        )
        for index, name in enumerate(names)
    }
    typical = summarised({key: draws_of[f"{key}_mean"] for key in _NAMES}, float(names.size), "people")
    return HierarchicalRecruitment(people, typical, r_hat, divergences, _doubts(r_hat, divergences))


def _sample(
    x: FloatArray,
    log_amplitude: FloatArray,
    which: NDArray[np.intp],
    people: int,
    length: tuple[int, int, int],
    seed: int,
) -> tuple[dict[str, FloatArray], float, int]:
    """Run the sampler; return draws by parameter, the largest R-hat and the number of divergences."""
    try:
        import jax
        import jax.numpy as jnp
        import numpyro
        import numpyro.distributions as dist
        from numpyro.diagnostics import split_gelman_rubin
        from numpyro.infer import MCMC, NUTS, init_to_median
    except ImportError:
        raise MissingDependencyError("the hierarchical recruitment curve", "circuit") from None

    low, high = np.quantile(log_amplitude, [0.1, 0.9])
    # Centre and spread of the population means, and the usual spread between people, in the order of _NAMES.
    centre = np.array([0.0, np.log(0.3), high, low - 0.5, np.log(0.6)])
    spread = np.array([1.0, 0.7, 1.0, 1.0, 0.4])
    between = np.array([1.0, 0.5, 0.8, 0.8, 0.3])

    def model() -> None:
        parameters = {}
        for index, name in enumerate(_NAMES):
            mean = numpyro.sample(f"{name}_mean", dist.Normal(centre[index], spread[index]))
            # Gamma of shape 2 keeps the spread between people off zero, where the sampler would stick.
            sd = numpyro.sample(f"{name}_sd", dist.Gamma(2.0, 2.0 / between[index]))
            with numpyro.plate(f"{name}_people", people):
                parameters[name] = numpyro.sample(name, dist.Normal(mean, sd))
        of_trial = {name: value[which] for name, value in parameters.items()}
        share = jax.nn.sigmoid((x - of_trial["s50"]) * jnp.exp(-of_trial["log_width"]))
        median = jnp.exp(of_trial["log_base"]) + jnp.exp(of_trial["log_max"]) * share
        errors = dist.StudentT(ERROR_DF, jnp.log(median), jnp.exp(of_trial["log_sd"]))
        numpyro.sample("log_amplitude", errors, obs=log_amplitude)

    warmup, draws, chains = length
    sampler = MCMC(
        NUTS(model, target_accept_prob=0.85, init_strategy=init_to_median, max_tree_depth=8),
        num_warmup=warmup,
        num_samples=draws,
        num_chains=chains,
        chain_method="sequential",
        progress_bar=False,
    )
    sampler.run(jax.random.PRNGKey(seed), extra_fields=("diverging",))
    divergences = int(np.asarray(sampler.get_extra_fields()["diverging"]).sum())
    by_chain = sampler.get_samples(group_by_chain=True)
    kept = {name: np.asarray(by_chain[name], dtype=np.float64) for name in by_chain}
    r_hat = max(float(np.max(split_gelman_rubin(value))) for value in kept.values())
    merged = {name: value.reshape(-1, *value.shape[2:]) for name, value in kept.items()}
    return merged, r_hat, divergences


def _check(
    intensity: FloatArray, amplitude: FloatArray, which: NDArray[np.intp], names: NDArray[Any]
) -> None:
    if not intensity.shape == amplitude.shape == which.shape or not np.isfinite(intensity).all():
        raise InputError(
            "recruitment curves",
            "intensities, amplitudes and people do not match, or an intensity is not a number",
            "give all three for each trial",
        )
    if names.size < 3:
        raise InputError(
            "recruitment curves",
            f"{names.size} people are no population",
            "fit each with recruitment_curve",
        )
    for index, name in enumerate(names):
        if np.unique(intensity[which == index]).size < MIN_INTENSITIES:
            raise InputError(
                str(name),
                f"fewer than {MIN_INTENSITIES} intensities can not show a sigmoid",
                "leave this person out",
            )


def _doubts(r_hat: float, divergences: int) -> tuple[Flag, ...]:
    if r_hat <= R_HAT_LIMIT and divergences == 0:
        return ()
    text = f"The chains disagree (R-hat {r_hat:.3f}) or diverged ({divergences} times); draw longer."
    return (Flag("sampler-not-settled", text, "caution", "recruitment", r_hat, R_HAT_LIMIT),)
