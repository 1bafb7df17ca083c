"""Everything dies: veer by kill -9, the server as in a crash, the connections between them, the slot.

    faults_pg_test.py <veer binary> [seed]

Writers go on all the while, through veer and past it. Whoever has committed a row through veer finds it through veer,
from whichever engine; whoever has deleted one finds it no more. After each fault `veer verify` finds nothing.

Ten kills, or a hundred where VEER_NIGHTLY is set. The seed is printed.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import psycopg
from limits_pg_test import PlainVeer, expect
from private_servers import Postgres, fail, session, wait_until

ROUNDS = 100 if os.environ.get("VEER_NIGHTLY") else 10
ROWS = 1_000
DIMENSIONS = 8
TABLES = ("docs", "notes")
TOML = """[defaults]
percent = 100
freshness_wait = "10s"
[storage]
checkpoint_interval = "1s"
[sync]
verify_rate = 0
[guards]
lag_max = "10m"
slow_share_max = 0.9
"""


class CrashingPostgres(Postgres):
    """A server that may die and come back."""

    def launch(self, *command, **how):
        self.command = (command, how)
        super().launch(*command, **how)

    def crash(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        self.log.close()

    def come_back(self):
        command, how = self.command
        super().launch(*command, **how)
        wait_until(self.accepts, "PostgreSQL to recover")


class Gate:
    """All of veer's connections to the server go through it: they can be cut, hang half open, or be slow."""

    def __init__(self, target):
        self.target = target
        self.opened = threading.Event()
        self.opened.set()
        self.bytes_per_second = None
        self.lock = threading.Lock()
        self.pairs = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # shut
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            with self.lock:
                self.pairs.add((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(1 << 16):
                self.opened.wait()
                if self.bytes_per_second:
                    time.sleep(len(data) / self.bytes_per_second)
                sink.sendall(data)
        except OSError:
            pass
        self.end(source, sink)
        with self.lock:
            self.pairs -= {(source, sink), (sink, source)}

    @staticmethod
    def end(*sockets):
        for each in sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            self.end(*pair)

    def hang(self):
        """Both sides keep their connections, and hear nothing."""
        self.opened.clear()

    def open(self):
        self.opened.set()

    def shut(self):
        """Nobody comes in any more; who is in stays."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class MortalVeer(PlainVeer):
    def verify(self):
        done = subprocess.run([self.binary, "verify", "--data-dir", self.directory / "data", "--rate", "1000000"],
                              capture_output=True, text=True)
        expect(done.returncode, 0, f"veer verify: {done.stdout}{done.stderr}\n{self.said()}")

    def live(self):
        self.check_running()
        try:
            with session(self.port) as db:
                return [row[4] for row in db.execute("SHOW veer.routes")] == ["live"] * len(TABLES)
        except psycopg.OperationalError:  # the server is away
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def newest_checkpoint(self):
        return max((path.stat().st_mtime_ns for path in (self.directory / "data" / "graphs").glob("*.log")), default=0)


class Writer(threading.Thread):
    """Changes rows of its own through veer, and looks for each change through veer, in another session."""

    def __init__(self, veer, number, seed):
        super().__init__(daemon=True)
        self.veer, self.number, self.random = veer, number, random.Random(seed)
        self.rows, self.next_id = {}, 1_000_000 * (number + 1)
        self.changes = 0
        self.problem = None
        self.stopping = False

    def run(self):
        try:
            while not self.stopping:
                try:
                    with session(self.veer.port) as writes, session(self.veer.port) as searches:
                        while not self.stopping:
                            self.change(writes, searches)
                            self.changes += 1
                except (psycopg.Error, psycopg.Rollback):  # everything dies here
                    time.sleep(0.02)
        except BaseException as thrown:  # told by the main thread
            self.problem = repr(thrown)

    def change(self, writes, searches):
        table = self.random.choice(TABLES)
        mine = [row for row in self.rows if row[1] == table]
        kind = self.random.choice(("insert", "insert", "update", "move", "delete", "many", "rollback"))
        if kind in ("update", "move", "delete") and mine:
            key = self.random.choice(mine)
            old = self.rows.pop(key)  # unknown, until the change is known to be committed
            if kind == "delete":
                writes.execute(f"DELETE FROM {table} WHERE id = {key[0]}")
                self.look(searches, table, key[0], old, False)
                return
            new = self.vector()
            after = key[0] if kind == "update" else self.fresh_id()
            writes.execute(f"UPDATE {table} SET id = {after}, e = '{new}' WHERE id = {key[0]}")
            self.rows[after, table] = new
            self.look(searches, table, after, new, True)
            if after != key[0]:
                self.look(searches, table, key[0], old, False)
        elif kind in ("many", "rollback"):
            rows = {(self.fresh_id(), table): self.vector() for _ in range(5)}
            with writes.transaction() as transaction:
                for (key, _), vector in rows.items():
                    writes.execute(f"INSERT INTO {table} VALUES ({key}, '{vector}')")
                if kind == "rollback":
                    raise psycopg.Rollback(transaction)
            if kind == "many":
                self.rows.update(rows)
            (key, _), vector = rows.popitem()
            self.look(searches, table, key, vector, kind == "many")
        else:
            key, vector = self.fresh_id(), self.vector()
            writes.execute(f"INSERT INTO {table} VALUES ({key}, '{vector}')")
            self.rows[key, table] = vector
            self.look(searches, table, key, vector, True)

    def fresh_id(self):
        self.next_id += 1
        return self.next_id

    def vector(self):
        return str([round(self.random.uniform(-1, 1), 6) for _ in range(DIMENSIONS)])

    def look(self, searches, table, key, vector, there):
        """All of it was committed before: what is nearest is known. pgvector's own answers may be approximate."""
        sql = f"SELECT id, e <-> '{vector}' AS d FROM {table} ORDER BY d LIMIT 1"
        found = searches.execute(sql).fetchone()
        engine, why = searches.execute("SHOW veer.last").fetchone()[:2]
        if (found is not None and found[0] == key) != there and engine == "veer":
            raise AssertionError(f"{table} {key} {vector}: found {found}, {engine} {why}, "
                                 f"{'committed' if there else 'gone'} before")


def dropped(db):
    """A veer that lives may be back before it is done."""
    db.execute("SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE active")
    try:
        db.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        return True
    except psycopg.errors.ObjectInUse:
        return False


class Stage:
    def __init__(self, binary, postgres, gate, seed):
        self.postgres, self.gate, self.random = postgres, gate, random.Random(seed)
        self.veer = MortalVeer(binary, postgres, TOML, f"host=127.0.0.1 port={gate.port} user=postgres dbname=postgres")
        self.writers = [Writer(self.veer, number, seed + number) for number in range(2)]

    def changes(self):
        for writer in self.writers:
            if writer.problem:
                fail(f"writer {writer.number}: {writer.problem}\n{self.veer.said()}")
        return sum(writer.changes for writer in self.writers)

    def go_on(self, count):
        enough = self.changes() + count
        wait_until(lambda: self.changes() >= enough, f"{count} changes through veer")

    def write_past_veer(self):
        table = self.random.choice(TABLES)
        with session(self.postgres.port) as db:
            db.execute(f"UPDATE {table} SET e = e + e WHERE id % 50 = {self.random.randrange(50)} AND id < {ROWS}")
            db.execute(f"DELETE FROM {table} WHERE id = {self.random.randrange(ROWS)}")

    def settle(self):
        """After a fault: live again, writing, and equal."""
        wait_until(self.veer.live, "veer to be live again")
        self.go_on(10)
        self.veer.verify()

    def drop_slot(self):
        with session(self.postgres.port) as db:
            wait_until(lambda: dropped(db), "the slot to be idle, and dropped")

    def kill_amid(self, moment):
        if moment == "copy":
            self.veer.kill()
            self.drop_slot()
            self.veer.start()
            time.sleep(self.random.uniform(0, 0.5))  # any moment will do
        elif moment == "checkpoint":
            before = self.veer.newest_checkpoint()
            wait_until(lambda: self.changes() >= 0 and self.veer.newest_checkpoint() != before, "a checkpoint to be written")
        else:
            self.go_on(self.random.randrange(1, 60))
        self.veer.kill()
        self.write_past_veer()
        self.veer.start()

    def kill_rounds(self):
        for number in range(ROUNDS):
            moment = ("stream", "copy", "checkpoint")[number % 3]
            self.kill_amid(moment)
            self.settle()
            print(f"ok killed amid {moment}", flush=True)

    def other_faults(self):
        faults = {
            "the server crashes": self.crash_server,
            "connections are cut": self.cut,
            "connections hang, and are cut": self.hang,
            "connections are slow": self.throttle,
            "the slot is dropped": self.drop_live_slot,
            "the publication is dropped": self.drop_publication,
        }
        for what, happens in faults.items():
            happens()
            self.settle()
            print(f"ok {what}", flush=True)

    def crash_server(self):
        self.go_on(5)
        self.postgres.crash()
        self.postgres.come_back()
        self.write_past_veer()

    def cut(self):
        for _ in range(5):
            self.go_on(3)
            self.gate.cut()
            self.write_past_veer()

    def hang(self):
        self.gate.hang()
        self.write_past_veer()
        self.gate.cut()
        self.gate.open()

    def throttle(self):
        """Copied again and followed, so slowly."""
        self.gate.bytes_per_second = 200_000
        self.drop_live_slot()
        self.settle()
        self.gate.bytes_per_second = None

    def drop_publication(self):
        with session(self.postgres.port) as db:
            publications = "SELECT oid FROM pg_publication"
            before = db.execute(publications).fetchall()
            db.execute(f"DROP PUBLICATION {db.execute('SELECT pubname FROM pg_publication').fetchone()[0]}")
            self.write_past_veer()
            wait_until(lambda: db.execute(publications).fetchall() not in ([], before), "another publication")

    def drop_live_slot(self):
        with session(self.postgres.port) as db:
            before = db.execute("SELECT catalog_xmin::text, restart_lsn FROM pg_replication_slots").fetchall()
        self.drop_slot()
        self.write_past_veer()
        with session(self.postgres.port) as db:
            wait_until(
                lambda: db.execute("SELECT catalog_xmin::text, restart_lsn FROM pg_replication_slots").fetchall()
                not in ([], before), "another slot")


def fill(postgres):
    with session(postgres.port) as db:
        db.execute("CREATE EXTENSION vector")
        db.execute("ALTER DATABASE postgres SET hnsw.ef_search = 400")
        for table in TABLES:
            db.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY, e vector({DIMENSIONS}))")
            db.execute(
                f"INSERT INTO {table} SELECT i, (SELECT array_agg(random() * 2 - 1 + 0 * i * j) FROM "
                f"generate_series(1, {DIMENSIONS}) j)::vector FROM generate_series(1, {ROWS}) i")
            db.execute(f"CREATE INDEX ON {table} USING hnsw (e vector_l2_ops)")


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    with CrashingPostgres() as postgres:
        fill(postgres)
        stage = Stage(sys.argv[1], postgres, Gate(postgres.port), seed)
        with stage.veer:
            wait_until(stage.veer.live, "veer to be live")
            for writer in stage.writers:
                writer.start()
            stage.go_on(20)
            stage.kill_rounds()
            stage.other_faults()
            for writer in stage.writers:
                writer.stopping = True
            for writer in stage.writers:
                writer.join()
            print(f"ok {stage.changes()} changes, each looked for")
    print("all of it held")


if __name__ == "__main__":
    main()
