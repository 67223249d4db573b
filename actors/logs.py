"""How actors log: a line of text, or one JSON object a line (``WAYSIDE_LOG_FORMAT=json``)."""

import json
import logging
import os
import re

FORMAT_VARIABLE = "WAYSIDE_LOG_FORMAT"
TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_FIELD = re.compile(r"(?:^| )([a-z_]+)=(.*?)(?= [a-z_]+=|$)", re.DOTALL)


class JsonFormatter(logging.Formatter):
    """``action key=value key=value`` becomes an object with the action and each field by name."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        message = record.getMessage()
        fields = _FIELD.findall(message)
        first = _FIELD.search(message)
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "action": message[: first.start()] if first else message,
            "fields": dict(fields),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging(level: str) -> None:
    """Set up the logging of this process, once, when its actor starts."""
    logging.basicConfig(level=level, format=TEXT)
    if os.environ.get(FORMAT_VARIABLE) == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonFormatter())
