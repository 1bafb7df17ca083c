"""A PostgreSQL cluster and a veer of the test's own, both gone when the test is."""

import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psycopg

SECONDS_MAX = 180
# The index may take its time to catch up, the stream may stand still for long, and searches may be slow: how fast the
# machine is that a test runs on decides nothing.
PATIENT = '[guards]\nlag_max = "1h"\nslow_share_max = 0.9\n[defaults]\nfreshness_wait = "1m"\npercent = {}\n'


# A polite end runs the exits below, which remove the directories.
signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def fail(message):
    sys.exit("FAILED: " + message)


def wait_until(holds, what):
    """Asks until it holds. The pause only spares the processor; nothing depends on its length."""
    deadline = time.monotonic() + SECONDS_MAX
    while not (found := holds()):
        if time.monotonic() > deadline:
            fail(f"waited {SECONDS_MAX} s in vain for {what}")
        time.sleep(0.01)
    return found


def server_program(name):
    """Of the newest server below Debian's directory, or below the one that VEER_TEST_POSTGRES names in its place."""
    servers = pathlib.Path(os.environ.get("VEER_TEST_POSTGRES", "/usr/lib/postgresql"))
    program = max(servers.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]), default=None)
    if program is None:
        fail("no PostgreSQL server is installed; run scripts/install")
    return program


def free_port():
    """Below the ports that the kernel gives by itself to who connects, or binds to port 0: one of them may be taken
    between here and the server's start, or while it is down."""
    for _ in range(1000):
        with socket.socket() as probe:
            port = random.randint(10_000, 29_999)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass  # somebody's
    fail("no free port")


def session(port):
    return psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", autocommit=True)


class Server:
    """A process with a directory. It ends with this one, even if this one is killed."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="veer-clients-"))
        self.process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def launch(self, *command, die_with="KILL", user=()):
        self.log = open(self.directory / "log", "wb")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", die_with, *user, *map(str, command)],
            cwd=self.directory,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def said(self):
        return (self.directory / "log").read_text(errors="replace")

    def check_running(self):
        if self.process.poll() is not None:
            fail(f"{type(self).__name__} ended at start-up:\n{self.said()}")

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process is not None:
            self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Postgres(Server):
    """The newest installed server, on a free loopback port, trusting everybody whom hba does not name."""

    def __init__(self, hba=""):
        super().__init__()
        self.hba = hba

    def start(self):
        programs = server_program("initdb")
        user = ()
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = ("--reuid", "postgres", "--regid", "postgres", "--clear-groups")
            shutil.chown(self.directory, "postgres", "postgres")
        data = self.directory / "data"
        self.make_cluster(programs, user, data)
        rules = data / "pg_hba.conf"
        rules.write_text(self.hba + rules.read_text())
        self.port = free_port()
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "wal_level": "logical", "fsync": "off",
            "autovacuum": "off",  # else it begins after a minute: on a slow machine
            "unix_socket_directories": self.directory}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.launch(
            programs.with_name("postgres"), "-D", data, *options, die_with="INT", user=user)
        wait_until(self.accepts, "PostgreSQL")

    def make_cluster(self, initdb, user, data):
        made = subprocess.run(
            ["setpriv", *user, initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--locale", "C", "--no-sync"], cwd=self.directory, capture_output=True, text=True)
        if made.returncode != 0:
            fail("initdb: " + made.stderr)

    def accepts(self):
        self.check_running()
        return "database system is ready to accept connections" in self.said()


class Veer(Server):
    """The binary under test in front of a server, with a live index, answering whatever it can.

    `defaults` are further lines of [defaults].
    """

    def __init__(self, binary, postgres, defaults=""):
        super().__init__()
        self.defaults = defaults
        self.binary = pathlib.Path(binary).resolve()
        self.upstream = f"host=127.0.0.1 port={postgres.port} user=postgres dbname=postgres"

    def start(self):
        self.configure(100)
        self.launch(self.binary, "run", "--upstream", self.upstream, "--listen", "127.0.0.1:0",
                    "--data-dir", self.directory / "data")
        self.port = int(wait_until(self.listening, "veer to listen")[1])
        wait_until(self.live, "veer's index to be live")

    def listening(self):
        self.check_running()
        return re.search(r"listens on 127\.0\.0\.1:(\d+)", self.said())

    def configure(self, percent):
        (self.directory / "veer.toml").write_text(PATIENT.format(percent) + self.defaults + "\n")

    def set_percent(self, percent):
        """As an operator does: the file, then SIGHUP."""
        self.configure(percent)
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.share() == {percent}, f"the share to be {percent} %")

    def share(self):
        self.check_running()
        with session(self.port) as db:
            return {float(row[7]) for row in db.execute("SHOW veer.routes")}

    def live(self):
        self.check_running()
        with session(self.port) as db:
            return {row[4] for row in db.execute("SHOW veer.routes")} - {"refused"} == {"live"}
