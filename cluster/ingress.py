"""The Serve ingress: the only door. It makes the first account, starts the long-lived actors and serves the API."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from ray import serve

from actors.archive import ArchiveKeeper, ArchiveLimits
from actors.errors import StoreUnavailableError
from api.accounts import ensure_admin
from api.app import create_app
from api.database import Database
from api.links import LinkSigner
from api.rescue import damage, database_file, keep_copy
from api.security import Passwords, Tokens, load_secret
from api.services import ApiServices
from cluster.actors import ActorSystem
from cluster.housekeeping import housekeeping
from cluster.settings import Settings

logger = logging.getLogger(__name__)
_CHECK_PERIOD_S, _CHECK_TIMEOUT_S = 2, 10  # Serve notices a dead replica only when it asks


def prepare(settings: Settings) -> Database:
    """Tables up to date and an administrator; safe to repeat and to run from two processes."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.resolved_database_url)
    file = database_file(settings.resolved_database_url)
    if file is not None and (wrong := damage(file)):
        raise StoreUnavailableError(
            f"数据库文件已损坏 / the database {file} is damaged ({wrong}); "
            f"stop Wayside and run: wayside repair --data-dir {settings.data_dir}"
        )
    database.migrate()
    if file is not None:
        file.chmod(0o600)  # passwords of cameras, signing secrets; SQLite's other files take the mode over
    first = ensure_admin(database, settings.data_dir, settings.admin_password, Passwords())
    if first:
        logger.warning("first start: account %s, password in %s", first.name, first.file)
    try:
        keep_copy(settings.resolved_database_url)
    except StoreUnavailableError as error:  # a full disk: what is there goes on
        logger.error("%s", error)
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
        outbound=settings.outbound,
        cors_origins=settings.cors_origins,
        about={
            "detector": settings.detector_model,
            "engine": f"{settings.detector_engine} / {settings.detector_device}",
            "plates": settings.plate_system if settings.plates else "",
            "attributes": "on" if settings.attributes else "",
            "database": settings.resolved_database_url.split("://", 1)[0],
            "archive": settings.resolved_archive_url,
        },
    )
    return create_app(services)


def make_ingress(settings: Settings, make_system: Callable[[Settings], ActorSystem] | None = None) -> Any:
    """The ingress deployment, to be bound with (settings, detector, recognition deployments…).

    ``make_system``: makes the long-lived actors, where they are not those of ``cluster.build``.
    """
    from cluster.build import actor_system

    system_of = make_system or actor_system

    class Ingress:
        """One replica of the API."""

        def __init__(self, settings: Settings, detector: Any, *recognition: Any) -> None:
            # The networks are bound so that Serve starts them with the application; cameras call them by their names.
            self._networks = (detector, *recognition)
            self._chores = housekeeping(settings, system_of(settings)).start()

        def check_health(self) -> None:
            """Serve's health check: a replica whose housekeeping has ended is replaced."""
            if not self._chores.alive:
                raise RuntimeError("housekeeping has ended")

    def app_builder() -> FastAPI:
        prepare(settings)
        system = system_of(settings)
        system.ensure()
        return make_app(settings, system)

    deployment = serve.deployment(
        name="ingress",
        num_replicas=1,
        max_ongoing_requests=200,
        health_check_period_s=_CHECK_PERIOD_S,
        health_check_timeout_s=_CHECK_TIMEOUT_S,
        ray_actor_options={"num_cpus": 0, "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1"}}},
    )
    return deployment(serve.ingress(app_builder)(Ingress))
