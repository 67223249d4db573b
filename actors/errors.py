"""The tree of errors of the actors' room."""


class ActorError(Exception):
    """Base of every error raised by ``actors``."""


class SourceError(ActorError):
    """A video source failed. ``reason`` is readable by an operator; ``permanent`` means trying again cannot help soon."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        self.reason = reason
        self.permanent = permanent
        super().__init__(reason)


class ArchiveError(ActorError):
    """The archive cannot be read or written."""


class ClipError(ActorError):
    """A clip cannot be made."""


class StoreUnavailableError(ActorError):
    """The database does not answer."""


class SinkUnavailableError(ActorError):
    """Facts could not be persisted; keep them and try again."""


class SupersededError(ActorError):
    """Another process has taken over under this name (``camera-17``, ``pusher-0``): nothing of this one counts any more."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


class DetectorUnavailableError(ActorError):
    """The detector did not answer in time."""
