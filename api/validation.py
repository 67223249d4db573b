"""What is wrong with a request, told by field in Chinese and English, with what is allowed there.

What is allowed is read from the published schema of the field, so that the message and the documentation cannot differ.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import PydanticCustomError

from traffic.errors import SceneError

_OURS, _SCENE = "wayside_field", "wayside_scene"
_MOST = 20  # faults told at once


class FieldFault(BaseModel):
    """One field at fault."""

    field: str = Field(description="字段 / the field", examples=["uploadPeriod"])
    message: str = Field(
        description="允许的取值, 先中文后英文 / what is allowed, Chinese then English",
        examples=["须为 1 至 120 的整数 / must be an integer from 1 to 120"],
    )


def field_error(chinese: str, english: str, *, field: str = "") -> PydanticCustomError:
    """An error for pydantic's validators. ``field``: the field at fault, where the validator is one of the whole body."""
    return PydanticCustomError(_OURS, "{chinese} / {english}", {"chinese": chinese, "english": english, "field": field})


def not_allowed() -> PydanticCustomError:
    """An error that is told by what the field's published schema allows."""
    return PydanticCustomError("wayside_schema", "not allowed")


def scene_error(error: SceneError) -> PydanticCustomError:
    """Every problem of a scene as an error of the field that holds it."""
    faults = [(problem.path, problem.chinese, problem.english) for problem in error.problems]
    return PydanticCustomError(_SCENE, "scene", {"faults": faults})


def tell(
    faults: Sequence[Mapping[str, Any]], body: Mapping[str, Any], schemas: Mapping[str, Any]
) -> tuple[str, list[FieldFault]]:
    """Sentence and faults by field for pydantic's ``faults``.

    Args:
        body: JSON Schema of the request body; references point into ``schemas``.
    """
    told = list(dict.fromkeys(entry for fault in faults for entry in _entries(fault, body, schemas)))[:_MOST]
    chinese = "; ".join(f"{field} {text}" for field, text, _ in told)
    english = "; ".join(f"{field} {text}" for field, _, text in told)
    message = f"请求参数错误: {chinese} / invalid request: {english}"
    return message, [FieldFault(field=field, message=f"{zh} / {en}") for field, zh, en in told]


def _entries(fault: Mapping[str, Any], body: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    place = [part for part in fault["loc"][1:] if part != "[key]"]
    context = fault.get("ctx") or {}
    field = ".".join(map(str, place))
    if fault["type"] == _SCENE:
        for path, chinese, english in context["faults"]:
            yield f"{field}.{path}", chinese, english
        return
    if fault["type"] == _OURS:
        yield field or context["field"] or "body", context["chinese"], context["english"]
        return
    schema: Mapping[str, Any] = body
    while place and (inner := _inside(schema, place[0], schemas)) is not None:
        schema, place = inner, place[1:]
    field = ".".join(map(str, fault["loc"][1 : len(fault["loc"]) - len(place)])) or "body"
    chinese, english = describe(schema, schemas)
    if fault["type"] == "missing":
        yield field, f"缺失, 必填: {chinese}", f"is missing: {english}"
    else:
        yield field, f"须为{_spaced(chinese)}", f"must be {english}"


def _spaced(text: str) -> str:
    return f" {text}" if text[:1].isascii() else text


def _inside(schema: Mapping[str, Any], part: int | str, schemas: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for option in _options(schema, schemas):
        inner = option.get("items") if isinstance(part, int) else (option.get("properties") or {}).get(part)
        if isinstance(inner, Mapping):
            return inner
    return None


def _options(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The schema itself, or the alternatives it offers, with references followed."""
    if "$ref" in schema:
        return _options(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas)
    if "anyOf" in schema:
        return [option for choice in schema["anyOf"] for option in _options(choice, schemas)]
    return [schema]


def describe(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[str, str]:
    """What a JSON Schema allows, as a phrase in Chinese and in English."""
    phrases = [_phrase(option, schemas) for option in _options(schema, schemas)]
    return " 或 ".join(zh for zh, _ in phrases), " or ".join(en for _, en in phrases)


def _phrase(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[str, str]:
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        *rest, last = map(str, values)
        number = schema.get("type") == "integer"
        listed = f"{'、'.join(rest)} 或 {last}" if rest else last
        return (f"整数 {listed}" if number else listed), ("the integer " if number else "") + (
            f"{', '.join(rest)} or {last}" if rest else last
        )
    kind = schema.get("type")
    if kind in ("integer", "number"):
        zh, en = ("整数", "an integer") if kind == "integer" else ("数字", "a number")
        low, high = schema.get("minimum"), schema.get("maximum")
        if high is None:
            return (zh, en) if low is None else (f"不小于 {low:g} 的{zh}", f"{en} of at least {low:g}")
        low = 0 if low is None else low
        return f"{low:g} 至 {_plain_number(high)} 的{zh}", f"{en} from {low:g} to {_plain_number(high)}"
    if kind == "string":
        low, high = schema.get("minLength", 0), schema.get("maxLength")
        return ("文本", "text") if high is None else (f"{low} 至 {high} 个字符的文本", f"text of {low} to {high} characters")
    if kind == "array":
        zh, en = describe(schema.get("items", {}), schemas)
        high = schema.get("maxItems")
        return (
            f"列表 (每项为{_spaced(zh)}{f', 最多 {high} 项' if high else ''})",
            f"a list (each {en}{f', at most {high}' if high else ''})",
        )
    return {"boolean": ("true 或 false", "true or false"), "null": ("null", "null")}.get(
        str(kind), ("JSON 对象", "a JSON object")
    )


def _plain_number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)
