"""Run the command line and die in it as ``kill_at`` does, with the few models that ``few_models`` builds."""

from __future__ import annotations

import sys
from importlib import import_module

from pipelines.cli.main import main
from tests.conftest import FEW, READERS_OF_THE_PROJECT
from tests.helpers.kill_at import die_at
from warehouse.models.project import read_project

if __name__ == "__main__":
    few = read_project().upstream(*FEW)
    for module in READERS_OF_THE_PROJECT:
        if not module.startswith("pipelines.orchestration"):
            import_module(module).read_project = lambda *_: few
    function, number, word, *arguments = sys.argv[1:]
    die_at(function, int(number), word)
    main(arguments)
