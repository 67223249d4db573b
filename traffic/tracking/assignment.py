"""Scipy's assignment solver without the rest of ``scipy.optimize``, which would cost every camera's process 35 MB of memory."""

import importlib.machinery
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

Solver = Callable[..., tuple[Any, Any]]


def _compiled() -> Solver | None:
    """The solver's own extension module; None where scipy keeps it elsewhere."""
    package = importlib.util.find_spec("scipy")
    folders = list(package.submodule_search_locations or ()) if package else []
    for folder in folders:
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = Path(folder, "optimize", f"_lsap{suffix}")
            spec = importlib.util.spec_from_file_location(f"{__package__}._lsap", path) if path.is_file() else None
            if spec is None or spec.loader is None:
                continue
            try:
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                solver: Solver = module.linear_sum_assignment
            except (ImportError, AttributeError):  # built otherwise in this version: the public way serves
                return None
            return solver
    return None


def _public() -> Solver:
    from scipy.optimize import linear_sum_assignment

    solver: Solver = linear_sum_assignment
    return solver


# linear_sum_assignment(cost (n, m), maximize=False) → rows, columns of the best one-to-one assignment; as documented by scipy.
linear_sum_assignment: Solver = _compiled() or _public()
