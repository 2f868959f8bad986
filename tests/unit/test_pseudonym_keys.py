"""Each key that says of its value what becomes of it with ``pii = "hash"``: at its first occurrence, and at later ones.

What is remembered about a key after its first occurrence must not change what becomes of its values.
"""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.privacy.credential_names import words
from pipelines.privacy.pseudonyms import Pseudonymizer

PEOPLE = Pseudonymizer(b"0123456789abcdef")
SAID = "for 415-555-0134"
"""As the id of a vendor it would stay; in a text, the number goes."""
DIGITS = "4930901820"
IDENTIFIERS = words(
    """
    user_id user_identifier initiator_id system__user_id system__initiator_id external_number agent_number
    transfer_number system__caller_id system__called_number whatsapp_user_id whatsapp_phone_number_id
    whatsapp_business_account_id sms_user_phone_number agent_phone_number caller_id phone phone_number bsuid
    wamid userId User-Id
    """
)
NUMBER_ENDINGS = words(
    """
    phone phone_no telephone telephone_number telefon telefonnummer handynummer mobile mobile_number mobile_no
    cell cell_number msisdn fax fax_number whatsapp whatsapp_number caller_id caller_number called_number
    calling_number contact_number from_number to_number callback_number wa_id tel
    """
)
CUSTOMER_DATA = words(
    """
    params_as_json result_value body path_params query_params parameters dynamic_variables
    custom_llm_extra_body sip_header_dynamic_variables value old_value new_value
    """
)


def hidden(document: Any) -> Any:
    """The pseudonymized document, which is the same at the second time."""
    first = PEOPLE.pseudonymize(document)
    assert PEOPLE.pseudonymize(document) == first
    return first


@pytest.mark.parametrize("key", sorted(IDENTIFIERS))
def test_the_value_of_a_key_that_identifies_a_person_is_a_hash(key):
    values = {key: "x", f"not_{key}_x": "x", "list": [{key: ["x", None, True]}]}
    assert hidden(values) == {
        key: PEOPLE.pseudonym("x"),
        f"not_{key}_x": "x",
        "list": [{key: [PEOPLE.pseudonym("x"), None, True]}],
    }


@pytest.mark.parametrize("ending", sorted(NUMBER_ENDINGS))
def test_digits_of_a_key_that_ends_like_the_name_of_a_number_are_a_hash(ending):
    assert hidden({f"my_{ending}": DIGITS, f"his-{ending}": 4930901820, f"{ending}_id_x": "4930901"}) == {
        f"my_{ending}": PEOPLE.pseudonym(DIGITS),
        f"his-{ending}": PEOPLE.pseudonym(DIGITS),
        f"{ending}_id_x": "4930901",
    }


@pytest.mark.parametrize("value", ["none", "123456", 123456, 1.5, True, None])
def test_a_value_without_the_digits_of_a_number_stays_under_the_name_of_one(value):
    assert hidden({"my_fax": value}) == {"my_fax": value}


@pytest.mark.parametrize("key", ["whatsapp_user_id", "phone"])
def test_a_number_that_whatsapp_writes_without_a_plus_is_the_one_with_a_plus(key):
    assert hidden({key: DIGITS}) == {key: PEOPLE.pseudonym(f"+{DIGITS}")}


@pytest.mark.parametrize("key", sorted(CUSTOMER_DATA))
def test_an_id_below_a_key_of_the_customers_data_is_a_text(key):
    document = {
        "metadata": {"phone_call": {"external_number": f"+{DIGITS}"}},
        key: {"booking_id": SAID, "n": int(DIGITS), "deeper": {"booking_id": SAID}},
        "ours": {"booking_id": SAID, "n": int(DIGITS)},
    }
    assert hidden(document) == {
        "metadata": {"phone_call": {"external_number": PEOPLE.pseudonym(f"+{DIGITS}")}},
        key: {
            "booking_id": "for <phone>",
            "n": PEOPLE.pseudonym(f"+{DIGITS}"),
            "deeper": {"booking_id": "for <phone>"},
        },
        "ours": {"booking_id": SAID, "n": int(DIGITS)},
    }


@pytest.mark.parametrize("label", sorted(words("variable_name name key field header parameter label")))
@pytest.mark.parametrize("value", sorted(words("constant_value default new_value old_value val value")))
def test_a_value_whose_label_identifies_a_person_is_a_hash(label, value):
    assert hidden([{label: "caller_id", value: "x", "other": "x"}, {label: "colour", value: "x"}]) == [
        {label: "caller_id", value: PEOPLE.pseudonym("x"), "other": "x"},
        {label: "colour", value: "x"},
    ]


def test_the_vendors_ids_stay_and_texts_of_a_list_do_not():
    address = "a84b4c76@example.com"  # of a SIP call, which is nobody's
    document = {"id": SAID, "tool_ids": [SAID], "sip_call_id": address, "call_sid": address, "room_id": address}
    assert hidden(document | {"notes": [SAID]}) == document | {"room_id": "<email>", "notes": ["for <phone>"]}


def test_a_user_id_of_six_characters_and_a_number_of_seven_digits_leave_texts():
    for user, number in (("cu-017", "+1234567"), ("cu-17", "+123456")):
        text = f"I am {user}, {number[1:]}"
        document = {"user_id": user, "metadata": {"phone_call": {"external_number": number}}, "message": text}
        is_long = user == "cu-017"
        assert hidden(document)["message"] == (f"I am {PEOPLE.pseudonym(user)}, <phone>" if is_long else text)
