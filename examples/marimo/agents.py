"""An agent's weeks, as a marimo notebook: ``marimo edit examples/marimo/agents.py``, or ``marimo run`` to look only.

It needs marimo and duckdb. It reads ``demo/warehouse.duckdb``, or a file that is named after ``--``, as in ``marimo run
examples/marimo/agents.py -- --warehouse data/warehouse.duckdb``.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium")


@app.cell
def imports():
    import duckdb
    import marimo as mo

    return duckdb, mo


@app.cell
def open_warehouse(duckdb, mo):
    path = mo.cli_args().get("warehouse") or "demo/warehouse.duckdb"
    warehouse = duckdb.connect(path, read_only=True)
    return (warehouse,)


@app.cell
def choose(mo, warehouse):
    agents = warehouse.sql(
        "select coalesce(agent_name || ' (' || agent_id || ')', agent_id), agent_id from marts.dim_agents order by all"
    ).fetchall()
    agent = mo.ui.dropdown(dict(agents), value=agents[0][0], label="Agent")
    agent
    return (agent,)


@app.cell
def weeks(agent, mo, warehouse):
    rows = warehouse.execute(
        """
        select
            week_start_date,
            n_calls,
            success_rate,
            n_success + n_failure as n_judged,
            cost_usd,
            wait_p95_secs,
            n_waits
        from metrics.agent_scorecard
        where agent_id = $agent_id
        order by week_start_date
        """,
        {"agent_id": agent.value},
    )
    names = [column[0] for column in rows.description]
    table = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    mo.ui.table(table, selection=None)
    return (table,)


@app.cell
def definitions(mo, warehouse):
    metrics = warehouse.sql(
        "select name, numerator, denominator, null_rule from metrics.catalog "
        "where id in ('agent_scorecard.success_rate', 'agent_scorecard.cost_usd', 'agent_scorecard.wait_p95_secs')"
    ).fetchall()
    formulas = {name: f"{top} ÷ ({bottom})" if bottom else top for name, top, bottom, _ in metrics}
    mo.md("\n".join(f"- **{name}**: {formulas[name]}; {rule}." for name, _, _, rule in metrics))


if __name__ == "__main__":
    app.run()
