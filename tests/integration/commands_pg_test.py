"""veer's own commands, and what they ask of the console.

    commands_pg_test.py <veer binary> [name of a scene]...

A scene is a function whose name begins with scene_.
"""

import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
import threading

from admin_veer import AdminVeer, answered_by, await_idle_slots, error_of, expect, run_scenes
from private_servers import SECONDS_MAX, session, wait_until
from psycopg.rows import dict_row


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
        veer.command("resume", "", *place, status=2)  # of a variable without a value
        expect("PANIC" in veer.command("status", *place), True, "after resume of no route's name")
        veer.command("resume", *place)
        veer.configure(100)
        told = json.loads(veer.command("show", "doctor", "--json", *place))
        expect([row["status"] for row in told["rows"] if row["section"] == "extension"], ["ok"], told)
        expect([row for row in told["rows"] if row["status"] == "problem"], [], "a server that lacks nothing")
        with veer.by_tcp() as reader:
            expect(any("documents" in row[2] for row in reader.execute("SHOW DOCTOR").fetchall()), True, "SHOW DOCTOR by a reader")
            expect(error_of(lambda: reader.execute("SELECT * FROM veer.doctor")), "0A000", "which is no table")
        shape = json.loads(veer.command("queries", "documents", "--json", *place))["rows"][0]
        expect((shape["eligible"], shape["served_veer"] > 0, "[1,1,0]" in shape["sample_sql"]), (True, True, False), shape)
        for name in ("gates", "guards", "plan", "history", "mismatches", "compare"):
            expect(json.loads(veer.command(name, "--json", *place))["ok"], True, f"veer {name}")
        gates = json.loads(veer.command("gates", "documents", "--json", *place))["rows"]
        expect([gate["gate"] for gate in gates][:2], ["hard", "recall"], "veer gates")
        expect(veer.command("gates", "nothing", "--json", *place).count('"gate":'), 0, "veer gates of no route")
        veer.command("replay", "1", *place, status=1)
        veer.command("replay", "x", *place, status=2)
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
        veer.command("resume", "documents", *place)
        expect("(evidence)" in veer.command("promote", "documents", *place, status=1), True, "after veer resume ROUTE")
        expect("(revision)" in veer.command("promote", "documents", "--if-version", "1", *place, status=1), True, "another's move")
        expect("would be" in veer.command("off", "documents", "--dry-run", *place), True, "a dry run")
        refused = json.loads(veer.command("complete", "documents", "--json", *place, status=1))
        expect((refused["ok"], refused["next_steps"] != []), (False, True), "veer complete")
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
    compare = "[compare]\nrate = 1\nbudget_per_second = 10000\nload_max = 1\njudge_cores = 8\n"
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
        curve = told.execute("TUNE documents RECALL 0.9").fetchall()
        # At ten candidates of fifty rows nothing is missed: the first ef holds, and no other is tried.
        expect([(row["ef"], row["recall"], row["next_step"]) for row in curve], [(10, 1.0, "SET hnsw.ef_search = 10")], curve)
        expect("hnsw.ef_search = 10" in veer.command("tune", "documents", "--recall", "0.9", "--data-dir", veer.data), True, "veer tune")
        expect(error_of(lambda: told.execute("TUNE nothing")), "55000", "of a route without a golden set")
        # Searches under a WHERE have exact answers, too.
        where = f"SELECT id FROM documents WHERE id < 40 ORDER BY embedding <=> '[{next(asked)},7,0]' LIMIT 3"
        queries = golden()["queries"]
        wait_until(lambda: db.execute(where.replace(",7,", f",{next(asked)},")).fetchall() and golden()["queries"] > queries,
                   "a golden search with WHERE")
        wait_until(lambda: golden()["exact_fresh"] == golden()["measured"] == golden()["queries"], "its exact answer")
        expect(golden()["recall"], 1.0, "recall with WHERE")
        db.execute("INSERT INTO documents VALUES (1000, '[5,7,0]')")
        wait_until(lambda: golden()["exact_fresh"] == golden()["measured"] == golden()["queries"], "exact answers with the new row")
        expect(golden()["recall"], 1.0, "recall with the new row")
        db.execute("DELETE FROM documents WHERE id = 1000")
        expect(json.loads(told.execute("SHOW GOLDEN").fetchone()["recall_at_ef"]), {"10": 1.0}, "the curve, as TUNE found it")

        # The error of floats on these rows, and Postgres against itself.
        found = {row["measure"]: row for row in told.execute("CALIBRATE documents").fetchall()}
        slack = found["the same : the tolerance"]
        expect((slack["samples"] >= 20, slack["allowed"], slack["max"] <= 1), (True, 1.0, True), slack)
        expect(slack["verdict"], "the tolerance covers it", slack)
        again = found["searches that Postgres answers otherwise a second time"]
        expect((again["samples"], again["verdict"]), (20, "Postgres agrees with itself"), again)
        expect("the tolerance covers it" in veer.command("calibrate", "documents", "--data-dir", veer.data), True, "veer calibrate")
        expect(error_of(lambda: told.execute("CALIBRATE nothing")), "55000", "of a route without a golden set")

        # The graph anew, which changes no answer; what was compared before proves nothing of it.
        index = lambda: told.execute("SELECT rebuilds, build_state, trouble FROM veer.indexes").fetchone()
        rebuilds = index()["rebuilds"]
        veer.command("rebuild", "documents", "--data-dir", veer.data)
        wait_until(lambda: index()["rebuilds"] == rebuilds + 1 and index()["build_state"] == "live", "the graph to be built anew")
        told.execute("REBUILD INDEX documents")
        wait_until(lambda: index()["rebuilds"] == rebuilds + 2, "and once more")
        expect(db.execute("SELECT id FROM documents ORDER BY embedding <=> '[1,1,0]' LIMIT 3").fetchall(), [(1,), (2,), (3,)],
               "an answer after it")
        wait_until(lambda: "counts no more: its index was built anew" in veer.said(), "that evidence begins anew")
        expect(error_of(lambda: told.execute("REBUILD INDEX nothing")), "55000", "of no route")
        with veer.by_tcp() as reader:
            expect(error_of(lambda: reader.execute("REBUILD INDEX documents")), "42501", "REBUILD INDEX by a reader")
            expect(error_of(lambda: reader.execute("MISMATCH 1")), "42501", "MISMATCH by a reader")
        expect(error_of(lambda: told.execute("MISMATCH 4711")), "42704", "no such mismatch")


