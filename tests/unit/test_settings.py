"""Settings that are refused, in a message that does not repeat them."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.errors import SettingsError
from pipelines.settings import load_settings

WORD = "hunter-2-hunter-2"


@pytest.mark.parametrize(
    ("base_url", "problem"),
    [
        (f"https://api:{WORD}@api.example", "must not hold a user name"),
        (f"https://{WORD}@api.example", "must not hold a user name"),
        (f"https://api.example/?key={WORD}", "must not hold a user name, password, query"),
        (f"https://api.example/#{WORD}", "must not hold a user name, password, query or fragment"),
        (f"ftp://api.example/{WORD}", "must start with http:// or https://"),
    ],
)
def test_a_base_url_that_messages_would_not_keep_is_refused(base_url: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as refusal:
        load_settings(base_url=base_url)
    assert WORD not in str(refusal.value)


def test_the_slash_at_the_end_of_a_base_url_makes_no_difference() -> None:
    assert load_settings(base_url="https://api.example/eleven/").base_url == "https://api.example/eleven"


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ({"target": f"postgresql://me:{WORD}@db/bi"}, "publish.bi: it must not hold a password or key"),
        ({"target": "ftp://host/x", "credentials": {"password": WORD}}, "publish.bi: ftp:// is not supported"),
        ({"target": "s3://bucket/x", "format": "csv"}, "publish.bi: .* takes the format delta, not csv"),
    ],
)
def test_a_target_that_nothing_can_be_published_to_is_refused_before_a_command_begins(
    target: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SettingsError, match=problem) as refusal:
        load_settings(publish={"bi": target})
    assert WORD not in str(refusal.value)


PII: list[tuple[dict[str, Any], bool]] = [
    ({"pii": "hash"}, False),
    ({"pii": "hash", "pii_key": "k" * 15}, False),
    ({"pii": "hash", "pii_key": "k" * 16}, True),
    ({"pii": "keep", "pii_key": "k"}, True),
]


@pytest.mark.parametrize(("settings", "is_accepted"), PII)
def test_hashes_need_a_key_of_sixteen_characters(settings: dict[str, Any], *, is_accepted: bool) -> None:
    if is_accepted:
        assert load_settings(**settings).pii == settings["pii"]
        return
    with pytest.raises(SettingsError, match="16 characters or more"):
        load_settings(**settings)


@pytest.mark.parametrize(
    "zone", ["Europe", "America/Argentina", "Berlin", "", "localtime", "right/Europe/Berlin", "a" * 300]
)
def test_what_is_no_time_zone_of_iana_is_refused(zone: str) -> None:
    with pytest.raises(SettingsError, match="is not an IANA time zone such as Europe/Berlin"):
        load_settings(timezone=zone)


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT+5", "America/Argentina/Ushuaia", "Asia/Kolkata"])
def test_a_time_zone_of_iana_is_kept(zone: str) -> None:
    assert load_settings(timezone=zone).timezone == zone


def test_a_conversation_is_not_fetched_again_before_its_end() -> None:
    with pytest.raises(SettingsError, match=r"reread_days\.1: Input should be greater than or equal to 0"):
        load_settings(reread_days=(7, -1))
