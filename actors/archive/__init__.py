"""Pictures and clips under the protocol's relative paths, in a folder or in an object store."""

from actors.archive.folder import FolderArchive
from actors.archive.keeping import ArchiveKeeper, ArchiveLimits
from actors.archive.objects import ObjectArchive
from actors.archive.opening import open_archive
from actors.archive.paths import clip_path, picture_path, safe_name
from actors.archive.usage import ArchiveUsage

__all__ = [
    "ArchiveKeeper",
    "ArchiveLimits",
    "ArchiveUsage",
    "FolderArchive",
    "ObjectArchive",
    "clip_path",
    "open_archive",
    "picture_path",
    "safe_name",
]
