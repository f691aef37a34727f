"""Softmax regression by scikit-learn and scipy: `python tests/golden/teaching/make.py` writes regression.json beside it.

`plain` is multinomial logistic regression without an intercept, classes weighing the same (`LogisticRegression`). `beside`
has known logits of each example, and one more class that is not learnt, minimised by scipy's L-BFGS in float64.
"""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

DIM, CLASSES, COUNT = 12, 4, 30


def balanced(classes):
    """A weight for each example: each class that there is weighs the same."""
    counts = np.bincount(classes, minlength=CLASSES)
    return len(classes) / ((counts > 0).sum() * counts[classes])


def beside(features, known, classes, strength):
    weights, rows = balanced(classes), np.arange(len(classes))

    def loss(flat):
        theta = flat.reshape(CLASSES, DIM)
        logits = known.copy()
        logits[:, :CLASSES] += features @ theta.T
        value = -(weights * log_softmax(logits, axis=1)[rows, classes]).sum() + strength / 2 * (flat**2).sum()
        residual = softmax(logits, axis=1)
        residual[rows, classes] -= 1
        residual *= weights[:, None]
        return value, (residual[:, :CLASSES].T @ features + strength * theta).ravel()

    options = {"maxiter": 10_000, "ftol": 1e-15, "gtol": 1e-10}
    found = minimize(loss, np.zeros(CLASSES * DIM), jac=True, method="L-BFGS-B", options=options)
    return found.x


def main():
    random = np.random.default_rng(5)
    classes = np.concatenate([np.arange(CLASSES), random.choice(CLASSES, COUNT - CLASSES, p=[0.5, 0.25, 0.15, 0.1])])
    features = random.normal(size=(COUNT, DIM)) + 2 * np.eye(DIM)[classes]
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    known = random.normal(size=(COUNT, CLASSES + 1)) * 2
    cases = []
    for strength in (10.0, 1.0, 0.03):
        plain = LogisticRegression(C=1 / strength, fit_intercept=False, class_weight="balanced", tol=1e-10, max_iter=10_000)
        plain.fit(features, classes)
        cases.append({
            "strength": strength,
            "plain": plain.coef_.ravel().round(7).tolist(),
            "beside": beside(features, known, classes, strength).round(7).tolist(),
        })
    file = {
        "dim": DIM,
        "features": features.ravel().round(7).tolist(),
        "known": known.ravel().round(7).tolist(),
        "classes": classes.tolist(),
        "cases": cases,
    }
    Path(__file__).with_name("regression.json").write_text(json.dumps(file) + "\n")


main()
