"""The Serve ingress: the only door. It makes the first account, starts the long-lived actors and serves the API."""

import logging
from typing import Any

from fastapi import FastAPI
from ray import serve

from actors.archive import ArchiveKeeper, ArchiveLimits
from api.accounts import ensure_admin
from api.app import create_app
from api.database import Database
from api.links import LinkSigner
from api.security import Passwords, Tokens, load_secret
from api.services import ApiServices
from cluster.settings import Settings

logger = logging.getLogger(__name__)
_CHECK_PERIOD_S = 10


def prepare(settings: Settings) -> Database:
    """Tables up to date and an administrator; safe to repeat and to run from two processes."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.resolved_database_url)
    database.migrate()
    first = ensure_admin(database, settings.data_dir, settings.admin_password, Passwords())
    if first:
        logger.warning("first start: account %s, password in %s", first.name, first.file)
    return database


def make_app(settings: Settings, control: Any) -> FastAPI:
    """The FastAPI application over a control. It keeps the archive within its bounds."""
    from cluster.build import archive_of

    archive = archive_of(settings)
    limits = ArchiveLimits(max_age_s=settings.archive_max_age_days * 86_400, max_bytes=settings.archive_max_bytes)
    secret = load_secret(settings.data_dir, settings.secret_key)
    services = ApiServices(
        database=prepare(settings),
        control=control,
        archive=archive,
        archive_keeper=ArchiveKeeper(archive, limits).start(),
        archive_protected=settings.archive_protected,
        links=LinkSigner(secret),
        passwords=Passwords(),
        tokens=Tokens(secret, settings.token_ttl_s),
        time_zone=settings.time_zone,
        max_body_bytes=settings.max_body_bytes,
    )
    return create_app(services)


def make_ingress(settings: Settings) -> Any:
    """The ingress deployment, to be bound with (settings, detector, recognition deployments…)."""

    class Ingress:
        """One replica of the API."""

        def __init__(self, settings: Settings, detector: Any, *recognition: Any) -> None:
            # The networks are bound so that Serve starts them with the application; cameras call them by their names.
            self._networks = (detector, *recognition)

    def app_builder() -> FastAPI:
        from cluster.build import actor_system

        prepare(settings)
        system = actor_system(settings)
        system.ensure()
        return make_app(settings, system)

    deployment = serve.deployment(
        name="ingress",
        num_replicas=1,
        max_ongoing_requests=200,
        health_check_period_s=_CHECK_PERIOD_S,
        ray_actor_options={"num_cpus": 0, "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1"}}},
    )
    return deployment(serve.ingress(app_builder)(Ingress))
