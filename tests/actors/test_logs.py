"""Structured logs."""

import json
import logging
import sys

from actors.logs import JsonFormatter


def line(message: str, *arguments: object, exc_info: object = None) -> dict:
    record = logging.LogRecord("actors.camera", logging.INFO, "", 0, message, arguments, exc_info)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_becomes_its_action_and_its_fields() -> None:
    made = line("status task=%s status=%s reason=%s", "东-1", "RECONNECTING", "连接超时 (connection timed out)")
    assert made["action"] == "status"
    assert made["fields"] == {"task": "东-1", "status": "RECONNECTING", "reason": "连接超时 (connection timed out)"}
    assert (made["level"], made["logger"]) == ("INFO", "actors.camera")


def test_a_line_without_fields_is_all_action() -> None:
    made = line("first start: account admin")
    assert (made["action"], made["fields"]) == ("first start: account admin", {})


def test_a_value_with_line_breaks_and_quotes_stays_one_line() -> None:
    assert line('picture not kept task=1 error=a "quoted"\nthing')["fields"]["error"] == 'a "quoted"\nthing'


def test_a_trace_is_kept() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        assert "ValueError: no" in line("failed task=1", exc_info=sys.exc_info())["trace"]
