"""veer's console, by psql, psycopg 3 and node-postgres, and veer's own commands.

    console_pg_test.py <veer binary> <console_client.mjs> [name of a scene]...

A scene is a function whose name begins with scene_.
"""

import http.client as http_client
import json
import pathlib
import re
import socket
import subprocess
import sys
import threading

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


def forget_slots(postgres):
    """Each scene's veer leaves one behind, and a server has only so many."""
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
            shown = [column.name for column in db.execute("SHOW veer.routes").description]
            expect(shown[:2], ["route", "table"], "SHOW veer.routes in a session")
            expect("revision" in shown, True, "and its revision")


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
    veer = AdminVeer(
        binary, postgres, 'users = "boss"\nreadonly_users = "looker"\nfile = "console.txt"\nhttp = "127.0.0.1:0"')
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
        port = int(re.search(r"page and metrics at port (\d+)", veer.said())[1])
        key = ("Authorization", "Bearer " + (veer.data / "http_token").read_text().strip())
        for path, without in (("/metrics", 401), ("/api/clients", 401), ("/", 200), ("/healthz", 200)):
            expect((http(port, "GET", path)[0], http(port, "GET", path, [key])[0]), (without, 200), path)
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


def scene_commands(binary, postgres):
    with AdminVeer(binary, postgres) as veer:
        place = ("--data-dir", veer.data)
        shown = veer.command("status", *place)
        expect("public.documents.embedding <=>   live   100 %   effective 100 %" in shown, True, shown)
        expect("public.documents" in veer.command("routes", *place), True, "veer routes")
        said = json.loads(veer.command("routes", "--json", *place))
        expect((said["ok"], said["rows"][0]["rows"]), (True, 50), "veer routes --json")
        veer.command("panic", "--reason", "it's a test", *place)
        expect(answered_by(veer), ("postgres", "panic"), "after veer panic")
        expect("PANIC" in veer.command("status", *place), True, "veer status in panic")
        expect("it's a test" in veer.said(), True, "the reason in the log")
        veer.command("resume", *place)
        expect(answered_by(veer)[0], "veer", "after veer resume")
        veer.configure(25)
        expect("defaults.percent" in veer.command("reload", *place), True, "veer reload")
        (veer.directory / "veer.toml").write_text("nonsense")
        expect("nothing changed" in veer.command("reload", *place, status=1), True, "a broken file")
        veer.command("panic", *place)
        veer.command("status", status=2)
        veer.command("resume", *place)
        veer.configure(100)
        refused = json.loads(veer.command("show", "gates", "--json", *place, status=1))
        expect((refused["ok"], refused["sqlstate"]), (False, "0A000"), "veer show gates")
        veer.command("set-percent", "documents", "101", *place, status=2)
        veer.command("nonsense", status=2)
    veer_less = subprocess.run([binary, "status", "--data-dir", "/nowhere"], capture_output=True, text=True)
    expect((veer_less.returncode, "no veer can be reached" in veer_less.stderr), (3, True), "nobody there")