def scene_settings(binary, postgres):
    """What holds for a while, one search by itself, and a report of the last while."""
    compare = ("[compare]\nrate = 1\nbudget_per_second = 10000\nload_max = 1\njudge_cores = 8\n"
               '[[rule]]\nid = 5\nclient = "127.0.0.1"\noperator = "<=>"\nmax_percent = 100\n')
    with AdminVeer(binary, postgres, compare) as veer, session(veer.port) as db, veer.console(row_factory=dict_row) as told:
        place = ("--data-dir", veer.data)
        asked = iter(range(1, 100_000))

        def search():
            db.execute(f"SELECT id FROM documents ORDER BY embedding <=> '[{next(asked)},7,0]' LIMIT 3").fetchall()
            return db.execute("SHOW veer.last").fetchone()

        def value(key):
            return told.execute(f"SELECT value, file_value, source FROM veer.config WHERE key = '{key}'").fetchone()

        told.execute("SET compare.load_max = 0.25")
        expect(value("compare.load_max"), {"value": "0.25", "file_value": "1", "source": "override"}, "after SET")
        veer.command("reload", *place)
        expect(value("compare.load_max")["value"], "0.25", "after RELOAD")
        veer.command("config", "reset", "compare.load_max", *place)
        expect(value("compare.load_max"), {"value": "1", "file_value": "1", "source": "file"}, "after RESET")
        veer.command("config", "set", "guards.lag_max", "'3s'", *place)
        expect(value("guards.lag_max")["source"], "override", "after veer config set")
        refusals = {"compare.load_max = 65": "22023", "compare.laod_max = 1": "42704", "defaults.percent = 5": "42501",
                    "guards.recall_floor = 0.99": "22023", "limits.k_max = 5": "55P02"}
        for said, code in refusals.items():
            expect(error_of(lambda: told.execute("SET " + said)), code, said)

        # The rule by client's address and operator speaks, and one search by itself is told of.
        wait_until(lambda: search()[0] == "veer", "the index to answer")
        db.execute("SET veer.key = 'tenant-42'")
        search()
        row = told.execute("SELECT * FROM veer.receipts WHERE key = 'tenant-42' LIMIT 1").fetchone()
        expect((row["route"], row["engine"], row["sampled"], row["pct"]), ("public.documents.embedding <=>", "veer", True, 100.0), row)
        expect("tenant-42" in veer.command("receipts", "documents", *place), True, "veer receipts")
        rule = told.execute("SHOW RULES").fetchone()
        expect((rule["match"], rule["hits"] > 0), ("operator=<=> client=127.0.0.1", True), rule)
        sql = "SELECT id FROM documents ORDER BY embedding <=> '[1,1,0]' LIMIT 3"
        explained = lambda client: told.execute(f"EXPLAIN ROUTE CLIENT '{client}' {sql}").fetchone()["rule"]
        expect(explained("127.0.0.1"), "5: operator=<=> client=127.0.0.1, max_percent=100", "the rule that speaks")
        expect(explained("10.0.0.1"), None, "of another client")

        # A report of a while, by its exit code and by its text.
        wait_until(lambda: search() and told.execute("SHOW COMPARE").fetchone()["compared"] > 20, "comparisons")
        through = f"host=127.0.0.1 port={veer.port} user=postgres dbname=postgres"
        said = subprocess.run([binary, "report", through, "--since", "1h"], capture_output=True, text=True, timeout=60)
        expect("compared since " in said.stdout, True, said)
        said = subprocess.run([binary, "report", through, "--since", "1ms", "--json"], capture_output=True, text=True, timeout=60)
        expect((json.loads(said.stdout)["routes"], said.returncode), ([], 2), said)
        expect(subprocess.run([binary, "report", through, "--since", "soon"], capture_output=True).returncode, 3, "no duration")

        # Classes that are not counted for a while.
        shape = told.execute("SHOW QUERIES").fetchone()["fingerprint"]
        veer.command("ignore", "veer_missed", shape, "--until", "72h", "--reason", "being looked at", *place)
        ignored = told.execute("SHOW IGNORED").fetchone()
        expect((ignored["class"], ignored["fingerprint"], ignored["reason"]), ("veer_missed", shape, "being looked at"), ignored)
        veer.command("ignore", "invisible_row", shape, "--until", "72h", "--reason", "no", *place, status=1)
        veer.command("ignore", "veer_missed", shape, "--until", "2020-01-01", "--reason", "no", *place, status=1)
        veer.command("unignore", "veer_missed", shape, *place)
        expect(told.execute("SHOW IGNORED").fetchall(), [], "after veer unignore")


