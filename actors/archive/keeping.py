"""Keeps an archive within its bounds, little by little."""

import logging
import threading
from dataclasses import dataclass

from actors.archive.folder import FolderArchive
from actors.archive.objects import ObjectArchive
from actors.archive.usage import ArchiveUsage
from actors.errors import ArchiveError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveLimits:
    """Bounds of an archive.

    Attributes:
        max_age_s: what is older goes. max_bytes: beyond this the oldest goes.
        period_s: how often. The space that a folder keeps free on its disk is the archive's own setting.
    """

    max_age_s: float
    max_bytes: int
    period_s: float = 60.0


class ArchiveKeeper:
    """A thread that prunes an archive every period, and remembers what it found."""

    def __init__(self, archive: FolderArchive | ObjectArchive, limits: ArchiveLimits) -> None:
        self._archive, self._limits = archive, limits
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prune", daemon=True)
        self._usage: ArchiveUsage | None = None

    def start(self) -> "ArchiveKeeper":
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End after the pass that is under way."""
        self._stopping.set()

    @property
    def limits(self) -> ArchiveLimits:
        """What it keeps to."""
        return self._limits

    @property
    def usage(self) -> ArchiveUsage | None:
        """As of the last pass; None before the first."""
        return self._usage

    def once(self) -> int:
        """One pass; how much went. Raises ArchiveError."""
        removed = self._archive.prune(self._limits.max_age_s, self._limits.max_bytes)
        self._usage = self._archive.usage()
        return removed

    def _run(self) -> None:
        while True:
            try:
                if removed := self.once():
                    logger.info("archive pruned removed=%d", removed)
            except (ArchiveError, OSError) as error:
                logger.error("archive not pruned error=%s", error)
            if self._stopping.wait(self._limits.period_s):
                return
