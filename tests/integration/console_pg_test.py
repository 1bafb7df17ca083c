"""veer's console, by psql, psycopg 3 and node-postgres, and its page.

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

import psycopg
from admin_veer import AdminVeer, answered_by, error_of, expect, run_scenes
from private_servers import fail, session, wait_until
from psycopg.rows import dict_row

NODE_PROGRAM = None


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
        ordered = veer.psql(LAST_LIMITS.replace("%s", "'limits.%'", 1).replace("%s", "2"))
        expect(re.findall(r"limits\.\w+", ordered), ["limits.unsent_bytes_max", "limits.session_bytes_max"], ordered)
        expect("all searches go to Postgres" in veer.psql("PANIC REASON 'a test'"), True, "PANIC")
        expect(answered_by(veer), ("postgres", "panic"), "a search in panic")
        expect("panic" in veer.psql("SELECT why FROM veer.routes"), True, "why in panic")
        veer.psql("RESUME")
        expect(answered_by(veer)[0], "veer", "a search after panic")


LAST_LIMITS = "SELECT key FROM veer.config WHERE key LIKE %s ORDER BY key DESC LIMIT %s"


def scene_both_protocols_say_the_same(binary, postgres):
    with AdminVeer(binary, postgres) as veer, veer.console() as db:
        every = sorted((row[0] for row in db.execute("SHOW CONFIG").fetchall() if row[0].startswith("limits.")), reverse=True)
        expect(len(every) > 5, True, every)
        wanted = [(key,) for key in every[:3]]
        simple = db.execute(LAST_LIMITS.replace("%s", "'limits.%'", 1).replace("%s", "3"))  # without parameters
        expect(simple.fetchall(), wanted, "the simple protocol")
        for words in ({}, {"binary": True}, {"prepare": True}):
            expect(db.execute(LAST_LIMITS, ["limits.%", 3], **words).fetchall(), wanted, f"the extended protocol, {words}")
        for name in ("ROUTES", "CLIENTS", "CONFIG", "VERSION", "LISTS"):
            shown, asked = db.execute(f"SHOW {name}"), db.execute(f"SHOW {name}", [])
            expect([c.name for c in asked.description], [c.name for c in shown.description], f"SHOW {name}")
        for more in (None, []):  # commands as well
            db.execute("PANIC REASON 'twice'", more)
            expect(answered_by(veer), ("postgres", "panic"), "after PANIC")
            db.execute("RESUME", more)
            expect(answered_by(veer)[0], "veer", "after RESUME")
        expect(error_of(lambda: db.execute("ROLLBACK nonsense", [])) != "", True, "a command that is refused")


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
            expect(db.execute("SHOW DOCTOR").fetchall()[0]["section"], "connection", "what asks the server")
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
            veer.configure(25)
            (veer.directory / "veer.toml").open("a").write("[limits]\nk_max = 5\n")
            expect(db.execute("RELOAD").fetchall()[-1][3], "restart", "a key that needs a restart")
            pending = db.execute("SELECT key, value, file_value FROM veer.config WHERE pending = true").fetchall()
            expect(pending, [("limits.k_max", "1000", "5")], "SHOW CONFIG")


def scene_node(binary, postgres):
    with AdminVeer(binary, postgres) as veer:
        done = subprocess.run(["node", NODE_PROGRAM, str(veer.port), str(veer.data)], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            fail(done.stderr)
        said = json.loads(done.stdout)
        expect(said["fields"], ["route", "database", "relation"], "node: SHOW ROUTES")
        expect(said["bound"][0]["relation"], "public.documents", "node: parameters")
        expect(said["named"], [{"user": "node"}], "node: a named statement")
        expect(said["refused"], "42501", "node: PANIC by a reader")
        expect(said["tables"] > 5, True, "node: information_schema")
        expect(said["ordered"], ["limits.unsent_bytes_max", "limits.session_bytes_max"], "node: ORDER BY and LIMIT")
        expect(said["panic"], [True, False, True, False], "node: commands of an operator, in both protocols")


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


if __name__ == "__main__":
    NODE_PROGRAM = sys.argv[2]
    run_scenes(dict(globals()), pathlib.Path(sys.argv[1]), sys.argv[3:])
