"""What a build does not import: a package that takes longer to load than a few models to build."""

import subprocess
import sys


def test_a_build_does_not_import_pyarrow() -> None:
    code = (
        "import sys\n"
        "from warehouse.models.build_tables import WORKSPACES, workspace_rows\n"
        "from warehouse.connection import connect\n"
        "from warehouse.models.project import SQL_DIR\n"
        "from warehouse.models.seeds import read_seeds\n"
        "with connect() as connection:\n"
        "    connection.execute('create schema seeds')\n"
        "    for seed in read_seeds(SQL_DIR / 'seeds'):\n"
        "        seed.load(connection)\n"
        "    WORKSPACES.load(connection, workspace_rows({'eu': 'Europe/Paris'}))\n"
        "    print(connection.execute('from seeds.workspaces').fetchall(), {'pyarrow', 'numpy'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "[('eu', 'Europe/Paris')] set()\n"
