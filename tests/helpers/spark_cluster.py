"""A real standalone cluster of Spark on loopback: a master, two workers and a Spark Connect server, each a process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

START_SECS = 120
PACKAGES = Path(__file__).parents[2] / ".venv" / "spark" / "lib"


def find_spark_home() -> Path | None:
    """Folder of the pyspark in ``.venv/spark``; None if it is not installed, or there is no Java."""
    homes = sorted(PACKAGES.glob("python3*/site-packages/pyspark"))
    return homes[-1] if homes and shutil.which("java") else None


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
    master_port, connect_port = _free_port(), _free_port()
    processes: list[subprocess.Popen[bytes]] = []

    def start(name: str, *command: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {  # noqa: TID251 - of the test run, not of the product
            "SPARK_HOME": str(spark_home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WORKER_DIR": str(folder / name),
            "SPARK_LOCAL_DIRS": str(folder / "local"),
            "SPARK_DAEMON_MEMORY": "512m",
        }
        with (folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - ours
                command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        processes.append(process)
        return process

    run_class = str(spark_home / "bin" / "spark-class")
    master = f"spark://127.0.0.1:{master_port}"
    try:
        start(
            "master", run_class, "org.apache.spark.deploy.master.Master",
            "--host", "127.0.0.1", "--port", str(master_port), "--webui-port", "0",
        )  # fmt: skip
        _wait_for(master_port, folder / "master.log")
        workers = [
            start(
                f"worker_{number}", run_class, "org.apache.spark.deploy.worker.Worker",
                "--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "1g", master,
            )
            for number in (1, 2)
        ]  # fmt: skip
        start(
            "connect", str(spark_home / "bin" / "spark-submit"),
            "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--master", master, "--driver-memory", "1g",
            "--conf", f"spark.connect.grpc.binding.port={connect_port}",
            "--conf", "spark.executor.memory=700m", "--conf", "spark.executor.cores=1",
            "--conf", "spark.sql.shuffle.partitions=2", "--conf", "spark.ui.enabled=false",
            "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1",
            "spark-internal",
        )  # fmt: skip
        _wait_for(connect_port, folder / "connect.log")
        yield SparkCluster(f"sc://127.0.0.1:{connect_port}", workers)
    finally:
        for process in reversed(processes):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for process in processes:
            process.wait()


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
