"""`make test`, last part: installed, used and uninstalled, the add-ons leave Odoo as it was."""

from . import databases
from .odoo_command import PROGRAM
from .project import LOGS, ROOT
from .steps import run, step

# Rows come and go in these whatever is installed: (table, why).
CHANGING_TABLES = {
    "bus_bus": "notifications in passing",
    "ir_attachment": "asset bundles made on demand",
    "ir_cron_trigger": "the queue of the scheduled actions",
    "ir_logging": "log records",
    "ir_model_constraint": "Odoo's notes on keys that went with their columns",
    "ir_model_data": "Odoo's notes on fields that its mixins gave to removed models",
    "ir_module_module": "the list of what can be installed",
    "ir_module_module_dependency": "the list of what can be installed",
    "orm_signaling_registry": "counts the changes of the registry",
    "res_device_log": "sessions",
    "web_tour_tour": "tours register themselves when they are first seen",
}
SCHEMA = """
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' '
           || is_nullable || ' ' || COALESCE(column_default, '')
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' '
           || pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'sequence ' || sequence_name FROM information_schema.sequences
           WHERE sequence_schema = 'public'
    UNION ALL SELECT 'record ' || module || '.' || name FROM ir_model_data
           WHERE module LIKE 'customer%cost%'
    UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
ROWS = """
    SELECT table_name, (xpath('/row/c/text()', query_to_xml(
               format('SELECT count(*) AS c FROM %I', table_name), FALSE, TRUE, '')))[1]::text
      FROM information_schema.tables
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
"""
# What the company's books hold, to the byte.
CONTENT = {
    table: f"SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM {table} t"
    for table in ("account_account", "account_journal", "product_template", "product_category")
} | {
    table: f"SELECT md5(string_agg(({columns})::text, '|' ORDER BY id)) FROM {table} t"
    for table, columns in (
        ("account_move", "id, name, state, date, amount_total, partner_id"),
        ("account_move_line", "id, move_id, account_id, balance, amount_residual, partner_id"),
        ("res_partner", "id, name, parent_id, active"),
        ("res_company", "id, name, currency_id"),
    )
}


def check(database, modules, environment):
    """Install ``modules`` in a fresh database with books, use them, uninstall them.

    :return: a line for everything that is not as it was before
    """
    with step(f"Installing, using and uninstalling {', '.join(modules)} in database {database}"):
        databases.clone(database)
        _shell(database, "uninstall_books.py", environment)
        before = _snapshot(database)
        _odoo(environment, "-d", database, "-i", ",".join(modules), *databases.QUIET)
        _shell(database, "uninstall_use.py", environment)
        _odoo(environment, "module", "uninstall", "-d", database, *modules)
        after = _snapshot(database)
    found = [f"left behind: {thing}" for thing in sorted(after["schema"] - before["schema"])]
    found += [f"lost: {thing}" for thing in sorted(before["schema"] - after["schema"])]
    for kind in ("rows", "content"):
        for table, value in sorted(before[kind].items()):
            if after[kind].get(table) != value:
                found.append(f"{kind} of {table}: {value} before, {after[kind].get(table)} after")
    return found


def _odoo(environment, *arguments):
    command = [*PROGRAM, *arguments]
    run(command, "the uninstall check", log=LOGS / "uninstall.log", env=environment)


def _shell(database, script, environment):
    command = [*PROGRAM, "shell", "-d", database, "--no-http", "--log-level=warn"]
    text = (ROOT / "dev" / script).read_text()
    run(command, script, log=LOGS / "uninstall.log", env=environment, input=text)


def _snapshot(database):
    rows = dict(databases.query(database, ROWS))
    return {
        "schema": {thing for (thing,) in databases.query(database, SCHEMA)},
        "rows": {table: count for table, count in rows.items() if table not in CHANGING_TABLES},
        "content": {
            table: databases.query(database, statement)[0][0]
            for table, statement in CONTENT.items()
        },
    }
