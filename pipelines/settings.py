"""Settings: environment, ``.env``, ``convohouse.toml``, in this order of precedence.

The only module that reads the environment. No I/O at import; ``Settings()`` reads when it is called. Keys of the vendor
keep the vendor's names, the rest is ``CONVOHOUSE_*``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Literal
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
SHORTEST_PII_KEY = 16
"""Characters below which a key could be guessed, and with it every phone number behind a hash."""

Policy = Literal["redact", "erase", "keep"]
"""What to do with a conversation that the API no longer has, or no longer whole (``sync.deletions``)."""


def _plain_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        message = "must start with http:// or https://"
        raise ValueError(message)
    return value.rstrip("/")


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"{value!r} is not an IANA time zone such as Europe/Berlin"
        raise ValueError(message) from error
    return value


def _free_name(value: str) -> str:
    if value == RESERVED_WORKSPACE:
        message = f"{RESERVED_WORKSPACE!r} is taken; choose another"
        raise ValueError(message)
    return value


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Url = Annotated[str, AfterValidator(_plain_url)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$"), AfterValidator(_free_name)]
"""A workspace's name stands in the names of files."""
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
"""Upper case alone, so that a key that stands there by mistake is refused, and never said."""


class Workspace(BaseModel):
    """One of several workspaces: a table ``[workspaces.<name>]`` of ``convohouse.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key_variable: Variable
    base_url: Url = DEFAULT_BASE_URL
    timezone: Zone | None = None


class Settings(BaseSettings):
    """All that can be set. Each field's description is what ``convohouse doctor`` and the docs show."""

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
        description="Host of the workspace; residency hosts are workspaces of their own, with other keys.",
    )
    workspace: Name = Field(default=DEFAULT_WORKSPACE, description="Name of the workspace, where there is but one.")
    workspaces: dict[Name, Workspace] = Field(
        default={},
        description="Several workspaces in one home: [workspaces.<name>] with key_variable (name of the variable that "
        "holds the key), base_url and timezone.",
    )
    home: Path = Field(default=Path("data"), description="Folder that holds landing, lake and warehouse.duckdb.")
    timezone: Zone = Field(default="UTC", description="IANA time zone of the nightly schedule and of local days.")
    fresh_hours: int = Field(
        default=36, ge=1, description="Hours after its last complete run at which a workspace is called stale."
    )
    lookback_days: int = Field(default=3, ge=0, le=365, description="Days listed again before the last complete run.")
    reread_days: tuple[int, ...] = Field(
        default=(1, 7, 30), description="Days after a call's end at which it is read again, for late changes."
    )
    on_upstream_delete: Policy = Field(
        default="redact",
        description="What happens here to a conversation that is deleted or blanked at the API: redact, erase or keep.",
    )
    pii: Literal["keep", "hash"] = Field(
        default="keep",
        description="Phone numbers, user ids, e-mail addresses and cards: keep them, or hash and mask them on landing.",
    )
    pii_key: SecretStr | None = Field(
        default=None, validate_default=True, description="Secret key of the hashes; needed where pii is hash."
    )
    concurrency: int = Field(
        default=64, ge=1, le=64, description="Requests in flight at most; it begins with 8 and feels its way up."
    )
    processes: int | None = Field(
        default=None,
        ge=0,
        description="Processes that land and flatten many conversations; 0: none [default: cores less one, 3 at most].",
    )
    request_timeout_secs: float = Field(default=30.0, gt=0, description="Time-out of one attempt of one request.")
    request_deadline_secs: float = Field(default=180.0, gt=0, description="Time for one request with all its retries.")

    prices_every_days: int = Field(
        default=7, ge=0, description="Days after which a sync asks again what language models would cost; 0: never."
    )
    prices_prompt_length: int | None = Field(
        default=None,
        ge=0,
        description="Characters of the prompt to ask prices for [default: measured, agent by agent].",
    )
    prices_pages: int | None = Field(
        default=None, ge=0, description="Pages of knowledge to ask prices for [default: left to the API]."
    )
    feedback_per_sec: float = Field(default=5.0, gt=0, description="Thumbs that `convohouse feedback` sends a second.")
    webhook_secret: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("ELEVENLABS_WEBHOOK_SECRET", "webhook_secret"),
        description="Secret with which the API signs its post-call webhooks; needed by `convohouse webhook`.",
    )
    retain_max_share: float = Field(
        default=0.5, gt=0, le=1, description="Share of all conversations that `convohouse retain` may take at once."
    )

    now: Annotated[datetime, AfterValidator(_in_utc)] | None = Field(
        default=None,
        description="The moment that commands take for now, an ISO time or date (UTC without a zone); for tests and "
        "reproducible demos [default: the real time].",
    )

    _key_variable: str = PrivateAttr(default=API_KEY)

    @field_validator("pii_key")
    @classmethod
    def _key_for_hashes(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        is_long = value is not None and len(value.get_secret_value()) >= SHORTEST_PII_KEY
        if info.data.get("pii") == "hash" and not is_long:
            message = f"pii = hash needs CONVOHOUSE_PII_KEY, {SHORTEST_PII_KEY} characters or more that never change"
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
        """The workspace's time zone as an object."""
        return ZoneInfo(self.timezone)

    def clock(self) -> Callable[[], datetime]:
        """The clock of every command: the real one, or one that begins at ``now`` and goes on from there.

        It begins when this process first asks for it, so times within a process are in order; the next process begins
        at ``now`` again.
        """
        return utc_now if self.now is None else clock_from(self.now)

    def workspace_settings(self) -> tuple[Settings, ...]:
        """The settings of each workspace: these alone, or one a table of ``workspaces``, with its own key and no other.

        Raises:
            SettingsError: two workspaces are the same one of the API.
        """
        if not self.workspaces:
            return (self,)
        variables = _variables()
        every = tuple(self._of(name, workspace, variables) for name, workspace in self.workspaces.items())
        keys = [(each.base_url, each.api_key) for each in every]
        for each in every:
            if each.api_key and keys.count((each.base_url, each.api_key)) > 1:
                raise SettingsError(
                    f"The key of workspace {each.workspace} is the key of another one: its calls would count twice.",
                    "Give each of [workspaces] its own key_variable, or take one of them out of convohouse.toml.",
                )
        return every

    def settings_without_key(self, name: str) -> Settings:
        """The settings of a workspace that is not set up, whose calls the home holds: no key is its own."""
        one = self.model_copy(update={"workspace": name, "workspaces": {}, "api_key": None})
        one._key_variable = f"[workspaces.{name}] in convohouse.toml, and its key"  # noqa: SLF001 - of its own class
        return one

    def _of(self, name: str, workspace: Workspace, variables: Mapping[str, str | None]) -> Settings:
        key = variables.get(workspace.key_variable.lower())
        one = self.model_copy(
            update={
                "workspace": name,
                "workspaces": {},
                "base_url": workspace.base_url,
                "timezone": workspace.timezone or self.timezone,
                "api_key": SecretStr(key) if key else None,
            }
        )
        one._key_variable = workspace.key_variable  # noqa: SLF001 - of its own class
        return one

    def key(self) -> str:
        """The API key in clear, for the client alone.

        Raises:
            CredentialsError: none is set.
        """
        if self.api_key is None or not self.api_key.get_secret_value().strip():
            where = "" if self._key_variable == API_KEY else f" for workspace {self.workspace}"
            raise CredentialsError(
                f"No API key is set{where}.",
                f"Set {self._key_variable} (in the environment or in .env); `convohouse demo` needs none.",
            )
        return self.api_key.get_secret_value().strip()


def load_settings(**overrides: object) -> Settings:
    """Read the settings; ``overrides`` win over the environment (``None`` means: not given).

    Raises:
        SettingsError: names each field that is wrong, never its value where it is the key.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise SettingsError(f"A setting is wrong: {wrong}.", "`convohouse doctor` shows what is read.") from None
    except SourceError as error:  # a list that is no JSON; the text names the field and the source, not the value
        raise SettingsError(f"A setting is wrong: {error}.", "Write a list as JSON, such as [1, 7, 30].") from None
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"convohouse.toml or .env cannot be read: {error}.", "Correct the file.") from None


def _variables() -> dict[str, str | None]:
    """The environment over ``.env``, by name in lower case."""
    return {**DotEnvSettingsSource(Settings).env_vars, **EnvSettingsSource(Settings).env_vars}


def origins() -> dict[str, str]:
    """Where each setting that is not left to its default comes from, by name; an unreadable source gives nothing."""
    found: dict[str, str] = {}
    for name, source in (
        ("convohouse.toml", TomlConfigSettingsSource),
        (".env", DotEnvSettingsSource),
        ("environment", EnvSettingsSource),
    ):
        with suppress(SourceError, TOMLDecodeError, UnicodeDecodeError):
            given = {key.lower() for key in source(Settings)()}
            found |= {key: name for key, field in Settings.model_fields.items() if given & _names(key, field)}
    return found


def _names(key: str, field: FieldInfo) -> set[str]:
    """The keys under which a source gives a setting."""
    alias = field.validation_alias
    return {key, *(str(choice).lower() for choice in (alias.choices if isinstance(alias, AliasChoices) else ()))}
