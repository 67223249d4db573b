"""Rewriting a Paddle program before it runs: fewer operators, fewer channels, the same answer.

Each function takes operators and weights and returns new ones. Sums are regrouped, so results agree to float rounding, not
to the bit.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.paddle import Operator

Weights = dict[str, Tensor]
_CONVOLUTIONS = ("conv2d", "depthwise_conv2d")


def needed(operators: Sequence[Operator], outputs: Sequence[str]) -> list[Operator]:
    """The operators that ``outputs`` depend on, in execution order."""
    wanted, kept = set(outputs), []
    for operator in reversed(operators):
        if operator.type != "feed" and any(n in wanted for names in operator.outputs.values() for n in names):
            kept.append(operator)
            wanted |= {name for names in operator.inputs.values() for name in names}
    return kept[::-1]


def fold_batch_norms(operators: Sequence[Operator], weights: Weights) -> tuple[list[Operator], Weights]:
    """Replace convolution + batch norm by a convolution with bias (the input ``FoldedBias``)."""
    weights = dict(weights)
    readers: dict[str, int] = {}
    for operator in operators:
        for names in operator.inputs.values():
            for name in names:
                readers[name] = readers.get(name, 0) + 1
    producers = {operator.output(): index for index, operator in enumerate(operators)}
    result: list[Operator | None] = list(operators)
    for index, norm in enumerate(operators):
        source = norm.inputs["X"][0] if norm.type == "batch_norm" else ""
        at = producers.get(source)
        if at is None or readers[source] != 1 or operators[at].type not in _CONVOLUTIONS:
            continue
        conv = operators[at]
        gain, shift, mean, variance = (weights[norm.inputs[key][0]] for key in ("Scale", "Bias", "Mean", "Variance"))
        factor = gain / torch.sqrt(variance + float(str(norm.attributes["epsilon"])))
        kernel, bias = f"{conv.inputs['Filter'][0]}@{index}", f"{source}@bias"
        weights[kernel] = weights[conv.inputs["Filter"][0]] * factor.view(-1, 1, 1, 1)
        weights[bias] = shift - mean * factor
        result[at] = None
        result[index] = _convolution(conv, kernel, bias, norm.output())
    return [operator for operator in result if operator is not None], weights


def fold_channel_biases(operators: Sequence[Operator], weights: Weights) -> list[Operator]:
    """Replace convolution + addition of a weight per channel by a convolution with bias."""
    producers = {operator.output(): index for index, operator in enumerate(operators)}
    result: list[Operator | None] = list(operators)
    for index, add in enumerate(operators):
        bias = add.inputs["Y"][0] if add.type == "elementwise_add" else ""
        at = producers.get(add.inputs["X"][0]) if bias in weights and weights[bias].dim() == 1 else None
        if at is not None and operators[at].type in _CONVOLUTIONS and "FoldedBias" not in operators[at].inputs:
            result[at] = None
            result[index] = _convolution(operators[at], operators[at].inputs["Filter"][0], bias, add.output())
    return [operator for operator in result if operator is not None]


def keep_channels(operators: Sequence[Operator], weights: Weights, channels: int, kept: Sequence[int]) -> Weights:
    """Keep only the rows ``kept`` of every biased convolution that has ``channels`` outputs (the class scores)."""
    weights = dict(weights)
    for operator in operators:
        if "FoldedBias" in operator.inputs and len(weights[operator.inputs["Filter"][0]]) == channels:
            for slot in ("Filter", "FoldedBias"):
                weights[operator.inputs[slot][0]] = weights[operator.inputs[slot][0]][list(kept)]
    return weights


def split_single_outputs(operators: Sequence[Operator], weights: Weights) -> tuple[list[Operator], Weights]:
    """Split a dense k x k convolution to one channel: products of each tap by a 1 x 1 convolution, then shifted and added.

    Engines pad one output channel to a whole vector; taps as channels fill it.
    """
    result, weights = [], dict(weights)
    for operator in operators:
        kernel = weights.get(operator.inputs["Filter"][0]) if operator.type in _CONVOLUTIONS else None
        if kernel is None or len(kernel) != 1 or kernel.shape[2] == 1 or "FoldedBias" not in operator.inputs:
            result.append(operator)
            continue
        channels, side = kernel.shape[1], kernel.shape[2]
        taps, name = side * side, operator.output()
        weights[f"{name}@taps"] = kernel[0].reshape(channels, taps).T.reshape(taps, channels, 1, 1).contiguous()
        weights[f"{name}@none"] = torch.zeros(taps)
        weights[f"{name}@shift"] = torch.eye(taps).view(taps, 1, side, side)
        weights[f"{name}@sum"] = torch.ones(1, taps, 1, 1)
        plain = {"strides": [1, 1], "paddings": [0, 0], "dilations": [1, 1], "groups": 1}
        shifted = {**operator.attributes, "groups": taps}
        steps = (
            (operator.inputs["Input"][0], "@taps", "@none", f"{name}@products", plain),
            (f"{name}@products", "@shift", "@none", f"{name}@shifted", shifted),
        )
        for source, filters, bias, output, attributes in steps:
            inputs = {"Input": [source], "Filter": [name + filters], "FoldedBias": [name + bias]}
            result.append(Operator(type="conv2d", inputs=inputs, outputs={"Output": [output]}, attributes=attributes))
        inputs = {"Input": [f"{name}@shifted"], "Filter": [f"{name}@sum"], "FoldedBias": operator.inputs["FoldedBias"]}
        result.append(Operator(type="conv2d", inputs=inputs, outputs={"Output": [name]}, attributes=plain))
    return result, weights


def _convolution(conv: Operator, kernel: str, bias: str, output: str) -> Operator:
    inputs = {"Input": conv.inputs["Input"], "Filter": [kernel], "FoldedBias": [bias]}
    return Operator(type="conv2d", inputs=inputs, outputs={"Output": [output]}, attributes=conv.attributes)
