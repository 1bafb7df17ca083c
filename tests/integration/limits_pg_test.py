"""Limits, cancel, drain and slow peers, with a real PostgreSQL behind veer.

    limits_pg_test.py <veer binary> [name of a scene]...

A scene is a function whose name begins with scene_. It speaks the protocol by hand where a driver would
hide what is to be seen; what it expects is what PostgreSQL itself does.
"""

import os
import pathlib
import select
import signal
import socket
import struct
import sys
import threading

import psycopg
from private_servers import Postgres, Veer, fail, session, wait_until

PATIENCE = 120  # seconds after which a byte that does not come is a failure


def expect(found, wanted, what):
    if found != wanted:
        fail(f"{what}: {found!r} instead of {wanted!r}")


class PlainVeer(Veer):
    """Without an index: nothing to wait for. `toml` is its whole configuration."""

    def __init__(self, binary, postgres, toml="", upstream=None):
        super().__init__(binary, postgres)
        self.toml = toml
        self.upstream = upstream or self.upstream

    def start(self):
        (self.directory / "veer.toml").write_text(self.toml)
        self.launch(self.binary, "run", "--upstream", self.upstream, "--listen", "127.0.0.1:0",
                    "--data-dir", self.directory / "data")
        self.port = int(wait_until(self.listening, "veer to listen")[1])


def message(kind, payload=b""):
    return kind + struct.pack("!I", len(payload) + 4) + payload


def query(sql):
    return message(b"Q", sql.encode() + b"\0")


