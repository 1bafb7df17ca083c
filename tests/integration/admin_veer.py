"""What the tests of veer's console and of its own commands are made of."""

import subprocess

import psycopg
from private_servers import Postgres, Veer, fail, session, wait_until


def expect(found, wanted, what):
    if found != wanted:
        fail(f"{what}: {found!r} instead of {wanted!r}")


class AdminVeer(Veer):
    """With an index, a share of 100 % and whatever [admin] is to say."""

    def __init__(self, binary, postgres, admin=""):
        super().__init__(binary, postgres)
        self.admin = admin

    def configure(self, percent):
        # As patient as any veer of a test, but for the guard of slow searches, which drills.
        text = (f'[guards]\nlag_max = "1h"\n[defaults]\nfreshness_wait = "1m"\npercent = {percent}\n'
                f"[admin]\n{self.admin}\n")
        (self.directory / "veer.toml").write_text(text)

    @property
    def data(self):
        return self.directory / "data"

    def console(self, **words):
        """By the socket in the data directory: an operator."""
        arguments = {"host": str(self.data), "port": self.port, "dbname": "veer", "user": "postgres", **words}
        return psycopg.connect(autocommit=True, **arguments)

    def by_tcp(self, **words):
        arguments = {"host": "127.0.0.1", "port": self.port, "dbname": "veer", "user": "alice", **words}
        return psycopg.connect(autocommit=True, **arguments)

    def psql(self, *commands):
        words = [word for command in commands for word in ("-c", command)]
        done = subprocess.run(
            ["psql", "-X", "-h", str(self.data), "-p", str(self.port), "-d", "veer", "-v", "ON_ERROR_STOP=1", *words],
            capture_output=True, text=True)
        if done.returncode != 0 or "ERROR" in done.stderr:
            fail(f"psql {commands}: {done.returncode} {done.stdout} {done.stderr}")
        return done.stdout

    def command(self, *words, status=0):
        done = subprocess.run(
            [self.binary, *words], capture_output=True, text=True, cwd=self.directory, timeout=60)
        if done.returncode != status:
            fail(f"veer {words}: exit {done.returncode} instead of {status}: {done.stdout} {done.stderr}")
        return done.stdout + done.stderr


def make_documents(postgres):
    with session(postgres.port) as db:
        db.execute("CREATE EXTENSION IF NOT EXISTS vector")
        db.execute("DROP TABLE IF EXISTS documents")
        db.execute("CREATE TABLE documents (id bigint PRIMARY KEY, embedding vector(3))")
        db.execute("INSERT INTO documents SELECT i, ARRAY[i, 1, 0]::vector FROM generate_series(1, 50) i")
        db.execute("CREATE INDEX ON documents USING hnsw (embedding vector_cosine_ops)")


def await_idle_slots(postgres):
    """A walsender lives on for a moment when its veer has gone."""
    with session(postgres.port) as db:
        active = "SELECT slot_name FROM pg_replication_slots WHERE active"
        wait_until(lambda: not db.execute(active).fetchall(), "the slots to be idle")


def forget_slots(postgres):
    """Each scene's veer leaves one behind, and a server has only so many."""
    await_idle_slots(postgres)
    with session(postgres.port) as db:
        db.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active")


def answered_by(veer):
    with session(veer.port) as db:
        db.execute("SELECT id FROM documents ORDER BY embedding <=> '[1,1,0]' LIMIT 3")
        return db.execute("SHOW veer.last").fetchone()[:2]


def error_of(work):
    try:
        work()
        return ""
    except psycopg.Error as error:
        return error.sqlstate


def run_scenes(scenes, binary, chosen):
    """Each is a function whose name begins with scene_; all of them, or those that are named."""
    with Postgres() as postgres:
        make_documents(postgres)
        for name, work in scenes.items():
            if name.startswith("scene_") and (not chosen or name in chosen):
                work(binary, postgres)
                forget_slots(postgres)
                print("ok", name, flush=True)
