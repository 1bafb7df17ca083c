"""What the scripts are played on: a PostgreSQL with small tables, a veer in front of it, and who looks after both."""

import os
import pathlib
import signal
import sys
import time

from private_servers import PATIENT, Postgres, Server, Veer, fail, session, wait_until

# Distances from the origin are 1, 2, 3 ...: exact in every arithmetic, so that answers are compared byte by byte.
TABLES = """
    CREATE EXTENSION vector;
    CREATE TABLE items (id bigint PRIMARY KEY, name text, made timestamptz, price numeric, ratio float8, e vector(3));
    INSERT INTO items SELECT i, 'item ' || i, '2024-01-01 00:00Z'::timestamptz + i * interval '1 hour', i / 4.0,
           i / 3.0::float8, array[i, 0, 0]::vector FROM generate_series(1, 300) i;
    CREATE INDEX ON items USING hnsw (e vector_l2_ops);
    -- For scripts that delete rows of it: those of the others stay where they are.
    CREATE TABLE deleted_from (LIKE items INCLUDING ALL);
    INSERT INTO deleted_from SELECT * FROM items;
    CREATE TABLE guarded (id int PRIMARY KEY, owner text, e vector(3));
    INSERT INTO guarded SELECT i, CASE i % 2 WHEN 0 THEN 'alice' ELSE 'bob' END, array[i, 0, 0]::vector
      FROM generate_series(1, 100) i;
    CREATE INDEX ON guarded USING hnsw (e vector_l2_ops);
    CREATE TABLE granted (id int PRIMARY KEY, secret text, e vector(3));
    INSERT INTO granted SELECT i, 'secret ' || i, array[i, 0, 0]::vector FROM generate_series(1, 100) i;
    CREATE INDEX ON granted USING hnsw (e vector_l2_ops);
    CREATE TABLE notes (n int PRIMARY KEY, note text);
    CREATE SCHEMA other;
    CREATE TABLE other.items (id bigint PRIMARY KEY, name text, e vector(3));
    INSERT INTO other.items SELECT i, 'other ' || i, array[1000 - i, 0, 0]::vector FROM generate_series(1, 50) i;
    CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE nobody LOGIN;
    GRANT SELECT, INSERT, DELETE ON items TO alice;
    GRANT SELECT ON guarded TO alice, bob;
    GRANT USAGE ON SCHEMA other TO alice;
    GRANT SELECT ON granted TO alice; REVOKE SELECT ON granted FROM alice;
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON guarded USING (owner = current_user);
    CREATE FUNCTION add_item(int) RETURNS bigint LANGUAGE sql VOLATILE AS
        $$ INSERT INTO items (id, e) VALUES ($1, array[0, 0, 0]::vector) RETURNING id $$;
    CREATE FUNCTION as_owner() RETURNS SETOF int LANGUAGE sql SECURITY DEFINER AS
        $$ SELECT id FROM guarded ORDER BY e <-> '[0,0,0]' LIMIT 3 $$;
    CREATE FUNCTION complain(int) RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN RAISE NOTICE 'notice %', $1; RETURN $1; END $$;
    SET password_encryption = 'md5'; CREATE ROLE md5_user LOGIN PASSWORD 'secret';
    SET password_encryption = 'scram-sha-256'; CREATE ROLE scram_user LOGIN PASSWORD 'secret';
    CREATE ROLE clear_user LOGIN PASSWORD 'secret'; CREATE ROLE rejected_user LOGIN;
    ANALYZE;
    ALTER DATABASE postgres SET hnsw.ef_search = 1000;
"""
ACCESS = "".join(f"host all {role} all {method}\n" for role, method in (
    ("md5_user", "md5"), ("scram_user", "scram-sha-256"), ("clear_user", "password"), ("rejected_user", "reject")))
ROUTES = 4
COUNTING_SECONDS_MAX = 30
# A script leaves them as it found them.
CONTENTS = """
    SELECT (SELECT md5(string_agg(i::text, ',' ORDER BY id)) FROM items i),
           (SELECT md5(string_agg(d::text, ',' ORDER BY id)) FROM deleted_from d),
           (SELECT md5(string_agg(g::text, ',' ORDER BY id)) FROM granted g), (SELECT count(*) FROM other.items),
           (SELECT count(*) FROM notes),
           (SELECT array_agg(relname ORDER BY oid) FROM pg_class WHERE oid >= 16384 AND relpersistence <> 't'),
           (SELECT array_agg(relacl::text ORDER BY oid) FROM pg_class WHERE oid >= 16384 AND relpersistence <> 't')"""


