"""dlt's REST source, list then detail, into DuckDB: ``python dlt_rest.py URL FOLDER [parallelized]``.

As it comes, dlt asks for one detail after the other; ``parallelized`` is its own option for several at once.
"""

import sys
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source

url, folder = sys.argv[1], Path(sys.argv[2])
PATH = "/v1/convai/conversations"
source = rest_api_source(
    {
        "client": {"base_url": url, "headers": {"xi-api-key": "demo"}},
        "resources": [
            {
                "name": "conversations",
                "endpoint": {
                    "path": PATH,
                    "params": {"page_size": 100},
                    "data_selector": "conversations",
                    "paginator": {"type": "cursor", "cursor_path": "next_cursor", "cursor_param": "cursor"},
                },
            },
            {
                "name": "details",
                "primary_key": "conversation_id",
                "parallelized": sys.argv[3:] == ["parallelized"],
                "endpoint": {"path": f"{PATH}/{{resources.conversations.conversation_id}}"},
            },
        ],
    }
)
pipeline = dlt.pipeline(
    "details",
    pipelines_dir=str(folder / "pipelines"),
    destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
    dataset_name="elevenlabs",
)
pipeline.run(source)
with pipeline.sql_client() as client, client.execute_query("select count(*) from details") as rows:
    print(rows.fetchall()[0][0])
