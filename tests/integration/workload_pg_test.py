"""Random statements of several sessions, each with a model of its own table, and what comes of them in the index.

    workload_pg_test.py <veer binary> [seed]

Rows come, change their vectors, keys or neither, and go, one by one and in bulk, in transactions with savepoints and
rollbacks, through veer and past it, while columns and indexes come and go. At the end each table is what its model is,
its copy is what the table is, and what the index finds is what an exact search finds.

The last table is partitioned by its key. Fifteen seconds, or ten minutes where VEER_NIGHTLY is set. The seed is printed.
"""

import os
import random
import sys
import threading
import time

import psycopg
from faults_pg_test import DIMENSIONS, TOML, MortalVeer
from limits_pg_test import expect
from private_servers import Postgres, fail, session, wait_until

SECONDS = 600 if os.environ.get("VEER_NIGHTLY") else 15
SESSIONS = 3
ROWS_MAX = 1_500
PARTITION = 300  # the first key of the second partition
SEARCHES = 40
RECALL_MIN = 0.98


class Table(threading.Thread):
    """One session and its table. `rows` is the model: what is committed; a statement works on a copy."""

    def __init__(self, number, ports, seed):
        super().__init__(daemon=True)
        self.name_, self.ports, self.random = f"t{number}", ports, random.Random(seed)
        self.rows, self.next_id, self.indexed, self.extra, self.statements = {}, 1, True, False, 0
        self.problem, self.end = None, None
        self.partitioned = number == SESSIONS - 1

    def create(self, db):
        columns = f"(id bigint PRIMARY KEY, n int DEFAULT 0, e vector({DIMENSIONS}))"
        db.execute(f"CREATE TABLE {self.name_} {columns} {'PARTITION BY RANGE (id)' if self.partitioned else ''}")
        if self.partitioned:
            db.execute(f"CREATE TABLE {self.name_}_low PARTITION OF {self.name_} FOR VALUES FROM (0) TO ({PARTITION})")
            db.execute(f"CREATE TABLE {self.name_}_high PARTITION OF {self.name_} DEFAULT")
        self.index(db)

    def index(self, db):
        db.execute(f"CREATE INDEX {self.name_}_e ON {self.name_} USING hnsw (e vector_l2_ops)")

    def run(self):
        try:
            while time.monotonic() < self.end:
                with session(self.random.choice(self.ports)) as db:
                    for _ in range(self.random.randrange(1, 30)):
                        self.rows = self.step(db)
                        self.statements += 1
        except BaseException as thrown:  # told by the main thread
            self.problem = repr(thrown)

    def step(self, db):
        kind = self.random.random()
        if kind < 0.06:
            self.change_definition(db)
            return self.rows
        if kind < 0.6:
            return self.change(db, dict(self.rows))
        rows = dict(self.rows)
        with db.transaction() as transaction:
            for _ in range(self.random.randrange(1, 5)):
                before = rows
                with db.transaction() as savepoint:
                    rows = self.change(db, dict(rows))
                    if self.random.random() < 0.3:
                        rows = before
                        raise psycopg.Rollback(savepoint)
            if self.random.random() < 0.3:
                rows = self.rows
                raise psycopg.Rollback(transaction)
        return rows

    def change(self, db, rows):
        """One statement, and the rows as they are after it."""
        name, key = self.name_, self.random.choice(list(rows)) if rows else None
        kind = self.random.choice(("insert", "copy", "upsert", "update", "null", "other", "move", "delete", "range", "truncate"))
        if len(rows) > ROWS_MAX:
            kind = "range"
        if kind == "truncate" and self.random.random() < 0.05:
            db.execute(f"TRUNCATE {name}")
            return {}
        if kind == "truncate" and self.partitioned and self.random.random() < 0.2:
            db.execute(f"TRUNCATE {name}_low")
            return {each: vector for each, vector in rows.items() if each >= PARTITION}
        if key is None or kind in ("insert", "truncate"):
            new = {self.fresh_id(): self.vector() for _ in range(self.random.randrange(1, 6))}
            values = ", ".join(f"({each}, '{vector}')" for each, vector in new.items())
            db.execute(f"INSERT INTO {name} (id, e) VALUES {values}")
            rows.update(new)
        elif kind == "copy":
            new = {self.fresh_id(): self.vector() for _ in range(self.random.randrange(1, 60))}
            with db.cursor().copy(f"COPY {name} (id, e) FROM STDIN") as copy:
                for row in new.items():
                    copy.write_row(row)
            rows.update(new)
        elif kind in ("upsert", "update"):
            rows[key] = self.vector()
            db.execute(
                f"INSERT INTO {name} (id, e) VALUES ({key}, '{rows[key]}') ON CONFLICT (id) DO UPDATE SET e = excluded.e"
                if kind == "upsert" else f"UPDATE {name} SET e = '{rows[key]}' WHERE id = {key}")
        elif kind == "null":
            rows[key] = None
            db.execute(f"UPDATE {name} SET e = NULL WHERE id = {key}")
        elif kind == "other":
            db.execute(f"UPDATE {name} SET n = n + 1 WHERE id % 7 = {key % 7}")
        elif kind == "move":
            fresh = self.fresh_id()
            if self.partitioned and (lower := fresh % PARTITION) not in rows:
                fresh = lower
            db.execute(f"UPDATE {name} SET id = {fresh} WHERE id = {key}")
            rows[fresh] = rows.pop(key)
        elif kind == "delete":
            db.execute(f"DELETE FROM {name} WHERE id = {key}")
            del rows[key]
        else:
            db.execute(f"DELETE FROM {name} WHERE id % 5 = {key % 5} AND id < {key}")
            rows = {each: vector for each, vector in rows.items() if each % 5 != key % 5 or each >= key}
        return rows

    def change_definition(self, db):
        kind = self.random.choice(("index", "column", "vacuum", "cluster"))
        if kind == "index":
            if self.indexed:
                db.execute(f"DROP INDEX {self.name_}_e")
            else:
                self.index(db)
            self.indexed = not self.indexed
        elif kind == "column":
            db.execute(f"ALTER TABLE {self.name_} " + ("DROP extra" if self.extra else "ADD extra int DEFAULT 1"))
            self.extra = not self.extra
        else:
            db.execute(f"VACUUM {'FULL' if kind == 'cluster' else ''} {self.name_}")

    def fresh_id(self):
        self.next_id += 1
        return self.next_id

    def vector(self):
        return str([round(self.random.uniform(-1, 1), 4) for _ in range(DIMENSIONS)]).replace(" ", "")


