"""`make clean`: stop what runs, delete what the records in `.dev` say is ours."""

import shutil

from . import demo, postgres
from .project import DEV, ROOT
from .steps import fail, say, step


def main():
    if DEV.is_symlink():
        fail(f"{DEV} is a link: delete it yourself")
    if not DEV.is_dir():
        say("nothing to clean")
        return
    with step(f"Stopping the servers and deleting {DEV.relative_to(ROOT)}"):
        demo.stop_server()
        postgres.remove()
        shutil.rmtree(DEV)
