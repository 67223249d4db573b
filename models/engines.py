"""Inference engines for exported networks. An engine maps a uint8 batch to the network's raw outputs.

Threads are exactly the CPUs reserved for the replica and waiting is passive: two spinning pools on one core run an
order of magnitude slower than one thread.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import EngineUnavailableError

logger = logging.getLogger(__name__)
Arrays = list[NDArray[np.float32]]


class Engine(Protocol):
    """Runs one network."""

    name: str

    def run(self, images: NDArray[np.uint8]) -> Arrays:
        """uint8 (n, h, w, 3) RGB → the network's outputs, batch first."""


class OpenVinoEngine:
    """OpenVINO on the CPU; ``precision`` bf16 needs AVX512-BF16 or AMX."""

    def __init__(self, onnx: Path, threads: int, precision: str) -> None:
        import openvino as ov

        self.name = f"openvino-{precision}"
        core = ov.Core()
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision,
            "ENABLE_CPU_PINNING": False,
            "CACHE_DIR": str(onnx.parent / "openvino"),
        }
        self._model = core.compile_model(core.read_model(str(onnx)), "CPU", options)

    def run(self, images: NDArray[np.uint8]) -> Arrays:
        """See Engine."""
        result = self._model({0: images})
        return [np.array(result[output]) for output in self._model.outputs]


class OnnxRuntimeEngine:
    """ONNX Runtime on the CPU."""

    def __init__(self, onnx: Path, threads: int) -> None:
        import onnxruntime as ort

        self.name = "onnxruntime"
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def run(self, images: NDArray[np.uint8]) -> Arrays:
        """See Engine."""
        outputs: Arrays = self._session.run(None, {self._input: images})
        return outputs


class TorchEngine:
    """Torch: CUDA in half precision and channels-last, or the CPU in float32."""

    def __init__(self, module: Callable[[], object], threads: int, device: str) -> None:
        import torch

        self.name = f"torch-{device}"
        self._torch = torch
        self._device = torch.device(device)
        if device == "cpu":
            torch.set_num_threads(threads)
        network = module()
        assert isinstance(network, torch.nn.Module)
        network = network.eval().to(self._device)
        if self._device.type == "cuda":
            network = network.half().to(memory_format=torch.channels_last)
        self._network = network

    def run(self, images: NDArray[np.uint8]) -> Arrays:
        """See Engine."""
        torch = self._torch
        with torch.inference_mode():
            batch = torch.from_numpy(images)
            if self._device.type == "cuda":
                batch = batch.pin_memory().to(self._device, non_blocking=True)
            return [output.float().cpu().numpy() for output in self._network(batch)]


def cuda_available() -> bool:
    """Whether torch sees a CUDA device."""
    import torch

    return bool(torch.cuda.is_available())


def cpu_has_fast_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 natively (AVX512-BF16 or AMX), from the kernel's list of flags."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def make_engine(kind: str, device: str, threads: int, onnx: Callable[[], Path], module: Callable[[], object]) -> Engine:
    """Choose and load an engine.

    Args:
        kind: ``auto``, ``openvino`` (bf16 where the CPU has it), ``openvino-f32``, ``onnxruntime`` or ``torch``.
        device: ``auto``, ``cpu`` or ``cuda`` (``cuda:1``…). CUDA always runs in torch.
        threads: CPU threads of the engine.
        onnx: makes (or finds) the exported network. module: makes the torch module.

    Raises:
        EngineUnavailableError: nothing of what was asked for runs here; the message names what failed.
    """
    if device.startswith("cuda") and not cuda_available():
        raise EngineUnavailableError("device cuda was asked for, but torch finds no CUDA GPU; use device auto or cpu")
    if device.startswith("cuda") or (device == "auto" and kind == "auto" and cuda_available()):
        return TorchEngine(module, threads, "cuda" if device == "auto" else device)
    fast = "bf16" if cpu_has_fast_bf16() else "f32"
    makers: dict[str, Callable[[], Engine]] = {
        "openvino": lambda: OpenVinoEngine(onnx(), threads, fast),
        "openvino-f32": lambda: OpenVinoEngine(onnx(), threads, "f32"),
        "onnxruntime": lambda: OnnxRuntimeEngine(onnx(), threads),
        "torch": lambda: TorchEngine(module, threads, "cpu"),
    }
    if kind != "auto" and kind not in makers:
        raise EngineUnavailableError(f"unknown engine {kind!r}; use auto, {', '.join(makers)}")
    failures = []
    for name in ("openvino", "onnxruntime", "torch") if kind == "auto" else (kind,):
        try:
            return makers[name]()
        except (ImportError, RuntimeError) as error:  # a wheel missing on this platform or refusing this CPU
            logger.warning("engine %s unavailable: %s", name, error)
            failures.append(f"{name}: {error}")
    raise EngineUnavailableError("no inference engine runs here: " + "; ".join(failures))


def export_onnx(module: Callable[[], object], input_size: tuple[int, int], target: Path) -> Path:
    """Export a torch module with uint8 input (batch free, size fixed) to ``target`` unless it exists; atomic."""
    if target.is_file():
        return target
    import torch

    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    width, height = input_size
    network = module()
    assert isinstance(network, torch.nn.Module)
    example = torch.zeros((1, height, width, 3), dtype=torch.uint8)
    torch.onnx.export(
        network.eval(),
        (example,),
        str(partial),
        input_names=["image"],
        output_names=["scores", "distances"],
        dynamic_axes={"image": {0: "n"}, "scores": {0: "n"}, "distances": {0: "n"}},
        dynamo=False,
    )
    partial.replace(target)
    return target
