"""Choosing an engine: fall back when one does not run, never when it was named, and check the fast setting before trusting it."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from models import engines
from models.engines import OnnxRuntimeEngine, OpenVinoEngine, choose_device, export_onnx, make_engine
from models.errors import EngineUnavailableError
from models.self_check import accurate, agree, check_picture


class Halves(torch.nn.Module):
    """A network of the exported kind: two outputs, batch first."""

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        values = image.float() / 255
        return values.mean((1, 2)), values.flatten(1)


def exported(folder: Path) -> Path:
    return export_onnx(Halves, (32, 16), folder / "n.onnx")


def trusting(_engine: object, _path: Path) -> bool:
    return True


def distrusting(_engine: object, _path: Path) -> bool:
    return False


@pytest.mark.parametrize("kind", ["openvino", "openvino-f32", "onnxruntime", "torch"])
def test_every_engine_gives_the_networks_outputs(kind: str, tmp_path: Path) -> None:
    engine = make_engine(kind, 1, lambda: exported(tmp_path), Halves, trusting)
    images = np.random.default_rng(1).integers(0, 255, (3, 16, 32, 3), np.uint8)
    means, pixels = engine.run(images)
    assert means == pytest.approx(images.mean((1, 2)) / 255, abs=2e-2)
    assert pixels.shape == (3, 16 * 32 * 3)


@pytest.mark.parametrize("engine", [OnnxRuntimeEngine, lambda path, threads: OpenVinoEngine(path, threads, "f32")])
def test_a_file_that_does_not_load_is_one_clear_error(engine, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\x08\x07not a network")
    with pytest.raises(EngineUnavailableError, match=r"cannot load broken\.onnx"):
        engine(path, 1)


def test_auto_goes_on_to_torch_when_neither_engine_can_load_the_network(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\x08\x07not a network")
    with caplog.at_level(logging.WARNING):
        engine = make_engine("auto", 1, lambda: path, Halves, trusting)
    assert engine.name == "torch-cpu"
    assert "openvino unavailable" in caplog.text
    assert "onnxruntime unavailable" in caplog.text


def test_a_named_engine_has_no_fallback(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"")
    with pytest.raises(EngineUnavailableError, match="onnxruntime: ONNX Runtime cannot load"):
        make_engine("onnxruntime", 1, lambda: path, Halves, trusting)
    with pytest.raises(EngineUnavailableError, match="use auto, openvino, openvino-f32"):
        make_engine("tensorrt", 1, lambda: path, Halves, trusting)


def test_bfloat16_is_used_only_where_the_cpu_has_it_and_the_check_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def name(fast: bool, check) -> str:
        monkeypatch.setattr(engines, "cpu_has_fast_bf16", lambda: fast)
        monkeypatch.setattr(engines, "OpenVinoEngine", lambda path, threads, kind, streams: FakeEngine(f"openvino-{kind}"))
        return make_engine("openvino", 1, lambda: exported(tmp_path), Halves, check).name

    assert name(True, trusting) == "openvino-bf16"
    assert name(True, distrusting) == "openvino-f32"
    assert name(False, trusting) == "openvino-f32"


@pytest.mark.parametrize("device", ["tpu", "cuda:x", "CUDA", ""])
def test_unknown_devices_are_refused(device: str) -> None:
    with pytest.raises(EngineUnavailableError, match="unknown device"):
        choose_device(device)


def test_devices_without_and_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "cuda_available", lambda: False)
    assert [choose_device(item) for item in ("auto", "cpu")] == ["cpu", "cpu"]
    with pytest.raises(EngineUnavailableError, match="no CUDA GPU"):
        choose_device("cuda:1")
    monkeypatch.setattr(engines, "cuda_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert [choose_device(item) for item in ("auto", "cpu", "cuda", "cuda:0")] == ["cuda", "cpu", "cuda", "cuda:0"]
    with pytest.raises(EngineUnavailableError, match="1 CUDA GPUs"):
        choose_device("cuda:1")


class FakeEngine:
    """Answers with what it is given."""

    def __init__(self, name: str, scores: np.ndarray | None = None, logits: np.ndarray | None = None) -> None:
        self.name = name
        self._answer = [scores, logits]
        self.runs = 0

    def run(self, images: np.ndarray) -> list[np.ndarray]:
        self.runs += 1
        return self._answer


def outputs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    scores = generator.uniform(0, 0.2, (1, 6, 500)).astype(np.float32)
    scores[0, 2, :40] = 0.7
    return scores, generator.normal(0, 3, (1, 500, 32)).astype(np.float32)


def test_agreement_looks_at_scores_sides_and_sanity() -> None:
    scores, logits = outputs()
    assert agree([scores, logits], [scores + 0.02, logits + 0.01])
    worse = scores.copy()
    worse[0, 2, 5] = 0.5
    assert not agree([scores, logits], [worse, logits])
    dimmer = scores - 0.12  # nowhere much, but everywhere
    assert not agree([scores, logits], [dimmer, logits])
    many = scores.copy()
    many[0, 2, :200] = 0.7
    one = many.copy()
    one[0, 2, 5] -= 0.2  # one anchor of many, as rounding does it once in a while
    assert agree([many, logits], [one, logits])
    one[0, 2, 6:10] -= 0.2
    assert not agree([many, logits], [one, logits])
    ghost = scores.copy()
    ghost[0, 4, 300] = 0.9  # something seen by the fast engine only
    assert not agree([scores, logits], [ghost, logits])
    assert not agree([scores, logits], [scores, logits[:, :, ::-1]])
    assert not agree([scores, logits], [scores * np.nan, logits])
    assert not agree([scores * 0, logits], [scores * 0, logits])  # nothing seen proves nothing


def test_a_verdict_is_kept_and_asked_first(tmp_path: Path) -> None:
    scores, logits = outputs()
    path = tmp_path / "export.onnx"
    good, bad = FakeEngine("openvino-bf16", scores, logits), FakeEngine("openvino-other", scores * 0.5, logits)
    precise = FakeEngine("openvino-f32", scores, logits)
    assert accurate(good, path, (64, 32), lambda: precise)
    assert not accurate(bad, path, (64, 32), lambda: precise)
    assert (good.runs, bad.runs, precise.runs) == (1, 1, 2)
    assert accurate(good, path, (64, 32), lambda: precise)
    assert not accurate(bad, path, (64, 32), lambda: precise)
    assert (good.runs, bad.runs, precise.runs) == (1, 1, 2)
    kept = path.with_name("export.checks.json")
    assert sorted(json.loads(kept.read_text()).values()) == [False, True]
    kept.write_text("{cut off")
    assert accurate(good, path, (64, 32), lambda: precise)
    assert good.runs == 2


def test_a_folder_that_cannot_be_written_does_not_stop_the_check(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    scores, logits = outputs()
    fast, precise = FakeEngine("openvino-bf16", scores, logits), FakeEngine("openvino-f32", scores, logits)
    assert accurate(fast, tmp_path / "not there" / "export.onnx", (64, 32), lambda: precise)
    assert "cannot be kept" in caplog.text


def test_the_check_picture_fills_any_input() -> None:
    picture = check_picture((320, 192))
    assert picture.shape == (1, 192, 320, 3)
    assert picture.std() > 30
