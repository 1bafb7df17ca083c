"""veer's console, by psql, psycopg 3 and node-postgres, and veer's own commands.

    console_pg_test.py <veer binary> <console_client.mjs> [name of a scene]...

A scene is a function whose name begins with scene_.
"""

import json
import os
import pathlib
import subprocess
import sys

import psycopg
from private_servers import Postgres, Veer, fail, session, wait_until
from psycopg.rows import dict_row

NODE_PROGRAM = None


def expect(found, wanted, what):
    if found != wanted:
        fail(f"{what}: {found!r} instead of {wanted!r}")


class AdminVeer(Veer):
    """With an index, a share of 100 % and whatever [admin] is to say."""

    def __init__(self, binary, postgres, admin=""):
        super().__init__(binary, postgres)
        self.admin = admin

    def configure(self, percent):
        text = f"[defaults]\npercent = {percent}\n[admin]\n{self.admin}\n"
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


def scene_psql(binary, postgres):
    with AdminVeer(binary, postgres) as veer:
        expect("public.documents" in veer.psql("SHOW ROUTES"), True, "SHOW ROUTES")
        listed = veer.psql(r"\dt")
        expect([name in listed for name in ("routes", "clients", "config")], [True] * 3, listed)
        expect("routes" in veer.psql(r"\d"), True, r"\d")
        described = veer.psql(r"\d routes")
        expect("double precision" in described and 'Table "veer.routes"' in described, True, described)
        for command in (r"\d+ veer.clients", r"\l", r"\dn", r"\du", r"\df", r"\dv", r"\di", r"\dT", r"\dx", r"\conninfo"):
            veer.psql(command)
        answer = veer.psql("SELECT relation, desired_pct FROM veer.routes WHERE desired_pct > 50")
        expect("(1 row)" in answer and "public.documents | " in answer, True, answer)
        expect("all searches go to Postgres" in veer.psql("PANIC REASON 'a test'"), True, "PANIC")
        expect(answered_by(veer), ("postgres", "panic"), "a search in panic")
        expect("panic" in veer.psql("SELECT why FROM veer.routes"), True, "why in panic")
        veer.psql("RESUME")
        expect(answered_by(veer)[0], "veer", "a search after panic")


def scene_psycopg(binary, postgres):
    with AdminVeer(binary, postgres) as veer:
        with veer.by_tcp(row_factory=dict_row) as db:
            row = db.execute("SELECT * FROM veer.routes WHERE relation = %s", ["public.documents"]).fetchone()
            expect((row["op"], row["rows"], row["desired_pct"]), ("<=>", 50, 100.0), "a bound SELECT")
            for _ in range(8):  # beyond the prepare threshold
                row = db.execute("SELECT rows FROM veer.routes WHERE rows > %s LIMIT %s", [1, 1], binary=True).fetchone()
                expect(row["rows"], 50, "a prepared, binary SELECT")
            mine = db.execute('SELECT * FROM veer.clients WHERE "user" = %s', ["alice"]).fetchall()
            expect([(row["database"], row["addr"]) for row in mine], [("veer", "127.0.0.1")], "SHOW CLIENTS")
            started = db.execute("SELECT started FROM veer.version", binary=True).fetchone()["started"]
            expect(started.tzinfo is not None and started.year >= 2024, True, "a binary timestamp")
            expect(error_of(lambda: db.execute("PANIC")), "42501", "PANIC by a reader")
            expect(error_of(lambda: db.execute("SELECT * FROM veer.routes WHERE rows = 'x'")), "22P02", "bad literal")
            expect(error_of(lambda: db.execute("SHOW GATES")), "0A000", "what is not there")
            with db.pipeline():
                shown = [db.execute("SHOW VERSION") for _ in range(3)]
                expect([cursor.fetchone()["panic"] for cursor in shown], [False] * 3, "a pipeline")
        with veer.console() as db:
            db.execute("PANIC")
            expect(db.execute("SELECT panic FROM veer.version").fetchone(), (True,), "PANIC by the local socket")
            db.execute("UNPANIC")
        with veer.console() as db:
            db.autocommit = False
            expect(error_of(lambda: db.execute("RELOAD")), "25001", "RELOAD in a transaction")
            db.rollback()
            db.execute("SHOW CLIENTS")
            db.commit()
        with session(veer.port) as db:  # an ordinary session's SHOWs are as they were
            expect(len(db.execute("SHOW veer.routes").fetchone()), 11, "SHOW veer.routes in a session")


def scene_reload(binary, postgres):
    with AdminVeer(binary, postgres) as veer:
        veer.configure(25)
        with veer.console() as db:
            expect(db.execute("RELOAD").fetchall(), [("defaults.percent", "100", "25", "now")], "RELOAD")
            expect(db.execute("SELECT desired_pct FROM veer.routes").fetchone(), (25.0,), "the new share")
            (veer.directory / "veer.toml").write_text("[defaults]\npercnt = 3\n")
            expect(error_of(lambda: db.execute("RELOAD")), "F0000", "RELOAD of a misspelt file")
            expect(db.execute("SELECT desired_pct FROM veer.routes").fetchone(), (25.0,), "the share as it was")
            (veer.directory / "veer.toml").write_text("[limits]\nk_max = 5\n")
            expect(db.execute("RELOAD").fetchall()[-1][3], "restart", "a key that needs a restart")
            pending = db.execute("SELECT key, value, file_value FROM veer.config WHERE pending = true").fetchall()
            expect(pending, [("limits.k_max", "1000", "5")], "SHOW CONFIG")


