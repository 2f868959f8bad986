"""Settings that commands refuse: misspelt ones, and passwords in addresses, which are never shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.disk_contents import contents
from tests.helpers.run_cli import run
from warehouse.storage.home import Home


@pytest.mark.parametrize(
    ("files", "variables", "message", "hint"),
    [
        ({"convohouse.toml": 'pi = "hash"'}, {}, "no setting pi, which is in convohouse.toml", "Did you mean pii? "),
        ({".env": "CONVOHOUSE_PIII=hash"}, {}, "CONVOHOUSE_PIII, which is in .env", "Did you mean CONVOHOUSE_PII"),
        ({}, {"CONVOHOUSE_TIME_ZONE": "UTC"}, "TIME_ZONE, which is in the environment", "mean CONVOHOUSE_TIMEZONE? "),
        ({}, {"CONVOHOUSE_API_KEY": "k"}, "API_KEY, which is in the environment", "Did you mean ELEVENLABS_API_KEY? "),
    ],
)
def test_a_misspelt_setting_is_no_default(files, variables, message, hint, tmp_path):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for command in ("sync", "doctor"):
        ended = run(tmp_path, command, **variables)
        assert (ended.code, message in " ".join((ended.text + ended.err).split())) == (2, True), ended.err
    assert hint in run(tmp_path, "sync", **variables).err


@pytest.mark.parametrize(
    "line", ["CONVOHOUSE_PII hash", "CONVOHOUSE_PII: hash", "CONVOHOUSE_PII", 'CONVOHOUSE_PII="hash', "=hash"]
)
def test_a_line_that_sets_nothing_is_no_default(line, tmp_path):
    (tmp_path / ".env").write_text(
        f"# ours\n\nexport CONVOHOUSE_TIMEZONE=UTC\nCONVOHOUSE_OWNERS='[]' # nobody\n{line}\n"
    )
    for command in ("sync", "status", "doctor"):
        ended = run(tmp_path, command)
        assert (ended.code, "Line 5 of .env sets nothing." in ended.text + ended.err) == (2, True), ended.err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (".env", b"CONVOHOUSE_OWNERS=\xfc", "error: .env cannot be read: 'utf-8' codec can't decode byte 0xfc"),
        ("convohouse.toml", b'home = "\xfc"', "error: convohouse.toml cannot be read: 'utf-8' codec can't decode"),
        (
            "convohouse.toml",
            b"home = data",
            "error: convohouse.toml cannot be read: Invalid value (at line 1, column 8)",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    ended = run(tmp_path, "status")
    assert (ended.code, ended.err[: len(message)]) == (2, message)


@pytest.mark.parametrize("command", ["status", "sync"])
def test_an_env_file_that_this_user_may_not_read_is_named(command, tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("CONVOHOUSE_PII=hash")
    read_text = Path.read_text

    def refuse(path, *arguments, **options):
        if path.name == ".env":
            raise PermissionError(13, "Permission denied", str(path))
        return read_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", refuse)
    ended = run(tmp_path, command)
    assert (ended.code, ended.err.splitlines()[0]) == (2, "error: .env cannot be read: Permission denied.")


def test_a_variable_that_resembles_no_setting_is_no_mistake(tmp_path):
    kubernetes = {"CONVOHOUSE_PORT": "tcp://10.0.0.1:8767", "CONVOHOUSE_SERVICE_HOST": "10.0.0.1"}
    assert run(tmp_path, "status", **kubernetes).code == run(tmp_path, "status").code == 0


def test_the_key_of_a_workspace_may_have_any_name(tmp_path):
    table = '[workspaces.eu]\nkey_variable = "CONVOHOUSE_KEY_EU"\n'
    (tmp_path / "convohouse.toml").write_text(f"{table}base_url = 'https://api.eu.residency.elevenlabs.io'\n")
    assert run(tmp_path, "status", CONVOHOUSE_KEY_EU="secret").code == 0


@pytest.mark.parametrize("url", ["https://ada:hunter2@gateway.example", "https://gateway.example/?key=hunter2"])
@pytest.mark.parametrize("command", ["doctor", "sync", "status"])
@pytest.mark.parametrize("place", ["variable", "workspace"])
def test_a_password_in_a_base_url_is_refused_and_never_shown(place, command, url, tmp_path):
    settings = {"ELEVENLABS_API_KEY": "sk_secret", "ELEVENLABS_BASE_URL": url}
    if place == "workspace":
        text = f'[workspaces.eu]\nkey_variable = "EU_KEY"\nbase_url = "{url}"\n'
        (tmp_path / "convohouse.toml").write_text(text)
        settings = {"EU_KEY": "sk_secret"}
    ended = run(tmp_path, command, *(["--offline"] if command == "doctor" else []), **settings)
    assert ended.code == 2
    assert "base_url" in (ended.text + ended.err).lower()
    assert "must not hold a user name" in " ".join((ended.text + ended.err).split())
    assert "hunter2" not in ended.text + ended.err


@pytest.mark.parametrize(
    "command", [["sync"], ["retry"], ["webhook"], ["tools", "--sync"], ["versions", "--sync"], ["bill", "--sync"]]
)
def test_nobody_lands_beside_people_who_are_hidden(command, tmp_path):
    home = Home(tmp_path / "data").open()
    state = {"rules": 2, "pii": "hash", "key": "0123456789abcdef"}
    (home.root / ".masking.json").write_text(json.dumps(state))
    before = contents(home.root)
    ended = run(tmp_path, *command, ELEVENLABS_API_KEY="k", ELEVENLABS_WEBHOOK_SECRET="wsec")  # noqa: S106 - of the test
    assert ended.code == 2
    assert "People are hidden in data, and the setting pii is keep now" in " ".join(ended.err.split())
    assert contents(home.root) == before


def test_settings_beside_the_home_of_a_command_in_another_folder_are_said_not_to_be_read(tmp_path):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project, elsewhere):
        folder.mkdir()
    (project / "convohouse.toml").write_text('timezone = "Europe/Berlin"\n')
    (project / ".env").write_text("CONVOHOUSE_PII=keep\n")
    notes = [
        f"note: {project / name} is not read: settings are those of the folder where the command runs."
        for name in ("convohouse.toml", ".env")
    ]
    home = str(project / "data")
    for command in (["status"], ["doctor", "--offline"], ["demo", "--until", "tomorrow"]):
        said = run(elsewhere, *command, "--home", home).err.splitlines()
        assert [line for line in said if line.startswith("note:")] == notes, command
    assert "note:" not in run(elsewhere, "--json", "status", "--home", home).err
    assert "note:" not in run(project, "status").err
    assert "note:" not in run(project, "status", "--home", home).err
    assert "note:" not in run(elsewhere, "status").err
