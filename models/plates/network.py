"""ONNX networks with float input of any size, on the CPU or a CUDA card."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.engines import ENGINE_NAMES, Arrays, OnnxRuntimeEngine, OpenVinoEngine
from models.errors import EngineUnavailableError


class Network:
    """A network ready to run.

    Args:
        onnx: its file.
        outputs: names of the outputs in the wanted order; empty: as the file has them.
        engine: ``auto``, ``openvino``, ``openvino-f32`` or ``onnxruntime``. Full precision always: these networks are small.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; CUDA runs in ONNX Runtime where its CUDA provider is installed.
        threads: CPU threads.

    Raises:
        EngineUnavailableError: nothing of what was asked for runs here.
    """

    def __init__(self, onnx: Path, outputs: tuple[str, ...], engine: str, device: str, threads: int) -> None:
        if engine not in ENGINE_NAMES:
            raise EngineUnavailableError(f"unknown engine {engine!r}; use {', '.join(ENGINE_NAMES)}")
        self._engine: OpenVinoEngine | OnnxRuntimeEngine
        card = cuda_card(device)
        if card is not None:
            self._engine = OnnxRuntimeEngine(onnx, threads, cuda_card=card)
        elif engine == "onnxruntime":
            self._engine = OnnxRuntimeEngine(onnx, threads)
        else:
            try:
                self._engine = OpenVinoEngine(onnx, threads, "f32")
            except EngineUnavailableError:
                if engine.startswith("openvino"):
                    raise
                self._engine = OnnxRuntimeEngine(onnx, threads)
        self.engine_name = self._engine.name
        names = self._engine.output_names
        self._order = [names.index(name) for name in outputs] if outputs else list(range(len(names)))

    def run(self, batch: NDArray[np.float32]) -> Arrays:
        """float32 batch → the outputs in the wanted order, valid until the next call."""
        found = self._engine.run(batch)
        return [found[index] for index in self._order]


def cuda_card(device: str) -> int | None:
    """Number of the CUDA card for a device setting, None for the CPU.

    Raises:
        EngineUnavailableError: CUDA was asked for, but ONNX Runtime has no CUDA provider, or an unknown word.
    """
    if device == "cpu":
        return None
    kind, _, index = device.partition(":")
    if device != "auto" and (kind != "cuda" or (index and not index.isdigit())):
        raise EngineUnavailableError(f"unknown device {device!r}; use auto, cpu, cuda or cuda:N")
    if "CUDAExecutionProvider" not in _providers():
        if device == "auto":
            return None
        raise EngineUnavailableError(
            f"device {device} was asked for plates, but ONNX Runtime has no CUDA provider; install onnxruntime-gpu or use cpu"
        )
    return int(index or 0)


def _providers() -> list[str]:
    try:
        import onnxruntime
    except ImportError:
        return []
    providers: list[str] = onnxruntime.get_available_providers()
    return providers
