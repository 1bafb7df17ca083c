"""The disk with veer's data directory fills under way, and has room again.

    disk_pg_test.py <veer binary>

The directory is a small file system of veer's own: a mount namespace that ends with the process. What is written meanwhile
is found, from Postgres; the slot keeps it, and when there is room the index has it, without another copy.
"""

import os
import pathlib
import subprocess
import sys
import threading
import time

from faults_pg_test import TOML, MortalVeer
from limits_pg_test import expect
from private_servers import Postgres, session, wait_until

DIMENSIONS = 8
TEXT = "repeat('x', 100000)"  # of each row, and in the copy as it is
MEGABYTES = 400
WITH_TEXT = TOML.replace("[defaults]", '[defaults]\ncolumns = "all"')
TABLES = ("docs", "notes")
# Not by root, a user namespace is what lets it mount.
NAMESPACE = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")))
MOUNT = f'mkdir -p data && mount -t tmpfs -o size={MEGABYTES}m,mode=700 veer data && exec "$@"'


class CrampedVeer(MortalVeer):
    def launch(self, *command, **how):
        super().launch(*NAMESPACE, "sh", "-c", MOUNT, "sh", *command, **how)

    def data(self):
        """As it is seen from outside."""
        return pathlib.Path(f"/proc/{self.process.pid}/root{self.directory}/data")

    def verify(self):
        done = subprocess.run([self.binary, "verify", "--data-dir", self.data(), "--rate", "1000000"], capture_output=True, text=True)
        expect(done.returncode, 0, f"veer verify: {done.stdout}{done.stderr}\n{self.said()}")

    def fill_disk(self):
        """And keeps it full, whatever veer gives up."""
        self.filling = True
        self.filler = threading.Thread(target=self.take_room, daemon=True)
        self.filler.start()

    def take_room(self):
        with open(self.data() / "ballast", "wb") as ballast:
            while self.filling:
                try:
                    room = os.statvfs(self.data())
                    os.posix_fallocate(ballast.fileno(), 0, os.fstat(ballast.fileno()).st_size + max(1, room.f_bavail * room.f_frsize))
                except OSError:  # none left, or veer was quicker, or is gone
                    time.sleep(0.005)

    def stop(self):
        self.filling = False
        super().stop()

    def make_room(self):
        self.filling = False
        self.filler.join()
        (self.data() / "ballast").unlink()

    def routes(self):
        with session(self.port) as db:
            return [(row[4], row[10]) for row in db.execute("SHOW veer.routes")]


def vector(number):
    return f"array_fill(({number})::real, '{{{DIMENSIONS}}}')::vector"


def fill(db):
    db.execute("CREATE EXTENSION vector")
    db.execute("ALTER DATABASE postgres SET hnsw.ef_search = 400")
    for table in TABLES:
        db.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY, e vector({DIMENSIONS}), t text)")
        db.execute(f"INSERT INTO {table} SELECT i, {vector('i')}, {TEXT} FROM generate_series(1, 100) i")
        db.execute(f"CREATE INDEX ON {table} USING hnsw (e vector_l2_ops)")


def nearest(db, table, number):
    there = str([number] * DIMENSIONS)
    found = db.execute(f"SELECT id FROM {table} ORDER BY e <-> '{there}' LIMIT 1").fetchone()[0]
    return found, db.execute("SHOW veer.last").fetchone()[0]


def position(db, what):
    return db.execute(f"SELECT ({what} - '0/0')::bigint {'FROM pg_replication_slots' if 'flush' in what else ''}").fetchone()[0]


class Writer:
    """Through veer: each row is found at once."""

    def __init__(self, veer):
        self.veer, self.last = veer, 1_000

    def write(self, count=50):
        with session(self.veer.port) as db:
            for table in TABLES:
                db.execute(f"INSERT INTO {table} SELECT i, {vector('i')}, {TEXT} FROM generate_series({self.last + 1}, {self.last + count}) i")
            self.last += count
            return [nearest(db, table, self.last) for table in TABLES]

    def write_until_full(self):
        found = self.write()
        expect([key for key, _ in found], [self.last] * 2, "rows that were just committed")
        return all("No space left on device" in why for _, why in self.veer.routes())


def check(postgres, veer):
    writer = Writer(veer)
    wait_until(lambda: writer.write(1) == [(writer.last, "veer")] * 2, "the index to answer")
    veer.fill_disk()
    wait_until(writer.write_until_full, "the disk to be full, and the routes to say so")
    for state, why in veer.routes():
        expect((state == "live", "Make room there" in why), (False, True), f"a route whose disk is full: {state} {why}")
    print("ok it is said", flush=True)
    with session(postgres.port) as db:
        before = position(db, "pg_current_wal_insert_lsn()")
        for _ in range(3):
            expect([key for key, _ in writer.write()], [writer.last] * 2, "rows that are committed while the disk is full")
        expect(position(db, "confirmed_flush_lsn") <= before, True, "the slot keeps what is not on disk")
    print("ok Postgres answers", flush=True)
    veer.make_room()
    wait_until(veer.live, "veer to be live again")
    wait_until(lambda: writer.write(1) == [(writer.last, "veer")] * 2, "the index to answer again")
    veer.verify()
    for table in TABLES:
        expect(veer.said().count(f"copying public.{table}"), 1, f"copies of {table}: {veer.said()}")
    print("ok recovered", flush=True)


def main():
    with Postgres() as postgres:
        with session(postgres.port) as db:
            fill(db)
        with CrampedVeer(sys.argv[1], postgres, WITH_TEXT) as veer:
            wait_until(veer.live, "veer to be live")
            check(postgres, veer)
    print("all of it held")


if __name__ == "__main__":
    main()
