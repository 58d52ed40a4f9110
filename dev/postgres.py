"""The PostgreSQL: the one the PG* variables name, else a private cluster without a network port.

The private cluster listens on a socket only, in a folder of its own that `.dev/postgres.json`
records. It does not sync to disk: quick, and rebuilt by `make clean demo` should the power fail.
"""

import json
import os
import pwd
import shutil
import socket
import subprocess
import zlib
from pathlib import Path

from . import apt
from .project import DEV, ROOT, VENV_PYTHON
from .steps import fail, lock, run, step, write

RECORD = DEV / "postgres.json"
ROLE = "odoo"
PORT = 5432  # only the ending of the socket's name
SOCKET_LIMIT = 107
OUTSIDE = Path("/var/tmp")
GIVEN = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGDATABASE", "PGUSER")
SETTINGS = """
listen_addresses = ''
port = {port}
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 4GB
checkpoint_timeout = 30min
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 256MB
jit = off
"""
CHECK = """
import sys, psycopg2
try:
    cr = psycopg2.connect(dbname=sys.argv[1]).cursor()
    cr.execute("SELECT rolname, rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
    user, creates = cr.fetchone()
except psycopg2.Error as error:
    sys.exit(" ".join(str(error).split()))
if user == "postgres":
    sys.exit("Odoo refuses the role postgres: set PGUSER to another one that may create databases")
if not creates:
    sys.exit(f"the role {user} may not create databases: ALTER ROLE {user} CREATEDB")
"""


def is_external():
    return any(os.environ.get(name) for name in GIVEN) and not os.environ.get(
        "CUSTOMER_COST_PRIVATE_PG"
    )


def ensure():
    """Make the server answer and set the PG* variables of this process for it."""
    if is_external():
        _check_external()
        return
    record = _record()
    if not (record and _answers(record)):
        with lock("postgres"):
            record = _record() or _create()
            if not _answers(record):
                _start(record)
    os.environ.update(
        PGHOST=record["folder"],
        PGPORT=str(record["port"]),
        PGUSER=ROLE,
        CUSTOMER_COST_PRIVATE_PG="1",
    )
    for name in ("PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGPASSWORD"):
        os.environ.pop(name, None)


def _check_external():
    database = os.environ.get("PGDATABASE") or "postgres"
    done = subprocess.run([VENV_PYTHON, "-c", CHECK, database], capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no answer"
        fail(
            f"the PostgreSQL of the PG* variables cannot be used ({reason}): correct them, or "
            "unset them all"
        )


def _record():
    """What is known of this checkout's cluster; a copied record or one without files is not."""
    if not RECORD.exists():
        return None
    record = json.loads(RECORD.read_text())
    ours = record["checkout"] == str(ROOT) and (Path(record["folder"]) / "data").exists()
    return record if ours else None


def _answers(record):
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(f"{record['folder']}/.s.PGSQL.{record['port']}")
        except OSError:
            return False
    return True


def _programs():
    """The folder with initdb and pg_ctl, of the newest PostgreSQL there is."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    if folders:
        return folders[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _find_programs():
    programs = _programs()
    if programs is None:
        if not apt.is_bookworm():
            fail(
                "PostgreSQL's initdb is not installed: install PostgreSQL 13 or newer, or set "
                "PG* to a running one"
            )
        fresh = not Path("/etc/postgresql-common/createcluster.conf").exists()
        apt.install(
            ["postgresql-15"],
            "the private database server",
            script=apt.INSTALL_SERVER if fresh else None,
        )
        programs = _programs()
    return programs


def _owner():
    """The account that runs the server: PostgreSQL refuses root."""
    if os.geteuid():
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        fail(
            "PostgreSQL does not run as root and there is no user postgres: add one, or start as "
            "an ordinary user"
        )


def _as(owner, command):
    return ["runuser", "-u", owner, "--", *command] if owner else command


def _candidates():
    """Where the cluster may live: in the checkout, or beside it if its owner cannot enter."""
    return (
        DEV / "pg",
        OUTSIDE / f"customer_cost-{os.geteuid()}-{zlib.crc32(str(ROOT).encode()):08x}",
    )


def _create():
    programs, owner = _find_programs(), _owner()
    for folder in _candidates():
        if _prepare(folder, owner):
            break
    else:
        fail(
            f"no folder for the database: {DEV} and {OUTSIDE} cannot be used by the user "
            f"{owner or 'you are'}"
        )
    with step(f"Creating the private PostgreSQL cluster in {folder}"):
        options = ["-U", ROLE, "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-sync"]
        run(_as(owner, [programs / "initdb", "-D", folder / "data", *options]), "initdb", cwd="/")
        with open(folder / "data/postgresql.conf", "a") as handle:
            handle.write(SETTINGS.format(port=PORT))
    record = {
        "checkout": str(ROOT),
        "folder": str(folder),
        "programs": str(programs),
        "owner": owner,
        "port": PORT,
    }
    write(RECORD, json.dumps(record, indent=2))
    return record


def _prepare(folder, owner):
    """Make the folder; False when the server's account or the path's length forbids it."""
    if len(f"{folder}/.s.PGSQL.{PORT}.lock") > SOCKET_LIMIT:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
        if owner:
            shutil.chown(folder, owner)
    except OSError:
        return False
    return not subprocess.run(
        _as(owner, ["test", "-w", str(folder)]), cwd="/", stderr=subprocess.DEVNULL
    ).returncode


def _control(record, *arguments):
    command = [f"{record['programs']}/pg_ctl", "-D", f"{record['folder']}/data", *arguments]
    return _as(record["owner"], command)


def _start(record):
    folder = record["folder"]
    if not Path(record["programs"], "pg_ctl").exists():
        fail(
            f"the programs in {record['programs']} that made this checkout's database are gone: "
            "install them again, or `make clean`"
        )
    if shutil.disk_usage(folder).free < 200 << 20:
        fail(f"less than 200 MB free for the database in {folder}: make room, then start again")
    command = _control(record, "-w", "-l", f"{folder}/log", "-o", f"-k {folder}", "start")
    done = subprocess.run(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if done.returncode:
        fail(
            f"the private PostgreSQL does not start, {folder}/log says why; `make clean` makes a "
            "new one"
        )


def stop(mode="fast"):
    """Stop the private server; True when one was running."""
    record = _record()
    if not record or not _answers(record):
        return False
    run(_control(record, "-m", mode, "stop"), "stopping the private PostgreSQL", cwd="/")
    return True


def remove():
    """Stop the private server and delete its folder, which the record says is ours."""
    record = _record()
    if record:
        stop("immediate")
        folder = Path(record["folder"])
        if folder not in _candidates():
            fail(f"{RECORD} names {folder}, which is no folder of ours: delete it yourself")
        shutil.rmtree(folder)
    RECORD.unlink(missing_ok=True)
