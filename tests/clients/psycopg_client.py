"""psycopg 3: values bound by the server and by the client, binary, prepared statements, pipelines."""

import threading

import psycopg
from dialogue import (EVERY_TYPE, FAILING, IS_ASLEEP, KEY_AND_DISTANCE, LARGE, LOCAL, NOTICE, SEARCHES,
                      Dialogue, wait_until)

THRESHOLD = 5  # psycopg prepares a statement when it comes for the sixth time


class PsycopgClient(Dialogue):

    def connect(self, **options):
        return psycopg.connect(self.dsn, autocommit=True, **options)

    def last(self, db):
        return db.execute("SHOW veer.last", prepare=False).fetchone()

    def describe(self, error):
        diag = error.diag
        return [diag.severity, diag.sqlstate, diag.message_primary, diag.message_detail, diag.message_hint,
                diag.statement_position, diag.table_name, diag.constraint_name]

    def fails(self, step, call, *arguments):
        self.error(step, psycopg.Error, self.describe, call, *arguments)

    def connections(self):
        with self.connect(application_name="psycopg client") as db:
            parameters = ("server_version", "client_encoding", "TimeZone", "application_name", "DateStyle",
                          "is_superuser", "session_authorization", "standard_conforming_strings")
            status = [db.info.parameter_status(name) for name in parameters]
            self.note("connect", [status, db.info.server_version, db.info.encoding])
            self.note("SET is reported", [db.execute("SET TimeZone = 'Asia/Tokyo'").statusmessage,
                                          db.info.parameter_status("TimeZone")])
        self.fails("wrong password", psycopg.connect, self.dsn.replace("horse", "house"))
        self.fails("no such database", psycopg.connect, self.dsn.replace("dbname=", "dbname=no"))

    def values(self, db):
        for binary in (False, True):
            cursor = db.execute(EVERY_TYPE, binary=binary)
            columns = [(c.name, c.type_code, c.display_size, c.internal_size) for c in cursor.description]
            self.note(f"every type, binary {binary}", [columns, cursor.fetchone()])
            for number in range(THRESHOLD + 3):
                values = (number, "ü" * number, None, b"\0\1", [1, None, number], True, 0.1)
                row = db.execute("SELECT %s::int, %s::text, %s::text, %s::bytea, %s::int[], %s::bool,"
                                 " %s::float8", values, binary=binary).fetchone()
                self.note(f"parameters {number}, binary {binary}", row)
        with self.connect(cursor_factory=psycopg.ClientCursor) as bound_here:
            self.note("values bound by the client", bound_here.execute(
                "SELECT %s::int, %s, %s::bytea; SELECT 2", (1, "it's \\ ü", b"\0\1")).fetchall())

    def searches(self, db, probes):
        forms = (("%(v)s", str), ("%(v)s::vector", str), ("%(v)s::vector", numbers),
                 ("%(v)s::float8[]::vector", numbers))
        for how, options in (("", {}), (" binary", {"binary": True}), (" prepared", {"prepare": True})):
            for expected, search in SEARCHES:
                for form, kind in forms:
                    sql = search.format(form, "%(k)s")
                    for probe in probes:
                        ask = lambda: db.execute(sql, {"v": kind(probe), "k": 5}, **options).fetchall()
                        self.search(f"search {form} of {kind.__name__}{how}", expected, ask,
                                    lambda: self.last(db))
        self.note("prepared", db.execute("SELECT count(*) > 0 FROM pg_prepared_statements"
                                         " WHERE statement LIKE '%<=>%'", prepare=False).fetchone())
        with self.connect(cursor_factory=psycopg.ClientCursor) as bound_here:
            for expected, search in SEARCHES:
                sql = search.format("%(v)s", "%(k)s")
                for probe in probes:
                    ask = lambda: bound_here.execute(sql, {"v": probe, "k": 5}).fetchall()
                    self.search("search bound by the client", expected, ask, lambda: self.last(bound_here))

    def transactions(self, db, probe):
        ask = lambda: db.execute(KEY_AND_DISTANCE.format("%s::vector", 5), (probe, probe)).fetchall()
        insert = "INSERT INTO ledger VALUES (%s, %s)"
        count = lambda: db.execute("SELECT count(*) FROM ledger").fetchone()[0]
        with db.transaction():
            db.execute(insert, (1, 10))
            with db.transaction():
                db.execute(insert, (2, 20))
            try:
                with db.transaction("inner"):
                    db.execute(insert, (3, 30))
                    db.execute("SELECT 1/0")
            except psycopg.errors.DivisionByZero as error:
                self.note("error in a savepoint", self.describe(error))
            self.note("after the savepoint", [count(), db.info.transaction_status.name])
        self.note("committed", [count(), db.info.transaction_status.name])
        with db.transaction(force_rollback=True):
            self.search("search in a transaction", LOCAL, ask, lambda: self.last(db))
            db.execute("INSERT INTO docs VALUES (0, 'nearest', now(), %s)", (probe,))
            self.search("search after a write", "transaction_wrote", ask, lambda: self.last(db))
        self.search("search after ROLLBACK", LOCAL, ask, lambda: self.last(db))
        db.execute("BEGIN")
        self.fails("error in a transaction", db.execute, "SELECT 1/0")
        self.fails("statement in a failed transaction", db.execute, "SELECT 1")
        self.fails("search in a failed transaction", ask)
        self.note("ROLLBACK", db.execute("ROLLBACK").statusmessage)
        self.note("DELETE", db.execute("DELETE FROM ledger").statusmessage)

    def writes(self, db, probe):
        """Committed by this session: its next search sees it."""
        ask = lambda: db.execute(KEY_AND_DISTANCE.format("%s::vector", 3), (probe, probe)).fetchall()
        db.execute("INSERT INTO docs VALUES (90001, 'nearest', '2024-01-01', %s)", (probe,))
        self.search("search for what was inserted", LOCAL, ask, lambda: self.last(db))
        db.execute("DELETE FROM docs WHERE id = 90001")
        self.search("search for what was deleted", LOCAL, ask, lambda: self.last(db))

    def errors(self, db, probe):
        for sql in FAILING:
            self.fails(f"error {sql}", db.execute, sql)
            self.fails(f"error {sql}, prepared", lambda: db.execute(sql, prepare=True))
        sql = KEY_AND_DISTANCE.format("%s", 5)
        for wrong in ("[1,2,3]", "[1,2,", "", "[1,2,3,4,5,6,7,NaN]"):
            self.fails(f"vector {wrong}", db.execute, sql, (wrong, wrong))
        self.search("search after errors", LOCAL, lambda: db.execute(sql, (probe, probe)).fetchall(),
                    lambda: self.last(db))
        heard = []
        db.add_notice_handler(lambda diag: heard.append([diag.severity, diag.message_primary,
                                                         diag.message_detail]))
        db.execute(NOTICE)
        self.note("notice", heard)

    def cursors(self, db, probe):
        sql = KEY_AND_DISTANCE.format("%(v)s", 10)
        with db.transaction():
            with db.cursor("named", scrollable=True) as cursor:
                cursor.execute(sql, {"v": probe})
                self.note("named cursor", [cursor.fetchone(), cursor.fetchmany(3), cursor.fetchall()])
                cursor.scroll(2, "absolute")
                self.note("named cursor scrolled", cursor.fetchone())
        self.note("streamed", list(db.cursor().stream(sql, {"v": probe})))
        self.note("streamed large", sum(len(row[1]) for row in db.cursor().stream(LARGE)))
        self.note("executemany", self.many(db))

    def many(self, db):
        with db.cursor() as cursor:
            cursor.executemany("INSERT INTO ledger VALUES (%s, %s) RETURNING id",
                               [(n, n) for n in range(20)], returning=True)
            ids = []
            while True:
                ids.append(cursor.fetchone()[0])
                if not cursor.nextset():
                    break
            return [ids, cursor.execute("DELETE FROM ledger").rowcount]

    def pipelines(self, db, probes):
        """One search a Sync and several: who answers may change, what comes back may not."""
        sql = KEY_AND_DISTANCE.format("%(v)s", "%(k)s")
        with db.pipeline() as pipeline:
            cursors = []
            for number, probe in enumerate(probes * 2):
                cursors.append(db.execute(sql, {"v": probe, "k": 5}))
                if number < len(probes):
                    pipeline.sync()
                cursors.append(db.execute("SELECT %s::int", (number,)))
            self.note("pipeline", [cursor.fetchall() for cursor in cursors])
        for failing in ("SELECT 1/0", KEY_AND_DISTANCE.format("'[1]'", 5)):
            self.fails(f"pipeline with {failing}", self.failing_pipeline, db, sql, failing, probes[0])
            self.note("after the pipeline", db.execute(sql, {"v": probes[0], "k": 5}).fetchall())

    def failing_pipeline(self, db, sql, failing, probe):
        """Which call raises depends on when the answers arrive; what it raises does not."""
        with db.pipeline() as pipeline:
            for statement in (sql, failing, sql):
                db.execute(statement, {"v": probe, "k": 5})
            pipeline.sync()

    def copies(self, db):
        with db.cursor() as cursor:
            with cursor.copy("COPY ledger FROM STDIN") as copy:
                for number in range(5000):
                    copy.write_row((number, number, f"note {number}\t"))
            self.note("COPY in", [cursor.rowcount, cursor.statusmessage])
            for form in ("", " (FORMAT binary)"):
                with cursor.copy("COPY (SELECT * FROM ledger ORDER BY id) TO STDOUT" + form) as copy:
                    data = b"".join(copy)
                self.note("COPY out" + form, [len(data), data[-50:], cursor.statusmessage])

            def broken():
                with cursor.copy("COPY ledger FROM STDIN") as copy:
                    copy.write(b"not a row\n")

            self.fails("COPY of what is no row", broken)
            with cursor.copy("COPY (" + KEY_AND_DISTANCE.format("'[1,1,1,1,1,1,1,1]'", 3)
                             + ") TO STDOUT") as copy:
                self.note("COPY of a search", [row for row in copy.rows()])
            self.note("DELETE", cursor.execute("DELETE FROM ledger").statusmessage)

    def asynchronous(self, db):
        with self.connect() as other:
            db.execute("LISTEN news")
            other.execute("SELECT pg_notify('news', 'ü ' || n) FROM generate_series(1, 3) n")
            received = db.notifies()
            self.note("notified", [[n.channel, n.payload, n.pid == other.info.backend_pid]
                                   for n in (next(received) for _ in range(3))])
            received.close()
            db.execute("UNLISTEN *")

    def cancels(self, db, probe):
        for number in range(3):
            with self.connect() as other:

                def cancel():
                    wait_until(lambda: other.execute(IS_ASLEEP).fetchone()[0] == 1, "the sleeper")
                    db.cancel()

                thread = threading.Thread(target=cancel)
                thread.start()
                self.fails("cancelled", db.execute, "SELECT pg_sleep(600)")
                thread.join()
            sql = KEY_AND_DISTANCE.format("%s::vector", 5)
            self.search("search after being cancelled", LOCAL,
                        lambda: db.execute(sql, (probe, probe)).fetchall(), lambda: self.last(db))

    def play(self):
        self.connections()
        with self.connect() as db:
            probes = [v for v, in db.execute("SELECT v FROM probes ORDER BY n").fetchall()]
            self.values(db)
            self.searches(db, probes)
            self.transactions(db, probes[0])
            self.writes(db, probes[0])
            self.errors(db, probes[0])
            self.cursors(db, probes[0])
            self.pipelines(db, probes)
            self.copies(db)
            self.asynchronous(db)
            self.cancels(db, probes[0])
            self.note("large", [hash_of(db.execute(LARGE, binary=binary)) for binary in (False, True)])


def numbers(probe):
    return [float(number) for number in probe.strip("[]").split(",")]


def hash_of(cursor):
    rows = cursor.fetchall()
    return [len(rows), sum(row[0] for row in rows), sum(len(row[1]) for row in rows), rows[-1][1][:8]]


if __name__ == "__main__":
    PsycopgClient().play()