def check_model(postgres, table):
    with session(postgres.port) as db:
        found = dict(db.execute(f"SELECT id, e::text FROM {table.name_}").fetchall())
    read = {key: None if vector is None else [float(number) for number in vector.strip("[]").split(",")]
            for key, vector in table.rows.items()}
    stored = {key: None if vector is None else [float(number) for number in vector.strip("[]").split(",")]
              for key, vector in found.items()}
    expect(stored == read, True, f"{table.name_}: the table is what its model is")


def recall(postgres, veer, table):
    """Of the ten nearest rows, how many the index finds. No row that is not there is ever found."""
    right = wanted = 0
    with session(postgres.port) as exact, session(veer.port) as searches:
        exact.execute("SET enable_indexscan = off")
        for _ in range(SEARCHES):
            sql = f"SELECT id FROM {table.name_} ORDER BY e <-> '{table.vector()}' LIMIT 10"
            nearest = {key for key, in exact.execute(sql)}
            found = {key for key, in searches.execute(sql)}
            expect(found - table.rows.keys(), set(), f"{table.name_}: rows that are not there")
            right, wanted = right + len(nearest & found), wanted + len(nearest)
        engine = searches.execute("SHOW veer.last").fetchone()[0]
        enough = sum(vector is not None for vector in table.rows.values()) >= 10
        expect(engine, "veer" if enough else engine, f"{table.name_}: who answers at the end")
    return right / wanted if wanted else 1


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    with Postgres() as postgres:
        tables = []
        with session(postgres.port) as db:
            db.execute("CREATE EXTENSION vector")
            db.execute("ALTER DATABASE postgres SET hnsw.ef_search = 400")
            for number in range(SESSIONS):
                tables.append(Table(number, [], seed + number))
                tables[-1].create(db)
        with MortalVeer(sys.argv[1], postgres, TOML) as veer:
            wait_until(lambda: live(veer, tables), "veer to be live")
            for table in tables:
                table.ports = [postgres.port, veer.port]
                table.end = time.monotonic() + SECONDS
                table.start()
            for table in tables:
                table.join()
                if table.problem:
                    fail(f"{table.name_}: {table.problem}\n{veer.said()}")
            with session(postgres.port) as db:
                for table in tables:
                    check_model(postgres, table)
                    if not table.indexed:
                        table.index(db)
            wait_until(lambda: live(veer, tables), "every table to be live again")
            veer.verify()
            for table in tables:
                share = recall(postgres, veer, table)
                print(f"ok {table.name_}: {table.statements} statements, {len(table.rows)} rows, recall {share:.3f}")
                expect(share >= RECALL_MIN, True, f"{table.name_}: recall {share}")
    print("all of it held")


def live(veer, tables):
    """All of them, with all that is committed now: the first search after a write through veer waits for it."""
    veer.check_running()
    with session(veer.port) as db:
        rows = db.execute("SHOW veer.routes").fetchall()
    return sorted(row[1] for row in rows if row[4] == "live") == [f"public.{table.name_}" for table in tables]


if __name__ == "__main__":
    main()
