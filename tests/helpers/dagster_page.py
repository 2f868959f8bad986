"""What Dagster's page asks its server, in GraphQL."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass(frozen=True)
class DagsterPage:
    """A running page."""

    url: str

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.url}/graphql",
            data=json.dumps({"query": text, "variables": variables}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - as above
            return json.load(response)["data"]

    def locations(self) -> set[str]:
        """Names of the code locations that are loaded; none while the server starts."""
        try:
            nodes = self.query("{repositoriesOrError{... on RepositoryConnection{nodes{location{name}}}}}")
            return {node["location"]["name"] for node in nodes["repositoriesOrError"]["nodes"]}
        except (OSError, KeyError):
            return set()

    def launch(self, location: str, job: str, tags: dict[str, str] | None = None) -> dict[str, Any]:
        """Start a run, as the button of the Launchpad does."""
        return self.query(
            "mutation($given:ExecutionParams!){launchRun(executionParams:$given){__typename}}",
            given={
                "selector": {
                    "repositoryName": "__repository__",
                    "repositoryLocationName": location,
                    "jobName": job,
                },
                "runConfigData": {},
                "mode": "default",
                "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]},
            },
        )["launchRun"]

    def runs(self) -> list[dict[str, Any]]:
        """Id, job, status and location of every run, the newest first."""
        fields = "runId jobName status repositoryOrigin{repositoryLocationName}"
        return self.query(f"{{runsOrError{{... on Runs{{results{{{fields}}}}}}}}}")["runsOrError"]["results"]