class StagePostgres(Postgres):
    def __init__(self):
        super().__init__(hba=ACCESS)

    def start(self):
        super().start()
        self.unix_socket = str(self.directory / f".s.PGSQL.{self.port}")
        with session(self.port) as db:
            db.execute(TABLES)
            self.relations = {row[0] for row in db.execute("SELECT oid FROM pg_class WHERE oid >= 16384")}
            self.contents = db.execute(CONTENTS).fetchone()


class Chopper(Server):
    """Stands between veer and PostgreSQL and cuts what the server says into pieces."""

    def __init__(self, postgres, piece):
        super().__init__()
        self.arguments = (postgres.port, piece)

    def start(self):
        self.launch(sys.executable, "-B", pathlib.Path(__file__).with_name("chopper.py"), *self.arguments)
        self.port = int(wait_until(self.listening, "the chopper to listen"))

    def listening(self):
        self.check_running()
        said = self.said()
        return said if said.endswith("\n") else None


class StageVeer(Veer):
    """Set from outside: the share of searches for the index, and panic. `server`: PostgreSQL, or what leads to it."""

    def configure(self, percent):
        (self.directory / "veer.toml").write_text(PATIENT.format(percent))

    def set_panic(self):
        self.process.send_signal(signal.SIGUSR2)

    def routes(self):
        self.check_running()
        with session(self.port) as db:
            return db.execute("SHOW veer.routes").fetchall()

    def live(self):
        return all_live(self.routes())

    def memory(self, name):
        """VmRSS, VmHWM in kB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name + ":"))

    def forget_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")


def all_live(routes):
    return len(routes) == ROUTES and {row[4] for row in routes} == {"live"}


class Referee:
    """Answers a player's questions of one run against PostgreSQL alone: nothing is asked of who served."""

    knows_reasons = False

    def __init__(self, postgres, port):
        self.postgres = postgres
        self.asking = session(postgres.port)
        self.asking.execute("VACUUM items, deleted_from")  # dead rows would take places among pgvector's candidates
        self.acting = session(port)
        self.acting.prepare_threshold = None  # simple queries only: it is no part of the test

    def begin(self):
        pass

    def ask(self, sql):
        return self.asking.execute(sql).fetchone()[0]

    def act(self, sql):
        """Through whatever is tested, so that later searches wait for it."""
        if self.acting.closed:
            fail("the connection for control statements was closed")
        self.acting.execute(sql)

    def check_served(self, searches):
        return None

    def check_peak(self, megabytes):
        return None

    def check_contents(self):
        """Told once for each change: what comes after it is not to blame."""
        before, self.postgres.contents = self.postgres.contents, self.asking.execute(CONTENTS).fetchone()
        changed = [(a, b) for a, b in zip(before, self.postgres.contents) if a != b]
        return f"the script left changes: {changed}" if changed else None

    def close(self):
        self.asking.close()
        self.acting.close()


class VeerReferee(Referee):
    """Asks veer's counters. `answering`: searches may be answered by veer in this run."""

    def __init__(self, postgres, veer, answering):
        super().__init__(postgres, veer.port)
        self.veer, self.answering = veer, answering
        self.knows_reasons = answering

    def routes(self):
        return self.acting.execute("SHOW veer.routes").fetchall()

    def answered(self):
        return sum(int(row[8]) for row in self.routes())

    def begin(self):
        wait_until(lambda: all_live(self.routes()), "veer's routes to be live")
        self.before = self.answered()
        self.veer.forget_peak()
        self.memory = self.veer.memory("VmRSS")

    def check_served(self, searches):
        """An answer may be here before it is counted."""
        expected = searches if self.answering else 0
        deadline = time.monotonic() + COUNTING_SECONDS_MAX
        while (now := self.answered()) < self.before + expected and time.monotonic() < deadline:
            time.sleep(0.005)
        found, self.before = now - self.before, now
        if found == expected:
            return None
        reasons = self.acting.execute("SHOW veer.reasons").fetchall()
        return f"veer answered {found} searches, expected {expected}; so far: {reasons}"

    def check_peak(self, megabytes):
        grown = (self.veer.memory("VmHWM") - self.memory) // 1024
        return None if grown <= megabytes else f"veer's memory grew by {grown} MB, at most {megabytes} are right"


def bound_sanitizer():
    """Freed memory waits in AddressSanitizer's quarantine, 256 MB of it: too much to see what veer itself holds."""
    os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=8"]))
