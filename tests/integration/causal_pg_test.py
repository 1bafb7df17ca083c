"""Whoever has committed a row through veer tells somebody else, who finds it: 8 writers and 8 readers, never missed.

    causal_pg_test.py <veer binary> [seed]

Rows come, get other vectors, and go; each time another session searches for the vector at once. 3,000 tries, or 100,000
where VEER_NIGHTLY is set. The seed is printed, and how long a search took that came right after its write, and how much
longer than the same search once more.
"""

import collections
import os
import queue
import random
import sys
import threading
import time

from faults_pg_test import DIMENSIONS, TOML, MortalVeer
from limits_pg_test import expect
from private_servers import Postgres, fail, session, wait_until

TRIES = 100_000 if os.environ.get("VEER_NIGHTLY") else 3_000
PAIRS = 8
ROWS_MAX = 200  # of a writer
TABLE = "docs"


class Pair:
    """A writer, and a reader who is told of each commit as soon as the writer has heard of it."""

    def __init__(self, port, number, seed):
        self.port, self.number, self.random = port, number, random.Random(seed + number)
        self.told = queue.Queue(1)
        self.recent = collections.deque(maxlen=3)  # the reader may be looking for them still
        self.rows, self.next_id = {}, 1_000_000 * (number + 1)
        self.tries = self.by_index = 0
        self.durations, self.waits, self.problem = [], [], None
        self.threads = [threading.Thread(target=self.guard, args=(what,), daemon=True) for what in (self.write, self.read)]

    def guard(self, what):
        try:
            with session(self.port) as db:
                what(db)
        except BaseException as thrown:  # told by the main thread
            self.problem = self.problem or repr(thrown)
        if what == self.write:
            self.tell(None)

    def tell(self, what):
        """In vain where the reader has ended."""
        while self.problem is None:
            try:
                self.told.put(what, timeout=1)
                return
            except queue.Full:
                pass

    def write(self, db):
        for _ in range(TRIES // PAIRS):
            if self.problem:
                return
            told = self.change(db)
            self.recent.append(told[0])
            self.tell(told)

    def change(self, db):
        """The row's key and a vector, and whether it is to be found there."""
        kind = self.random.choice(("insert", "insert", "update", "delete" if len(self.rows) > ROWS_MAX / 2 else "insert"))
        others = [key for key in self.rows if key not in self.recent]
        if kind == "insert" and len(self.rows) < ROWS_MAX or not others:
            self.next_id += 1
            key, vector = self.next_id, self.vector()
            db.execute(f"INSERT INTO {TABLE} VALUES ({key}, '{vector}')")
            self.rows[key] = vector
            return key, vector, True
        key = self.random.choice(others)
        if kind == "delete":
            db.execute(f"DELETE FROM {TABLE} WHERE id = {key}")
            return key, self.rows.pop(key), False
        self.rows[key] = self.vector()
        db.execute(f"UPDATE {TABLE} SET e = '{self.rows[key]}' WHERE id = {key}")
        return key, self.rows[key], True

    def vector(self):
        return str([round(self.random.uniform(-1, 1), 6) for _ in range(DIMENSIONS)])

    def read(self, db):
        while (told := self.told.get()) is not None:
            key, vector, there = told
            found, duration = self.search(db, vector)
            engine, why = db.execute("SHOW veer.last").fetchone()[:2]
            self.tries += 1
            self.by_index += engine == "veer"
            self.durations.append(duration)
            self.waits.append(max(0, duration - self.search(db, vector)[1]))
            # Postgres' own index may miss a row.
            if (found is not None and found[0] == key) != there and engine == "veer":
                raise AssertionError(f"{key} {vector}: found {found}, {engine} {why}, {'committed' if there else 'gone'} before")

    @staticmethod
    def search(db, vector):
        begun = time.monotonic()
        found = db.execute(f"SELECT id, e <-> '{vector}' AS d FROM {TABLE} ORDER BY d LIMIT 1").fetchone()
        return found, time.monotonic() - begun


def percentiles(durations):
    durations = sorted(durations)
    return " and ".join(f"{1000 * durations[int(len(durations) * share)]:.1f} ms (p{share * 100:.0f})" for share in (0.5, 0.99))


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute("CREATE EXTENSION vector")
            for table in (TABLE, "notes"):
                db.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY, e vector({DIMENSIONS}))")
                db.execute(f"CREATE INDEX ON {table} USING hnsw (e vector_l2_ops)")
        with MortalVeer(sys.argv[1], postgres, TOML) as veer:
            wait_until(veer.live, "veer to be live")
            pairs = [Pair(veer.port, number, seed) for number in range(PAIRS)]
            threads = [thread for pair in pairs for thread in pair.threads]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for pair in pairs:
                if pair.problem:
                    fail(f"pair {pair.number}: {pair.problem}\n{veer.said()}")
            tries, by_index = sum(pair.tries for pair in pairs), sum(pair.by_index for pair in pairs)
            expect(tries, TRIES // PAIRS * PAIRS, "tries")
            expect(by_index > tries * 0.9, True, f"{by_index} of {tries} answered by the index")
            print(f"ok {tries} tries, {by_index} answered by the index, none missed; a search took "
                  f"{percentiles(each for pair in pairs for each in pair.durations)}, and longer than once more "
                  f"{percentiles(each for pair in pairs for each in pair.waits)}")
            veer.verify()
    print("all of it held")


if __name__ == "__main__":
    main()
