"""The approval model against tools that share no code with it; `run.py oracles` brings them."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.findings import method_check
from analysis.models import approval, laplace, predictors
from analysis.models.mixed_effects import MixedEffectsLogisticRegression
from analysis.models.terms import RandomEffect, Terms
from analysis.synthetic import known_truth
from models.test_mixed_effects import EFFECTS, FIXED, made

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("default")]

SCALES = np.array([0.8, 0.5, 0.3, 0.4])
OF_PATIENT = 0.6


def fitted(frame, y, patient):
    """Our mode at fixed standard deviations, and the design it belongs to."""
    terms = Terms(FIXED, EFFECTS)
    tidy = terms.tidy(frame)
    terms.learn(tidy)
    design = terms.design(tidy)
    scales = SCALES if patient is None else np.append(SCALES, OF_PATIENT)
    problem = laplace.Problem(
        design, y.astype(float), np.ones(len(y)), terms.effect_of, patient, 2.0, 0.7
    )
    return laplace.mode(problem, scales, problem.start(), 1e-10), design


def by_gpboost(frame, y, patient):
    """The same model as gpboost writes it; a fixed term is a random slope of one group.

    Latent mean and variance of each row with its patient, then of each row without.
    """
    import gpboost

    whole = np.full(len(frame), "all")
    groups = [whole, *(frame[list(effect.by)].agg("/".join, axis=1) for effect in EFFECTS[:3])]
    variances = [laplace.INTERCEPT_SCALE**2, *SCALES[:3] ** 2]
    if patient is not None:
        groups.append(patient.astype(str))
        variances.append(OF_PATIENT**2)
    slopes = np.column_stack([*(frame[name] for name in FIXED), frame[EFFECTS[3].slopes[0]]])
    model = gpboost.GPModel(
        group_data=np.column_stack(groups),
        group_rand_coef_data=slopes,
        ind_effect_group_rand_coef=[1, 1, 2],
        likelihood="bernoulli_logit",
        matrix_inversion_method="cholesky",
    )
    variances += [4.0, 4.0, SCALES[3] ** 2]
    model.set_optim_params({"delta_conv_mode_finding": 1e-14})
    asked = np.column_stack(groups)
    return model.predict(
        y=y.astype(float),
        group_data_pred=asked,
        group_rand_coef_data_pred=slopes,
        cov_pars=np.array(variances),
        predict_var=True,
        predict_response=False,
    )


@pytest.mark.parametrize("has_patients", [False, True])
def test_the_mode_at_fixed_variances_is_gpboosts(has_patients):
    frame, y, patient, _ = made(600)
    order = patient.argsort(kind="stable")
    frame, y = frame.iloc[order].reset_index(drop=True), y[order]
    patient = pd.factorize(patient[order])[0].astype(np.int64) if has_patients else None
    at, design = fitted(frame, y, patient)
    ours = design @ at.coefficients
    if has_patients:
        ours = ours + at.patients[patient]
    theirs = by_gpboost(frame, y, patient)
    np.testing.assert_allclose(ours, theirs["mu"], atol=1e-6)
    if not has_patients:
        solved = np.linalg.solve(at.factor, design.toarray().T)
        np.testing.assert_allclose((solved**2).sum(axis=0), theirs["var"], rtol=1e-6)


@pytest.mark.parametrize(("n", "seed"), [(300, 1), (1000, 2), (1000, 3)])
def test_cells_are_those_of_full_bayes(n, seed):
    frame, y, _, _ = made(n, seed)
    cells = MixedEffectsLogisticRegression(FIXED, EFFECTS, model_error=0.0).fit(frame, y)
    told = cells.standardise(frame, by=["payer", "condition"], n=1000).cells
    terms = Terms(FIXED, EFFECTS)
    design = terms.learn(terms.tidy(frame)).design(terms.tidy(frame))
    chance = expit(by_full_bayes(terms, frame, y)["coefficients"] @ design.toarray().T)
    cell = frame.groupby(["payer", "condition"], sort=True).ngroup().to_numpy()
    theirs = means(chance, cell)
    lower, upper = np.quantile(theirs, [0.05, 0.95], axis=0)
    apart = told["mean"].to_numpy() - theirs.mean(axis=0)
    ratio = (told["upper"] - told["lower"]).sum() / (upper - lower).sum()
    assert np.sqrt((apart**2).mean()) < 0.015
    assert np.abs(apart).max() < 0.05
    assert 0.9 < ratio < 1.25


@pytest.mark.parametrize(("n", "seed"), [(300, 1), (1000, 1)])
def test_the_approval_models_ranges_of_later_claims_are_hardly_wider_than_full_bayes(n, seed):
    """With patients, cells never met, and what the form misses: full Bayes fits that as an effect.

    `method_check.measure` counts these cells, so their coverage is not bought by width.
    """
    practice = known_truth.practice(n, seed=seed)
    earlier, later = predictors.predictors(practice.earlier), predictors.predictors(practice.later)
    y, patient = practice.earlier["is_approved"].to_numpy(int), practice.earlier["patient"]
    model = approval.unfitted(n, 0).fit(earlier, y, groups=patient)
    effects, cells = predictors.form(n)
    if cells:
        effects = (*effects, RandomEffect("lack of fit", cells))
    terms = Terms(predictors.FIXED, effects)
    terms.learn(terms.tidy(earlier))
    drawn = by_full_bayes(terms, earlier, y, pd.factorize(patient)[0], model.fixed_scale)
    asked = terms.tidy(later)
    odds = terms.design(asked) @ drawn["coefficients"].T
    odds += terms.unseen(asked, drawn["scales"], 0)
    shrunk = 1 / np.sqrt(1 + np.pi * drawn["of_patient"] ** 2 / 8)
    cell = practice.later.groupby(method_check.CELL).ngroup().to_numpy()
    ours, theirs = (
        np.diff(np.quantile(means(chance, cell), [0.05, 0.95], axis=0), axis=0).mean()
        for chance in (model.posterior_draws(later, 1000), expit(odds * shrunk).T)
    )
    assert 0.9 < ours / theirs < 1.25


def means(chance, cell):
    """Each draw's mean of every cell: (draws, cells)."""
    size = np.bincount(cell)
    return np.array([np.bincount(cell, draw) / size for draw in chance])


