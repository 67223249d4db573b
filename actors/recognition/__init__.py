"""Recognition of vehicles in a camera: which pictures of a track are read, when, and what the reads together say."""

from actors.recognition.config import RecognitionConfig
from actors.recognition.desk import InlineDesk, RecognitionDesk, RecognitionServices, ThreadedDesk
from actors.recognition.recognizer import RecognitionCounters, Recognizer

__all__ = [
    "InlineDesk",
    "RecognitionConfig",
    "RecognitionCounters",
    "RecognitionDesk",
    "RecognitionServices",
    "Recognizer",
    "ThreadedDesk",
]
