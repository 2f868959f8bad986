"""An S3 server on this machine, in a process of its own: deltalake holds Python's lock while it waits for an answer."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pyarrow.fs as pafs

from pipelines.listener import listening

BUCKET = "conversations"
SECRET = "s3cret-of-the-bucket"  # noqa: S105 - of the test's server


@contextmanager
def server(folder: Path) -> Iterator[dict[str, str]]:
    """A running server with one bucket; the options of deltalake for it."""
    with listening("127.0.0.1", 0) as socket:
        port = socket.getsockname()[1]
    code = (
        f"import gc; gc.set_threshold(50_000); from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    )
    with (folder / "moto.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], stdout=log, stderr=log)  # noqa: S603 - ours
    options = {
        "aws_endpoint_url": f"http://127.0.0.1:{port}",
        "aws_access_key_id": "key",
        "aws_secret_access_key": SECRET,
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    try:
        _wait_for(options["aws_endpoint_url"])
        files(options, allow_bucket_creation=True).create_dir(BUCKET)
        yield options
    finally:
        process.terminate()
        process.wait(timeout=20)


def files(options: Mapping[str, str], *, allow_bucket_creation: bool = False) -> pafs.S3FileSystem:
    return pafs.S3FileSystem(
        access_key=options["aws_access_key_id"],
        secret_key=options["aws_secret_access_key"],
        region=options["aws_region"],
        endpoint_override=options["aws_endpoint_url"].removeprefix("http://"),
        scheme="http",
        allow_bucket_creation=allow_bucket_creation,
    )


def download(options: Mapping[str, str], folder: Path) -> Path:
    """Every object of the bucket as a file below a folder."""
    folder.mkdir()
    pafs.copy_files(
        BUCKET, str(folder), source_filesystem=files(options), destination_filesystem=pafs.LocalFileSystem()
    )
    return folder


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            urlopen(url, timeout=5).close()  # noqa: S310 - http://127.0.0.1
        except URLError:
            time.sleep(0.1)
        else:
            return
    message = f"Nothing answers at {url}."
    raise TimeoutError(message)
