"""The tree of errors of the pure domain. The message of an error is made for the person who reads it."""


class TrafficError(Exception):
    """Base of every error raised by ``traffic``."""


class SceneError(TrafficError):
    """A scene document is invalid. ``problems`` lists every fault found, not only the first."""

    def __init__(self, problems: "tuple[SceneProblem, ...]") -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems))


class SceneProblem:
    """One fault of a scene document: where (a JSON path such as ``lanes[0].polygon``) and what is allowed there, in Chinese
    and in English."""

    __slots__ = ("chinese", "english", "path")

    def __init__(self, path: str, chinese: str, english: str) -> None:
        self.path = path
        self.chinese = chinese
        self.english = english

    @property
    def message(self) -> str:
        """Chinese, then English."""
        return f"{self.chinese} / {self.english}"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"

    def __repr__(self) -> str:
        return f"SceneProblem({self.path!r}, {self.chinese!r}, {self.english!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SceneProblem) and (self.path, self.message) == (other.path, other.message)

    def __hash__(self) -> int:
        return hash((self.path, self.message))


class GeometryError(TrafficError):
    """A geometric construction is degenerate (points on one line, zero area, not invertible)."""
