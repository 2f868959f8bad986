"""Build the models on an engine, from lakes into Parquet tables in a folder or an object store."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.sync_steps import flatten_after_update
from warehouse.engines.build import EngineBuild, build_tables
from warehouse.engines.duckdb import duckdb_engine
from warehouse.engines.engine import Engine
from warehouse.models.project import read_project
from warehouse.storage.home import Home
from warehouse.url_secrets import refuse_secret


@dataclass(frozen=True, slots=True)
class EngineTarget:
    """Where to build: the engine, its server (None for one in this process), the lakes and the folder of the tables."""

    engine: str
    remote: str | None = field(repr=False)
    lakes: tuple[str, ...]
    into: str

    @classmethod
    def of(
        cls,
        context: Context,
        *,
        engine: str | None = None,
        remote: str | None = None,
        lakes: Sequence[str] = (),
        into: str | None = None,
    ) -> EngineTarget | None:
        """The target of the options, else of the settings; None if neither names a folder for the tables.

        Raises:
            UsageError: options for an engine, but no folder for the tables; Spark without the address of its server;
                a URL with a secret.
        """
        settings = context.settings
        try:
            for url in (*lakes, into or ""):
                refuse_secret(url)
        except ValueError as error:
            raise UsageError(f"A URL cannot be used: {error}.", "Set the credentials in the environment.") from None
        target = into or settings.engine_into
        if target is None:
            if engine or remote or lakes:
                raise UsageError("There is no target for the tables.", "Give --into, a folder or a URL.")
            return None
        setting = settings.engine_remote.get_secret_value() if settings.engine_remote else None
        name, address = engine or settings.engine, remote or setting
        if name == "spark" and address is None:
            raise UsageError("Spark needs the address of its server.", "Give --remote, such as sc://host:15002.")
        if name == "duckdb" and remote is not None:
            raise UsageError("DuckDB runs in this process.", "Leave --remote out, or give --engine.")
        return cls(name, address, tuple(lakes) or settings.engine_lakes or (str(context.home.lake.resolve()),), target)

    def reads(self, home: Home) -> bool:
        """Whether the lake of a home is among those that it reads, however its path was written."""
        return home.lake.resolve() in (Path(url.removeprefix("file://")).resolve() for url in self.lakes)


def build_on_engine(
    context: Context, target: EngineTarget, progress: Progress = no_progress, *, full_refresh: bool = False
) -> EngineBuild:
    """Build and check every model on the engine; the current tables are replaced only if every check passed.

    What cannot have changed is taken over from them, unless it is a ``full_refresh``. Where the lake of the home is
    read, its lock is held, as a sync would replace files.

    Raises:
        EngineError: the engine cannot be reached, or a model failed, which is named.
        MissingPackageError: the engine is not installed.
        LockedError: another run holds the lock of the home.
        ModelError: the models cannot be read.
    """

    def report(model: str, number: int, total: int) -> None:
        progress("check" if model == "checks" else "build", number, total)

    is_local = target.reads(context.home)
    lock: AbstractContextManager[None] = context.write_lock("build") if is_local else nullcontext()
    with lock, _connect(target) as engine:
        if is_local:
            flatten_after_update(context.workspaces_with_data(), progress)
        return build_tables(
            engine,
            read_project(user_seeds=context.home.seeds),
            lakes=target.lakes,
            into=target.into,
            build_id=f"{context.clock():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            zones=context.zones,
            progress=report,
            full_refresh=full_refresh,
        )


def _connect(target: EngineTarget) -> AbstractContextManager[Engine]:
    if target.engine == "duckdb":
        return duckdb_engine()
    from warehouse.engines.spark import sail_engine, spark_engine  # noqa: PLC0415 - pyarrow.parquet, and extras

    if target.engine == "sail":
        return sail_engine(target.remote)
    return spark_engine(str(target.remote))
