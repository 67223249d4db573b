"""Train colours and forms of vehicles: ``python -m benchmarks.training.train_looks`` (about half an hour on one core).

1. Draws crops of rendered vehicles (``benchmarks.training.crops``).
2. Trains the colour network on them → ``models/data/vehicle_colors.onnx``.
3. Fits a head for forms on the backbone's features of the drawn crops and of real ones → ``models/data/vehicle_forms.npz``.
   The real ones are our type labels of clips under MIT or Apache-2.0 (``LICENSED``); their features also give the mean and
   spread by which real features are normalised, drawn ones by their own: that takes most of the drawings' look out.
"""

import argparse
import os
import pickle
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from numpy.typing import NDArray

from benchmarks.attributes import labelled_crops
from benchmarks.training.looks_network import LooksNetwork, export, varied
from models.attributes.forms import WEIGHTS as FORM_WEIGHTS
from models.attributes.network import SIDE_PX
from models.attributes.network import WEIGHTS as COLOR_WEIGHTS
from models.backbone import DEFAULT_BACKBONE, Backbone
from models.store import WeightsStore
from traffic.vehicle_types import Form

Image = NDArray[np.uint8]
Crop = tuple[Image, str, int]
LICENSED = (
    "accident_intersection", "ahmetozlu", "bangkok_queue", "bgs_", "cn_parking", "highway_both", "side_view", "street_parked",
    "it_autostrade",
)  # fmt: skip
LABEL_FORMS = {1: Form.CAR, 2: Form.SUV, 3: Form.MPV, 5: Form.VAN, 8: Form.PICKUP, 9: Form.BUS, 12: Form.TRUCK}
_MIN_SPREAD, _CLIP = 0.05, 3.0


def draw(seed: int, count: int, kept: Path | None) -> list[Crop]:
    """The drawn crops, from the file ``kept`` when there is one."""
    if kept is not None and kept.is_file():
        crops: list[Crop] = pickle.loads(kept.read_bytes())
        return crops
    from benchmarks.training.crops import random_crop

    rng = np.random.default_rng(seed)
    made = [random_crop(rng) for _ in range(count)]
    crops = [(item.image, item.form, item.color) for item in made]
    if kept is not None:
        kept.write_bytes(pickle.dumps(crops))
    return crops


def trimmed(image: Image, shares: NDArray[np.float64]) -> Image:
    """Without ``shares`` (4,) of its sides: drawn crops have wider margins than a camera's."""
    h, w = image.shape[:2]
    top, bottom, left, right = (int(share * side) for share, side in zip(shares, (h, h, w, w), strict=True))
    return image[top : max(top + 4, h - bottom), left : max(left + 4, w - right)]


