"""Settings from the environment, ``.env`` and ``convohouse.toml``, in this order of precedence.

Nothing is read at import, only when ``Settings()`` is called. The vendor's variables keep the vendor's names; all
others are ``CONVOHOUSE_*``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings import SettingsError as SourceError

from pipelines import environment
from pipelines.clock import clock_from, utc_now
from pipelines.errors import CredentialsError, SettingsError
from pipelines.settings_types import DEFAULT_BASE_URL, Days, Name, Owner, PublishTarget, StoreUrl, Url, Workspace, Zone
from warehouse.storage.home import DEFAULT_WORKSPACE
from warehouse.suggestions import did_you_mean, suggest

API_KEY = "ELEVENLABS_API_KEY"
MIN_PII_KEY_LENGTH = 16
"""Characters; a shorter key could be guessed, and with it every phone number behind a hash."""

Policy = Literal["redact", "erase", "keep"]
"""What to do with a conversation that was deleted or emptied at the API (``extract.deletion_policy``)."""


def _to_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Settings(BaseSettings):
    """All settings. The docs show the description of each field."""

    model_config = SettingsConfigDict(
        env_prefix="CONVOHOUSE_",
        env_file=".env",
        toml_file="convohouse.toml",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices(API_KEY, "api_key"),
        description="Key of the workspace, with the scope convai_read.",
    )
    base_url: Url = Field(
        default=DEFAULT_BASE_URL,
        validation_alias=AliasChoices("ELEVENLABS_BASE_URL", "base_url"),
        description="Host of the workspace; data residency hosts are separate workspaces with their own keys.",
    )
    workspace: Name = Field(default=DEFAULT_WORKSPACE, description="Name of the workspace, if there is only one.")
    workspaces: dict[Name, Workspace] = Field(
        default={},
        description="Several workspaces in one home: [workspaces.<name>] with key_variable (name of the environment "
        "variable that holds the key), base_url and timezone.",
    )
    home: Path = Field(default=Path("data"), description="Folder that holds landing, lake and warehouse.duckdb.")
    timezone: Zone = Field(default="UTC", description="IANA time zone of the nightly schedule and of local days.")
    fresh_hours: int = Field(
        default=36, ge=1, description="Hours after the last full listing until a workspace counts as stale."
    )
    first_day: date | None = Field(
        default=None,
        description="First day (UTC) that Dagster shows as a partition [default: the first day that has landed].",
    )
    asset_prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_]*$",
        description="First part of all asset keys in Dagster, if one instance has several home folders as code "
        "locations.",
    )
    owners: tuple[Owner, ...] = Field(
        default=(), description="Owners of the assets in Dagster: mail addresses, or team:NAME."
    )
    lookback_days: int = Field(
        default=3, ge=0, le=365, description="Days before the last complete run that are listed again."
    )
    reread_days: tuple[Days, ...] = Field(
        default=(1, 7, 30), description="Days after its end at which a conversation is fetched again, for late changes."
    )
    on_upstream_delete: Policy = Field(
        default="redact",
        description="What to do with a conversation that was deleted or emptied at the API: redact, erase or keep it.",
    )
    confirm_deletion_hours: float = Field(
        default=24.0,
        ge=0,
        description="Hours after which a deletion is checked a second time; only then is anything redacted or erased.",
    )
    max_removal_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Largest share of a workspace's conversations that one run may redact or erase because the API "
        "deleted them; fewer than 10 are always allowed, and announced retention does not count.",
    )
    pii: Literal["keep", "hash"] = Field(
        default="keep",
        description="Phone numbers, user ids, e-mail addresses and cards: kept, or hashed or masked on landing.",
    )
    pii_key: SecretStr | None = Field(
        default=None, validate_default=True, description="Secret key of the hashes; required if pii is hash."
    )
    concurrency: int = Field(
        default=64,
        ge=1,
        le=64,
        description="Maximum requests in flight; a run starts with 8 and doubles that while the API keeps up.",
    )
    processes: int | None = Field(
        default=None,
        ge=0,
        description="Worker processes that land and flatten; 0: none [default: number of cores minus one, at most 3].",
    )
    request_timeout_secs: float = Field(default=30.0, gt=0, description="Timeout of one attempt of a request.")
    request_deadline_secs: float = Field(default=180.0, gt=0, description="Time for one request with all its retries.")

    agent_texts: bool = Field(
        default=False, description="Whether prompts and other texts of agents are stored, not only length and hash."
    )
    prices_every_days: int = Field(
        default=7, ge=0, description="Days after which a sync requests the prices of language models again; 0: never."
    )
    prices_prompt_length: int | None = Field(
        default=None,
        ge=0,
        description="Characters of the prompt for which prices are requested [default: measured, by agent].",
    )
    prices_pages: int | None = Field(
        default=None,
        ge=0,
        description="Pages of knowledge for which prices are requested [default: chosen by the API].",
    )
    feedback_per_sec: float = Field(
        default=5.0, gt=0, description="Thumbs that `convohouse feedback` sends per second."
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("ELEVENLABS_WEBHOOK_SECRET", "webhook_secret"),
        description="Secret with which the API signs its post-call webhooks; required by `convohouse webhook`. "
        "During a change of the secret: both, separated by a comma.",
    )
    webhooks_every_minutes: int = Field(
        default=15,
        ge=1,
        description="Minutes after which Dagster's sensor `webhooks` looks again for landed documents, and so at least "
        "between two of its runs.",
    )
    mcp_token: SecretStr | None = Field(
        default=None,
        description="Token that clients of `convohouse mcp --http` must send; 16 characters or more, required on any "
        "other host than this.",
    )
    alert_webhook: SecretStr | None = Field(
        default=None,
        description="Address to which Dagster posts alerts in the form of Slack's incoming webhooks; it is a secret.",
    )
    alert_smtp: SecretStr | None = Field(
        default=None,
        description="Mail server for alerts: smtp://USER:PASSWORD@HOST:587 (STARTTLS where offered) or smtps://….",
    )
    alert_mail_to: tuple[str, ...] = Field(default=(), description="Addresses to which alerts are mailed.")
    alert_mail_from: str | None = Field(
        default=None, description="Sender of mailed alerts [default: the first address of alert_mail_to]."
    )
    keep_runs_days: int = Field(
        default=90, ge=1, description="Days after which Dagster's job `prune` deletes runs and their events."
    )
    dagster_url: Url | None = Field(
        default=None, description="Address of Dagster's page, such as http://localhost:3000, for links in alerts."
    )
    page_token: SecretStr | None = Field(
        default=None,
        description="Token that gives access to the page of `convohouse serve`; 16 characters or more, required on "
        "hosts that other machines can reach.",
    )
    retain_max_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Largest share of all conversations that `convohouse retain` may erase at once.",
    )

    engine: Literal["duckdb", "sail", "spark"] = Field(
        default="duckdb", description="Engine of `convohouse build --into`: where the models run."
    )
    engine_remote: SecretStr | None = Field(
        default=None,
        description="Address of the engine's Spark Connect server, such as sc://host:15002; it may hold a token.",
    )
    engine_lakes: tuple[StoreUrl, ...] = Field(
        default=(),
        description="Folders or URLs of the lakes that `convohouse build --into` reads [default: that of the home].",
    )
    engine_into: StoreUrl | None = Field(
        default=None, description="Folder or URL into which `convohouse build` writes Parquet tables [default: none]."
    )
    publish: dict[Name, PublishTarget] = Field(
        default={},
        description="Where to publish to: [publish.<name>] with target (a path or URL), format and tables. Each is an "
        "asset in Dagster, and part of the nightly run.",
    )
    publish_credentials: dict[str, SecretStr] = Field(
        default={},
        description="Credentials of targets as JSON, with the names of the target's library, such as "
        "aws_access_key_id, or user and password of a database.",
    )

    now: Annotated[datetime, AfterValidator(_to_utc)] | None = Field(
        default=None,
        description="The time that commands use as now, an ISO time or date (UTC without a zone); for tests and "
        "reproducible demos [default: the real time].",
    )

    _key_variable: str = PrivateAttr(default=API_KEY)

    @field_validator("pii_key")
    @classmethod
    def _check_pii_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        is_long = value is not None and len(value.get_secret_value()) >= MIN_PII_KEY_LENGTH
        if info.data.get("pii") == "hash" and not is_long:
            message = f"pii = hash needs CONVOHOUSE_PII_KEY, {MIN_PII_KEY_LENGTH} characters or more that never change"
            raise ValueError(message)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first (tests, command line), then the environment, ``.env``, ``convohouse.toml``."""
        del file_secret_settings
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def confirm_after(self) -> timedelta:
        """Time between the two observations of a deletion."""
        return timedelta(hours=self.confirm_deletion_hours)

    def clock(self) -> Callable[[], datetime]:
        """The clock of every command: the real one, or one that starts at ``now`` and runs on from there.

        It starts when this process first asks for it, so times within a process are in order; the next process starts
        at ``now`` again.
        """
        return utc_now if self.now is None else clock_from(self.now)

    def workspace_settings(self) -> tuple[Settings, ...]:
        """The settings of each workspace: of the only one, or one per table of ``workspaces``, each with its own key.

        Raises:
            SettingsError: two workspaces have the same host and key.
        """
        if not self.workspaces:
            return (self,)
        variables = environment.variables(Settings)
        settings = tuple(self._for_workspace(name, table, variables) for name, table in self.workspaces.items())
        keys = [(workspace.base_url, workspace.api_key) for workspace in settings]
        for workspace, key in zip(settings, keys, strict=True):
            if workspace.api_key and keys.count(key) > 1:
                raise SettingsError(
                    f"Workspace {workspace.workspace} has the key of another one: its conversations would count twice.",
                    "Give each of [workspaces] its own key_variable, or remove one of them from convohouse.toml.",
                )
        return settings

    def without_key(self, name: str) -> Settings:
        """The settings of a workspace that is in the home folder but not in the settings: it has no key."""
        settings = self.model_copy(update={"workspace": name, "workspaces": {}, "api_key": None})
        settings._key_variable = f"[workspaces.{name}] in convohouse.toml, and its key"  # noqa: SLF001 - same class
        return settings

    def _for_workspace(self, name: str, workspace: Workspace, variables: Mapping[str, str | None]) -> Settings:
        key = variables.get(workspace.key_variable.lower())
        settings = self.model_copy(
            update={
                "workspace": name,
                "workspaces": {},
                "base_url": workspace.base_url,
                "timezone": workspace.timezone or self.timezone,
                "api_key": SecretStr(key) if key else None,
            }
        )
        settings._key_variable = workspace.key_variable  # noqa: SLF001 - same class
        return settings

    def key(self) -> str:
        """The API key as plain text; only for the client.

        Raises:
            CredentialsError: none is set.
        """
        if self.api_key is None or not self.api_key.get_secret_value().strip():
            suffix = "" if self._key_variable == API_KEY else f" for workspace {self.workspace}"
            raise CredentialsError(
                f"No API key is set{suffix}.",
                f"Set {self._key_variable} (in the environment or in .env); `convohouse demo` needs none.",
            )
        return self.api_key.get_secret_value().strip()


