"""Passages: vehicles counted at lanes' snapshot lines, with speed, headway and spacing."""

from traffic.passages.analyzer import PassageAnalyzer, PassageConfig

__all__ = ["PassageAnalyzer", "PassageConfig"]
