"""``dagster`` as ``convohouse dev`` starts it: without a warning that is not true here.

It warns that the ``dagster.yaml`` of the project's folder is not used if ``DAGSTER_HOME`` is another folder; that one
has a copy of it (``orchestration.instance``).
"""

import logging

from dagster._cli import cli

WARNING = "Found a dagster instance configuration"


def is_true(record: logging.LogRecord) -> bool:
    """Whether a line of the log is to be shown."""
    return not record.getMessage().startswith(WARNING)


if __name__ == "__main__":
    logging.getLogger("dagster").addFilter(is_true)
    cli(prog_name="dagster")