def load_settings(**overrides: object) -> Settings:
    """Read the settings; ``overrides`` take precedence over the environment, except those that are ``None``.

    Raises:
        SettingsError: a setting is wrong or none; the message names each field, and never the value of a key.
    """
    if problem := environment.env_file_problem(Settings):
        raise SettingsError(problem, "It must be readable, in UTF-8, with NAME=value on each line; # begins a comment.")
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
        unknown = environment.unknown_names(Settings)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        message = f"A setting is wrong: {problems}.".replace(": Value error, ", ": ")
        raise SettingsError(message, "Correct it. `convohouse doctor` shows what is set.") from None
    except SourceError as error:  # its message has the field and the source, not the value
        name = str(error).partition('"')[2].partition('"')[0]
        raise SettingsError(f"A setting is wrong: {name}: it is not JSON.", "Write a list as [1, 7, 30].") from None
    except (TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"convohouse.toml cannot be read: {error}.", "Correct the file or its mode.") from None
    keys = {workspace.key_variable.upper() for workspace in settings.workspaces.values()}
    for name, source, candidates in unknown:
        field = name.removeprefix("CONVOHOUSE_").lower()
        similar = [field] if field in candidates else suggest(field, candidates)
        # others write to the environment too: Kubernetes sets CONVOHOUSE_PORT where there is a service "convohouse"
        if name not in keys and (similar or source != environment.VARIABLES):
            hint = did_you_mean([candidates[match] for match in similar])
            raise SettingsError(f"There is no setting {name}, which is in {source}.", f"{hint}Correct or remove it.")
    return settings
