"""Settings from the environment, ``.env`` and ``convohouse.toml``, in this order of precedence.

The only module that reads the environment. Nothing is read at import, only when ``Settings()`` is called. The vendor's
variables keep the vendor's names; all others are ``CONVOHOUSE_*``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError

from pipelines.clock import clock_from, utc_now
from pipelines.errors import CredentialsError, SettingsError
from warehouse.storage.home import DEFAULT_WORKSPACE, RESERVED_WORKSPACE

API_KEY = "ELEVENLABS_API_KEY"
DEFAULT_BASE_URL = "https://api.elevenlabs.io"
MIN_PII_KEY_LENGTH = 16
"""Characters; a shorter key could be guessed, and with it every phone number behind a hash."""

Policy = Literal["redact", "erase", "keep"]
"""What to do with a conversation that was deleted or emptied at the API (``extract.deletion_policy``)."""


def _without_slash(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        message = "must start with http:// or https://"
        raise ValueError(message)
    try:
        parts = urlsplit(value)
    except ValueError:  # the client says what is wrong with the host
        return value.rstrip("/")
    if parts.username is not None or parts.query or parts.fragment:
        message = "must not hold a user name, password, query or fragment: it is shown in messages"
        raise ValueError(message)
    return value.rstrip("/")


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"{value!r} is not an IANA time zone such as Europe/Berlin"
        raise ValueError(message) from error
    return value


def _check_name(value: str) -> str:
    if value == RESERVED_WORKSPACE:
        message = f"{RESERVED_WORKSPACE!r} is reserved; choose another name"
        raise ValueError(message)
    return value


def _to_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Url = Annotated[str, AfterValidator(_without_slash)]
Zone = Annotated[str, AfterValidator(_check_zone)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$"), AfterValidator(_check_name)]
"""A workspace's name is part of file names."""
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
"""Only upper case, so that a key that was written here by mistake is refused, and never printed."""


class Workspace(BaseModel):
    """One of several workspaces: a table ``[workspaces.<name>]`` of ``convohouse.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key_variable: Variable
    base_url: Url = DEFAULT_BASE_URL
    timezone: Zone | None = None


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
        default=36, ge=1, description="Hours after its last full listing after which a workspace counts as stale."
    )
    lookback_days: int = Field(
        default=3, ge=0, le=365, description="Days before the last complete run that are listed again."
    )
    reread_days: tuple[int, ...] = Field(
        default=(1, 7, 30), description="Days after its end at which a conversation is fetched again, for late changes."
    )
    on_upstream_delete: Policy = Field(
        default="redact",
        description="What to do with a conversation that was deleted or emptied at the API: redact, erase or keep it.",
    )
    confirm_deletion_hours: float = Field(
        default=24.0,
        ge=0,
        description="Hours until a deletion is looked at a second time; only then is anything redacted or erased.",
    )
    max_removal_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Share of a workspace's conversations that one run may redact or erase because the API deleted "
        "them; fewer than 10 always, and announced retention does not count.",
    )
    pii: Literal["keep", "hash"] = Field(
        default="keep",
        description="Phone numbers, user ids, e-mail addresses, cards: keep them, or hash or mask them on landing.",
    )
    pii_key: SecretStr | None = Field(
        default=None, validate_default=True, description="Secret key of the hashes; needed if pii is hash."
    )
    concurrency: int = Field(
        default=64,
        ge=1,
        le=64,
        description="Requests in flight at most; a run starts with 8 and doubles that while the API keeps up.",
    )
    processes: int | None = Field(
        default=None,
        ge=0,
        description="Worker processes that land and flatten; 0: none [default: number of cores minus one, at most 3].",
    )
    request_timeout_secs: float = Field(default=30.0, gt=0, description="Time-out of one attempt of a request.")
    request_deadline_secs: float = Field(default=180.0, gt=0, description="Time for one request with all its retries.")

    agent_texts: bool = Field(
        default=False, description="Whether prompts and other texts of agents are stored, not only length and hash."
    )
    prices_every_days: int = Field(
        default=7, ge=0, description="Days after which a sync asks for the prices of language models again; 0: never."
    )
    prices_prompt_length: int | None = Field(
        default=None,
        ge=0,
        description="Characters of the prompt for which prices are asked [default: measured, by agent].",
    )
    prices_pages: int | None = Field(
        default=None, ge=0, description="Pages of knowledge for which prices are asked [default: chosen by the API]."
    )
    feedback_per_sec: float = Field(
        default=5.0, gt=0, description="Ratings that `convohouse feedback` sends per second."
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("ELEVENLABS_WEBHOOK_SECRET", "webhook_secret"),
        description="Secret with which the API signs its post-call webhooks; needed by `convohouse webhook`. While one "
        "replaces another, both, separated by a comma.",
    )
    page_token: SecretStr | None = Field(
        default=None,
        description="Who has this token may see the page of `convohouse serve`; 16 characters or more, needed by hosts "
        "that other machines reach.",
    )
    retain_max_share: float = Field(
        default=0.5, gt=0, le=1, description="Share of all conversations that `convohouse retain` may erase at once."
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
    def zone(self) -> tzinfo:
        """The time zone as an object."""
        return ZoneInfo(self.timezone)

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
        variables = _variables()
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
        SettingsError: a setting is wrong; the message names each field, and never the value of a key.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise SettingsError(f"A setting is wrong: {problems}.", "`convohouse doctor` shows what is read.") from None
    except SourceError as error:  # a list that is no JSON; the message has the field and the source, not the value
        raise SettingsError(f"A setting is wrong: {error}.", "Write a list as JSON, such as [1, 7, 30].") from None
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"convohouse.toml or .env cannot be read: {error}.", "Correct the file.") from None


def _variables() -> dict[str, str | None]:
    """Variables of the environment, then of ``.env``, by name in lower case."""
    return {**DotEnvSettingsSource(Settings).env_vars, **EnvSettingsSource(Settings).env_vars}


def origins() -> dict[str, str]:
    """The source of each setting that is not a default, by name; a source that cannot be read is skipped."""
    origin_by_name: dict[str, str] = {}
    for name, source in (
        ("convohouse.toml", TomlConfigSettingsSource),
        (".env", DotEnvSettingsSource),
        ("environment", EnvSettingsSource),
    ):
        with suppress(SourceError, TOMLDecodeError, UnicodeDecodeError):
            keys = {key.lower() for key in source(Settings)()}
            origin_by_name |= {key: name for key, field in Settings.model_fields.items() if keys & _names(key, field)}
    return origin_by_name


def _names(key: str, field: FieldInfo) -> set[str]:
    """The names that a setting can have in a source."""
    alias = field.validation_alias
    return {key, *(str(choice).lower() for choice in (alias.choices if isinstance(alias, AliasChoices) else ()))}