def scene_doctor(binary, postgres):
    dsn = f"host=127.0.0.1 port={postgres.port} dbname=postgres"
    run = lambda *words: subprocess.run([binary, "doctor", *words], capture_output=True, text=True, timeout=60)
    good = run(f"{dsn} user=postgres")
    expect(good.returncode, 0, good.stdout + good.stderr)
    expect("public.documents.embedding  public.vector(3)" in good.stdout, True, good.stdout)
    newer = run(f"{dsn} user=postgres sslnegotiation=postgres")  # which libpq 15 does not know, and veer does
    expect(newer.returncode, 0, newer.stdout + newer.stderr)
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


def stopped_in_a_lock(db):
    """The process of a SHOW DOCTOR that waits for a lock, no longer running; 0 where none was caught."""
    waiting = ("SELECT pid FROM pg_stat_activity"
               " WHERE application_name = 'veer doctor' AND wait_event_type = 'Lock'")
    row = db.execute(waiting).fetchone()
    if row is None:
        return 0
    os.kill(row[0], signal.SIGSTOP)
    if db.execute(waiting).fetchone() == row:
        return row[0]
    os.kill(row[0], signal.SIGCONT)  # it had its lock_timeout in between
    return 0


class Asking:
    """A reader who says SHOW DOCTOR again and again."""

    def __init__(self, veer):
        self.errors, self.stopped = [], threading.Event()
        self.thread = threading.Thread(target=self.ask, args=(veer,))

    def ask(self, veer):
        with veer.by_tcp() as reader:
            while not self.stopped.is_set() and not reader.closed:
                self.errors.append(error_of(lambda: reader.execute("SHOW DOCTOR")))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()


