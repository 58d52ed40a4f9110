"""How a step is announced, how a failure is told, how a command is run."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time

from .project import DEV

TAIL = 15


class Failure(Exception):
    """What is wrong and what to do about it, in one line."""


def fail(message):
    raise Failure(message)


def say(message):
    print(message, file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(title):
    """Announce what is done and, once done, how long it took."""
    say(f"==> {title}")
    start = time.monotonic()
    yield
    say(f"    done in {time.monotonic() - start:.1f} s")


@contextlib.contextmanager
def lock(name, busy=None):
    """Hold `.dev/<name>.lock`; wait for it, or fail with ``busy`` when another process holds it."""
    DEV.mkdir(exist_ok=True)
    with open(DEV / f"{name}.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if busy:
                fail(busy)
            say(f"    another command prepares the {name}: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run(command, what, log=None, **kwargs):
    """Run a command silently; when it fails, show the end of its output and say so."""
    command = [str(part) for part in command]
    if "input" not in kwargs:
        kwargs.setdefault("stdin", subprocess.DEVNULL)
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **kwargs,
        )
    except OSError as error:
        fail(f"{what}: {error}")
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(done.stdout)
    if done.returncode:
        for line in done.stdout.splitlines()[-TAIL:]:
            say(f"    {line}")
        fail(f"{what} failed (exit code {done.returncode}): {' '.join(command)[:200]}")
    return done.stdout


def write(path, text):
    """Write a file so that a reader sees the old text or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)
