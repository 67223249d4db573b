"""The solver taken out of scipy answers as scipy's own, and is there whatever scipy looks like."""

import subprocess
import sys

import numpy as np
import pytest

from traffic.tracking import assignment


def test_it_answers_as_scipy_does() -> None:
    from scipy.optimize import linear_sum_assignment

    random = np.random.default_rng(1)
    for shape in ((0, 3), (1, 1), (4, 7), (9, 5)):
        gain = random.random(shape)
        for mine, theirs in zip(
            assignment.linear_sum_assignment(gain, maximize=True), linear_sum_assignment(gain, maximize=True), strict=True
        ):
            assert mine.tolist() == theirs.tolist()


def test_tracking_does_not_load_the_whole_of_scipy_s_optimisation() -> None:
    code = "import sys, traffic.tracking; sys.exit('scipy.optimize' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_extension_in_its_place_the_public_solver_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment.importlib.machinery, "EXTENSION_SUFFIXES", [".elsewhere"])
    assert assignment._compiled() is None
    assert assignment._public()(np.eye(2), maximize=True)[1].tolist() == [0, 1]
