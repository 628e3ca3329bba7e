"""Secrets and tokens: four places in order, modes checked, tokens replaced in one step."""

import stat
import threading
from pathlib import Path

import pytest

from crmsync.config.secrets import SecretSources, store_secret
from crmsync.config.tokens import FileTokenShelf
from crmsync.errors import ConfigError


def test_the_environment_comes_before_files(tmp_path: Path) -> None:
    store_secret(tmp_path / "secrets", "zoho/refresh_token", "from-file")
    folder = tmp_path / "secrets"
    environment = {"CRMSYNC_SECRET_ZOHO_REFRESH_TOKEN": "from-environment"}
    assert SecretSources(folder, environment).get("secret:zoho/refresh_token") == "from-environment"
    assert SecretSources(folder, {}).get("zoho/refresh_token") == "from-file"


def test_systemd_credentials_come_before_files(tmp_path: Path) -> None:
    store_secret(tmp_path / "secrets", "zoho/refresh_token", "from-file")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "zoho.refresh_token").write_text("from-systemd\n")
    sources = SecretSources(tmp_path / "secrets", {"CREDENTIALS_DIRECTORY": str(credentials)})
    assert sources.get("zoho/refresh_token") == "from-systemd"


def test_a_stored_secret_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = store_secret(tmp_path / "secrets", "a/b", "value")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_others_can_read_is_refused_with_the_mend(tmp_path: Path) -> None:
    path = store_secret(tmp_path, "token", "value")
    path.chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        SecretSources(tmp_path, {}).get("token")
    assert caught.value.code == "CONF013"
    assert "chmod 600" in (caught.value.mend.en if caught.value.mend else "")


def test_a_missing_secret_names_every_place_it_may_stand(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        SecretSources(tmp_path, {}).get("secret:zoho/refresh_token")
    mend = caught.value.mend.en if caught.value.mend else ""
    assert "CRMSYNC_SECRET_ZOHO_REFRESH_TOKEN" in mend
    assert "keyring" in mend
    assert "0600" in mend


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        SecretSources(tmp_path / "secrets", {}).get(name)


def test_a_token_is_kept_privately_and_replaced_whole(tmp_path: Path) -> None:
    shelf = FileTokenShelf(tmp_path / "tokens" / "practice.json")
    assert shelf.load() is None
    with shelf.lock():
        shelf.save("first")
        shelf.save("second")
    assert FileTokenShelf(tmp_path / "tokens" / "practice.json").load() == "second"
    mode = (tmp_path / "tokens" / "practice.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_the_lock_keeps_others_out(tmp_path: Path) -> None:
    path = tmp_path / "tokens" / "practice.json"
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with FileTokenShelf(path).lock():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with FileTokenShelf(path).lock():
        inside.set()
        thread.join(timeout=0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
