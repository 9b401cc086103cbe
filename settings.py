"""The only reader of the environment; docs/operations.md lists every setting.

All are FLOWPILOT_*, but for the two by which every program knows the model's service.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from secrets import token_bytes
from tempfile import NamedTemporaryFile
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

BUS = re.compile(
    r"(postgres(ql)?|rediss?|redis-stream)://[^\s/]\S*|kafka://[^\s/@,]+(,[^\s/@,]+)*/?"
)
KEY = re.compile(r"[!#-&(-~]+")
BUCKET = re.compile(r"(s3|gs|az)://[^\s/]+(/[^\s?#]*)?|file:///[^\s?#]*")
WEB = re.compile(r"https?://[^/\s?#@]+(/[^\s?#]*)?")
ORIGIN = re.compile(r"https?://[^/\s]+")
HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE
)
MOST_WORKERS = 64
TokenBudget = Annotated[int | None, Field(ge=1, le=2_000_000_000)]


class WrongSetting(Exception):
    """One sentence a line; each says what to write."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="FLOWPILOT_", extra="ignore", env_ignore_empty=True, populate_by_name=True
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    data_dir: Path = Path(".flowpilot")
    database_url: str | None = None
    broadcast_url: str | None = None
    uploads_url: str | None = None
    secret_key: Annotated[str | None, Field(min_length=32)] = None
    previous_secret_key: Annotated[str | None, Field(min_length=32)] = None
    demo_password: Annotated[str, Field(min_length=12)] = "flowpilot-demo"  # noqa: S105 - public
    workers: Annotated[int, Field(ge=1, le=MOST_WORKERS)] = 1
    pool_size: Annotated[int, Field(ge=2, le=200)] = 15
    worker_concurrency: Annotated[int, Field(ge=0, le=64)] = 4
    max_branches: Annotated[int, Field(ge=2, le=100_000)] = 1000
    max_depth: Annotated[int, Field(ge=1, le=500)] = 32
    reply_timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    operation_timeout: Annotated[float, Field(gt=0, le=3600)] = 30.0
    body_timeout: Annotated[float, Field(gt=0, le=3600)] = 15.0
    init_timeout: Annotated[float, Field(gt=0, le=3600)] = 10.0
    max_body: Annotated[int, Field(ge=10_000, le=100_000_000)] = 1_000_000
    max_upload: Annotated[int, Field(ge=1_000, le=200_000_000)] = 25_000_000
    upload_timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    max_operations: Annotated[int, Field(ge=1, le=10_000)] = 100
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = 50
    max_tokens: Annotated[int, Field(ge=500, le=100_000)] = 1_000
    max_fields: Annotated[int, Field(ge=100, le=20_000)] = 400
    max_cost: Annotated[int, Field(ge=1_000)] = 12_000
    cost_per_minute: Annotated[int, Field(ge=1_000)] = 500_000
    sign_in_attempts: Annotated[int, Field(ge=1, le=10_000)] = 10
    sign_ins_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 300
    claim_lease_minutes: Annotated[int, Field(ge=1, le=10_080)] = 30
    budget_free: TokenBudget = 1_000_000
    budget_pro: TokenBudget = 10_000_000
    budget_team: TokenBudget = 50_000_000
    budget_enterprise: TokenBudget = None
    limits_url: str | None = None
    trusted_proxies: str | None = None
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    outgoing_allowed: Annotated[tuple[str, ...], NoDecode] = ()
    access_token_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    refresh_token_days: Annotated[int, Field(ge=1, le=365)] = 30
    retention_days: Annotated[int | None, Field(ge=1, le=36_500)] = None
    shutdown_seconds: Annotated[float, Field(gt=0, le=3600)] = 10.0
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int | None, Field(ge=1, le=65535)] = None
    otlp_endpoint: Annotated[str | None, Field(pattern="^https?://[^/]")] = None
    anthropic_api_key: Annotated[SecretStr | None, Field(alias="ANTHROPIC_API_KEY")] = None
    anthropic_base_url: Annotated[str, Field(alias="ANTHROPIC_BASE_URL")] = (
        "https://api.anthropic.com"
    )
    model: str = "claude-sonnet-5-5"
    model_max_tokens: Annotated[int, Field(ge=256, le=64_000)] = 8_000
    model_timeout: Annotated[float, Field(gt=0, le=3600)] = 100.0
    trusted_documents: Path | None = None
    only_trusted: bool = False
    executor: Literal["compiled", "stock"] = "compiled"
    log_format: Literal["auto", "json", "text"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("write it as postgresql://user:password@host:5432/name")
        try:
            make_url(url or "postgresql://")
        except (ArgumentError, ValueError):
            raise ValueError("write it as postgresql://user:password@host:5432/name") from None
        return url and url.replace("postgres://", "postgresql://", 1)

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _are_origins(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        origins = tuple(value.replace(",", " ").split()) if isinstance(value, str) else value
        if not all(origin == "*" or ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("write origins as https://console.example, with commas between, or *")
        return origins

    @field_validator("outgoing_allowed", mode="before")
    @classmethod
    def _are_hosts(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        hosts = tuple(value.replace(",", " ").split()) if isinstance(value, str) else value
        if not all(HOST.fullmatch(host) or is_network(host) for host in hosts):
            raise ValueError(
                "write names, addresses and networks as psa.example.lan,10.1.2.3,10.2.0.0/16"
            )
        return hosts

    @field_validator("broadcast_url")
    @classmethod
    def _is_known_bus(cls, url: str | None) -> str | None:
        if url is not None and not BUS.fullmatch(url):
            raise ValueError(
                "leave it out, or write postgresql://user:password@host/name, redis://host:6379, "
                "rediss://host:6379, redis-stream://host:6379 or kafka://host:9092,host:9092"
            )
        return url

    @field_validator("uploads_url")
    @classmethod
    def _is_store(cls, url: str | None) -> str | None:
        if url is not None and not BUCKET.fullmatch(url):
            raise ValueError(
                "leave it out, or write it as s3://bucket/folder, gs://bucket/folder, "
                "az://container/folder or file:///folder"
            )
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str | None) -> str | None:
        try:
            for part in (value or "*").split(","):
                if part.strip() != "*":
                    ip_network(part.strip())
        except ValueError:
            raise ValueError("write addresses and networks as 10.0.0.5,10.1.0.0/16, or *") from None
        return value

    @field_validator("limits_url")
    @classmethod
    def _is_redis(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("redis://", "rediss://")):
            raise ValueError("leave it out, or write it as redis://host:6379/0")
        return url

    @field_validator("anthropic_api_key")
    @classmethod
    def _is_key_alone(cls, key: SecretStr | None) -> SecretStr | None:
        """What cannot stand in a header would be shown in the error that says so."""
        if key is not None and not KEY.fullmatch(key.get_secret_value()):
            raise ValueError("write the key alone, without spaces, quotes or line breaks")
        return key

    @field_validator("anthropic_base_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        if not WEB.fullmatch(url):
            raise ValueError("leave it out, or write it as https://host")
        return url

    def secret(self) -> bytes:
        """The given key, or one made on the first start and kept in the data folder."""
        if self.secret_key is not None:
            return self.secret_key.encode()
        path = self.data_dir / "secret.key"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self.data_dir) as whole:  # mode 0600
            whole.write(token_bytes(48))
            whole.flush()
            with suppress(FileExistsError):  # of several first starts, one key wins
                os.link(whole.name, path)
        return path.read_bytes()

    def previous_secrets(self) -> tuple[bytes, ...]:
        return () if self.previous_secret_key is None else (self.previous_secret_key.encode(),)


def is_network(text: str) -> bool:
    """An address is one of its own."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def load() -> Settings:
    """Raises WrongSetting with a sentence for each setting that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        raise WrongSetting("\n".join(_sentence(problem) for problem in error.errors())) from None


ADVICE: Mapping[str, str] = {
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_parsing": "write a number",
    "finite_number": "write a number",
    "greater_than": "write a number above {gt}",
    "greater_than_equal": "write a number of at least {ge}",
    "less_than_equal": "write a number of at most {le}",
    "bool_parsing": "write true or false",
    "literal_error": "write {expected}",
    "string_pattern_mismatch": "write it as http://host:4318",
    "string_too_short": "write at least {min_length} characters",
}
"""By pydantic's name for what is wrong; a validator of ours says it itself."""


def _sentence(problem: ErrorDetails) -> str:
    """Never tells the value, which may be a secret."""
    name = "_".join(str(part) for part in problem["loc"]).upper()
    name = name if name.startswith("ANTHROPIC_") else f"FLOWPILOT_{name}"
    advice = ADVICE.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    return f"{name} cannot be used as it is: {advice.format(**problem.get('ctx', {}))}.".replace(
        "'", ""
    )
