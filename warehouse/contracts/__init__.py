"""What other tools have to know about the warehouse, in their formats: ODCS, Ossie (OSI), dbt, Superset.

All of it is generated from ``warehouse.schema`` and the headers of ``sql/``, so it cannot disagree with them. Nothing
here reads data.
"""
