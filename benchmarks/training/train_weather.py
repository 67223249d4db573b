"""Train the weather head: ``python -m benchmarks.training.train_weather`` (about four minutes on one core).

Softmax regression on the first principal components of the backbone's features and on cues, by L-BFGS with an L2 penalty. Writes
``models/data/weather_head.npz``.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.training.weather_pictures import training_pictures
from models.attributes.weather import CUES, KINDS, WEIGHTS, cues
from models.backbone import DEFAULT_BACKBONE, Backbone
from models.store import WeightsStore
from traffic.weather import KINDS as CODES

Floats = NDArray[np.float64]
PENALTY = 0.01
COMPONENTS = 40
_MIN_SCALE = 0.05


def fit(rows: Floats, kinds: NDArray[np.int64], penalty: float = PENALTY) -> dict[str, NDArray[np.float32]]:
    """Weights of the head from features and cues (n, f + CUES) and kinds (n,), each kind counting the same in all."""
    features, measured = rows[:, :-CUES], rows[:, -CUES:]
    centre = features.mean(axis=0)
    basis = np.linalg.svd(features - centre, full_matrices=False)[2][:COMPONENTS].T
    rows = np.concatenate([(features - centre) @ basis, measured], axis=1)
    mean, scale = rows.mean(axis=0), 1 / np.maximum(rows.std(axis=0), _MIN_SCALE)
    x = np.clip((rows - mean) * scale, -4, 4)
    truth = np.eye(len(KINDS))[kinds] * 0.94 + 0.015  # smoothed: a drawn fog is never certain
    weight = (1 / np.maximum(np.bincount(kinds, minlength=len(KINDS)), 1))[kinds]
    weight = weight / weight.sum()

    def loss(flat: Floats) -> tuple[float, Floats]:
        w, b = flat[: -len(KINDS)].reshape(x.shape[1], len(KINDS)), flat[-len(KINDS) :]
        logits = x @ w + b
        logits -= logits.max(axis=1, keepdims=True)
        log = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        error = weight[:, None] * (np.exp(log) - truth)
        value = -float((weight[:, None] * truth * log).sum()) + penalty / 2 * float((w * w).sum())
        return value, np.concatenate([(x.T @ error + penalty * w).ravel(), error.sum(axis=0)])

    start = np.zeros((x.shape[1] + 1) * len(KINDS))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    w, b = found[: -len(KINDS)].reshape(x.shape[1], len(KINDS)), found[-len(KINDS) :]
    stored = {"mean": mean, "scale": scale, "weight": w, "bias": b, "centre": centre, "basis": basis}
    return {name: value.astype(np.float32) for name, value in stored.items()}


def inputs_of(pictures: Sequence[NDArray[np.uint8]], backbone: Backbone) -> Floats:
    """Features and cues (n, f + CUES), in batches that fit the memory."""
    parts = [pictures[start : start + 8] for start in range(0, len(pictures), 8)]
    features = np.concatenate([backbone.extract(part)[1] for part in parts]).astype(np.float64)
    return np.concatenate([features, np.stack([cues(picture) for picture in pictures])], axis=1)


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WAYSIDE_TEST_DATA", "../shared/data")))
    parser.add_argument("--models", type=Path, default=Path("~/.cache/wayside/models").expanduser())
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    given = parser.parse_args()
    backbone = Backbone(DEFAULT_BACKBONE, WeightsStore(given.models), engine="openvino")
    made = list(training_pictures(given.data, given.seed))
    rows = inputs_of([picture for picture, _ in made], backbone)
    kinds = np.array([CODES.index(weather) for _, weather in made])
    np.savez_compressed(given.out, **fit(rows, kinds))
    print(f"{len(made)} pictures {dict(zip(KINDS, np.bincount(kinds).tolist(), strict=True))} → {given.out}")


if __name__ == "__main__":
    main()
