"""The small network of vehicle colours as it is trained; forms are a second task that keeps it honest and is not exported."""

from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from torch import Tensor, nn

from models.attributes.network import SIDE_PX

COLORS, FORMS = 10, 13
_WIDTHS, _STRIDES, _SIDE_LEFT = (24, 32, 48, 64, 96), (2, 1, 2, 1, 2), 6
# Added to the logits: white won over grey and black too often on the tuning half of the labels; brown lost nothing by it.
COLOR_BIAS = {1: 0.2, 8: -0.4, 9: 0.6}


class LooksNetwork(nn.Module):
    """Five convolutions; colours from four attention maps over the fourth, forms from the fifth."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (3, *_WIDTHS[:-1])
        self.c = nn.ModuleList(nn.Conv2d(i, o, 3, s, 1) for i, o, s in zip(inputs, _WIDTHS, _STRIDES, strict=True))
        self.b = nn.ModuleList(nn.BatchNorm2d(width) for width in _WIDTHS)
        self.a = nn.Conv2d(64, 4, 1)
        self.fc = nn.Linear(64 * 5, COLORS)
        self.ff = nn.Linear(96 * _SIDE_LEFT * _SIDE_LEFT, FORMS)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """float32 (n, 3, 48, 48) RGB 0..1 → logits of colours (n, 10) and forms (n, 13)."""
        mixed = self.mixed(x)
        last = F.relu(self.b[4](self.c[4](mixed)))
        colors = self.fc(F.dropout(self.pooled(mixed), 0.2, self.training))
        forms: Tensor = self.ff(F.dropout(last.flatten(1), 0.4, self.training))
        return colors, forms

    def mixed(self, x: Tensor) -> Tensor:
        """The fourth convolution's maps (n, 64, 12, 12)."""
        for convolution, norm in zip(self.c[:4], self.b[:4], strict=True):
            x = F.relu(norm(convolution(x)))
        return x

    def pooled(self, maps: Tensor) -> Tensor:
        """Means of the maps under four attentions and over everything, (n, 320)."""
        attention = self.a(maps).flatten(2).softmax(2)
        weighted = attention @ maps.flatten(2).transpose(1, 2)
        return torch.cat([weighted.flatten(1), maps.mean((2, 3))], 1)


class ColorsOnly(nn.Module):
    """What is exported: colours with their bias."""

    def __init__(self, network: LooksNetwork) -> None:
        super().__init__()
        self.network = network
        bias = torch.zeros(COLORS)
        for index, value in COLOR_BIAS.items():
            bias[index] = value
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        """float32 (n, 3, 48, 48) RGB 0..1 → logits (n, 10)."""
        colors: Tensor = self.network.fc(self.network.pooled(self.network.mixed(x))) + self.get_buffer("bias")
        return colors


def export(network: LooksNetwork, target: Path) -> None:
    """Write the colours' part as ONNX, batch free."""
    example = torch.zeros((1, 3, SIDE_PX, SIDE_PX))
    torch.onnx.export(
        ColorsOnly(network).eval(),
        (example,),
        str(target),
        input_names=["crop"],
        output_names=["colors"],
        dynamic_axes={"crop": {0: "n"}, "colors": {0: "n"}},
        dynamo=False,
    )


def varied(x: Tensor) -> Tensor:
    """Crops (n, 3, h, w) as other cameras would give them: cast, saturation, gamma, gain, contrast, mirror, shift, noise."""
    n = len(x)

    def spread(sigma: float, channels: int = 1) -> Tensor:
        return torch.exp(torch.randn(n, channels, 1, 1) * sigma)

    def between(low: float, high: float) -> Tensor:
        return torch.rand(n, 1, 1, 1) * (high - low) + low

    x = x * spread(0.08, 3)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * between(0.5, 1.5)
    x = x.clamp(1e-3, 1.2) ** spread(0.2) * spread(0.15)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (mean + (x - mean) * between(0.7, 1.4)).clamp(0, 1)
    mirrored = torch.rand(n) < 0.5
    x[mirrored] = x[mirrored].flip(3)
    move = torch.zeros(n, 2, 3)
    move[:, 0, 0], move[:, 1, 1] = 1 + torch.randn(n) * 0.05, 1 + torch.randn(n) * 0.05
    move[:, :, 2] = torch.randn(n, 2) * 0.05
    grid = F.affine_grid(move, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False) + torch.randn_like(x) * 0.01
