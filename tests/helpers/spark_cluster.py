"""A real standalone cluster of Spark on loopback: a master, two workers and a Spark Connect server, each a process.

And a server of Spark Connect that is one process, for hand-worked cases.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

START_SECS = 120
PACKAGES = Path(__file__).parents[2] / ".venv" / "spark" / "lib"


def find_spark_home() -> Path:
    """Folder of the pyspark in ``.venv/spark``, which `make spark` installs."""
    assert shutil.which("java"), "Spark needs Java 17: install openjdk-17-jre-headless."
    return max(PACKAGES.glob("python3*/site-packages/pyspark"))


@dataclass
class SparkCluster:
    """``remote`` is the address for clients; ``workers`` can be killed."""

    remote: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kill_worker(self) -> None:
        """Kill the first worker with its executors, as a machine that is switched off."""
        os.killpg(self.workers[0].pid, signal.SIGKILL)


@contextmanager
def running_cluster(folder: Path, spark_home: Path) -> Iterator[SparkCluster]:
    """The cluster, with its logs and its work in ``folder``; all its processes end with the block."""
    port = _free_port()
    master = f"spark://127.0.0.1:{port}"
    with _processes(folder, spark_home) as start:
        start(
            "master", "spark-class", "org.apache.spark.deploy.master.Master",
            "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0",
        )  # fmt: skip
        _wait_for(port, folder / "master.log")
        workers = [
            start(
                f"worker_{number}", "spark-class", "org.apache.spark.deploy.worker.Worker",
                "--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "1g", master,
            )
            for number in (1, 2)
        ]  # fmt: skip
        settings = {"spark.executor.memory": "700m", "spark.executor.cores": "1", "spark.sql.shuffle.partitions": "2"}
        yield SparkCluster(_start_connect(start, folder, master, "1g", settings), workers)


FOR_A_FEW_ROWS = {
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""To plan, compile and schedule less than for many rows takes."""


@contextmanager
def running_server(folder: Path, spark_home: Path) -> Iterator[str]:
    """Address of a Spark Connect server for tables of a few rows, which is one process."""
    with _processes(folder, spark_home) as start:
        yield _start_connect(start, folder, "local[2]", "2g", FOR_A_FEW_ROWS)


Start = Callable[..., subprocess.Popen[bytes]]
"""Starts a process by its name, a program of Spark, and arguments."""


@contextmanager
def _processes(folder: Path, spark_home: Path) -> Iterator[Start]:
    """Processes with their logs and their work in ``folder``, which end with the block."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(name: str, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {  # noqa: TID251 - of the test run, not of the product
            "SPARK_HOME": str(spark_home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WORKER_DIR": str(folder / name),
            "SPARK_LOCAL_DIRS": str(folder / "local"),
            "SPARK_DAEMON_MEMORY": "512m",
        }
        command = [str(spark_home / "bin" / program), *arguments]
        with (folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - ours
                command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        processes.append(process)
        return process

    try:
        yield start
    finally:
        for process in reversed(processes):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for process in processes:
            process.wait()


def _start_connect(start: Start, folder: Path, master: str, memory: str, settings: Mapping[str, str]) -> str:
    """Start a Spark Connect server on the master; its address."""
    port = _free_port()
    local = {
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
    }
    options = [word for name, value in (local | settings).items() for word in ("--conf", f"{name}={value}")]
    start(
        "connect", "spark-submit", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
        "--master", master, "--driver-memory", memory, *options, "spark-internal",
    )  # fmt: skip
    _wait_for(port, folder / "connect.log")
    return f"sc://127.0.0.1:{port}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(port: int, log: Path) -> None:
    end = time.monotonic() + START_SECS
    while time.monotonic() < end:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.3)
    raise TimeoutError(f"Nothing listens on port {port}: {log.read_text(errors='replace')[-2000:]}")
