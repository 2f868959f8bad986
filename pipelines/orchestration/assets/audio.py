"""The recordings: an asset and a job of its own, in no schedule."""

import dagster as dg
from pydantic import Field

from pipelines.extract.time_window import parse_moment
from pipelines.orchestration.asset_keys import asset_key
from pipelines.orchestration.assets.agent_access import GROUP
from pipelines.orchestration.assets.landing import DOCUMENTS
from pipelines.orchestration.table_metadata import table_schema
from pipelines.usecases.audio import DownloadResult, download_audio
from pipelines.usecases.context import Context, Progress
from warehouse.errors import ConvohouseError
from warehouse.schema.activity import AUDIO_FILES
from warehouse.storage.audio import Choice

RECORDINGS = asset_key("landing.recordings")
BUDGET_BYTES = 5 * 10**9


class AudioConfig(dg.Config):
    """Which recordings to save."""

    since: str | None = Field(default=None, description="Only calls from here: a date, a time, or days ago (7d).")
    agent_id: str | None = Field(default=None, description="Only calls of this agent.")
    sample: int | None = Field(default=None, ge=1, description="Only so many calls, always the same ones.")
    budget_bytes: int = Field(default=BUDGET_BYTES, ge=0, description="What all recordings may take on disk.")


@dg.asset(
    key=RECORDINGS,
    deps=[DOCUMENTS],
    group_name=GROUP,
    kinds={"python", "mp3"},
    metadata={"dagster/column_schema": table_schema(AUDIO_FILES)},
)
def recordings(
    config: AudioConfig, workspace_context: dg.ResourceParam[Context], progress: dg.ResourceParam[Progress]
) -> dg.MaterializeResult[None]:
    """Recordings of the calls in the lake, as MP3 files; what is there is not fetched again."""
    since = parse_moment(config.since, workspace_context.clock()) if config.since else None
    choice = Choice(since, None, config.agent_id, config.sample)
    try:
        done = [
            download_audio(each, choice, budget_bytes=config.budget_bytes, progress=progress)
            for each in workspace_context.workspaces()
        ]
    except ConvohouseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    if failed := {each: why for part in done for each, why in part.failed.items()}:
        raise dg.Failure("\n".join(f"{each}: {why}" for each, why in failed.items()), allow_retries=False)
    return dg.MaterializeResult(metadata=_counts(done))


def _counts(done: list[DownloadResult]) -> dict[str, int]:
    names = ("n_saved", "n_before", "n_missing", "n_left")
    sums = {name: sum(getattr(part, name) for part in done) for name in names}
    return sums | {"total_bytes": max(part.total_bytes for part in done)}


audio_job = dg.define_asset_job(
    "audio", dg.AssetSelection.assets(RECORDINGS), description="Save recordings, as far as the budget goes."
)
