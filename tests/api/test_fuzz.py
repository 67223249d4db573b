"""Requests made from the published description, sensible and not: no 5xx, no status or body that is not documented.

A short run with every test run; ``WAYSIDE_FUZZ_EXAMPLES=300 pytest tests/api/test_fuzz.py`` is a long one.
"""

import contextlib
import os
import random
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance, unsupported_method

from actors.archive import FolderArchive
from api.accounts import add_user
from api.app import create_app
from api.database import Database
from api.security import LoginThrottle, Passwords, Tokens
from api.services import ApiServices
from api.tables import User
from tests.api.conftest import FakeControl

EXAMPLES = int(os.environ.get("WAYSIDE_FUZZ_EXAMPLES", "4"))
# JSON Schema cannot say what a URL, a time zone, a moment or a scene must be, or which records there are.
LEFT_OUT = [positive_data_acceptance, unsupported_method]
_SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> ApiServices:
    folder = tmp_path_factory.mktemp("fuzz")
    database = Database(f"sqlite:///{folder}/fuzz.sqlite3")
    database.migrate()
    passwords = Passwords(memory_kib=64)
    add_user(database, "admin", "correct horse", passwords)
    return ApiServices(
        database=database,
        control=FakeControl(),
        archive=FolderArchive(Path(folder) / "archive"),
        passwords=passwords,
        tokens=Tokens("k" * 64, 3600),
        throttle=LoginThrottle(10**9, 10**9),
        max_body_bytes=1_000_000,
    )


@pytest.fixture(scope="module")
def operations(services: ApiServices) -> list[APIOperation]:
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(services))
    found = [result.ok() for result in schema.get_all_operations()]
    assert len(found) > 35
    return found


# A short run has fixed seeds: `make test` must not find something new on somebody else's change.
def fuzz(operation: APIOperation, mode: GenerationMode, check: Callable[[schemathesis.Case], None]) -> None:
    """``check`` on EXAMPLES requests to one operation that keep to the description, or break it."""

    @seed(zlib.crc32(operation.label.encode()) if EXAMPLES < 10 else random.getrandbits(32))
    @_SETTINGS
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: schemathesis.Case) -> None:
        check(case)

    with contextlib.suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else contextlib.nullcontext():
        run()  # what takes nothing cannot be asked wrongly


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_with_a_token(operations: list[APIOperation], services: ApiServices, mode: GenerationMode) -> None:
    asked: Counter[int] = Counter()

    def check(case: schemathesis.Case) -> None:
        with services.database.session() as session:  # a token of its own for each request: one of them is signing out
            user = session.get(User, 1)
        answer = case.call(headers={"token": services.tokens.make(1, "admin", user.token_version)})
        case.validate_response(answer, excluded_checks=LEFT_OUT)
        asked[answer.status_code] += 1

    for operation in operations:
        fuzz(operation, mode, check)
    print(f"with a token, {mode.value}: {asked.total()} requests, by status {dict(sorted(asked.items()))}")
    assert asked[200] > 0 or mode is GenerationMode.NEGATIVE


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_without_a_token(operations: list[APIOperation], mode: GenerationMode) -> None:
    asked: Counter[int] = Counter()

    def check(case: schemathesis.Case) -> None:
        answer = case.call()
        case.validate_response(answer, excluded_checks=LEFT_OUT)
        asked[answer.status_code] += 1
        needed = bool(case.operation.definition.raw.get("security"))
        assert not needed or answer.status_code in (400, 401, 413), answer.status_code

    for operation in operations:
        fuzz(operation, mode, check)
    print(f"without a token, {mode.value}: {asked.total()} requests, by status {dict(sorted(asked.items()))}")
    assert asked[401] > 0
