"""Which names say that their value is a credential, and what a value looks like if a name only may say so."""

from __future__ import annotations

import pytest

from pipelines.privacy.credential_names import Secrecy, looks_secret, secrecy, words

CERTAIN = words(
    """
    2fa_code auth auth_code Authorization authorization_code backup_code backup_codes bearer credential cvc cvc2 cvv
    cvv2 device_code jwt mfa_code mnemonic one-time-code one_time_pin otp otp_code pass passcode proxy-authorization
    pwd pw recovery_code recovery_codes recovery_phrase security_code seed_phrase senha sig totp totp_code
    userCredentials verification_code x-auth x-authorization
    access_key account_key admin_key aes_key api_key app_key application_key auth_key cipher_key client_key
    consumer_key crypto_key decryption_key deploy_key encryption_key functions_key hmac_key host_key ingest_key
    integration_key jwt_key license_key licence_key management_key master_key private_key publishable_key
    recovery_key root_key rsa_key sas_key secret_key server_key service_key session_key SharedAccessKey shared_key
    signature_key signing_key ssh_key subscription_key webhook_key write_key
    api_keys client_secret client_secrets secret_value token user_password passwords passwd passphrase user_passcode
    passwort kennwort contraseña contrasena mot_de_passe wachtwoord aws_credentials cookie cookies sessionId sessid
    session_token auth_session connect.sid csrf xsrf auth_tokens accessTokens refresh_tokens api_tokens
    secret__anything API_KEY_B64 api_key_v2 password_confirm token2 secret_prod
    """
)
POSSIBLE = words(
    """
    access_code code key license pin pin_code session sid hmac x_signature x-hub-signature-sha256 signature_256
    x_hmac session_id_value_x_hmac
    """
)
ORDINARY = words(
    """
    continuation_token max_token next_token page_token sync_token price_per_token count_token eos_token bos_token
    pad_token stop_token first_token last_token name status keyboard monkey turkey zip_code_x sessions tokens key2
    sid1 secrets_manager authority compass
    """
)


@pytest.mark.parametrize(
    ("names", "certainty"), [(CERTAIN, Secrecy.CERTAIN), (POSSIBLE, Secrecy.POSSIBLE), (ORDINARY, Secrecy.NONE)]
)
def test_what_a_name_says_of_its_value(names, certainty):
    assert {name: secrecy(name) for name in names} == dict.fromkeys(names, certainty)


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("key", "a1b2c3", True),
        ("key", "a1b2c", False),  # too short
        ("key", "abcdef", False),
        ("key", "123456", False),
        ("key", "a1b 2c3", False),
        ("key", "https://h/a1", False),
        ("key", "a1@example", False),
        ("session", "a1@example", True),
        ("key", 123456, False),
        ("code", "a1b2c3d4e5f6g7h8", True),
        ("code", "a1b2c3d4e5f6g7h", False),
        ("pin", 1234, True),
        ("PIN", 1234, True),
        ("pin", "12345678", True),
        ("pin", "123", False),
        ("pin", "123456789", False),
        ("pin", True, False),
        ("pin_code", 1234, False),
        ("key", "PROJ-123", False),
        ("key", "step_2", False),
        ("key", "step-two-12345", True),
        ("key", "report2.pdf", False),
        ("key", "CA0123456789abcdef0123456789abcdef", False),
        ("key", "conv_0123456789abcdefghijklmnopqr", False),
        ("key", "2026-11-22T10:30:00Z", False),
        ("key", "22.11.2026x", False),
        ("key", None, False),
    ],
)
def test_what_looks_like_a_credential_where_a_name_may_say_so(name, value, is_secret):
    assert looks_secret(name, value) is is_secret
