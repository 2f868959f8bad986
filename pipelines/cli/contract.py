"""``convohouse contract``: what other tools have to know about the warehouse, in their formats."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.render import emit, require_folder, write, write_file

FORMATS = ("odcs", "osi", "dbt", "superset")
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip file can hold: the same contract is the same bytes."""


@click.command(
    epilog=help_epilog(
        {
            "convohouse contract odcs --output contract.yaml": "Open Data Contract Standard 3.1",
            "convohouse contract osi --output model.yaml": "semantic model of Apache Ossie (OSI) 0.2",
            "convohouse contract dbt > models/sources.yml": "sources of a dbt project",
            "convohouse contract superset --output convohouse.zip": "datasets, charts, a dashboard",
        },
        {0: "written", 2: "a setting or an option is wrong"},
    )
)
@click.argument("form", metavar="|".join(FORMATS), type=click.Choice(FORMATS))
@click.option(
    "--output",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it into a file.",
)
@shared_options
@pass_options
def contract(options: Options, form: str, output: Path | None) -> None:
    """Describe the warehouse for another tool.

    The description is generated from the declarations of tables, columns and metrics, and needs no data. odcs covers
    the lake, marts and metrics; osi and dbt cover marts and metrics; superset is a zip file for `superset
    import-dashboards`. Metrics are sums divided by sums that a tool can evaluate over any rows. Paths are those of the
    home folder. Generate it again after an update.
    """
    require_folder(output)
    is_binary = form == "superset" and not options.is_json
    if is_binary and output is None and sys.stdout.isatty():
        raise click.UsageError("A zip file cannot be shown on a terminal: name a file with --output.")
    data = _data(options, form)
    if options.is_json and output is None:
        emit(data)
        return
    content = _zip(data) if form == "superset" else _yaml(data)
    if output is None:
        write(content)
    else:
        write_file(output, content)
        options.say(f"written to {output}")


def _data(options: Options, form: str) -> dict[str, Any]:
    """The contract as data.

    Raises:
        SettingsError: a setting is wrong.
    """
    from importlib.metadata import version

    from warehouse.contracts.dbt_sources import dbt_sources
    from warehouse.contracts.odcs import odcs
    from warehouse.contracts.ossie import ossie
    from warehouse.contracts.superset import superset
    from warehouse.models.project import read_project

    settings, home, project = options.settings(), options.home_folder(), read_project()
    match form:
        case "odcs":
            return odcs(project, version("convohouse"), str(home.warehouse.resolve()), settings.fresh_hours)
        case "osi":
            return ossie(project)
        case "dbt":
            return dbt_sources(project, settings.fresh_hours)
        case _:
            return superset(project, home.warehouse)


def _yaml(data: Mapping[str, Any]) -> bytes:
    import yaml  # type: ignore[import-untyped]

    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()


def _zip(files: Mapping[str, Mapping[str, Any]]) -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, ZIP_TIME), _yaml(data), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
