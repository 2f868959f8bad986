"""Run the command line with few models and die in it, as ``tests.helpers.kill_at``: FUNCTION NUMBER ARGUMENT…."""

from __future__ import annotations

import sys

from pipelines.cli.main import main
from tests.helpers.few_models import FEW
from tests.helpers.kill_at import die_at
from warehouse.build import runner
from warehouse.models import data_quality
from warehouse.models.project import read_project

if __name__ == "__main__":
    few = read_project().upstream(*FEW)
    runner.read_project = data_quality.read_project = lambda *_: few
    function, number, *arguments = sys.argv[1:]
    die_at(function, int(number), "")
    main(arguments)
