"""How full an archive is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveUsage:
    """What was found at the last look.

    Attributes:
        files, size_bytes: of what is kept. free_bytes: left on the disk, None where that has no meaning.
        complete: everything has been looked at at least once; until then the figures are too small.
    """

    files: int = 0
    size_bytes: int = 0
    free_bytes: int | None = None
    complete: bool = True