def train_colors(crops: list[Crop], epochs: int, seed: int) -> LooksNetwork:
    """The colour network, forms as a second task."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(0)
    small = []
    for image, _, _ in crops:
        cut = trimmed(image, rng.uniform(0, 0.1, 4))
        how = cv2.INTER_AREA if min(cut.shape[:2]) > SIDE_PX else cv2.INTER_LINEAR
        small.append(cv2.resize(cut, (SIDE_PX, SIDE_PX), interpolation=how))
    x = torch.tensor(np.stack(small)).permute(0, 3, 1, 2).float() / 255
    colors = torch.tensor([color - 1 for _, _, color in crops])
    forms = torch.tensor([int(Form[form.upper()]) for _, form, _ in crops])
    network, steps = LooksNetwork(), len(x) // 128
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=2e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=epochs * steps)
    for epoch in range(epochs):
        network.train()
        order = torch.randperm(len(x))
        for step in range(steps):
            rows = order[step * 128 : step * 128 + 128]
            color, form = network(varied(x[rows]))
            loss = F.cross_entropy(color, colors[rows], label_smoothing=0.05, ignore_index=-1)
            loss = loss + 0.7 * F.cross_entropy(form, forms[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        print(f"epoch {epoch + 1}/{epochs} loss {loss.item():.3f}", flush=True)
    return network.eval()


def features_of(images: list[Image], backbone: Backbone) -> NDArray[np.float64]:
    """Features (n, f) in small batches."""
    parts = [images[start : start + 8] for start in range(0, len(images), 8)]
    return np.concatenate([backbone.extract(part)[1] for part in parts]).astype(np.float64)


def fit_forms(
    drawn: NDArray[np.float64], drawn_forms: NDArray[np.int64], real: NDArray[np.float64], real_forms: NDArray[np.int64]
) -> dict[str, NDArray[np.float32]]:
    """The head from features of drawn crops and of real ones; ``real_forms`` -1: only for the normalisation."""
    torch.manual_seed(0)

    def standard(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip((rows - rows.mean(axis=0)) / (rows.std(axis=0) + _MIN_SPREAD), -_CLIP, _CLIP)

    a, ya = torch.tensor(standard(drawn), dtype=torch.float32), torch.tensor(drawn_forms)
    chosen = real_forms >= 0
    b, yb = torch.tensor(standard(real)[chosen], dtype=torch.float32), torch.tensor(real_forms[chosen])
    rarity = 1 / torch.bincount(yb, minlength=len(Form)).clamp(min=1).float().sqrt()[yb]
    rarity = rarity / rarity.mean()
    head = torch.nn.Linear(a.shape[1], len(Form))
    optimiser = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=0.1)
    for _ in range(14):
        for rows in torch.randperm(len(a)).split(256):
            loss = F.cross_entropy(head(F.dropout(a[rows], 0.5)), ya[rows], label_smoothing=0.05)
            some = torch.randint(len(b), (48,))
            shaken = F.dropout(b[some], 0.5) + 0.2 * torch.randn(48, b.shape[1])
            each = F.cross_entropy(head(shaken), yb[some], label_smoothing=0.1, reduction="none")
            loss = loss + (rarity[some] * each).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    stored = {
        "mean": real.mean(axis=0),
        "scale": 1 / (real.std(axis=0) + _MIN_SPREAD),
        "weight": head.weight.detach().numpy().T,
        "bias": head.bias.detach().numpy(),
    }
    return {name: np.asarray(value, np.float32) for name, value in stored.items()}


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WAYSIDE_TEST_DATA", "../shared/data")))
    parser.add_argument("--models", type=Path, default=Path("~/.cache/wayside/models").expanduser())
    parser.add_argument("--seed", type=int, default=103)
    parser.add_argument("--count", type=int, default=9000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--crops", type=Path, help="where the drawn crops are kept for another run")
    parser.add_argument("--network", type=Path, help="a trained colour network (state dict), instead of training it")
    given = parser.parse_args()
    torch.set_num_threads(1)
    crops = draw(given.seed, given.count, given.crops)
    if given.network:
        network = LooksNetwork()
        network.load_state_dict(torch.load(given.network, weights_only=True))
    else:
        network = train_colors(crops, given.epochs, seed=0)
    export(network.eval(), COLOR_WEIGHTS)
    backbone = Backbone(DEFAULT_BACKBONE, WeightsStore(given.models), engine="openvino-f32")
    found = [(row, crop) for row, crop in labelled_crops(given.data) if row["clip"].startswith(LICENSED)]
    real = features_of([crop for _, crop in found], backbone)
    real_forms = np.array([int(LABEL_FORMS.get(row["type"], -1)) for row, _ in found])
    drawn = features_of([trimmed(image, np.full(4, 0.07)) for image, _, _ in crops], backbone)
    drawn_forms = np.array([int(Form[form.upper()]) for _, form, _ in crops])
    np.savez_compressed(FORM_WEIGHTS, **fit_forms(drawn, drawn_forms, real, real_forms))
    print(f"{len(crops)} drawn, {len(found)} real crops → {COLOR_WEIGHTS.name}, {FORM_WEIGHTS.name}")


if __name__ == "__main__":
    main()
