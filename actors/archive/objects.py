"""An archive in an object store, through fsspec."""

import contextlib
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from actors.archive.object_retention import ObjectRetention
from actors.archive.paths import checked_parts
from actors.archive.usage import ArchiveUsage
from actors.errors import ArchiveError
from actors.ports import ArchiveFile

T = TypeVar("T")
_BLOCK = 1024 * 1024
# A store that does not answer must not hold a camera's pictures for minutes.
_S3 = {"config_kwargs": {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 3}}}
SCHEMES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "memory")


class ObjectArchive:
    """Objects under a URL such as ``s3://bucket/folder``. A store's put is atomic: an object is there whole or not at all."""

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        """``options``: of the file system, see fsspec (for S3 ``endpoint_url``, ``key``, ``secret``)."""
        self._url = url.rstrip("/")
        self._options = dict(options or {})

    @cached_property
    def _store(self) -> tuple[Any, str]:
        """(file system, root inside it); made where it is used."""
        import fsspec

        scheme = self._url.split("://", 1)[0]
        given = {"use_listings_cache": False, **(_S3 if scheme.startswith("s3") else {}), **self._options}
        try:
            system, root = fsspec.core.url_to_fs(self._url, **given)
        except ImportError as error:
            raise ArchiveError(
                f"归档 {scheme}:// 需要安装驱动 / archive {scheme}:// needs its driver, e.g. pip install 'wayside[s3]': {error}"
            ) from error
        return system, str(root).rstrip("/")

    @cached_property
    def _retention(self) -> ObjectRetention:
        return ObjectRetention(*self._store)

    def __getstate__(self) -> dict[str, Any]:
        return {"_url": self._url, "_options": self._options}

    def write(self, path: str, data: bytes) -> None:
        """See Archive."""
        self._call(f"cannot write {path}", lambda system: system.pipe_file(self._key(path), data))

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """See Archive: a temporary folder."""
        with tempfile.TemporaryDirectory(prefix="wayside-") as folder:
            yield Path(folder)

    def adopt(self, path: str, file: Path) -> None:
        """See Archive."""
        self._call(f"cannot write {path}", lambda system: system.put_file(str(file), self._key(path)))

    def check(self) -> str:
        """ "" when the archive can be written, otherwise one line that says why not, for health pages."""
        path = f"check-{uuid.uuid4().hex}.part"
        try:
            self.write(path, b"x")
            self._call("cannot delete", lambda system: system.rm_file(self._key(path)))
        except ArchiveError as error:
            return f"图片存储不可写 / archive cannot be written: {error.__cause__ or error}"
        return ""

    def read(self, path: str) -> bytes | None:
        """See Archive."""
        return self._call(f"cannot read {path}", lambda system: bytes(system.cat_file(self._key(path))), missing=None)

    def open(self, path: str) -> ArchiveFile | None:
        """See Archive: reads ahead in pieces of 1 MiB from where it is asked to."""

        def opened(system: Any) -> ArchiveFile | None:
            found = system.info(self._key(path))
            if found["type"] != "file":
                return None
            changed = found.get("ETag") or found.get("LastModified") or found.get("created")
            file = system.open(self._key(path), "rb", block_size=_BLOCK, cache_type="readahead")
            return ArchiveFile(file=file, size=int(found["size"]), tag=str(changed).strip('"').replace('"', ""))

        return self._call(f"cannot read {path}", opened, missing=None)

    def prune(self, max_age_s: float, max_bytes: int, now_s: float | None = None) -> int:
        """Delete what is older than ``max_age_s``, then the oldest days' until at most ``max_bytes`` are left; the number.

        Looks at a few days at a time: a large archive is known whole after some calls (``usage().complete``).
        """
        now_s = time.time() if now_s is None else now_s
        return self._call("cannot prune", lambda _: self._retention.prune(now_s, max_age_s, max_bytes))

    def usage(self) -> ArchiveUsage:
        """As of the last looks."""
        return self._retention.usage()

    def _key(self, path: str) -> str:
        return "/".join((self._store[1], *checked_parts(path)))

    def _call(self, what: str, call: Callable[[Any], T], missing: Any = ...) -> T:
        try:
            return call(self._store[0])
        except ArchiveError:
            raise
        except (FileNotFoundError, IsADirectoryError) as error:
            if missing is not ...:
                return cast(T, missing)
            raise ArchiveError(f"{what}: {error}") from error
        except Exception as error:  # every driver has errors of its own; they all mean the same here
            raise ArchiveError(f"{what}: {type(error).__name__}: {error}"[:300]) from error
