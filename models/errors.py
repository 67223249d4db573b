"""The tree of errors of the models' room. Every message says what to do."""


class ModelError(Exception):
    """Base of every error raised by ``models``."""


class UnknownModelError(ModelError):
    """No catalogue entry and no ONNX file of that name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"unknown model {name!r}; known models: {', '.join(known)}; or give the path of an .onnx file")


class WeightsMissingError(ModelError):
    """The weights of a catalogue entry are not on this machine."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(f"weights of {name} are missing ({path}); run: wayside models pull {name}")


class WeightsCorruptError(ModelError):
    """A weights file does not have the pinned SHA-256."""

    def __init__(self, name: str, path: str, expected: str, found: str) -> None:
        super().__init__(
            f"weights of {name} are damaged: {path} has sha256 {found[:12]}…, expected {expected[:12]}…; "
            f"run: wayside models pull {name}"
        )


class WeightsDownloadError(ModelError):
    """The weights could not be fetched."""


class ModelFormatError(ModelError):
    """A model file cannot be read or has an unexpected structure."""


class EngineUnavailableError(ModelError):
    """The wanted inference engine cannot run here."""
