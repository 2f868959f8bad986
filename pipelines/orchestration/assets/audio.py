"""The recordings, with their own job, which no schedule runs."""

import dagster as dg
from pydantic import Field

from pipelines.extract.time_window import parse_moment
from pipelines.orchestration.asset_keys import asset_key
from pipelines.orchestration.assets.agent_access import GROUP
from pipelines.orchestration.assets.landing import DOCUMENTS
from pipelines.orchestration.run_session import errors_as_failures, fail_if
from pipelines.orchestration.table_metadata import table_schema
from pipelines.usecases.audio import DownloadResult, download_audio
from pipelines.usecases.context import Context, Progress
from warehouse.schema.activity import AUDIO_FILES
from warehouse.storage.audio import AudioSelection

RECORDINGS = asset_key("landing.recordings")
BUDGET_BYTES = 5 * 10**9


class AudioConfig(dg.Config):
    """Which recordings to save."""

    since: str | None = Field(
        default=None, description="Only conversations that started at or after: a date, a time, or days ago (7d)."
    )
    agent_id: str | None = Field(default=None, description="Only conversations of this agent.")
    sample: int | None = Field(
        default=None, ge=1, description="Number of conversations to sample; the sample is always the same one."
    )
    budget_bytes: int = Field(
        default=BUDGET_BYTES, ge=0, description="Bytes that all recordings together may take on disk."
    )


@dg.asset(
    key=RECORDINGS,
    deps=[DOCUMENTS],
    group_name=GROUP,
    kinds={"python", "mp3"},
    metadata={"dagster/column_schema": table_schema(AUDIO_FILES)},
)
def recordings(
    config: AudioConfig, app_context: dg.ResourceParam[Context], progress: dg.ResourceParam[Progress]
) -> dg.MaterializeResult[None]:
    """Recordings of the conversations in the lake, one MP3 file per conversation.

    A recording that exists is not fetched again. The run config limits the conversations and the bytes on disk.

    If this fails, the error names each conversation and why; what was saved is kept. Run it again to continue.
    """
    since = parse_moment(config.since, app_context.clock()) if config.since else None
    selection = AudioSelection(since, None, config.agent_id, config.sample)
    with errors_as_failures():
        results = [
            download_audio(workspace, selection, budget_bytes=config.budget_bytes, progress=progress)
            for workspace in app_context.workspaces()
        ]
    fail_if([f"{conversation_id}: {reason}" for result in results for conversation_id, reason in result.failed.items()])
    return dg.MaterializeResult(metadata=_counts(results))


def _counts(results: list[DownloadResult]) -> dict[str, int]:
    names = ("n_saved", "n_before", "n_missing", "n_left")
    sums = {name: sum(getattr(result, name) for result in results) for name in names}
    # each result has the bytes of all recordings after its own workspace, so the largest is the total
    return sums | {"total_bytes": max(result.total_bytes for result in results)}


audio_job = dg.define_asset_job(
    "audio", dg.AssetSelection.assets(RECORDINGS), description="Saves recordings, up to the budget in bytes."
)