def scene_moves(binary, postgres):
    with AdminVeer(binary, postgres) as veer:
        place = ("--data-dir", veer.data)
        second = veer.command("run", "--upstream", veer.upstream, "--listen", "127.0.0.1:0", *place, status=1)
        expect(f"in use by another veer (process {veer.process.pid})" in second, True, second)
        expect(answered_by(veer)[0], "veer", "while a second one was refused")
        veer.command("rollback", "documents", "--reason", "first\nsecond", *place)
        expect(answered_by(veer)[0], "postgres", "after veer rollback")
        expect("first\\nsecond" in veer.said(), True, "a reason of two lines, on one")
        veer.command("rollback", "all", *place)
        refused = veer.command("promote", "documents", "--to", "50", *place, status=1)
        expect("(evidence)" in refused, True, refused)
        veer.command("observe", "documents", *place)
        veer.command("shadow", "documents", *place)
        veer.command("hold", "documents", *place)
        expect("(held)" in veer.command("promote", "documents", *place, status=1), True, "while it is held")
        veer.command("rollback", "nonsense", *place, status=1)
        said = json.loads(veer.command("verify-audit", "--json", *place))
        expect((said["ok"], said["rows"][0]["records"] >= 4), (True, True), said)
        audit = veer.data / "audit.jsonl"
        lines = audit.read_text().splitlines(keepends=True)
        copy = veer.directory / "copy.jsonl"
        copy.write_text("".join(lines).replace('"reason":"first', '"reason":"third'))
        forged = veer.command("verify-audit", copy, status=1)
        expect("does not follow the line before it" in forged, True, forged)
        audit.write_text("".join(lines[:-1]))
        expect("missing" in veer.command("verify-audit", *place, status=1), True, "a line cut off")
        audit.write_text("".join(lines))
        replication = lambda: json.loads(veer.command("show", "replication", "--json", *place))["rows"][0]
        wait_until(lambda: replication()["lag_bytes"] == 0 and replication()["retained_bytes"] is not None,
                   "what only the server can tell")


class Searching:
    """A client that searches without pause, and notes who answered and whether it was an answer."""

    def __init__(self, veer):
        self.engines, self.wrong, self.stopped = [], 0, threading.Event()
        self.thread = threading.Thread(target=self.search, args=(veer.port,))

    def search(self, port):
        with session(port) as db:
            while not self.stopped.is_set():
                rows = db.execute("SELECT id FROM documents ORDER BY embedding <=> '[1,1,0]' LIMIT 3").fetchall()
                self.wrong += rows != [(1,), (2,), (3,)]
                self.engines.append(db.execute("SHOW veer.last").fetchone()[:2])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()


def scene_drill(binary, postgres):
    with AdminVeer(binary, postgres) as veer:
        place = ("--data-dir", veer.data)
        wait_until(lambda: answered_by(veer)[0] == "veer", "the index to answer before a drill")
        quiet = json.loads(veer.command("drill", "--json", *place, status=2))
        expect(quiet["rows"][0]["outcome"], "no_traffic", "nobody searches")
        for fault, guard in (("neighbours", "recall_floor"), ("wrong", "correctness"), ("slow", "slow"), ("lag", "lag")):
            with Searching(veer) as client:
                by_index = lambda engines: any(engine == "veer" for engine, _ in engines)
                wait_until(lambda: by_index(client.engines), f"the index to answer before {fault}")
                row = json.loads(veer.command("drill", "documents", "--fault", fault, "--json", *place))["rows"][0]
                seen = len(client.engines)
                wait_until(lambda: by_index(client.engines[seen + 1:]), f"the index to answer after {fault}")
            expect((row["outcome"], row["guard"], row["client_errors"]), ("rolled_back", guard, 0), fault)
            expect(row["diverted"] > 0 and row["confirmed_ms"] >= row["rolled_back_ms"] >= 0, True, row)
            expect(("postgres", "drill") in client.engines, True, f"nobody was diverted: {fault}")
            expect(client.wrong, 0, f"wrong answers during {fault}")
        with Searching(veer):
            said = veer.command("drill", "documents", "--reason", "for the record", *place)
        expect("guard recall_floor acted after" in said and "0 errors at clients" in said, True, said)
        expect(veer.command("status", *place).count("effective 100 %"), 1, "the share after drills")
        veer.command("verify-audit", *place)
        audit = [json.loads(line) for line in (veer.data / "audit.jsonl").read_text().splitlines()]
        drills = [line for line in audit if line["action"].startswith("drill")]
        expect([line["action"] for line in drills], ["drill", "drill over"] * 6, "the audit")
        expect("rolled_back, share 0 after" in drills[-1]["reason"] and "for the record" in drills[-1]["reason"],
               True, drills[-1])
        expect("(panic)" in (veer.command("panic", *place), veer.command("drill", *place, status=1))[1], True, "in panic")
        veer.command("resume", *place)
        veer.command("rollback", "documents", *place)
        refused = json.loads(veer.command("drill", "--json", *place, status=1))
        expect("(state)" in refused["reason"] and refused["next_steps"] != [], True, refused)
        veer.command("drill", "nonsense", *place, status=1)
        veer.command("drill", "--fault", "fire", *place, status=2)


