"""Secrets come by reference from four places and appear in no message; tokens have a shelf."""

from __future__ import annotations

import threading
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from crmsync.config import FileTokenShelf, SecretSources, store_secret
from crmsync.errors import ConfigError


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, words: dict[str, str]) -> None:
        super().__init__()
        self.words = words

    def get_password(self, service: str, username: str) -> str | None:
        return self.words.get(f"{service}:{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.words[f"{service}:{username}"] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.words[f"{service}:{username}"]


@pytest.fixture(autouse=True)
def ring() -> object:
    before = keyring.get_keyring()
    mine = Ring({})
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_each_place_is_looked_into_in_turn(tmp_path: Path, ring: Ring) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    environment = {"CREDENTIALS_DIRECTORY": str(credentials)}
    sources = SecretSources(tmp_path / "secrets", environment)
    ring.words["crmsync:shop/key"] = "from the ring"
    assert sources.get("secret:shop/key") == "from the ring"
    store_secret(tmp_path / "secrets", "shop/key", "from a file")
    assert sources.get("shop/key") == "from a file"
    (credentials / "shop.key").write_text("from systemd\n")
    assert sources.get("shop/key") == "from systemd"
    environment["CRMSYNC_SECRET_SHOP_KEY"] = "from the environment"
    assert sources.get("shop/key") == "from the environment"


def test_a_missing_secret_names_the_places_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        SecretSources(tmp_path, {}).get("secret:shop/key")
    assert caught.value.code == "CONF011"
    assert caught.value.mend is not None
    for words in ("CRMSYNC_SECRET_SHOP_KEY", "0600", "shop/key"):
        assert words in caught.value.mend.en
        assert words in caught.value.mend.zh


def test_a_file_others_can_read_is_refused_without_its_text(tmp_path: Path) -> None:
    path = store_secret(tmp_path, "shop/key", "hunter2")
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        SecretSources(tmp_path, {}).get("shop/key")
    assert caught.value.code == "CONF013"
    assert "0644" in caught.value.message.zh
    assert caught.value.mend is not None
    assert f"chmod 600 {path}" in caught.value.mend.en
    assert "hunter2" not in f"{caught.value!r}{caught.value.message}{caught.value.mend}"


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname"])
def test_a_reference_stays_inside_the_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    with pytest.raises(ConfigError) as caught:
        SecretSources(tmp_path / "secrets", {}).get(name)
    assert caught.value.code == "CONF012"


def test_a_shelf_keeps_a_token_privately(tmp_path: Path) -> None:
    shelf = FileTokenShelf(tmp_path / "tokens" / "shop.json")
    assert shelf.load() is None
    with shelf.lock():
        shelf.save("one")
        shelf.save("two")
    assert shelf.load() == "two"
    assert (tmp_path / "tokens" / "shop.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tokens").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in (tmp_path / "tokens").iterdir()) == [
        "shop.json",
        "shop.json.lock",
    ]


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    inside = threading.Event()
    seen: list[str | None] = []

    def wait() -> None:
        inside.set()
        other = FileTokenShelf(path)
        with other.lock():
            seen.append(other.load())

    shelf = FileTokenShelf(path)
    with shelf.lock():
        waiter = threading.Thread(target=wait)
        waiter.start()
        inside.wait(5)
        waiter.join(0.1)
        assert waiter.is_alive()
        shelf.save("fresh")
    waiter.join(5)
    assert seen == ["fresh"]
