"""Names code and settings of an installation, so that actors of another version are recognised and replaced."""

import hashlib
import importlib.util
import json
from functools import lru_cache
from pathlib import Path

from cluster.settings import Settings

_ROOMS = ("traffic", "models", "actors", "api", "cluster")


def generation(settings: Settings) -> str:
    """Twelve hexadecimal digits over the settings and every source file."""
    told = json.dumps(settings.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(f"{_code()}{told}".encode()).hexdigest()[:12]


@lru_cache(maxsize=1)
def _code() -> str:
    digest = hashlib.sha256()
    for room in _ROOMS:
        spec = importlib.util.find_spec(room)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()
