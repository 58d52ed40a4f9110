"""The databases: a cached template with what ours build on, and its quick clones.

Every database made here carries a mark; on a server that is not the private one nothing without it
is dropped.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from . import odoo_source, postgres
from .odoo_command import PROGRAM, prepare
from .project import DATA, LOGS, REQUIREMENTS, TEMPLATE_MODULES, VENV_PYTHON, digest
from .steps import fail, lock, run, step

MARK = "made by the customer_cost development environment"
PREGENERATE = "env['ir.qweb']._pregenerate_assets_bundles(); env.cr.commit()"
QUIET = ("--max-cron-threads=0", "--no-http", "--stop-after-init")
SQL_SCRIPT = Path(__file__).with_name("sql.py")


def query(database, statement, *parameters):
    command = [VENV_PYTHON, SQL_SCRIPT, database, statement, *parameters]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        fail(f"the database server refuses: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)


def _server(statement, *parameters):
    return query(os.environ.get("PGDATABASE") or "postgres", statement, *parameters)


def exists(name):
    return bool(_server("SELECT 1 FROM pg_database WHERE datname = %s", name))


def _mark(name):
    _server(f"COMMENT ON DATABASE \"{name}\" IS '{MARK}'")


def check_name(name):
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,59}", name):
        fail(f"{name!r} is no database name: letters, digits, - and _ only, a letter first")


def filestore(name):
    return DATA / "filestore" / name


def drop(name):
    """Drop a database of ours with its files; nothing happens when there is none."""
    check_name(name)
    if exists(name):
        statement = (
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        )
        if postgres.is_external() and _server(statement, name) != [[MARK]]:
            fail(
                f"the database {name} on your server was not made here: choose another name, or "
                "drop it yourself"
            )
        _server(f'DROP DATABASE "{name}" WITH (FORCE)')
    shutil.rmtree(filestore(name), ignore_errors=True)


def create(name):
    """An empty database, of the kind Odoo creates itself."""
    drop(name)
    _server(f"CREATE DATABASE \"{name}\" ENCODING 'unicode' LC_COLLATE 'C' TEMPLATE template0")
    _mark(name)
    query(name, "CREATE EXTENSION IF NOT EXISTS pg_trgm")


def clone(name):
    """Replace database ``name`` by a copy of the template."""
    source = template()
    drop(name)
    _server(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    _mark(name)
    if filestore(source).is_dir():
        # The files are named by their content and never rewritten, so both databases can share
        # them.
        shutil.copytree(filestore(source), filestore(name), copy_function=os.link)


def template_name():
    source = odoo_source.ensure()
    return "template_" + digest(
        source.identity, REQUIREMENTS / "odoo.in", " ".join(TEMPLATE_MODULES), PREGENERATE
    )


def template():
    """Name of the template database, which is built when it is missing."""
    name = template_name()
    if exists(name):
        return name
    with lock("template"):
        if not exists(name):
            _build(name)
    return name


def _build(name):
    unfinished = f"{name}_unfinished"
    environment = prepare()
    for (old,) in _server("SELECT datname FROM pg_database WHERE datname LIKE 'template\\_%'"):
        if re.fullmatch(r"template_[0-9a-f]{12}(_unfinished)?", old) and not postgres.is_external():
            drop(old)
    with step(f"Building the template database: {', '.join(TEMPLATE_MODULES)} (a minute or two)"):
        create(unfinished)
        command = [*PROGRAM, "-d", unfinished, "-i", ",".join(TEMPLATE_MODULES), *QUIET]
        run(
            command,
            "installing the add-ons ours build on",
            log=LOGS / "template.log",
            env=environment,
        )
    with step("Generating the browser's asset bundles in the template"):
        command = [*PROGRAM, "shell", "-d", unfinished, "--no-http"]
        run(
            command,
            "generating the bundles",
            log=LOGS / "bundles.log",
            env=environment,
            input=PREGENERATE,
        )
    if filestore(unfinished).is_dir():
        filestore(unfinished).rename(filestore(name))
    _server(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')


def clone_command(*arguments):
    """`clone NAME`: a fresh copy of the template."""
    if len(arguments) != 1:
        fail("usage: python3 -m dev clone NAME")
    check_name(arguments[0])
    prepare()
    clone(arguments[0])


def drop_command(*arguments):
    """`drop NAME`: away with it."""
    if len(arguments) != 1:
        fail("usage: python3 -m dev drop NAME")
    prepare()
    drop(arguments[0])


def template_command():
    """`template`: build the template database now and print its name."""
    prepare()
    print(template())
