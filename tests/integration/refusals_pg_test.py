"""What cannot be followed says why, and how that is mended, in SQL that mends it; everything else goes on meanwhile.

    refusals_pg_test.py <veer binary>

Each trouble is brought about while veer runs, beside a table that is well; its reason is read from SHOW veer.routes, and the
statement in it is run as it is.
"""

import re
import sys

from faults_pg_test import TOML, MortalVeer
from limits_pg_test import expect
from private_servers import Postgres, session, wait_until

# What is done to a table, in one transaction, and what its reason says.
TROUBLES = {
    "unlogged": ("ALTER PUBLICATION {publication} DROP TABLE {table}; ALTER TABLE {table} SET UNLOGGED", "it is unlogged"),
    "nothing": ("ALTER TABLE {table} REPLICA IDENTITY NOTHING", "it has REPLICA IDENTITY NOTHING"),
    "hidden": ("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
               "row-level security hides rows"),
    "unreadable": ("REVOKE SELECT ON {table} FROM vee; ALTER TABLE {table} OWNER TO postgres", "may not read it"),
}


class Stage:
    def __init__(self, postgres, veer):
        self.veer, self.db = veer, session(postgres.port)
        self.expected = 0

    def routes(self):
        """Table, state and reason of each."""
        self.veer.check_running()
        with session(self.veer.port) as db:
            return [(row[1], row[4], row[10]) for row in db.execute("SHOW veer.routes")]

    def well(self):
        """The table that is well is written to, and searched."""
        self.expected += 1
        with session(self.veer.port) as db:
            db.execute(f"INSERT INTO well VALUES ({1000 + self.expected}, '[{self.expected},0.5,0]')")
            found = db.execute(f"SELECT id FROM well ORDER BY e <-> '[{self.expected},0.5,0]' LIMIT 1").fetchone()[0]
            expect((found, db.execute("SHOW veer.last").fetchone()[0]), (1000 + self.expected, "veer"), "the table that is well")

    def passes(self, table):
        """Postgres answers for the one that is not."""
        with session(self.veer.port) as db:
            db.execute(f"SELECT id FROM {table} ORDER BY e <-> '[1,0,0]' LIMIT 1")
            expect(db.execute("SHOW veer.last").fetchone()[0], "postgres", f"who answers for {table}")

    def live(self, table):
        return (f"public.{table}", "live") in [route[:2] for route in self.routes()]

    def await_reason(self, table, why):
        def told():
            return [reason for name, _, reason in self.routes() if table in name + reason and why in reason]

        return wait_until(told, f"{table}: a reason that says {why}")[0]


def fill(db):
    db.execute("CREATE EXTENSION vector")
    db.execute("CREATE ROLE vee LOGIN REPLICATION")
    db.execute("GRANT CREATE ON DATABASE postgres TO vee")
    for table in ("well", *TROUBLES):
        db.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY, e vector(3))")
        db.execute(f"INSERT INTO {table} SELECT i, ARRAY[i, 0, 0]::vector FROM generate_series(1, 20) i")
        db.execute(f"ALTER TABLE {table} OWNER TO vee")
        db.execute(f"CREATE INDEX ON {table} USING hnsw (e vector_l2_ops)")


def check_tables(stage):
    """All at once: each is seen when the catalogue is looked at, every five seconds."""
    publication = stage.db.execute("SELECT pubname FROM pg_publication").fetchone()[0]
    for table, (statements, _) in TROUBLES.items():
        stage.db.execute(statements.format(table=table, publication=publication))
    reasons = {table: stage.await_reason(table, why) for table, (_, why) in TROUBLES.items()}
    for table, reason in reasons.items():
        stage.passes(table)
        stage.db.execute(re.search(r"run: ([^;]*);", reason)[1])
    stage.well()
    stage.db.execute("ALTER TABLE unreadable OWNER TO vee")
    for table in TROUBLES:
        wait_until(lambda table=table: stage.live(table), f"{table} to be live again")
        print(f"ok {table}", flush=True)
    stage.well()


def check_no_slot(stage):
    """A table joins by a slot of its own, for a moment."""
    free = stage.db.execute(
        "SELECT current_setting('max_replication_slots')::int - count(*) FROM pg_replication_slots").fetchone()[0]
    for number in range(free):
        stage.db.execute(f"SELECT pg_create_physical_replication_slot('taken_{number}')")
    stage.db.execute("CREATE TABLE late (id bigint PRIMARY KEY, e vector(3))")
    stage.db.execute("ALTER TABLE late OWNER TO vee")
    stage.db.execute("CREATE INDEX ON late USING hnsw (e vector_l2_ops)")
    stage.await_reason("late", "raise max_replication_slots")
    stage.passes("late")
    stage.well()
    for number in range(free):
        stage.db.execute(f"SELECT pg_drop_replication_slot('taken_{number}')")
    wait_until(lambda: stage.live("late"), "the table that had no slot to be live")
    print("ok no free slot", flush=True)


def main():
    with Postgres() as postgres:
        with session(postgres.port) as db:
            fill(db)
        upstream = f"host=127.0.0.1 port={postgres.port} user=vee dbname=postgres"
        with MortalVeer(sys.argv[1], postgres, TOML, upstream) as veer:
            stage = Stage(postgres, veer)
            wait_until(lambda: all(stage.live(table) for table in ("well", *TROUBLES)), "veer to be live")
            stage.well()
            check_tables(stage)
            check_no_slot(stage)
            veer.verify()
            expect(veer.said().count("copying public.well"), 1, "copies of the table that is well")
    print("all of it held")


if __name__ == "__main__":
    main()
