"""With ``pii = "hash"`` nobody can be told from what lands, the same person stays the same, and all else stays too."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from pipelines.api.responses import parse_page
from pipelines.extract.landing_rows import list_row, snapshot_row
from pipelines.privacy.pii_patterns import mask_personal_data
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.canonical_json import dump, fingerprint
from tests.helpers.sample_documents import STARTED, detail

AT = datetime(2026, 11, 1, tzinfo=UTC)
WANTED = {"conversation_id": "conv_a", "agent_id": "agent_a", "fingerprint": "f", "content_sha256": None}
NUMBER, USER, EMAIL = "+4930901820", "customer-0517", "zoë.o'brien@example.com"
PEOPLE = Pseudonymizer(b"0123456789abcdef")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to zoë.lindqvist@example.co.uk, please", "write to <email>, please"),
        ("'jane+tag@example.com'", "'<email>'"),
        ("?email=jane%40example.com&a=1", "?email=<email>&a=1"),
        ("ring +1 (555) 011-0517 now", "ring <phone> now"),
        ("+4930901820 or 0049 30 901820", "<phone> or <phone>"),
        ("+44 (0)20 7946 0958", "<phone>"),
        ("phone=%2B15550110517", "phone=<phone>"),
        ("tel:+49-30-901820", "tel:<phone>"),
        ("030 901820 oder 0151/23456789", "<phone> oder <phone>"),
        ("07911123456", "<phone>"),
        ("06 12 34 56 78, 06.12.34.56.78", "<phone>, <phone>"),
        ("(555) 123-4567, 555-123-4567, 555.123.4567", "<phone>, <phone>, <phone>"),
        ("1-555-123-4567, 15551234567, 4155552671", "<phone>, <phone>, <phone>"),
        ("5 5 5 0 1 1 0 5 1 7", "<phone>"),
        ("4111 1111 1111 1111 12/27", "<card> 12/27"),
        ("4111-1111-1111-1111, 4111111111111111", "<card>, <card>"),
        ("3782 822463 10005", "<card>"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "<card>"),
    ],
)
def test_addresses_phone_numbers_and_cards_leave_a_text(text, masked):
    assert mask_personal_data(text) == masked
    assert mask_personal_data(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "order T515819, ticket 40700, ORD-0123456789, 2026-000123-4567",
        "4111111111111112",  # no card: its last digit is wrong
        "1757088912 and 1757088912137",  # unix seconds and milliseconds
        "2025-09-26T23:03:59.846094+00:00, 2026-11-22 00:00:29, 01-02-2026 10:30, 01.02.2026, 08/15/2026",
        "186.48 pounds, 1,234,567.89, +5.5 %, 13:45, 9:00-17:30",
        "192.168.100.200, 1.14.2, agent_8301j0kkdy7fr7nxggm8m86yds0c, CA7b7e9f7f1670de417f868b9254468429",
        "@home, jane at example dot com, a@b",
        "...",
        "",
    ],
)
def test_other_numbers_stay_in_a_text(text):
    assert mask_personal_data(text) == text


def test_a_person_has_one_hash_however_the_number_is_written_and_another_under_another_key():
    assert PEOPLE.pseudonym(NUMBER) == "h:299deeab5c4c30dc982b"  # as openssl gives it
    same = {
        PEOPLE.pseudonym(number)
        for number in (NUMBER, " +49 30 901820", "+49 (30) 90-18-20", "sip:+4930901820@host", "tel:+4930901820")
    }
    assert same == {PEOPLE.pseudonym(NUMBER)}
    assert PEOPLE.pseudonym(PEOPLE.pseudonym(NUMBER)) == PEOPLE.pseudonym(NUMBER)
    assert (
        len(
            {
                PEOPLE.pseudonym(NUMBER),
                PEOPLE.pseudonym("+4930901821"),
                PEOPLE.pseudonym("4930901820"),
                PEOPLE.pseudonym(USER),
            }
        )
        == 4
    )
    assert Pseudonymizer(b"another key of 16").pseudonym(NUMBER) != PEOPLE.pseudonym(NUMBER)
    assert PEOPLE.pseudonym("") == ""


def test_a_whole_document():
    said = f"I am {EMAIL}, {NUMBER}, card 4111 1111 1111 1111, order 515819."
    document = detail(
        user_id=USER,
        transcript=[
            {"role": "user", "message": said, "original_message": said, "user_identifier": USER, "id": "4155552671"},
            {
                "tool_calls": [
                    {
                        "request_id": "find_4155552671",
                        "params_as_json": json.dumps({"phone": NUMBER, "system__message": EMAIL, "n": 4155552671}),
                        "tool_details": {
                            "url": f"https://crm.example.com/{USER}/orders?mail={EMAIL}",
                            "query_params": {"customer_id": EMAIL, "user_id": [17, {"to": NUMBER}]},
                            "body": json.dumps({"inner": json.dumps({"to": NUMBER})}),
                        },
                    }
                ],
                "tool_results": [
                    {
                        "result_value": json.dumps({"text": said}),
                        "dynamic_variable_updates": [
                            {"variable_name": "user_id", "old_value": None, "new_value": USER},
                            {"variable_name": "mail", "old_value": None, "new_value": EMAIL},
                        ],
                        "result": {"transfer_number": NUMBER, "reason": said},
                    }
                ],
            },
        ],
        metadata={
            "start_time_unix_secs": STARTED,
            "cost": 4155552671,
            "phone_call": {"external_number": NUMBER, "agent_number": "+4930111222", "call_sid": "4155552671"},
            "whatsapp": {"whatsapp_user_id": "4930901820", "recipient": {"phone": NUMBER, "bsuid": "US.1349"}},
            "feedback": {"comment": said, "rating": 5},
        },
        analysis={
            "transcript_summary": said,
            "data_collection_results": {
                "phone": {"data_collection_id": "phone", "value": NUMBER, "rationale": said},
                "visits": {"data_collection_id": "visits", "value": 4155552671},
            },
        },
        conversation_initiation_client_data={
            "user_id": USER,
            "dynamic_variables": {
                "system__caller_id": NUMBER,
                "system__call_sid": "4155552671",
                "system__conversation_history": json.dumps({"entries": [{"role": "user", "message": said}]}),
                "mail": EMAIL,
                "visits": 4155552671,
            },
        },
    )
    masked = "I am <email>, <phone>, card <card>, order 515819."
    number, user = PEOPLE.pseudonym(NUMBER), PEOPLE.pseudonym(USER)
    hidden = json.loads(snapshot_row(WANTED, dump(document), AT, PEOPLE)["payload"])
    assert hidden == detail(
        user_id=user,
        transcript=[
            {
                "role": "user",
                "message": masked,
                "original_message": masked,
                "user_identifier": user,
                "id": "4155552671",
            },
            {
                "tool_calls": [
                    {
                        "request_id": "find_4155552671",
                        "params_as_json": json.dumps({"phone": number, "system__message": "<email>", "n": 4155552671}),
                        "tool_details": {
                            "url": f"https://crm.example.com/{user}/orders?mail=<email>",
                            "query_params": {
                                "customer_id": "<email>",
                                "user_id": [PEOPLE.pseudonym("17"), {"to": "<phone>"}],
                            },
                            "body": json.dumps({"inner": json.dumps({"to": "<phone>"})}),
                        },
                    }
                ],
                "tool_results": [
                    {
                        "result_value": json.dumps({"text": masked}),
                        "dynamic_variable_updates": [
                            {"variable_name": "user_id", "old_value": None, "new_value": user},
                            {"variable_name": "mail", "old_value": None, "new_value": "<email>"},
                        ],
                        "result": {"transfer_number": number, "reason": masked},
                    }
                ],
            },
        ],
        metadata={
            "start_time_unix_secs": STARTED,
            "cost": 4155552671,
            "phone_call": {
                "external_number": number,
                "agent_number": PEOPLE.pseudonym("+4930111222"),
                "call_sid": "4155552671",
            },
            "whatsapp": {
                "whatsapp_user_id": PEOPLE.pseudonym("+4930901820"),
                "recipient": {"phone": number, "bsuid": PEOPLE.pseudonym("US.1349")},
            },
            "feedback": {"comment": masked, "rating": 5},
        },
        analysis={
            "transcript_summary": masked,
            "data_collection_results": {
                "phone": {"data_collection_id": "phone", "value": "<phone>", "rationale": masked},
                "visits": {"data_collection_id": "visits", "value": 4155552671},
            },
        },
        conversation_initiation_client_data={
            "user_id": user,
            "dynamic_variables": {
                "system__caller_id": number,
                "system__call_sid": "4155552671",
                "system__conversation_history": json.dumps({"entries": [{"role": "user", "message": masked}]}),
                "mail": "<email>",
                "visits": 4155552671,
            },
        },
    )
    assert PEOPLE.pseudonymize(hidden) == hidden


def test_credentials_are_masked_as_well():
    calls = [{"tool_details": {"headers": {"x-key": "s3cr3t"}, "url": f"https://h?token=s3cr3t&to={NUMBER}"}}]
    row = snapshot_row(WANTED, dump(detail(transcript=[{"tool_calls": calls}])), AT, PEOPLE)
    details = json.loads(row["payload"])["transcript"][0]["tool_calls"][0]["tool_details"]
    assert details == {"headers": {"x-key": "***"}, "url": "https://h?token=***&to=<phone>"}


def test_a_list_row_lands_without_its_people_and_its_fingerprint_tells_nothing_of_them():
    shown = {
        "conversation_id": "conv_a",
        "start_time_unix_secs": STARTED,
        "status": "done",
        "user_id": USER,
        "transcript_summary": f"{USER} asked to be rung at {NUMBER}.",
    }
    hidden = shown | {
        "user_id": PEOPLE.pseudonym(USER),
        "transcript_summary": f"{PEOPLE.pseudonym(USER)} asked to be rung at <phone>.",
    }
    page = parse_page(msgspec.json.encode({"conversations": [shown], "has_more": False}))
    row = list_row(page.conversations[0], AT, PEOPLE)
    assert json.loads(row["payload"]) == hidden
    assert row["fingerprint"] == fingerprint(hidden)


@pytest.mark.parametrize(
    ("user", "said"), [("customer", "I am a customer"), ("cu-17", "cu-17"), ("u-123456", "u-1234567")]
)
def test_a_user_id_that_is_a_word_or_short_or_part_of_another_stays_in_texts(user, said):
    hidden = PEOPLE.pseudonymize({"user_id": user, "transcript": [{"message": said}]})
    assert hidden == {"user_id": PEOPLE.pseudonym(user), "transcript": [{"message": said}]}


@pytest.mark.parametrize("odd", [None, 5, "text", [], {}, [None], [{"user_id": ["a", None, True, {"user_id": 1.5}]}]])
def test_an_odd_document_is_no_error(odd):
    PEOPLE.pseudonymize(
        {"transcript": odd, "metadata": odd, "user_id": odd, "conversation_initiation_client_data": odd}
    )


def test_an_id_of_the_customers_data_is_no_id_of_the_vendor():
    said = "555-123-4567"
    document = {
        "metadata": {"phone_call": {"sip_header_dynamic_variables": {"sip_contact_id": said}, "call_sid": said}},
        "transcript": [
            {"dynamic_variable_updates": [{"variable_name": "mail_id", "old_value": said, "new_value": said}]}
        ],
        "tomorrow": {"mail_id": EMAIL, "contact_id": NUMBER, "trace_id": "4155552671"},
    }
    assert PEOPLE.pseudonymize(document) == {
        "metadata": {"phone_call": {"sip_header_dynamic_variables": {"sip_contact_id": "<phone>"}, "call_sid": said}},
        "transcript": [
            {
                "dynamic_variable_updates": [
                    {"variable_name": "mail_id", "old_value": "<phone>", "new_value": "<phone>"},
                ]
            }
        ],
        "tomorrow": {"mail_id": "<email>", "contact_id": "<phone>", "trace_id": "4155552671"},
    }