def scene_doctor_waits(binary, postgres):
    """A look at the server that gets no answer keeps nobody from a panic, nor veer from its end."""
    with session(postgres.port) as db:
        db.execute("CREATE TABLE parted (id bigint PRIMARY KEY, embedding vector(3)) PARTITION BY RANGE (id)")
        db.execute("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000)")
        db.execute("CREATE INDEX ON parted USING hnsw (embedding vector_cosine_ops)")
    with session(postgres.port) as db, AdminVeer(binary, postgres) as veer, session(postgres.port) as migration:
        migration.execute("BEGIN; LOCK TABLE parted_1 IN ACCESS EXCLUSIVE MODE")
        process = 0
        try:
            with Asking(veer) as reader:
                process = wait_until(lambda: stopped_in_a_lock(db), "a look that waits for a lock")
                (veer.data / "panic").touch()
                with veer.console() as operator:
                    panic = lambda: operator.execute("SELECT panic FROM veer.version").fetchone()[0]
                    wait_until(panic, "the panic file to act")
                    expect(error_of(lambda: operator.execute("SHOW DOCTOR")), "55000", "a second look meanwhile")
                expect(set(reader.errors) <= {"F0000"}, True, f"a lock that nobody lets go of: {reader.errors}")
                reader.stopped.set()
                veer.process.terminate()
                expect(veer.process.wait(SECONDS_MAX), 0, "veer's end meanwhile")
        finally:
            if process:
                os.kill(process, signal.SIGCONT)
    with session(postgres.port) as db:
        db.execute("DROP TABLE parted")


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
        await_idle_slots(postgres)
        expect(("would be removed" in eject().stdout, left_behind(postgres)), (True, (1, 2)), "only shown")
        done = eject("--execute", "--json")
        expect((done.returncode, json.loads(done.stdout)["rows"][0]["result"]), (0, "removed"), done.stdout)
    expect(left_behind(postgres), (0, 1), "after veer eject")
    with session(postgres.port) as db:
        expect(db.execute("SELECT slot_name FROM pg_replication_slots").fetchall(), [("theirs",)], "theirs stays")
        db.execute("SELECT pg_drop_replication_slot('theirs')")
        db.execute("DROP PUBLICATION theirs")


SEARCH = "SELECT id FROM documents ORDER BY embedding <=> '[1,1,0]' LIMIT 3"


