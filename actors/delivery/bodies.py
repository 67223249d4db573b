"""Bodies as bytes: JSON, pictures filled in, arrays cut into bodies of bounded size."""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

PictureReader = Callable[[str], bytes]


def dump(content: object) -> bytes:
    """JSON as it goes over the wire: UTF-8, no escapes for Chinese."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def fill_pictures(body: bytes, pictures: str, read: PictureReader, max_bytes: int) -> bytes:
    """Put base64 pictures into a body (an object or an array).

    A field keeps its place in the body. A picture that is gone stays an empty text, and so does one that would make the body
    longer than ``max_bytes``: the facts matter more, and the path is in the body.

    Raises:
        ValueError: ``body`` or ``pictures`` are not what the outbox writes.
    """
    content, wanted = json.loads(body), json.loads(pictures)
    elements: list[Any] = content if isinstance(content, list) else [content]
    left = max_bytes - len(body)
    for element, fields in zip(elements, wanted if isinstance(wanted, list) else [wanted], strict=True):
        for name, path in fields.items():
            data = read(path) if path else b""
            if base64_size(len(data)) > left:
                data = b""
            left -= base64_size(len(data))
            element[name] = base64.b64encode(data).decode()
    return dump(content)


def base64_size(size: int) -> int:
    """Characters of ``size`` bytes in base64."""
    return (size + 2) // 3 * 4


def picture_size(pictures: str, read: PictureReader) -> int:
    """Bytes that the pictures of one element add to its body."""
    return sum(base64_size(len(read(path))) for path in json.loads(pictures).values() if path) if pictures else 0


def cut(sizes: Sequence[int], max_items: int, max_bytes: int) -> Iterator[range]:
    """Cut elements of these sizes into arrays of at most ``max_items`` elements and ``max_bytes`` bytes, in their order.

    Yields ranges of indices, none empty. An element that is too long by itself stands alone.
    """
    begin, length = 0, 2
    for index, size in enumerate(sizes):
        if index > begin and (index - begin >= max_items or length + size + 1 > max_bytes):
            yield range(begin, index)
            begin, length = index, 2
        length += size + 1
    if begin < len(sizes):
        yield range(begin, len(sizes))


def array(bodies: Sequence[bytes]) -> bytes:
    """Elements as one JSON array."""
    return b"[" + b",".join(bodies) + b"]"
