"""Files of a Delta target: a local folder or an object store, by pyarrow; the log beside them is deltalake's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow.fs as pafs

from warehouse.errors import PublishError
from warehouse.publish.target import Target

CONNECT_TIMEOUT_SECS = 10.0
ADDRESSES = ("aws_endpoint_url", "azure_storage_endpoint")
"""Options that name another server than the provider's own."""
RETRIES = {"max_retries": "3", "retry_timeout": "60s", "connect_timeout": "10s"}
"""Of deltalake, whose default is to try for three minutes."""


class Store:
    """The files below the root of a target, by their path there."""

    def __init__(self, target: Target) -> None:
        self._target, self._files, self._root = target, *_open(target)

    def upload(self, source: Path, path: str) -> None:
        """Write a file, which is complete or not there.

        Raises:
            OSError: the target cannot be written.
        """
        if self._target.is_local:
            target_file = self._target.folder / path
            target_file.parent.mkdir(parents=True, exist_ok=True)
            temporary = target_file.with_name(f"{target_file.name}.part")  # not hidden: a vacuum would never remove it
            shutil.copyfile(source, temporary)
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(target_file)
            return
        with source.open("rb") as content, self._files.open_output_stream(f"{self._root}/{path}") as stream:
            shutil.copyfileobj(content, stream, 1 << 20)

    def sizes(self, folder: str) -> dict[str, int]:
        """The sizes of all files below a folder, by path below the root: one request for a thousand of them."""
        selector = pafs.FileSelector(f"{self._root}/{folder}", allow_not_found=True, recursive=True)
        infos = self._files.get_file_info(selector)
        return {info.path.removeprefix(f"{self._root}/"): info.size for info in infos if info.is_file}

    def is_empty(self, folder: str) -> bool:
        """Whether there is no file below a folder."""
        infos = self._files.get_file_info(pafs.FileSelector(f"{self._root}/{folder}", allow_not_found=True))
        return not infos

    def delete_folder(self, folder: str) -> None:
        """Delete a folder with all its files, if it is there."""
        path = f"{self._root}/{folder}"
        if isinstance(self._files, pafs.GcsFileSystem):  # its delete_dir needs an object for the folder itself
            self._files.delete_dir_contents(path, missing_dir_ok=True)
        elif not self.is_empty(folder):
            self._files.delete_dir(path)


def log_options(target: Target) -> dict[str, str]:
    """The options of deltalake for a target."""
    is_plain = any(target.options.get(name, "").startswith("http://") for name in ADDRESSES)
    http_options = {"allow_http": "true"} if is_plain else {}
    return {} if target.is_local else {**RETRIES, **http_options, **target.options}


def _open(target: Target) -> tuple[pafs.FileSystem, str]:
    """The file system of a target, and the path of the target in it.

    Raises:
        PublishError: an option is missing.
    """
    if target.is_local:
        return pafs.LocalFileSystem(), str(target.folder)
    parts, options = urlsplit(target.url), target.options
    path = f"{parts.netloc}{unquote(parts.path)}"  # as deltalake reads it
    match parts.scheme:
        case "s3":
            return pafs.S3FileSystem(**_s3_options(options)), path
        case "gs":
            return pafs.GcsFileSystem(), path
    account, endpoint = options.get("azure_storage_account_name"), options.get("azure_storage_endpoint", "")
    if account is None:
        raise PublishError(
            f"{target.url} needs azure_storage_account_name.", "Set it in CONVOHOUSE_PUBLISH_CREDENTIALS."
        )
    return pafs.AzureFileSystem(
        account,
        account_key=options.get("azure_storage_account_key"),
        sas_token=options.get("azure_storage_sas_token"),
        **_address(endpoint, "blob_storage_authority", "blob_storage_scheme"),
        **_address(endpoint.replace(".blob.", ".dfs."), "dfs_storage_authority", "dfs_storage_scheme"),
    ), path


def _address(url: str, authority: str, scheme: str) -> dict[str, Any]:
    """Host and scheme of an address by the names that a file system has for them; nothing without an address."""
    parts = urlsplit(url)
    return {authority: parts.netloc, scheme: parts.scheme} if url else {}


def _s3_options(options: Mapping[str, str]) -> dict[str, Any]:
    """By pyarrow's names; without keys, it looks for those of the environment, a profile or the machine's role."""
    names = {
        "aws_access_key_id": "access_key",
        "aws_secret_access_key": "secret_key",
        "aws_session_token": "session_token",
        "aws_region": "region",
    }
    s3_options: dict[str, Any] = {names[name]: value for name, value in options.items() if name in names}
    s3_options |= _address(options.get("aws_endpoint_url", ""), "endpoint_override", "scheme")
    # a small file is then one request, instead of the three of a multipart upload
    return {**s3_options, "allow_delayed_open": True, "connect_timeout": CONNECT_TIMEOUT_SECS}
