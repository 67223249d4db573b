"""The archive of a setting."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actors.archive.folder import FolderArchive
from actors.archive.objects import SCHEMES, ObjectArchive
from actors.errors import ArchiveError


def open_archive(
    location: str, options: Mapping[str, Any] | None = None, min_free_bytes: int = 0
) -> FolderArchive | ObjectArchive:
    """The archive at ``location``: a folder, or the URL of an object store.

    Args:
        location: a path, ``file://…`` or a URL with one of the schemes of ``actors.archive.objects``.
        options: of the object store's file system. min_free_bytes: what a folder keeps free on its disk.

    Raises:
        ArchiveError: the scheme cannot be used.
    """
    scheme, _, rest = location.partition("://")
    if rest and scheme != "file":
        if scheme not in SCHEMES:
            raise ArchiveError(f"archive {location!r}: use a folder or a URL with one of {', '.join(SCHEMES)}")
        return ObjectArchive(location, options)
    return FolderArchive(Path(location.removeprefix("file://")).expanduser(), min_free_bytes)
