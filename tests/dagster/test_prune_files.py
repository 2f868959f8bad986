"""What is left on the disk of a run of Dagster that was deleted: nothing, while those of other runs stay."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from pipelines.clock import utc_now
from pipelines.orchestration.prune import delete_runs


@dg.op
def talk() -> int:
    print("a line of a step")  # noqa: T201 - into the output that Dagster keeps of a step
    return 1


@dg.job
def talking() -> None:
    talk()


def files_of(run_id: str, folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if run_id in str(path) and path.is_file())


def test_a_deleted_run_leaves_no_file(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        old, new = (talking.execute_in_process(instance=instance).run_id for _ in range(2))
        (tmp_path / "running").mkdir()
        for run_id in (old, new):
            (tmp_path / "running" / f"{run_id}.lock").touch()  # as its process does
        kept = files_of(new, tmp_path)
        assert f"history/runs/{new}.db" in kept
        assert [name for name in kept if name.startswith(f"storage/{new}/compute_logs/")] != []
        assert len(files_of(old, tmp_path)) == len(kept)

        after_first = instance.get_run_record_by_id(old).create_timestamp + timedelta(microseconds=1)
        assert delete_runs(instance, after_first) == 1

        assert files_of(old, tmp_path) == []
        assert files_of(new, tmp_path) == kept
        assert [record.dagster_run.run_id for record in instance.get_run_records()] == [new]
        assert len(instance.all_logs(new)) > 0
        assert delete_runs(instance, utc_now() + timedelta(days=1)) == 1
        assert files_of(new, tmp_path) == []