def scene_golden(binary, postgres):
    compare = "[compare]\nrate = 1\nbudget_per_second = 10000\njudge_cores = 8\n"
    with AdminVeer(binary, postgres, compare) as veer, session(veer.port) as db, veer.console(row_factory=dict_row) as told:
        asked = iter(range(1, 100_000))

        def golden():
            return told.execute("SHOW GOLDEN").fetchone()

        def kept():
            db.execute(f"SELECT id FROM documents ORDER BY embedding <=> '[{next(asked)},7,0]' LIMIT 3").fetchall()
            row = golden()
            return row and row["measured"] >= 20 and row["measured"] == row["exact_fresh"] == row["queries"] and row

        before = wait_until(kept, "20 searches with exact answers")
        expect((before["route"], before["recall"]), ("public.documents.embedding <=>", 1.0), "SHOW GOLDEN")
        db.execute("INSERT INTO documents VALUES (1000, '[5,7,0]')")
        wait_until(lambda: golden()["refills"] > before["refills"] and golden()["exact_fresh"] == golden()["measured"]
                   == golden()["queries"], "exact answers with the new row")
        expect(golden()["recall"], 1.0, "recall with the new row")
        db.execute("DELETE FROM documents WHERE id = 1000")


def scene_doctor(binary, postgres):
    dsn = f"host=127.0.0.1 port={postgres.port} dbname=postgres"
    run = lambda *words: subprocess.run([binary, "doctor", *words], capture_output=True, text=True, timeout=60)
    good = run(f"{dsn} user=postgres")
    expect(good.returncode, 0, good.stdout + good.stderr)
    expect("public.documents.embedding  public.vector(3)" in good.stdout, True, good.stdout)
    with session(postgres.port) as db:
        db.execute("DROP ROLE IF EXISTS plain")
        db.execute("CREATE ROLE plain LOGIN")
        db.execute("CREATE TABLE IF NOT EXISTS keyless (embedding vector(2))")
    said = run(f"{dsn} user=plain", "--json")
    found = json.loads(said.stdout)
    codes = {row["code"] for row in found["rows"] if row["status"] == "problem"}
    expect((said.returncode, found["ok"]), (1, False), "veer doctor as a plain role")
    expect({"VD003", "VD004", "VD022", "VD030"} <= codes, True, f"problems {codes}")
    expect('ALTER ROLE "plain" REPLICATION;' in run(f"{dsn} user=plain", "--fix-sql").stdout, True, "--fix-sql")
    expect(run("host=127.0.0.1 port=1 user=x").returncode, 3, "no server")
    with session(postgres.port) as db:
        db.execute("DROP TABLE keyless")
        db.execute("DROP ROLE plain")


def left_behind(postgres):
    with session(postgres.port) as db:
        return db.execute(
            "SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'veer%'),"
            " (SELECT count(*) FROM pg_publication)").fetchone()


def scene_eject(binary, postgres):
    upstream = f"host=127.0.0.1 port={postgres.port} user=postgres dbname=postgres"
    eject = lambda *words: subprocess.run(
        [binary, "eject", "--upstream", upstream, *words], capture_output=True, text=True, timeout=60)
    eject("--execute")  # what the scenes before have left
    with session(postgres.port) as db:
        db.execute("CREATE PUBLICATION theirs")
        db.execute("SELECT pg_create_logical_replication_slot('theirs', 'pgoutput')")
    with AdminVeer(binary, postgres) as veer:
        expect(left_behind(postgres), (1, 2), "of a running veer")
        running = eject("--execute")
        expect((running.returncode, "stop that veer first" in running.stdout), (1, True), running.stdout)
        expect(left_behind(postgres), (1, 2), "still of a running veer")
        veer.process.terminate()
        veer.process.wait()
        expect(("would be removed" in eject().stdout, left_behind(postgres)), (True, (1, 2)), "only shown")
        done = eject("--execute", "--json")
        expect((done.returncode, json.loads(done.stdout)["rows"][0]["result"]), (0, "removed"), done.stdout)
    expect(left_behind(postgres), (0, 1), "after veer eject")
    with session(postgres.port) as db:
        expect(db.execute("SELECT slot_name FROM pg_replication_slots").fetchall(), [("theirs",)], "theirs stays")
        db.execute("SELECT pg_drop_replication_slot('theirs')")
        db.execute("DROP PUBLICATION theirs")


