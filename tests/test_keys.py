"""The install's own keys: given, or made once and kept."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.config import Settings, read_settings
from portal.errors import ConfigError
from portal.keys import KeyFile, get_encryption_keys, get_secret_key

FIRST = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SECOND = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


def settings(folder: Path, **environ: str) -> Settings:
    return read_settings({"PORTAL_DATA_DIR": str(folder), **environ})


def test_keys_are_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    of_install = settings(tmp_path / "new")
    made = get_encryption_keys(of_install), get_secret_key(of_install)
    assert (get_encryption_keys(of_install), get_secret_key(of_install)) == made
    assert [len(key) for key in made[0].values()] == [32]
    files = sorted((tmp_path / "new" / "keys").iterdir())
    assert [file.name for file in files] == ["cookie.key", "encryption.keys"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700


def test_two_installs_have_other_keys(tmp_path: Path) -> None:
    one, other = settings(tmp_path / "1"), settings(tmp_path / "2")
    assert get_encryption_keys(one) != get_encryption_keys(other)
    assert get_secret_key(one) != get_secret_key(other)


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    of_install = settings(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: get_encryption_keys(of_install), range(16)))
    assert all(keys == found[0] for keys in found)
    assert [file.name for file in (tmp_path / "keys").iterdir()] == ["encryption.keys"]


def test_given_keys_are_used_in_their_order(tmp_path: Path) -> None:
    of_install = settings(tmp_path, PORTAL_ENCRYPTION_KEYS=f"new:{SECOND}, old:{FIRST}")
    keys = get_encryption_keys(of_install)
    assert list(keys) == ["new", "old"]
    assert keys["old"] == b"0123456789abcdef0123456789abcdef"
    assert not (tmp_path / "keys").exists()


def test_a_key_may_be_in_the_alphabet_of_addresses(tmp_path: Path) -> None:
    plain = settings(tmp_path, PORTAL_ENCRYPTION_KEYS="k:" + "+/" * 21 + "8=")
    other = settings(tmp_path, PORTAL_ENCRYPTION_KEYS="k:" + "-_" * 21 + "8=")
    assert get_encryption_keys(plain) == get_encryption_keys(other)


@pytest.mark.parametrize(
    "keys",
    [
        FIRST,
        f":{FIRST}",
        f"k.1:{FIRST}",
        "k1:",
        "k1:c2hvcnQ=",
        "k1:not base64 at all",
        "k1:ключ",
        ",",
        f"k1:{FIRST} k1:{SECOND}",
    ],
)
def test_keys_that_cannot_be_are_refused_without_showing_them(tmp_path: Path, keys: str) -> None:
    of_install = settings(tmp_path, PORTAL_ENCRYPTION_KEYS=keys)
    with pytest.raises(ConfigError, match="PORTAL_ENCRYPTION_KEYS") as refused:
        get_encryption_keys(of_install)
    assert FIRST not in refused.value.message


def test_a_broken_key_file_is_named(tmp_path: Path) -> None:
    """A new key in its place would make every stored secret unreadable for ever."""
    of_install = settings(tmp_path)
    file = tmp_path / "keys" / "encryption.keys"
    for text in ("", "\n", "k1:broken\n"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        with pytest.raises(ConfigError, match=str(file)):
            get_encryption_keys(of_install)
    (tmp_path / "keys" / "cookie.key").write_text("")
    with pytest.raises(ConfigError, match=r"cookie\.key"):
        get_secret_key(of_install)


def test_a_data_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=str(tmp_path / "file")):
        get_secret_key(settings(tmp_path / "file" / "var"))


def test_a_new_key_is_seen_by_whoever_holds_the_keys(tmp_path: Path) -> None:
    of_install = settings(tmp_path)
    mine, theirs = get_encryption_keys(of_install), get_encryption_keys(of_install)
    assert isinstance(mine, KeyFile)
    first = dict(theirs)
    assert mine.put_first() == "k2"
    assert list(theirs) == ["k2", "k1"]
    assert theirs["k1"] == first["k1"]
    mine.remove("k1")
    assert list(theirs) == ["k2"]
    assert stat.S_IMODE((tmp_path / "keys" / "encryption.keys").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", [None, "", "k1:broken\n"])
def test_keys_in_use_outlive_a_file_that_goes_or_breaks(tmp_path: Path, text: str | None) -> None:
    keys = get_encryption_keys(settings(tmp_path))
    before, file = dict(keys), tmp_path / "keys" / "encryption.keys"
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    assert dict(keys) == before
    assert file.exists() is (text is not None)


def test_keys_made_at_once_are_all_kept(tmp_path: Path) -> None:
    keys = get_encryption_keys(settings(tmp_path))
    assert isinstance(keys, KeyFile)
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: keys.put_first(), range(8)))
    assert sorted(made) == [f"k{number}" for number in range(2, 10)]
    assert set(keys) == {"k1", *made}
    assert not list(tmp_path.rglob(".encryption*"))