class Raw:
    """A client that speaks the protocol by hand."""

    def __init__(self, port, startup=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.bytes = b""
        self.key = b""
        if startup:
            self.send_startup()
            self.until(b"Z")

    def send_startup(self):
        words = b"user\0postgres\0database\0postgres\0\0"
        self.send(struct.pack("!II", len(words) + 8, 196608) + words)

    def send(self, data):
        self.socket.sendall(data)

    def next(self):
        """The next message, or None where the server has closed."""
        while len(self.bytes) < 5 or len(self.bytes) < self.whole():
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.bytes += more
        whole = self.whole()
        kind, payload = self.bytes[:1], self.bytes[5:whole]
        self.bytes = self.bytes[whole:]
        if kind == b"K":
            self.key = payload
        return kind, payload

    def whole(self):
        return 1 + struct.unpack("!I", self.bytes[1:5])[0]

    def until(self, kind):
        """Every message up to the first of a kind."""
        seen = []
        while not seen or seen[-1][0] != kind:
            found = self.next()
            if found is None:
                fail(f"closed before {kind}, after {seen[-3:]}")
            seen.append(found)
        return seen

    def rest(self):
        """Every message until the server closes."""
        return list(iter(self.next, None))

    def close(self):
        self.socket.close()


def sqlstates(messages):
    return [field[1:].decode() for kind, payload in messages if kind == b"E"
            for field in payload.split(b"\0") if field[:1] == b"C"]


def cancel(port, key):
    """Sends a CancelRequest and waits until veer has closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as asked:
        asked.sendall(struct.pack("!II", 8 + len(key), 80877102) + key)
        expect(asked.recv(1), b"", "answer to a CancelRequest")


def count(postgres, condition):
    with session(postgres.port) as db:
        return db.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {condition}").fetchone()[0]


def running(postgres, sql):
    return count(postgres, f"state = 'active' AND query = '{sql}'")


def scene_cancel_at_the_limit(binary, postgres):
    with PlainVeer(binary, postgres, "[listen]\nmax_connections = 2\n") as veer:
        busy, idle = Raw(veer.port), Raw(veer.port)
        refused = Raw(veer.port, startup=False)
        refused.send_startup()
        expect(sqlstates(refused.rest()), ["53300"], "a third session")
        busy.send(query("SELECT pg_sleep(60)"))
        wait_until(lambda: running(postgres, "SELECT pg_sleep(60)"), "the statement to run")
        cancel(veer.port, busy.key)
        expect(sqlstates(busy.until(b"Z")), ["57014"], "a canceled statement")
        idle.close()
        wait_until(lambda: "sorry" not in try_session(veer.port), "a place that is free again")


def try_session(port):
    try:
        session(port).close()
        return ""
    except psycopg.OperationalError as error:
        return str(error)


def scene_cancel_when_postgres_is_full(binary, postgres):
    with PlainVeer(binary, postgres) as veer:
        busy = Raw(veer.port)
        busy.send(query("SELECT pg_sleep(61)"))
        wait_until(lambda: running(postgres, "SELECT pg_sleep(61)"), "the statement to run")
        others = []
        while not (problem := try_and_keep(veer.port, others)):
            pass
        expect("too many clients" in problem, True, problem)
        cancel(veer.port, busy.key)
        expect(sqlstates(busy.until(b"Z")), ["57014"], "a canceled statement")
        for other in others:
            other.close()
    wait_until(lambda: not try_session(postgres.port), "PostgreSQL to take sessions again")


def try_and_keep(port, kept):
    try:
        kept.append(session(port))
        return ""
    except psycopg.OperationalError as error:
        return str(error)


def scene_cancel_never_hits_the_next_statement(binary, postgres):
    with PlainVeer(binary, postgres) as veer:
        client = Raw(veer.port)
        for number in range(50):
            # The cancel races with the end of the first statement; the second must always survive.
            client.send(query("SELECT pg_sleep(0.002)"))
            canceling = threading.Thread(target=cancel, args=(veer.port, client.key))
            canceling.start()
            client.until(b"Z")
            canceling.join()
            client.send(query(f"SELECT {number} FROM pg_sleep(0.01)"))
            expect(sqlstates(client.until(b"Z")), [], "the statement after a canceled one")


def scene_cancel_goes_where_the_session_is(binary, postgres):
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))  # and does not listen: refused
    hosts = f"host=127.0.0.1,{postgres.directory} port={nobody.getsockname()[1]},{postgres.port}"
    with PlainVeer(binary, postgres, upstream=f"{hosts} user=postgres dbname=postgres") as veer:
        client = Raw(veer.port)
        client.send(query("SELECT pg_sleep(62)"))
        wait_until(lambda: running(postgres, "SELECT pg_sleep(62)"), "the statement to run")
        cancel(veer.port, client.key)
        expect(sqlstates(client.until(b"Z")), ["57014"], "a canceled statement over a Unix socket")
    nobody.close()


def scene_cancel_of_another_process_session(binary, postgres):
    with PlainVeer(binary, postgres) as one, PlainVeer(binary, postgres) as other:
        client = Raw(one.port)
        client.send(query("SELECT pg_sleep(63)"))
        wait_until(lambda: running(postgres, "SELECT pg_sleep(63)"), "the statement to run")
        cancel(other.port, struct.pack("!II", 1, 2))  # nobody's
        cancel(other.port, client.key)
        expect(sqlstates(client.until(b"Z")), ["57014"], "a cancel through another veer")


class LaterServer:
    """A server of protocol 3.2 (PostgreSQL 18): says keys of any length, runs a Query until it is canceled."""

    def __init__(self, key):
        self.key, self.told = key, []
        self.running, self.canceled = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.answer, args=(peer,), daemon=True).start()

    def answer(self, peer):
        with peer, peer.makefile("rb") as words:
            if len(header := words.read(8)) < 8:
                return
            length, code = struct.unpack("!II", header)
            rest = words.read(length - 8)
            if code == 80877102:
                if rest == self.key:
                    self.canceled.set()
                return
            self.told.append((code, rest))
            peer.sendall(message(b"R", b"\0\0\0\0") + message(b"S", b"client_encoding\0UTF8\0")
                         + message(b"S", b"standard_conforming_strings\0on\0") + message(b"K", self.key) + message(b"Z", b"I"))
            if words.read(1) == b"Q" and b"forever" in words.read(struct.unpack("!I", words.read(4))[0] - 4):
                self.running.set()
                self.canceled.wait(PATIENCE)
                peer.sendall(message(b"E", b"SERROR\0C57014\0Mcanceled\0\0") + message(b"Z", b"I"))
                words.read(1)


def scene_cancel_keys_of_any_length(binary, postgres):
    for length in (4, 5, 32, 256):
        server = LaterServer(struct.pack("!I", 4711) + bytes(number % 256 for number in range(length)))
        upstream = f"host=127.0.0.1 port={server.listener.getsockname()[1]} user=postgres dbname=postgres sslmode=disable"
        with PlainVeer(binary, postgres, upstream=upstream) as veer:
            client = Raw(veer.port, startup=False)
            words = b"user\0postgres\0database\0postgres\0_pq_.later\0on\0\0"
            client.send(struct.pack("!II", len(words) + 8, 196610) + words)
            client.until(b"Z")
            expect(client.key, server.key, f"a key of {length} bytes")
            expect((196610, words) in server.told, True, "the version and its options, as they came")
            cancel(veer.port, client.key[:-1] + b"?")
            client.send(query("SELECT forever"))
            expect(server.running.wait(PATIENCE), True, "the statement runs")
            cancel(veer.port, client.key)
            expect(sqlstates(client.until(b"Z")), ["57014"], f"a cancel by a key of {length} bytes")


def scene_login_must_come_in_time(binary, postgres):
    with PlainVeer(binary, postgres, '[limits]\nauthentication_timeout = "5s"\n') as veer:
        settled = Raw(veer.port)
        silent = Raw(veer.port, startup=False)
        expect(sqlstates(silent.rest()), ["57014"], "a client that says nothing")
        half = Raw(veer.port, startup=False)
        half.send(b"\0\0\0")
        expect(sqlstates(half.rest()), ["57014"], "half a length")
        with session(postgres.port) as db:
            db.execute("CREATE ROLE slow LOGIN PASSWORD 'x'")
        hba = postgres.directory / "data" / "pg_hba.conf"
        trusting = hba.read_text()
        hba.write_text("host all slow 127.0.0.1/32 password\n" + trusting)
        with session(postgres.port) as db:
            db.execute("SELECT pg_reload_conf()")
        words = b"user\0slow\0database\0postgres\0\0"
        wait_until(lambda: asks_password(veer.port, words), "the new pg_hba.conf")
        asked = Raw(veer.port, startup=False)
        asked.send(struct.pack("!II", len(words) + 8, 196608) + words)
        expect(sqlstates(asked.rest()), ["57014"], "a client that does not give its password")
        long = Raw(veer.port, startup=False)
        long.send(struct.pack("!II", len(words) + 8, 196608) + words)
        long.until(b"R")
        long.send(message(b"p", b"x" * 70_000))
        expect(sqlstates(long.rest()), [], "a password of 70,000 bytes")
        settled.send(query("SELECT 1"))
        expect(sqlstates(settled.until(b"Z")), [], "a session that was let in long ago")
        hba.write_text(trusting)
        with session(postgres.port) as db:
            db.execute("DROP ROLE slow")
            db.execute("SELECT pg_reload_conf()")


def asks_password(port, words):
    client = Raw(port, startup=False)
    client.send(struct.pack("!II", len(words) + 8, 196608) + words)
    first = client.next()
    client.close()
    return first is not None and first[1] == struct.pack("!I", 3)


def scene_idle_clients_are_told_to_go(binary, postgres):
    with PlainVeer(binary, postgres, '[limits]\nclient_idle_timeout = "3s"\n') as veer:
        in_transaction, idle = Raw(veer.port), Raw(veer.port)
        in_transaction.send(query("BEGIN"))
        in_transaction.until(b"Z")
        busy = Raw(veer.port)
        busy.send(query("SELECT pg_sleep(6)"))
        expect(sqlstates(idle.rest()), ["57P05"], "a client that is idle")
        expect(sqlstates(busy.until(b"Z")), [], "a client whose statement runs")
        in_transaction.send(query("COMMIT"))
        expect(sqlstates(in_transaction.until(b"Z")), [], "a client in a transaction")
        expect(sqlstates(in_transaction.rest()), ["57P05"], "and after it")


def memory_kib(veer):
    status = pathlib.Path(f"/proc/{veer.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def scene_ten_thousand_statements_before_the_first_read(binary, postgres):
    with PlainVeer(binary, postgres) as veer:
        client = Raw(veer.port)
        sending = threading.Thread(
            target=lambda: client.send(query("SELECT repeat('x', 20000)") * 10_000))
        before = memory_kib(veer)
        sending.start()
        # Nobody reads 200 MB of answers: everything comes to a halt, and little of it in veer.
        wait_until(lambda: halted(postgres), "the server to wait for its reader")
        held = memory_kib(veer) - before
        expect(held < 40_000, True, f"{held} KiB held for a client that does not read")
        answers = 0
        while answers < 10_000:
            answers += sum(kind == b"Z" for kind, _ in client.until(b"Z"))
        sending.join()


def halted(postgres):
    return count(postgres, "wait_event = 'ClientWrite' AND query LIKE 'SELECT repeat%'")


def scene_one_byte_at_a_time(binary, postgres):
    with PlainVeer(binary, postgres) as veer:
        client = Raw(veer.port)
        for byte in query("SELECT repeat('y', 3000)"):
            client.send(bytes([byte]))
        received = b""
        while not received.endswith(message(b"Z", b"I")):
            received += client.socket.recv(1)
        expect(received.count(b"y") >= 3000, True, "an answer read byte by byte")


def scene_a_server_that_does_not_read(binary, postgres):
    with PlainVeer(binary, postgres) as veer:
        client = Raw(veer.port)
        with session(postgres.port) as db:
            db.execute("CREATE TABLE taken (t text)")
            client.send(query("COPY taken FROM STDIN"))
            client.until(b"G")
            pid = struct.unpack("!I", client.key[:4])[0]
            block = message(b"d", b"z" * 999 + b"\n") * 100
            before = memory_kib(veer)
            os.kill(pid, signal.SIGSTOP)
            sent = fill(client.socket, block)
            held = memory_kib(veer) - before
            os.kill(pid, signal.SIGCONT)
            expect(held < 40_000, True, f"{held} KiB held for a server that does not read")
            blocks = sent // len(block) + 1
            client.send(block[sent % len(block):] + message(b"c"))
            expect(sqlstates(client.until(b"Z")), [], "COPY to a server that paused")
            rows = db.execute("SELECT count(*) FROM taken").fetchone()[0]
            expect(rows, 100 * blocks, "rows that were copied")
            db.execute("DROP TABLE taken")


def fill(to, data):
    """Sends data again and again until nothing more is taken for a while; the bytes sent."""
    sent = 0
    to.setblocking(False)
    while select.select([], [to], [], 1)[1]:
        at = sent % len(data)
        sent += to.send(data[at:])
    to.settimeout(PATIENCE)
    return sent


def scene_half_close_gets_its_answers(binary, postgres):
    with PlainVeer(binary, postgres) as veer:
        client = Raw(veer.port)
        client.send(query("SELECT 41") + query("SELECT 42 FROM pg_sleep(0.2)"))
        client.socket.shutdown(socket.SHUT_WR)
        seen = client.rest()
        expect([payload[6:] for kind, payload in seen if kind == b"D"], [b"41", b"42"],
               "answers after a half-close")
        expect(sqlstates(seen), [], "errors after a half-close")


def scene_death_in_mid_message_ends_the_backend(binary, postgres):
    with PlainVeer(binary, postgres) as veer:
        # Short enough to be kept by veer until it is whole, and long enough to pass in parts.
        for length in (100, 3_000_000):
            client = Raw(veer.port)
            pid = struct.unpack("!I", client.key[:4])[0]
            client.send(query("SELECT 1" + " " * length)[: length // 2])
            client.close()
            wait_until(lambda pid=pid: not count(postgres, f"pid = {pid}"), "the backend to end")


def scene_drain(binary, postgres):
    with PlainVeer(binary, postgres, '[limits]\ndrain_timeout = "60s"\n') as veer:
        idle, working, silent = Raw(veer.port), Raw(veer.port), Raw(veer.port, startup=False)
        working.send(query("BEGIN"))
        working.until(b"Z")
        # More than are taken in at once, and while veer can't: some are in the kernel's queue when the signal comes.
        veer.process.send_signal(signal.SIGSTOP)
        waiting = [Raw(veer.port, startup=False) for _ in range(40)]
        veer.process.send_signal(signal.SIGTERM)
        veer.process.send_signal(signal.SIGCONT)
        expect(sqlstates(idle.rest()), ["57P01"], "an idle session at shutdown")
        for client in [silent, *waiting]:
            expect(sqlstates(client.rest()), ["57P03"], "a client without a session at shutdown")
        try:
            Raw(veer.port)
            fail("connected to a veer that shuts down")
        except OSError:
            pass
        working.send(query("COMMIT"))
        seen = working.rest()
        expect([kind for kind, _ in seen], [b"C", b"Z", b"E"], "a transaction during shutdown")
        expect(sqlstates(seen), ["57P01"], "and then")
        expect(veer.process.wait(PATIENCE), 0, "exit status, " + veer.said())


def scene_drain_deadline(binary, postgres):
    with PlainVeer(binary, postgres, '[limits]\ndrain_timeout = "200ms"\n') as veer:
        working = Raw(veer.port)
        working.send(query("BEGIN"))
        working.until(b"Z")
        veer.process.send_signal(signal.SIGTERM)
        expect(sqlstates(working.rest()), ["57P01"], "a transaction at the deadline")
        expect(veer.process.wait(PATIENCE), 0, "exit status, " + veer.said())
    with PlainVeer(binary, postgres, '[limits]\ndrain_timeout = "1h"\n') as veer:
        working = Raw(veer.port)
        working.send(query("BEGIN"))
        working.until(b"Z")
        veer.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "no more clients" in veer.said(), "the first signal to be seen")
        veer.process.send_signal(signal.SIGTERM)
        expect(working.rest(), [], "words at a second signal")
        expect(veer.process.wait(PATIENCE), 0, "exit status, " + veer.said())


def scene_upstream_restart(binary, postgres):
    with PlainVeer(binary, postgres) as veer:
        client = Raw(veer.port)
        postgres.process.send_signal(signal.SIGINT)
        expect(sqlstates(client.rest()), ["57P01"], "a session whose server stops")
        postgres.process.wait(PATIENCE)
        refused = Raw(veer.port, startup=False)
        refused.send_startup()
        expect(sqlstates(refused.rest()), ["08001"], "a session without a server")
        postgres.log.close()
        postgres.start_again()
        Raw(veer.port).close()


PIPELINED = """[defaults]
percent = 100
[[route]]
column = "public.pages.embedding"
operator = "<->"
percent = 100
columns = ["body"]
"""


def answered_locally(port):
    with session(port) as db:
        return sum(int(row[-1]) for row in db.execute("SHOW veer.reasons") if "local" in row)


def scene_a_client_that_asks_and_does_not_read(binary, postgres):
    """What veer answers itself waits for the client as what Postgres answers does."""
    asked, rows = 400, 300  # 250 KB each
    with session(postgres.port) as db:
        db.execute("CREATE EXTENSION IF NOT EXISTS vector")
        db.execute("CREATE TABLE pages (id int PRIMARY KEY, embedding vector(2), body text)")
        db.execute("INSERT INTO pages SELECT i, ARRAY[i, 1], repeat('x', 800) FROM generate_series(1, 1000) i")
        db.execute("CREATE INDEX ON pages USING hnsw (embedding vector_l2_ops)")
    with PlainVeer(binary, postgres, PIPELINED) as veer:
        wait_until(veer.live, "the index to be live")
        client = Raw(veer.port)
        sql = f"SELECT id, body FROM pages ORDER BY embedding <-> $1 LIMIT {rows}"
        client.send(message(b"P", b"k\0" + sql.encode() + b"\0\0\0") + message(b"S"))
        client.until(b"Z")
        unit = message(b"B", b"\0k\0" + struct.pack("!HHi", 0, 1, 5) + b"[7,1]" + b"\0\0") + message(b"E", b"\0" * 5)
        client.send(unit * asked + message(b"S"))
        expect(select.select([client.socket], [], [], PATIENCE)[0], [client.socket], "the first answer")
        most = answered_locally(veer.port)
        expect(most < asked / 5, True, f"{most} of {asked} answered before one was read")
        answers = client.until(b"Z")
        expect(sum(kind == b"D" for kind, _ in answers), asked * rows, "rows")
        expect(answered_locally(veer.port), asked, "answers")
    with session(postgres.port) as db:
        db.execute("DROP TABLE pages")
        db.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


class RestartablePostgres(Postgres):
    """Starts a second time on the same port and data."""

    def launch(self, *command, **options):
        self.started = (command, options)
        super().launch(*command, **options)

    def start_again(self):
        command, options = self.started
        self.launch(*command, **options)
        wait_until(self.accepts, "PostgreSQL")


def main():
    binary, *wanted = sys.argv[1:]
    scenes = {name[len("scene_"):]: scene for name, scene in globals().items()
              if name.startswith("scene_")}
    with RestartablePostgres() as postgres:
        for name in wanted or scenes:
            print(name, flush=True)
            scenes[name](binary, postgres)


if __name__ == "__main__":
    main()
