"""EfficientNet-Lite as a torch module, built from its published state dict: batch norms folded, ReLU6, no squeeze-excitation.

Input: uint8 (n, h, w, 3) RGB. Outputs: ImageNet logits float32 (n, 1000) and the pooled features they are made from, float32
(n, 1280). The widths and depths are read from the weights; strides are those of EfficientNet (Tan and Le, arXiv 1905.11946),
padding is TensorFlow's "same", as the weights were trained with.
"""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from torch import Tensor, nn

from models.errors import ModelFormatError

FEATURES = 1280
_STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)
_EPSILON = 1e-3  # of the batch norms, TensorFlow's default for this family


class _Convolution(nn.Module):
    """A convolution with its batch norm folded in, padded like TensorFlow's "same"."""

    def __init__(self, state: Mapping[str, Tensor], convolution: str, norm: str, stride: int, *, relu: bool) -> None:
        super().__init__()
        kernel = state[f"{convolution}.weight"]
        factor = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _EPSILON)
        self.register_buffer("kernel", kernel * factor.view(-1, 1, 1, 1))
        self.register_buffer("bias", state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * factor)
        self._stride, self._size, self._relu = stride, int(kernel.shape[2]), relu
        self._depthwise = kernel.shape[1] == 1 and kernel.shape[0] > 1

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) → (n, d, ceil(h / stride), ceil(w / stride))."""
        kernel = self.get_buffer("kernel")
        pad_h, pad_w = (self._missing(int(side)) for side in x.shape[2:])
        if pad_h or pad_w:
            x = F.pad(x, [pad_w // 2, pad_w - pad_w // 2, pad_h // 2, pad_h - pad_h // 2])
        x = F.conv2d(x, kernel, self.get_buffer("bias"), self._stride, 0, 1, len(kernel) if self._depthwise else 1)
        return F.relu6(x) if self._relu else x

    def _missing(self, side: int) -> int:
        return max((-(-side // self._stride) - 1) * self._stride + self._size - side, 0)


class _Block(nn.Module):
    """Inverted bottleneck: expansion (not in the first block), depthwise convolution, projection; added where shapes agree."""

    def __init__(self, state: Mapping[str, Tensor], prefix: str, stride: int) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        if f"{prefix}._expand_conv.weight" in state:
            steps.append(_Convolution(state, f"{prefix}._expand_conv", f"{prefix}._bn0", 1, relu=True))
        steps.append(_Convolution(state, f"{prefix}._depthwise_conv", f"{prefix}._bn1", stride, relu=True))
        steps.append(_Convolution(state, f"{prefix}._project_conv", f"{prefix}._bn2", 1, relu=False))
        self.steps = nn.Sequential(*steps)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) → (n, d, h', w')."""
        y: Tensor = self.steps(x)
        return x + y if y.shape == x.shape else y


class EfficientNetLite(nn.Module):
    """The network.

    Args:
        state: the state dict. mean, std: of RGB values scaled to 0..1.

    Raises:
        ModelFormatError: the state dict is of another network.
    """

    def __init__(self, state: Mapping[str, Tensor], mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        try:
            self.stem = _Convolution(state, "_conv_stem", "_bn0", 2, relu=True)
            self.blocks = nn.Sequential(*(_Block(state, f"_blocks.{i}", s) for i, s in enumerate(_strides(state))))
            self.head = _Convolution(state, "_conv_head", "_bn1", 1, relu=True)
            self.register_buffer("weight", state["_fc.weight"])
            self.register_buffer("bias", state["_fc.bias"])
        except KeyError as error:
            raise ModelFormatError(f"not an EfficientNet-Lite: {error} is missing") from error
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("scale", 1 / (torch.tensor(std).view(1, 3, 1, 1) * 255))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 (n, h, w, 3) RGB → ImageNet logits (n, 1000), features (n, 1280)."""
        mean = self.get_buffer("mean")
        x = (image.permute(0, 3, 1, 2).to(mean.dtype) - mean) * self.get_buffer("scale")
        features = self.head(self.blocks(self.stem(x))).mean((2, 3))
        return F.linear(features, self.get_buffer("weight"), self.get_buffer("bias")).float(), features.float()


def load_efficientnet(path: Path, mean: Sequence[float], std: Sequence[float]) -> EfficientNetLite:
    """The network of a ``.pth`` file. Raises ModelFormatError."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise ModelFormatError(f"{path.name}: not a torch state dict ({str(error).splitlines()[0]})") from error
    return EfficientNetLite(state, mean, std)


def _strides(state: Mapping[str, Tensor]) -> list[int]:
    """Stride of every block: the first of a stage has the stage's, a stage being a run of blocks with equal outputs."""
    strides: list[int] = []
    before = stage = -1
    for index in range(sum(1 for name in state if name.endswith("._project_conv.weight"))):
        outputs = int(state[f"_blocks.{index}._project_conv.weight"].shape[0])
        stage += outputs != before
        if stage >= len(_STAGE_STRIDES):
            raise ModelFormatError("not an EfficientNet-Lite: it has more than seven stages")
        strides.append(_STAGE_STRIDES[stage] if outputs != before else 1)
        before = outputs
    return strides
