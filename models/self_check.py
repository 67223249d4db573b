"""Does a fast, less precise engine still answer like full precision? Checked on a picture that comes with Wayside.

The picture is a frame of the simulated camera (``benchmarks/self_check_picture.py`` draws it again), so the check needs
neither network nor data. Its verdict is kept beside the exported network, one per CPU model and engine version.
"""

import json
import logging
import os
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.engines import Arrays, Engine
from models.postprocess import expected_distances

logger = logging.getLogger(__name__)
PICTURE = Path(__file__).parent / "data" / "self_check.jpg"
# Bounds: AVX512-BF16 is off by at most 0.076 in score and 0.041 strides at four input sizes, on this picture and on frames of
# real clips, but for a single anchor by 0.22 at 768x576; a wrong kernel is off by far more, and nearly everywhere.
_SURE_SCORE = 0.3
_MAX_SCORE_ERROR = 0.25
_USUAL_SCORE_ERROR = 0.1  # of 99 anchors in a hundred
_MAX_SIDE_ERROR_STRIDES = 0.5
_MIN_SURE_ANCHORS = 20
_MIN_FEATURE_COSINE = 0.99
_RULES = 2  # verdicts found by other rules are not taken


def accurate(
    engine: Engine,
    exported: Path,
    input_size: tuple[int, int],
    precise: Callable[[], Engine],
    same: Callable[[Arrays, Arrays], bool] | None = None,
) -> bool:
    """Whether ``engine`` agrees with ``precise()`` on the picture; asks the kept verdict first.

    Args:
        engine: the fast engine. exported: the network's file. input_size: (width, height) of the network in pixels.
        precise: makes the engine to compare with; only called when no verdict is kept.
        same: compares the outputs of the precise and the fast engine; None: ``agree``, which is for detectors.
    """
    kept = exported.with_name(f"{exported.stem}.checks.json")
    key = f"{engine.name} {_engine_version()} {cpu_model()} rules {_RULES}"
    verdicts = _read(kept)
    if key not in verdicts:
        picture = check_picture(input_size)
        verdicts[key] = (same or agree)(precise().run(picture), engine.run(picture))
        logger.info("self-check of %s: %s", engine.name, "passed" if verdicts[key] else "failed")
        _keep(kept, verdicts)
    return verdicts[key]


def agree(precise: Arrays, fast: Arrays) -> bool:
    """Compare raw outputs: scores (n, classes, anchors) and distance logits (n, anchors, 4 x bins).

    The anchors that either engine scores 0.3 or more must have the same score, 99 % of them within 0.1 and all within 0.25, and
    95 % of the sides must agree within 0.5 strides; full precision must see enough of them for the comparison to mean anything.
    """
    if any(not np.isfinite(item).all() for item in (*precise, *fast)):
        return False
    sure = np.maximum(precise[0].max(1), fast[0].max(1)) >= _SURE_SCORE
    if (precise[0].max(1) >= _SURE_SCORE).sum() < _MIN_SURE_ANCHORS:
        logger.warning("self-check: too little is found on the picture to compare engines")
        return False
    score_error = np.abs(precise[0] - fast[0]).max(1)[sure]
    side_error = np.abs(expected_distances(precise[1][sure]) - expected_distances(fast[1][sure]))
    largest, usual, side = score_error.max(), np.percentile(score_error, 99), np.percentile(side_error, 95)
    logger.info("self-check: score error %.3f, of 99 %% %.3f, side error %.3f strides", largest, usual, side)
    scores_agree = largest <= _MAX_SCORE_ERROR and usual <= _USUAL_SCORE_ERROR
    return bool(scores_agree and side <= _MAX_SIDE_ERROR_STRIDES)


def features_agree(precise: Arrays, fast: Arrays) -> bool:
    """Compare the outputs of a classifier, logits (n, k) and features (n, f): the cosine of the features is 0.99 or more.

    bfloat16 was at 0.9995 on the picture; heads trained on the features give the same answers far below that.
    """
    if any(not np.isfinite(item).all() for item in (*precise, *fast)):
        return False
    a, b = precise[1].astype(np.float64), fast[1].astype(np.float64)
    cosine = (a * b).sum(1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-12)
    logger.info("self-check: cosine of the features %.4f", cosine.min())
    return bool(cosine.min() >= _MIN_FEATURE_COSINE)


def check_picture(input_size: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture as a network input uint8 (1, height, width, 3) RGB, scaled to fill it."""
    stored = cv2.imread(str(PICTURE), cv2.IMREAD_COLOR)
    if stored is None:
        raise FileNotFoundError(f"{PICTURE} is missing from this installation")
    picture = cv2.cvtColor(cv2.resize(stored, input_size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    return np.asarray(picture, np.uint8)[None]


def cpu_model() -> str:
    """The CPU's name as the kernel gives it, or what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    wanted = ("model name", "model\t", "stepping", "cpu family")
    parts = [next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "") for key in wanted]
    return " ".join(part for part in parts if part) or platform.processor() or platform.machine()


def _engine_version() -> str:
    try:
        return version("openvino")
    except PackageNotFoundError:
        return "unknown"


def _keep(path: Path, verdicts: dict[str, bool]) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        partial.write_text(json.dumps(verdicts, indent=1))
        partial.replace(path)
    except OSError as error:  # a read-only folder: the check is made again at the next start
        logger.warning("the self-check's verdict cannot be kept: %s", error)


def _read(path: Path) -> dict[str, bool]:
    try:
        verdicts = json.loads(path.read_text())
    except (OSError, ValueError):  # none yet, or cut off while written: check again
        return {}
    return {str(key): bool(value) for key, value in verdicts.items()} if isinstance(verdicts, dict) else {}
