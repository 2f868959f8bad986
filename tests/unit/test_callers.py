"""Who called and in which direction, of every channel, in one notation."""

from __future__ import annotations

import pytest

from tests.helpers.sample_documents import STARTED, detail

OWN = "+4930123456"


def phone_call(number, *, direction="inbound", agent_number="+15550100001"):
    call = {"type": "twilio", "direction": direction, "external_number": number, "agent_number": agent_number}
    return {"phone_call": call}


@pytest.fixture
def who(flat):
    """The direction and the other party of a conversation."""

    def of(metadata, variables=None):
        document = detail(
            metadata={"start_time_unix_secs": STARTED} | metadata,
            conversation_initiation_client_data={"dynamic_variables": variables or {}},
        )
        row = flat(document)["conversations"][0]
        return row.get("direction"), row.get("caller_id")

    return of


@pytest.mark.parametrize(
    ("number", "agent_number", "caller"),
    [
        ("+15550100003", "+15550100001", "+15550100003"),
        ("+1 555 010-0003", "+15550100001", "+15550100003"),
        (" +1 (555) 010.0003 ", "+15550100001", "+15550100003"),
        ("5550100003", "+15550100001", "+15550100003"),
        ("15550100003", "+15550100001", "+15550100003"),
        ("+44 (0)20 7946 0958", OWN, "+442079460958"),
        ("0044 20 7946 0958", OWN, "+442079460958"),
        ("0044 20 7946 0958", None, "+442079460958"),
        ("0151 23456789", OWN, "+4915123456789"),
        ("4915123456789", "+15550100001", "+4915123456789"),
        ("tel:+1-555-010-0003", None, "+15550100003"),
        ("sip:+15550100003@pbx.example.com;user=phone", None, "+15550100003"),
        ("sip:ada@pbx.example.com", None, "sip:ada@pbx.example.com"),
        ("1001", OWN, "1001"),
        ("030123", OWN, "030123"),
        ("0301234", OWN, "+49301234"),
        ("0151 23456789", None, "015123456789"),
        ("+99 123", None, "+99123"),
        ("h:0123456789abcdef0123", "h:0123456789abcdef0124", "h:0123456789abcdef0123"),
    ],
)
def test_a_number_is_one_caller_in_every_notation(number, agent_number, caller, who):
    assert who(phone_call(number, agent_number=agent_number)) == ("inbound", caller)


@pytest.mark.parametrize(
    "number", ["anonymous", "Anonymous", "+266696687", "RESTRICTED", "No-ID", "unknown", "", " ", "<redacted>"]
)
def test_a_withheld_or_erased_number_is_no_caller(number, who):
    assert who(phone_call(number)) == ("inbound", None)


def test_of_an_outbound_call_it_is_who_was_called(who):
    variables = {"system__caller_id": "+15550100001", "system__called_number": "+15550100003"}
    assert who(phone_call("+15550100003", direction="outbound"), variables) == ("outbound", "+15550100003")
    assert who(phone_call(None, direction="outbound"), variables) == ("outbound", None)


@pytest.mark.parametrize(
    ("metadata", "variables", "expected"),
    [
        (
            {"sms": {"direction": "inbound", "sms_user_phone_number": "+1 555 010 0004"}},
            {},
            ("inbound", "+15550100004"),
        ),
        ({"sms": {"direction": "outbound", "sms_user_phone_number": "+15550100004"}}, {}, ("outbound", "+15550100004")),
        ({"whatsapp": {"direction": "inbound", "whatsapp_user_id": "15550100004"}}, {}, ("inbound", "+15550100004")),
        ({"whatsapp": {"direction": "unknown", "whatsapp_user_id": "US.13491"}}, {}, (None, "US.13491")),
        (
            {"whatsapp": {"direction": "outbound", "recipient": {"phone": "15550100004", "bsuid": "US.1"}}},
            {},
            ("outbound", "+15550100004"),
        ),
        ({"whatsapp": {"direction": "outbound", "recipient": {"bsuid": "US.1"}}}, {}, ("outbound", "US.1")),
        # a contact center: no phone_call, and the system knows who calls
        ({}, {"system__caller_id": "+15550100005", "system__called_number": OWN}, ("inbound", "+15550100005")),
        ({}, {"system__caller_id": "0151 23456789", "system__called_number": OWN}, ("inbound", "+4915123456789")),
        ({}, {"system__caller_id": 15550100005}, ("inbound", "15550100005")),
        ({}, {"system__caller_id": "anonymous"}, ("inbound", None)),
        ({}, {"system__caller_id": "<redacted>"}, ("inbound", None)),
        ({"batch_call": {"batch_call_id": "b"}}, {"system__caller_id": "+15550100001"}, ("outbound", None)),
        (phone_call(None), {"system__caller_id": "+15550100005"}, ("inbound", "+15550100005")),
        # a website: nobody's number
        ({"text_only": True}, {"system__caller_id": None}, (None, None)),
        ({}, {}, (None, None)),
    ],
)
def test_each_channel_says_who_it_was(metadata, variables, expected, who):
    assert who(metadata, variables) == expected