def by_full_bayes(terms, frame, y, patient=None, fixed_scale=2.0):
    """Draws by NUTS with the priors the model states: coefficients, scales, and of_patient."""
    import jax
    import numpyro
    from numpyro import distributions

    jax.config.update("jax_enable_x64", True)
    design = terms.design(terms.tidy(frame)).toarray()
    effect = terms.effect_of
    is_random = effect >= 0
    fixed = np.where(np.arange(len(effect)) == 0, laplace.INTERCEPT_SCALE, fixed_scale)

    def model():
        of_scale, one = distributions.HalfNormal(0.7), distributions.Normal(0, 1)
        scales = numpyro.sample("scales", of_scale.expand([len(terms.random)]))
        unit = numpyro.sample("unit", one.expand([len(effect)]))
        own = jax.numpy.where(is_random, scales[np.maximum(effect, 0)], fixed)
        odds = design @ numpyro.deterministic("coefficients", own * unit)
        if patient is not None:
            theirs = numpyro.sample("patients", one.expand([patient.max() + 1]))
            odds += numpyro.sample("of_patient", of_scale) * theirs[patient]
        numpyro.sample("y", distributions.Bernoulli(logits=odds), obs=y)

    kernel = numpyro.infer.NUTS(model, target_accept_prob=0.9)
    chain = numpyro.infer.MCMC(kernel, num_warmup=500, num_samples=1000, progress_bar=False)
    chain.run(jax.random.PRNGKey(0))
    return {name: np.asarray(drawn) for name, drawn in chain.get_samples().items()}
