"""The signature's header, several secrets, and the memory of repeats."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.webhook import signature as module
from pipelines.webhook.replay_memory import ReplayMemory
from pipelines.webhook.signature import TOLERANCE_SECS, Signature, SignatureError
from tests.helpers.signed_webhooks import sign

OLD, NEW = "wsec_old", "wsec_new"
NOW = 1_790_000_000


def verified(secrets, header, *parts):
    signature = Signature(secrets, header, NOW)
    for part in parts:
        signature.update(part)
    return signature.verify()


@given(st.binary(max_size=200), st.integers(0, 200))
def test_a_body_is_verified_however_it_is_cut(body, cut):
    header = sign(OLD, body, NOW)
    assert verified([OLD], header, body[:cut], body[cut:]).hex() in header


def test_while_secrets_change_either_is_accepted_and_no_third():
    body = b"{}"
    for secret in (OLD, NEW):
        assert verified([OLD, NEW], sign(secret, body, NOW), body)
    with pytest.raises(SignatureError, match="does not match"):
        verified([OLD, NEW], sign("wsec_third", body, NOW), body)
    both = f"{sign(OLD, body, NOW)},{sign(NEW, body, NOW).partition(',')[2]}"
    assert verified([NEW], both, body)


def test_without_a_secret_nothing_is_accepted():
    with pytest.raises(SignatureError, match="does not match"):
        verified([], sign("", b"{}", NOW), b"{}")


def test_every_digest_is_compared_in_constant_time(monkeypatch):
    compared = []

    def compare_digest(first, second):
        compared.append((first, second))
        return hmac.compare_digest(first, second)

    monkeypatch.setattr(module, "hmac", type("", (), {"new": hmac.new, "compare_digest": staticmethod(compare_digest)}))
    header = f"{sign(NEW, b'{}', NOW)},v0={'0' * 64}"
    assert verified([OLD, NEW], header, b"{}")
    assert len(compared) == 4


@pytest.mark.parametrize("age", [-TOLERANCE_SECS, 0, TOLERANCE_SECS])
def test_a_signature_is_valid_for_half_an_hour_and_says_until_when(age):
    signature = Signature([OLD], sign(OLD, b"", NOW - age), NOW)
    assert signature.expires_at == NOW - age + TOLERANCE_SECS


@pytest.mark.parametrize("age", [-TOLERANCE_SECS - 1, TOLERANCE_SECS + 1])
def test_an_older_signature_and_one_of_the_future_are_refused(age):
    with pytest.raises(SignatureError, match="too old or in the future"):
        Signature([OLD], sign(OLD, b"", NOW - age), NOW)


DIGEST = f"v0={'0' * 64}"
NO_SIGNATURES = [
    None,
    "",
    DIGEST,
    f"t=soon,{DIGEST}",
    f"t={NOW},t={NOW},{DIGEST}",
    f"t={NOW}",
    f"t={NOW},v0=0",
    ",".join((f"t={NOW}", *[DIGEST] * 9)),
]


@pytest.mark.parametrize("header", NO_SIGNATURES)
def test_a_header_without_one_time_and_one_to_eight_digests_is_refused(header):
    with pytest.raises(SignatureError, match="no signature"):
        Signature([OLD], header, NOW)


def test_the_memory_of_repeats_is_bounded_and_forgets_the_oldest_first():
    memory = ReplayMemory(max_digests=3)
    for number in range(4):
        memory.add(bytes([number]), NOW + 10, NOW)
    assert [bytes([number]) in memory for number in range(4)] == [False, True, True, True]


def test_the_memory_of_repeats_lasts_until_the_signature_expires():
    memory = ReplayMemory()
    memory.add(b"a", NOW + 3600, NOW)
    memory.add(b"b", NOW + 9999, NOW + 3600)
    assert b"a" in memory
    memory.add(b"c", NOW + 9999, NOW + 3601)
    assert (b"a" in memory, b"b" in memory) == (False, True)
