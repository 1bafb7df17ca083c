"""Searches of a partitioned table through veer, while its partitions are filled, emptied, moved, attached and detached.

    partitions_pg_test.py <veer binary>

Right after each change, through veer or past it, a search through veer is what an exact search is, whoever answers; then
the index answers again, and `veer verify` finds nothing.
"""

import sys

from faults_pg_test import TOML, MortalVeer
from limits_pg_test import expect
from private_servers import Postgres, session, wait_until

QUERIES = [f"[{x}.13,{y}.27,0.31]" for x, y in ((1, 1), (55, 5), (120, 2), (199, 0), (1000, 0))]
SEARCH = "SELECT id, region FROM {} ORDER BY e <-> '{}' LIMIT 5"


def fill(postgres):
    """docs: a list of regions; docs_2 has another layout, docs_3 is partitioned itself."""
    with session(postgres.port) as db:
        for statement in (
                "CREATE EXTENSION vector",
                "CREATE ROLE reader LOGIN",
                "CREATE TABLE docs (region int, id bigint, at date DEFAULT '2026-01-01', e vector(3), PRIMARY KEY (region, id)) "
                "PARTITION BY LIST (region)",
                "CREATE TABLE docs_1 PARTITION OF docs FOR VALUES IN (1)",
                "CREATE TABLE docs_2 (e vector(3), gone int, at date, id bigint NOT NULL, region int NOT NULL)",
                "ALTER TABLE docs_2 DROP gone",
                "ALTER TABLE docs ATTACH PARTITION docs_2 FOR VALUES IN (2)",
                "CREATE TABLE docs_3 PARTITION OF docs FOR VALUES IN (3, 4) PARTITION BY RANGE (id)",
                "CREATE TABLE docs_3_low PARTITION OF docs_3 FOR VALUES FROM (0) TO (100)",
                "CREATE TABLE docs_3_high PARTITION OF docs_3 FOR VALUES FROM (100) TO (100000)",
                "CREATE INDEX ON docs USING hnsw (e vector_l2_ops)",
                "INSERT INTO docs SELECT i % 4 + 1, i, '2026-01-01', ARRAY[i, i % 10, i % 3]::vector FROM generate_series(1, 200) i",
                "GRANT SELECT ON docs TO reader",
                "CREATE TABLE plain (region int DEFAULT 0, id bigint PRIMARY KEY, e vector(3))",
                "INSERT INTO plain SELECT 0, i, ARRAY[i, i % 10, i % 3]::vector FROM generate_series(1, 200) i",
                "CREATE INDEX ON plain USING hnsw (e vector_l2_ops)",
                "ALTER DATABASE postgres SET hnsw.ef_search = 400"):
            db.execute(statement)


class Stage:
    def __init__(self, postgres, veer):
        self.postgres, self.veer = postgres, veer
        self.direct, self.through = session(postgres.port), session(veer.port)
        self.direct.execute("SET enable_indexscan = off")

    def engine(self):
        self.through.execute(SEARCH.format("docs", QUERIES[0]))
        return self.through.execute("SHOW veer.last").fetchone()[0]

    def all_live(self):
        """A partition that has left is a table with an index of its own."""
        return {row[4] for row in self.through.execute("SHOW veer.routes")} == {"live"}

    def check(self, what, table="docs", where=""):
        for query in QUERIES:
            sql = SEARCH.format(table + where, query)
            wanted = self.direct.execute(sql).fetchall()
            expect(self.through.execute(sql).fetchall(), wanted, f"{what}: {sql}")

    def settle(self, what):
        """Answered by the index again, as exactly, and verified."""
        wait_until(lambda: self.engine() == "veer" and self.all_live(), f"{what}: the index to answer")
        self.check(what)
        self.veer.verify()
        print(f"ok {what}", flush=True)

    def change(self, what, *statements):
        """Through veer, where the next search has to know of it."""
        for statement in statements:
            self.through.execute(statement)
        self.check(what)

    def copies(self):
        return self.veer.said().count("copying public.docs")