def scene_node(binary, postgres):
    with AdminVeer(binary, postgres) as veer:
        done = subprocess.run(["node", NODE_PROGRAM, str(veer.port)], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            fail(done.stderr)
        said = json.loads(done.stdout)
        expect(said["fields"], ["route", "database", "relation"], "node: SHOW ROUTES")
        expect(said["bound"][0]["relation"], "public.documents", "node: parameters")
        expect(said["named"], [{"user": "node"}], "node: a named statement")
        expect(said["refused"], "42501", "node: PANIC by a reader")
        expect(said["tables"] > 5, True, "node: information_schema")


def scene_users_prove_a_password(binary, postgres):
    with session(postgres.port) as db:
        db.execute("SET password_encryption = 'scram-sha-256'")
        for user in ("boss", "looker", "stranger"):
            db.execute(f"DROP ROLE IF EXISTS {user}")
            db.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{user}s word'")
        secrets = dict(db.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL").fetchall())
    veer = AdminVeer(binary, postgres, 'users = "boss"\nreadonly_users = "looker"\nfile = "console.txt"')
    (veer.directory / "console.txt").write_text("".join(f'"{user}" "{secrets[user]}"\n' for user in secrets))
    with veer:
        with veer.by_tcp(user="boss", password="bosss word") as db:
            db.execute("PANIC")
            db.execute("RESUME")
        with veer.by_tcp(user="looker", password="lookers word") as db:
            expect(error_of(lambda: db.execute("PANIC")), "42501", "a reader")
        for user, word in (("boss", "wrong"), ("stranger", "strangers word"), ("nobody", "x"), ("looker", "bosss word")):
            try:
                veer.by_tcp(user=user, password=word)
                fail(f"{user} was let in")
            except psycopg.OperationalError as error:
                expect("password authentication failed" in str(error), True, str(error))
        with veer.console() as db:
            db.execute("PANIC")
            db.execute("RESUME")
        (veer.directory / "console.txt").write_text("")
        with veer.console() as db:
            expect(error_of(lambda: db.execute("RELOAD")), "F0000", "a file without its users")
        veer.by_tcp(user="boss", password="bosss word").close()


def scene_a_database_that_is_called_veer(binary, postgres):
    with session(postgres.port) as db:
        db.execute("DROP DATABASE IF EXISTS veer")
        db.execute("CREATE DATABASE veer")
    query = "SELECT current_database(), pg_postmaster_start_time() IS NOT NULL"
    for name, wanted in (("", "veer"), ("ops", "veer")):
        with AdminVeer(binary, postgres, f'database = "{name}"') as veer:
            with veer.by_tcp(user="postgres") as db:
                expect(db.execute(query).fetchone(), (wanted, True), "the upstream's database")
            if name:
                with veer.by_tcp(dbname=name) as db:
                    expect(db.execute("SELECT current_database()").fetchone(), (name,), "the console's other name")
            with veer.console() as db:
                expect(len(db.execute("SHOW ROUTES").fetchall()), 1, "the console by the local socket")
    with session(postgres.port) as db:
        db.execute("DROP DATABASE veer")


def scene_an_operator_gets_in_when_no_client_does(binary, postgres):
    veer = AdminVeer(binary, postgres)
    configure = veer.configure
    veer.configure = lambda percent: (
        configure(percent),
        (veer.directory / "veer.toml").open("a").write("[listen]\nmax_connections = 2\n"))
    with veer:
        held = []
        wait_until(lambda: full(veer, held), "a session to be refused")
        with veer.console() as db:
            expect(db.execute("SELECT items FROM veer.lists WHERE list = 'clients'").fetchone(), (2,), "SHOW LISTS")
            db.execute("PANIC")
        for one in held:
            one.close()


def full(veer, held):
    try:
        held.append(session(veer.port))
        return False
    except psycopg.OperationalError as error:
        return "too many clients" in str(error)


def scene_the_socket_file(binary, postgres):
    with AdminVeer(binary, postgres) as veer:
        path = veer.data / f".s.PGSQL.{veer.port}"
        expect(oct(path.stat().st_mode & 0o777), "0o600", "the socket's mode")
        veer.process.kill()
        veer.process.wait()
        expect(path.exists(), True, "what a killed process leaves")
    with AdminVeer(binary, postgres) as veer:
        path = veer.data / f".s.PGSQL.{veer.port}"
        veer.process.terminate()
        veer.process.wait()
        expect(path.exists(), False, "what a process leaves that was told to stop")


def main():
    global NODE_PROGRAM
    binary, NODE_PROGRAM = pathlib.Path(sys.argv[1]), sys.argv[2]
    chosen = sys.argv[3:]
    scenes = {name: work for name, work in globals().items() if name.startswith("scene_")}
    with Postgres() as postgres:
        make_documents(postgres)
        for name, work in scenes.items():
            if not chosen or name in chosen:
                work(binary, postgres)
                print("ok", name, flush=True)


if __name__ == "__main__":
    main()
