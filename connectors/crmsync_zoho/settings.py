"""The keys of a Zoho connection in ``crmsync.yaml``, and the data centres they may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


class DataCentre(StrEnum):
    """Where Zoho keeps the account; tokens of one data centre are unknown in another."""

    US = "us"
    EU = "eu"
    IN = "in"
    AU = "au"
    JP = "jp"
    CN = "cn"
    CA = "ca"
    SA = "sa"
    UK = "uk"


@dataclass(frozen=True, slots=True)
class Addresses:
    """A data centre's two hosts: ``accounts`` signs in, ``api`` ends every API host's name."""

    accounts: str
    api: str


# Eight of nine stand in Zoho's own SDK 7.0.0; the API host of uk comes from a third party.
DATA_CENTRES: Mapping[DataCentre, Addresses] = {
    DataCentre.US: Addresses("accounts.zoho.com", "zohoapis.com"),
    DataCentre.EU: Addresses("accounts.zoho.eu", "zohoapis.eu"),
    DataCentre.IN: Addresses("accounts.zoho.in", "zohoapis.in"),
    DataCentre.AU: Addresses("accounts.zoho.com.au", "zohoapis.com.au"),
    DataCentre.JP: Addresses("accounts.zoho.jp", "zohoapis.jp"),
    DataCentre.CN: Addresses("accounts.zoho.com.cn", "zohoapis.com.cn"),
    DataCentre.CA: Addresses("accounts.zohocloud.ca", "zohoapis.ca"),
    DataCentre.SA: Addresses("accounts.zoho.sa", "zohoapis.sa"),
    DataCentre.UK: Addresses("accounts.zoho.uk", "zohoapis.uk"),
}


class Environment(StrEnum):
    """Which of the company's organisations: each is an account of its own with its own tokens."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    DEVELOPER = "developer"


_PREFIX = "secret:"


def _reference(text: str) -> str:
    if not text.startswith(_PREFIX) or not text.removeprefix(_PREFIX).strip():
        raise ValueError("密钥只写引用：secret:名称 | write a reference: secret:NAME")
    return text.removeprefix(_PREFIX).strip()


SecretName = Annotated[str, AfterValidator(_reference)]
"""Written ``secret:NAME``; the value of the field is NAME."""


class ZohoSettings(BaseModel):
    """One Zoho account.

    ``accounts_url`` and ``api_domain`` replace the data centre's own addresses (a sandbox on this
    machine). ``credits_per_day`` is what the edition grants; the last
    ``keep_credits_percent`` of it are left to people and other programs. ``late_commit_seconds``
    is how long after a lost reply Zoho may still carry out what was asked (our assumption).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    data_centre: DataCentre = DataCentre.US
    environment: Environment = Environment.PRODUCTION
    client_id: str = Field(min_length=1)
    client_secret: SecretName = Field("secret:zoho/client_secret", validate_default=True)
    refresh_token: SecretName = Field("secret:zoho/refresh_token", validate_default=True)
    accounts_url: str | None = None
    api_domain: str | None = None
    parallel_calls: int = Field(default=5, ge=1, le=10)
    credits_per_day: int | None = Field(default=None, ge=1)
    keep_credits_percent: int = Field(default=10, ge=0, le=90)
    late_commit_seconds: int = Field(default=120, ge=1, le=3600)

    @model_validator(mode="before")
    @classmethod
    def _without_common_keys(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the file held
        """Keys every connection has are none of ours."""
        if not isinstance(given, dict):
            return given
        return {key: value for key, value in given.items() if key not in _COMMON}

    @property
    def sign_in_address(self) -> str:
        """Where tokens come from."""
        return self.accounts_url or f"https://{DATA_CENTRES[self.data_centre].accounts}"

    @property
    def api_address(self) -> str:
        """Where the API is, unless Zoho names another of its hosts when it gives a token."""
        if self.api_domain is not None:
            return self.api_domain
        host = DATA_CENTRES[self.data_centre].api
        first = "www" if self.environment is Environment.PRODUCTION else self.environment
        return f"https://{first}.{host}"

    @property
    def is_practice(self) -> bool:
        """Whether the API is a server of ours on this machine."""
        return urlsplit(self.api_address).hostname in {"127.0.0.1", "::1", "localhost"}


def data_centre_of(host: str) -> DataCentre | None:
    """The data centre a host name belongs to, if it is one of Zoho's."""
    name = host.lower()
    for place, addresses in DATA_CENTRES.items():
        domain = addresses.accounts.removeprefix("accounts.")
        if name.endswith((f".{addresses.api}", f".{domain}")) or name == addresses.accounts:
            return place
    return None


_COMMON = frozenset({"connector", "allow_private"})
ZOHO_SUFFIXES = tuple(f".{place.api}" for place in DATA_CENTRES.values())
"""Every API host ends in one of these."""