def check_searches(stage):
    """By any condition and any column; a partition by its own name is Postgres'."""
    stage.settle("a partitioned table")
    routes = stage.through.execute("SHOW veer.routes").fetchall()
    expect(sorted(row[1] for row in routes), ["public.docs", "public.plain"], "the routes")
    for where in (" WHERE region = 2", " WHERE region IN (1, 3) AND id > 50", " WHERE at > '2025-12-31' AND region <> 4"):
        stage.check("a condition", where=where)
        expect(stage.through.execute("SHOW veer.last").fetchone()[0], "veer", f"who answers{where}")
    for named in ("docs_2", "docs_3", "docs_3_low"):
        stage.check("a partition by its own name", table=named)
        expect(stage.through.execute("SHOW veer.last").fetchone()[0], "postgres", f"who answers FROM {named}")
    sql = "SELECT tableoid::regclass::text, docs.* FROM docs ORDER BY e <-> '[55,5,0]' LIMIT 5"
    expect(stage.through.execute(sql).fetchall(), stage.direct.execute(sql).fetchall(), "rows as Postgres fetches them")
    with session(stage.veer.port) as reader:
        reader.execute("SET ROLE reader")
        reader.execute(SEARCH.format("docs", QUERIES[0]))
        expect(reader.execute("SHOW veer.last").fetchone()[0], "veer", "a role that may read the root only")


def check_rows(stage):
    copies = stage.copies()
    stage.change("rows come", "INSERT INTO docs VALUES (1, 1000, DEFAULT, '[1000,0,0]'), (3, 1001, DEFAULT, '[1000,1,0]')")
    stage.change("into a partition", "INSERT INTO docs_2 (id, region, e) VALUES (1002, 2, '[1000,2,0]')")
    stage.change("a vector", "UPDATE docs SET e = '[1000,0,1]' WHERE id = 1001")
    stage.change("a move", "UPDATE docs SET region = 2 WHERE id IN (1000, 120)", "UPDATE docs SET region = 4 WHERE id = 1002")
    stage.change("a move below", "UPDATE docs SET id = 98 WHERE id = 1002")
    stage.change("a move back in one transaction", "BEGIN", "UPDATE docs SET region = 1 WHERE id = 120",
                 "UPDATE docs SET region = 2, e = '[120,2,1]' WHERE id = 120", "COMMIT")
    stage.change("rows go", "DELETE FROM docs WHERE id = 1000", "DELETE FROM docs_3_low WHERE id = 98 AND region = 4")
    stage.settle("rows of partitions")
    expect(stage.copies(), copies, "copies that rows made necessary")


def check_partitions(stage):
    """None of it is in the stream."""
    stage.change("an emptied partition", "TRUNCATE docs_1")
    stage.through.execute("BEGIN; TRUNCATE docs")
    expect(stage.through.execute(SEARCH.format("docs", QUERIES[0])).fetchall(), [], "what only this transaction sees")
    stage.through.execute("ROLLBACK")
    stage.check("what was rolled back")
    stage.change("a new partition", "CREATE TABLE docs_5 PARTITION OF docs FOR VALUES IN (5)",
                 "INSERT INTO docs VALUES (5, 1, DEFAULT, '[55,5,0.7]')")
    stage.change("a partition that leaves", "ALTER TABLE docs DETACH PARTITION docs_2")
    stage.settle("partitions that were emptied, that came and left")
    stage.change("it is changed", "DELETE FROM docs_2 WHERE id < 150", "INSERT INTO docs_2 (id, region, e) VALUES (7, 2, '[1,1,0]')")
    stage.change("and comes back", "ALTER TABLE docs ATTACH PARTITION docs_2 FOR VALUES IN (2)")
    stage.change("a partition that is dropped", "DROP TABLE docs_3_low")
    stage.settle("one that came back, and one that was dropped")
    stage.direct.execute("TRUNCATE docs_3")
    stage.check("emptied past veer")
    expect(stage.veer.said().count("copying public.plain"), 1, "copies of the other table")


def check_restart(stage):
    stage.veer.kill()
    stage.direct.execute("TRUNCATE docs_5")
    stage.veer.start()
    stage.through = session(stage.veer.port)
    stage.check("emptied while veer was away")
    stage.settle("emptied while veer was away")
    stage.check("the other table", table="plain")
    expect(stage.veer.said().count("copying public.plain"), 0, "copies of the other table")


def main():
    with Postgres() as postgres:
        fill(postgres)
        with MortalVeer(sys.argv[1], postgres, TOML) as veer:
            stage = Stage(postgres, veer)
            wait_until(veer.live, "veer to be live")
            check_searches(stage)
            check_rows(stage)
            check_partitions(stage)
            check_restart(stage)
    print("all of it held")


if __name__ == "__main__":
    main()
