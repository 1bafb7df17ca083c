"""A search's rows are fetched in parts, as pgjdbc and pg-cursor do, while the transaction goes on around it.

    portals_pg_test.py <veer binary>

PostgreSQL would give 40 rows at the most, hnsw.ef_search of them: whoever gets the parts of 500 gets them from veer's one
answer, each row once, whatever the statements between the parts look like, and whoever deletes rows meanwhile.
"""

import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))

import protocol  # noqa: E402
from private_servers import Postgres, Veer, fail, session  # noqa: E402

ROWS, PART = 500, 50
TABLES = """
CREATE EXTENSION vector;
CREATE TABLE docs (id bigint PRIMARY KEY, e vector(4));
SELECT setseed(0.5);
INSERT INTO docs SELECT i, array[random(), random(), random(), random()]::vector FROM generate_series(1, 3000) i;
CREATE INDEX ON docs USING hnsw (e vector_l2_ops);
CREATE TABLE jobs (id int, fetched_at timestamptz, closed bool, note text);
INSERT INTO jobs VALUES (1);
ANALYZE;
"""
SEARCH = f"SELECT id, e <-> $1 AS d FROM docs ORDER BY d LIMIT {ROWS}"
VECTOR = b"[0.5,0.5,0.5,0.5]"
LONG = b"x" * (2 << 20)
SYNC = protocol.message("S")
# What comes between the parts: simple queries, or statements with a parameter.
BETWEEN = [
    [],
    ["UPDATE jobs SET fetched_at = now(), closed = true"],
    ["UPDATE jobs SET closed = false /* move the cursor, then close all of them */"],
    [("UPDATE jobs SET note = $1", LONG)],
    ["SELECT length('" + LONG.decode() + "')"],
    ["SELECT count(*) FROM pg_cursors"],
    ["SAVEPOINT a", "UPDATE jobs SET id = 2", "ROLLBACK TO a", "RELEASE a"],
    ["SAVEPOINT a", "SAVEPOINT b"],
    ["SELECT 'C_1'"],
]


class Client:
    """The protocol by hand: no driver lets a test say when a portal is bound, and when a part of it is fetched."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.stream = self.socket.makefile("rb")
        self.ask(protocol.startup(parameters=(("user", b"postgres"), ("database", b"postgres"))))

    def ask(self, messages):
        """Messages up to ReadyForQuery, as (type, payload)."""
        self.socket.sendall(messages)
        found = []
        while not found or found[-1][0] != "Z":
            header = self.stream.read(5)
            if len(header) < 5:
                fail("veer has closed the connection")
            payload = self.stream.read(int.from_bytes(header[1:], "big") - 4)
            found.append((chr(header[0]), payload))
            if found[-1][0] == "E":
                fail(f"{protocol.error_fields(payload)}")
        return found

    def rows(self, messages):
        return [tuple(protocol.row_fields(payload)) for kind, payload in self.ask(messages) if kind == "D"]

    def run(self, statement):
        if isinstance(statement, str):
            return self.ask(protocol.query(statement.encode()))
        text, value = statement
        return self.ask(protocol.parse(query=text.encode()) + protocol.bind(values=[value]) + protocol.execute()
                        + SYNC)


def fetch_in_parts(client, between, other):
    """All rows of C_1. `other`: a session that deletes rows which are still to be fetched, and commits."""
    client.run("BEGIN")
    rows = client.rows(protocol.bind(b"C_1", b"s", values=[VECTOR]) + protocol.execute(b"C_1", PART) + SYNC)
    part, deleted = rows, []
    while part:
        if len(rows) == 2 * PART:
            deleted = other.execute("DELETE FROM docs WHERE id IN (SELECT id FROM docs ORDER BY e <-> %s LIMIT 20)"
                                    " RETURNING id, e", (VECTOR.decode(),)).fetchall()
        for statement in between:
            client.run(statement)
        part = client.rows(protocol.execute(b"C_1", PART) + SYNC)
        rows += part
    client.run("ROLLBACK")
    for row in deleted:
        other.execute("INSERT INTO docs VALUES (%s, %s)", row)
    return rows


def main():
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute(TABLES)
        with Veer(sys.argv[1], postgres) as veer, session(veer.port) as other:
            client = Client(veer.port)
            client.ask(protocol.parse(b"s", SEARCH.encode()) + SYNC)
            for between in BETWEEN:
                whole = client.rows(protocol.bind(statement=b"s", values=[VECTOR]) + protocol.execute() + SYNC)
                if len(whole) != ROWS:
                    fail(f"veer has answered {len(whole)} rows: {other.execute('SHOW veer.reasons').fetchall()}")
                rows = fetch_in_parts(client, between, other)
                if rows != whole:
                    seen = {row[0] for row in rows}
                    fail(f"{str(between)[:200]}: {len(rows)} rows, {len(seen)} of them different, instead of {ROWS};"
                         f" missing {len({row[0] for row in whole} - seen)}")
            reads = {row[0]: row[1:] for row in client.rows(protocol.query(b"SHOW veer.reasons"))}
    print(f"{len(BETWEEN)} times {ROWS} rows in parts of {PART}; {reads}")


if __name__ == "__main__":
    main()