def scene_explain(binary, postgres):
    rule = "\n[[rule]]\nid = 10\nrole = 'billing'\npin = 'postgres'\n"
    with AdminVeer(binary, postgres, rule) as veer:
        place = ("--data-dir", veer.data)
        explain = lambda sql, *words: json.loads(veer.command("explain", sql, "--json", *words, *place))["rows"][0]
        wait_until(lambda: answered_by(veer)[0] == "veer", "the index to answer")
        counted = json.loads(veer.command("routes", "--json", *place))["rows"][0]
        row = explain(SEARCH)
        expect((row["engine"], row["reason"], row["route"], row["k"], row["rule"]),
               ("veer", "local", "public.documents.embedding <=>", 3, None), "a search")
        expect(0 <= row["bucket_pct"] < 100, True, row)
        row = explain(SEARCH, "--role", "billing")
        expect((row["engine"], row["reason"], row["rule"]), ("postgres", "rule", "10: role=billing, pin=postgres"), "a rule")
        expect(explain("/* veer: route=postgres */ " + SEARCH)["reason"], "hint", "a hint")
        expect(explain("SELECT 1")["engine"], "postgres", "no search")
        row = explain(SEARCH.replace("'[1,1,0]'", "$1"))
        expect(row["engine"], None, f"without its vector: {row}")
        row = explain("SELECT id FROM veer.search('documents', '[1,1,0]', 3)")
        expect((row["engine"], row["reason"], row["k"]), ("veer", "local", 3), "a call of veer's own function")
        veer.command("explain", "SELECT id FROM veer.search('nothing', '[1,1,0]')", *place, status=1)
        with veer.by_tcp() as reader:  # who may look, may ask
            expect(reader.execute("EXPLAIN ROUTE " + SEARCH).fetchone()[0], "veer", "by a reader")
            expect(error_of(lambda: reader.execute("COMPARE " + SEARCH)), "42501", "COMPARE by a reader")
        veer.command("panic", *place)
        expect(explain(SEARCH)["reason"], "panic", "in panic")
        veer.command("unpanic", *place)
        veer.command("explain", "SELECT 'open", *place, status=1)
        now = json.loads(veer.command("routes", "--json", *place))["rows"][0]
        expect((now["veer"], now["postgres"]), (counted["veer"], counted["postgres"]), "nothing ran")
        expect(json.loads(veer.command("show", "rules", "--json", *place))["rows"][0]["hits"], 0, "and no rule was hit")


def scene_compare(binary, postgres):
    with AdminVeer(binary, postgres) as veer, veer.console(row_factory=dict_row) as told:
        wait_until(lambda: answered_by(veer)[0] == "veer", "the index to answer")
        rows = told.execute("COMPARE " + SEARCH).fetchall()
        expect([(row["place"], row["veer"], row["exact"], row["postgres"]) for row in rows],
               [(1, "1", "1", "1"), (2, "2", "2", "2"), (3, "3", "3", "3")], "COMPARE")
        expect((rows[0]["class"], rows[0]["recall"], rows[0]["pg_recall"]), ("none", 1.0, 1.0), "its verdict")
        expect(rows[1]["class"], None, "which is said once")
        expect(error_of(lambda: told.execute("COMPARE SELECT 1")), "0A000", "no search")
        expect(error_of(lambda: told.execute("COMPARE")), "42601", "nothing")


def scene_config(binary, postgres):
    with AdminVeer(binary, postgres) as veer:
        place = ("--data-dir", veer.data)
        route = "[[route]]\ncolumn = 'public.documents.embedding'\noperator = '<=>'\npercent = 25\n"
        (veer.directory / "veer.toml").write_text(route)
        said = veer.command("config", "diff", *place)
        expect("defaults.percent" in said and "public.documents.embedding" in said, True, said)
        expect(answered_by(veer)[0], "veer", "what is only shown does not hold")
        veer.command("reload", *place)
        expect(json.loads(veer.command("config", "diff", "--json", *place))["rows"], [], "what is held already")
        (veer.directory / "veer.toml").write_text("")
        for words in (("config", "diff"), ("reload",)):
            refused = veer.command(*words, *place, status=1)
            expect("roll it back first" in refused, True, refused)
        expect("25 %" in veer.command("status", *place), True, "the share as it was")
        veer.command("rollback", "documents", *place)
        veer.command("reload", *place)
        expect("percent = 0" in veer.command("config", "check", "-c", veer.directory / "veer.toml"), True, "config check")
        expect("defaults.percent" in veer.command("config", "show", *place), True, "config show")
        (veer.directory / "veer.toml").write_text("nonsense")
        veer.command("config", "diff", *place, status=1)
        veer.command("config", "check", "-c", veer.directory / "veer.toml", status=1)


