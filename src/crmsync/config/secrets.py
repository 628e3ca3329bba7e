"""Secrets by reference: environment, systemd credentials, the system keyring, a 0600 file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

import keyring
import keyring.errors

from crmsync.connector.redaction import REDACTOR
from crmsync.errors import ConfigError
from crmsync.model.text import Text

PREFIX = "secret:"
_GROUP_OR_OTHER = 0o077


class SecretSources:
    """Looks a secret up in four places, first found wins; its value is never logged or shown.

    For ``zoho/refresh_token``: the environment variable ``CRMSYNC_SECRET_ZOHO_REFRESH_TOKEN``; the
    file ``zoho.refresh_token`` in systemd's ``$CREDENTIALS_DIRECTORY``; the keyring's service
    ``crmsync``; the file ``var/secrets/zoho/refresh_token``, which only its owner may read.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._environment = os.environ if environment is None else environment

    def get(self, reference: str) -> str:
        """The secret's text; raises ConfigError naming the reference and the four places."""
        name = reference.removeprefix(PREFIX)
        variable = "CRMSYNC_SECRET_" + re.sub(r"[^A-Za-z0-9]", "_", name).upper()
        found = (
            self._environment.get(variable)
            or self._credential(name)
            or self._from_file(name)
            or self._from_keyring(name)
        )
        if found:
            return REDACTOR.know(found)
        raise ConfigError(
            Text(zh=f"找不到密钥 secret:{name}", en=f"secret:{name} is nowhere to be found"),
            mend=Text(
                zh=f"任选其一：环境变量 {variable}；钥匙串（服务 crmsync，名称 {name}）；"
                f"文件 {self._path(name)}（权限 0600）",
                en=f"put it into one of: environment variable {variable}; the keyring (service"
                f" crmsync, name {name}); the file {self._path(name)} (mode 0600)",
            ),
            code="CONF011",
        )

    def _credential(self, name: str) -> str | None:
        folder = self._environment.get("CREDENTIALS_DIRECTORY")
        if not folder:
            return None
        path = Path(folder) / name.replace("/", ".")
        return path.read_text(encoding="utf-8").strip() if path.is_file() else None

    def _path(self, name: str) -> Path:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise ConfigError(
                Text(
                    zh=f"密钥名 secret:{name} 不合法", en=f"secret:{name} is no name for a secret"
                ),
                mend=Text(zh="只用字母、数字、/ 和 _", en="use letters, digits, / and _ only"),
                code="CONF012",
            )
        return path

    def _from_file(self, name: str) -> str | None:
        path = self._path(name)
        if not path.is_file():
            return None
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _GROUP_OR_OTHER:
            raise ConfigError(
                Text(
                    zh=f"密钥文件 {path} 的权限是 {mode:04o}，别人也能读",
                    en=f"the secret file {path} has mode {mode:04o}: others can read it",
                ),
                mend=Text(zh=f"运行 chmod 600 {path}", en=f"run chmod 600 {path}"),
                code="CONF013",
            )
        return path.read_text(encoding="utf-8").strip()

    def _from_keyring(self, name: str) -> str | None:
        try:
            return keyring.get_password("crmsync", name)
        except keyring.errors.KeyringError:
            return None  # servers often have no keyring at all


def store_secret(folder: Path, name: str, value: str) -> Path:
    """Write one secret into its 0600 file below *folder* and return the file."""
    path = folder / name
    for place in (folder.parent, *reversed(path.relative_to(folder).parents)):
        # mkdir gives a mode to the last folder only, never to those it makes on the way
        (folder / place).mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(value + "\n", encoding="utf-8")
    return path
