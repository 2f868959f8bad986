"""The tables of forms in ``tests/fixtures/privacy``: what goes from a text, what comes in its place, and what stays."""

from __future__ import annotations

import re

import pytest

from pipelines.privacy.credential_names import Secrecy, secrecy
from pipelines.privacy.mask_documents import mask_text
from pipelines.privacy.pii_patterns import mask_personal_data
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.document_schema import DETAIL, paths
from tests.helpers.privacy_forms import forms

PEOPLE = Pseudonymizer(b"0123456789abcdef")
CREDENTIALS = tuple(forms("credential_forms"))
PERSONAL = tuple(forms("personal_forms"))
ORDINARY = tuple(text for text, _ in forms("ordinary_texts"))


@pytest.mark.parametrize(("text", "masked"), CREDENTIALS)
def test_the_secret_part_gives_way_and_the_rest_stays(text, masked):
    assert text != masked
    assert mask_text(text) == masked
    assert mask_text(masked) == masked


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_stays(text):
    assert mask_text(text) == text
    assert mask_personal_data(text) == text
    assert PEOPLE.pseudonymize({"message": text}) == {"message": text}


def test_no_field_that_the_schema_knows_has_the_name_of_a_credential():
    keys = {key.strip("[]{}") for path in paths(DETAIL) for key in path.split(".")}
    assert {key for key in keys if secrecy(key) is Secrecy.CERTAIN} == set()


@pytest.mark.parametrize(("text", "masked"), PERSONAL)
def test_a_person_leaves_a_text_and_the_rest_stays(text, masked):
    hidden = PEOPLE.pseudonymize(conversation(text))["transcript"][0]["message"]
    assert text != masked
    assert re.sub(r"h:[0-9a-f]{20}", "<h>", hidden) == masked
    assert PEOPLE.pseudonymize(conversation(hidden))["transcript"][0]["message"] == hidden


def conversation(text):
    return {
        "user_id": "customer-0517",
        "metadata": {"phone_call": {"external_number": "+4930901820"}},
        "transcript": [{"role": "user", "message": text}],
    }


def test_the_tables_are_as_long_as_they_were():
    assert (len(CREDENTIALS) >= 240, len(PERSONAL) >= 130, len(ORDINARY) >= 85) == (True, True, True)
