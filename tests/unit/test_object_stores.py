"""Folders of an engine in an object store that cannot be reached: what is said, and that it is said soon."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyarrow import ArrowException, fs

from warehouse.engines.state import lake_fingerprints
from warehouse.engines.storage import GCS_RETRY_SECS, open_folder, read_text, write_text
from warehouse.errors import EngineError, StoreError

NOBODY = "s3://key:secret@bucket/tables?endpoint_override=127.0.0.1:9&scheme=http&region=nowhere"


@pytest.mark.parametrize("url", ["gs://bucket/lake", "gcs://bucket/lake"])
def test_google_is_asked_again_for_seconds_only(url: str) -> None:
    bounded, _ = fs.FileSystem.from_uri(f"{url}?retry_limit_seconds={GCS_RETRY_SECS}")
    unbounded, _ = fs.FileSystem.from_uri(url)
    with open_folder(url) as (filesystem, path):
        assert path == "bucket/lake"
        assert (filesystem.equals(bounded), filesystem.equals(unbounded)) == (True, False)
    with open_folder(f"{url}?retry_limit_seconds=60") as (filesystem, _):
        assert not filesystem.equals(bounded)


@pytest.mark.parametrize("error", [OSError("no route to 127.0.0.1"), ArrowException("Unknown error: no namespace")])
def test_a_store_that_does_not_answer_is_named_without_its_credentials(error: Exception) -> None:
    message = f"^s3://bucket/tables cannot be reached: {error}\\."
    with pytest.raises(StoreError, match=message) as failure, open_folder(NOBODY):
        raise error
    assert failure.value.hint == "Check the URL, the network and the credentials of this environment."
    assert "secret" not in failure.value.message


def test_a_lake_that_only_the_engine_can_list_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(url: str) -> list[object]:
        raise StoreError(url)

    monkeypatch.setattr("warehouse.engines.state.list_files", unreachable)
    assert lake_fingerprints(["s3://bucket/lake"]) is None


def test_an_unknown_scheme_is_no_store() -> None:
    with pytest.raises(EngineError, match=r"^ftp://host/tables cannot be reached: ") as failure:
        read_text("ftp://host/tables", "current.json")
    assert not isinstance(failure.value, StoreError)
    assert failure.value.hint == "Give a folder, or a URL such as s3://…."


def test_a_folder_of_this_machine_keeps_its_own_errors(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_text(str(tmp_path / "file"), "current.json", "{}")
