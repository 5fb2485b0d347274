"""A real PostgreSQL server for as long as it is wanted: in a folder of its own, on a socket in that folder."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

PASSWORD = "p@ss/w:rd%"


def program(name):
    """Return the path of the program *name*, or None; distributions keep the server's programs off the PATH."""
    found = [*Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), *Path("/usr/pgsql").parent.glob(f"pgsql-*/bin/{name}")]
    return shutil.which(name) or next(map(str, sorted(found, reverse=True)), None)


def owner():
    """Return the options that start a process as another account: the server does not run as root."""
    if os.geteuid():
        return {}
    names = {one.pw_name: one for one in pwd.getpwall()}
    account = names.get("postgres") or names["nobody"]
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@contextmanager
def running():
    """Yield the server's URL, with user and password, for its database ``postgres``."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        who = owner()
        (folder / "password").write_text(PASSWORD)
        if who:
            for path in (folder, folder / "password"):
                os.chown(path, who["user"], who["group"])
        made = [program("initdb"), "-D", "data", "-U", "gateway", "--pwfile=password", "-A", "scram-sha-256", "-N"]
        subprocess.run([*made, "-E", "UTF8", "--locale=C"], cwd=folder, check=True, capture_output=True, **who)
        started = [program("postgres"), "-D", "data", "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(started, cwd=folder, stdout=log, stderr=log, **who)
        url = f"postgresql://gateway:{quote(PASSWORD, safe='')}@/postgres?host={folder}"
        try:
            wait_for(url, server, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # ends at once, with what is committed on the disk
            server.wait(30)


def wait_for(url, server, log):
    """Wait until the server answers; raise RuntimeError with its log if it ends or 30 seconds pass."""
    until = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.05)
        else:
            return