def scene_init(binary, postgres):
    with session(postgres.port) as db:
        db.execute('CREATE TABLE "Odd one" (embedding vector(2))')
        db.execute('CREATE TABLE plain (id int PRIMARY KEY, "of Two" vector(2))')
        db.execute('CREATE INDEX ON plain USING hnsw ("of Two" vector_l2_ops)')
    dsn = f"host=127.0.0.1 port={postgres.port} dbname=postgres user=postgres application_name='a \"quoted\" one'"
    veer = AdminVeer(binary, postgres)
    written = veer.command("init", dsn)
    (veer.directory / "first.toml").write_text(written)
    meant = veer.command("config", "check", "-c", veer.directory / "first.toml")
    expect(meant.count("[[route]]"), 2, meant)
    expect('column = "public.documents.embedding"' in meant and "percent = 0\n" in meant, True, meant)
    expect("Odd one.embedding" in written and "vector(2): no primary key" in written, True, written)
    expect(veer.command("init", dsn), written, "the same again")
    veer.command("init", "host=127.0.0.1 port=1 user=x", status=3)
    veer.stop()
    with session(postgres.port) as db:
        db.execute('DROP TABLE "Odd one"')
        db.execute("DROP TABLE plain")


def scene_completion(binary, postgres):
    script = subprocess.run([binary, "completion", "bash"], capture_output=True, text=True, timeout=60).stdout
    ask = lambda *words: subprocess.run(
        ["bash", "-c", script + f"COMP_WORDS=({' '.join(words)} ''); COMP_CWORD={len(words)}; _veer; echo ${{COMPREPLY[@]}}"],
        capture_output=True, text=True, timeout=60).stdout.split()
    expect({"status", "promote", "panic", "config"} <= set(ask("veer")), True, "commands")
    expect({"--to", "--for", "--reason"} <= set(ask("veer", "promote")), True, "options")
    expect({"check", "diff", "show"} <= set(ask("veer", "config")), True, "commands of a command")


class Screen:
    """A terminal with veer top in it."""

    def __init__(self, binary, directory):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([binary, "top", "--data-dir", directory], stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.text = ""
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        try:
            while some := os.read(self.master, 4096):
                self.text += some.decode(errors="replace")
        except OSError:
            pass  # the other side has gone

    def press(self, key, shown):
        seen = len(self.text)
        os.write(self.master, key)
        wait_until(lambda: shown in self.text[seen:], f"{shown} after {key}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        os.close(self.master)


def scene_top(binary, postgres):
    with AdminVeer(binary, postgres) as veer, Screen(binary, veer.data) as screen:
        wait_until(lambda: "q quit" in screen.text and "public.documents.embedding" in screen.text, "the screen")
        screen.press(b"P", "all searches go to Postgres")
        expect(answered_by(veer), ("postgres", "panic"), "after P")
        screen.press(b"u", "UNPANIC?  y: yes")
        screen.press(b"n", "q quit")
        expect(answered_by(veer), ("postgres", "panic"), "without a y")
        screen.press(b"u", "UNPANIC?")
        os.write(screen.master, b"y")
        wait_until(lambda: answered_by(veer)[0] == "veer", "the index after u and y")
        os.write(screen.master, b"r")
        wait_until(lambda: answered_by(veer)[0] == "postgres", "Postgres after r")
        os.write(screen.master, b"q")
        expect(screen.process.wait(60), 0, "after q")
        done = subprocess.run([binary, "top", "--data-dir", veer.data], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        expect(done.returncode, 2, "without a terminal")


if __name__ == "__main__":
    run_scenes(dict(globals()), pathlib.Path(sys.argv[1]), sys.argv[2:])