def http(port, method, path, headers=(), host=None):
    connection = http_client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{port}")
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, answer.headers


def scene_http(binary, postgres):
    with AdminVeer(binary, postgres, 'http = "127.0.0.1:0"') as veer:
        port = int(re.search(r"page and metrics at port (\d+)", veer.said())[1])
        answered_by(veer)
        for path in ("/healthz", "/readyz", "/", "/metrics", "/api/routes"):
            expect(http(port, "GET", path)[0], 200, path)
        status, body, headers = http(port, "GET", "/")
        expect(("default-src 'none'" in headers["Content-Security-Policy"], headers["Access-Control-Allow-Origin"]),
               (True, None), "the page's policy")
        metrics = http(port, "GET", "/metrics")[1]
        wanted = 'veer_queries_total{route="public.documents.embedding <=>",engine="veer",reason="local"} 1'
        expect(wanted in metrics, True, metrics)
        expect(json.loads(http(port, "GET", "/api/routes")[1])["rows"][0]["rows"], 50, "/api/routes")
        expect(http(port, "GET", "/api/routes", host="evil.example")[0], 421, "another host's name")
        expect(http(port, "POST", "/api/panic")[0], 401, "without the token")
        token_file = veer.data / "http_token"
        expect(oct(token_file.stat().st_mode & 0o777), "0o600", "the token's mode")
        key = ("Authorization", "Bearer " + token_file.read_text().strip())
        expect(http(port, "POST", "/api/panic", [key, ("Origin", "http://evil.example")])[0], 403, "another site")
        expect(http(port, "POST", "/api/panic", [key, ("Content-Length", "0")])[0], 200, "POST /api/panic")
        expect(answered_by(veer), ("postgres", "panic"), "a search after POST /api/panic")
        expect("veer_panic_active 1" in http(port, "GET", "/metrics")[1], True, "panic in the metrics")
        expect(http(port, "POST", "/api/resume", [key, ("Content-Length", "0")])[0], 200, "POST /api/resume")
        with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
            raw.sendall(b"GET /" + b"x" * 20_000)
            try:
                expect(raw.recv(1), b"", "a header of 20 kB")
            except ConnectionResetError:
                pass  # ended with bytes unread
        # A connection that is kept must neither hold up the end nor be leaked.
        kept = http_client.HTTPConnection("127.0.0.1", port, timeout=30)
        kept.request("GET", "/healthz")
        expect(kept.getresponse().read(), b"ok\n", "a connection that is kept")
        veer.process.terminate()
        expect(veer.process.wait(30), 0, "the exit code with a page open")
        kept.close()
    with socket.create_server(("127.0.0.1", 0)) as other:
        with AdminVeer(binary, postgres, f'http = "127.0.0.1:{other.getsockname()[1]}"') as veer:
            expect("no page and no metrics" in veer.said(), True, "a port that is taken")
            expect(answered_by(veer)[0], "veer", "a search without a page")
    refused = AdminVeer(binary, postgres, 'http = "0.0.0.0:7433"')
    refused.configure(0)
    said = refused.command("run", "--upstream", refused.upstream, "--listen", "127.0.0.1:0", "--data-dir",
                           refused.data, status=1)
    expect("not an address of this machine alone" in said, True, said)
    refused.stop()


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
                forget_slots(postgres)
                print("ok", name, flush=True)


if __name__ == "__main__":
    main()
