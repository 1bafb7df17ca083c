"""psycopg2: values bound by the client, named cursors, execute_values, COPY, notifications, cancel."""

import io
import select
import threading

import psycopg2
import psycopg2.extensions
import psycopg2.extras
from dialogue import (EVERY_TYPE, FAILING, IS_ASLEEP, KEY_AND_DISTANCE, LARGE, LOCAL, NOTICE, REWRITE,
                      SEARCHES, WHOLE_ROWS, Dialogue, wait_until)


class Psycopg2Client(Dialogue):

    def connect(self, autocommit=True, **options):
        db = psycopg2.connect(self.dsn, **options)
        db.autocommit = autocommit
        return db

    def rows(self, db, sql, values=None):
        with db.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    def last(self, db):
        return self.rows(db, "SHOW veer.last")[0]

    def describe(self, error):
        diag = error.diag
        return [error.pgcode, error.pgerror, diag.severity, diag.message_detail, diag.statement_position,
                diag.constraint_name]

    def fails(self, step, call, *arguments):
        self.error(step, psycopg2.Error, self.describe, call, *arguments)

    def connections(self):
        with self.connect(application_name="psycopg2 client") as db:
            parameters = ("server_version", "client_encoding", "TimeZone", "application_name", "is_superuser")
            self.note("connect", [db.server_version, db.encoding, db.protocol_version,
                                  [db.get_parameter_status(name) for name in parameters]])
        with self.connect(options="-c search_path=pg_catalog -c statement_timeout=12345") as db:
            self.note("options", self.rows(db, "SELECT current_setting('search_path'),"
                                               " current_setting('statement_timeout')"))
        self.fails("wrong password", psycopg2.connect, self.dsn.replace("horse", "house"))

    def values(self, db):
        with db.cursor() as cursor:
            cursor.execute(EVERY_TYPE)
            self.note("every type", [[(c.name, c.type_code, c.internal_size) for c in cursor.description],
                                     cursor.fetchone()])
            cursor.execute("SELECT %s, %s, %s, %s", (1, "it's \\ ü", psycopg2.Binary(b"\0\1"), [1, 2]))
            self.note("parameters", cursor.fetchone())
            cursor.execute("SELECT 1; SELECT 2 UNION ALL SELECT 3")
            self.note("several statements", [cursor.fetchall(), cursor.statusmessage])
            cursor.execute(NOTICE)
            self.note("notice", db.notices)

    def searches(self, probes):
        for autocommit in (True, False):
            db = self.connect(autocommit)
            for expected, search in SEARCHES:
                for form, kind in (("%(v)s", str), ("%(v)s::vector", numbers)):
                    for probe in probes:
                        ask = lambda: self.rows(db, search.format(form, "%(k)s"),
                                                {"v": kind(probe), "k": 5})
                        self.search(f"search {form} of {kind.__name__}, autocommit {autocommit}",
                                    expected, ask, lambda: self.last(db))
            db.rollback()
            db.close()

    def transactions(self, probe):
        db = self.connect(autocommit=False)
        ask = lambda: self.rows(db, WHOLE_ROWS.format("%s", 5), (probe,))
        count = lambda: [self.rows(db, "SELECT count(*) FROM ledger"), db.info.transaction_status]
        with db, db.cursor() as cursor:
            cursor.execute("INSERT INTO ledger VALUES (1, 10)")
            cursor.execute("SAVEPOINT s")
            self.fails("error in a savepoint", cursor.execute, "INSERT INTO ledger VALUES (1, 10)")
            self.fails("search in a failed transaction", ask)
            cursor.execute("ROLLBACK TO s")
            self.search("search after ROLLBACK TO", "transaction_wrote", ask, lambda: self.last(db))
        self.note("committed", count())
        self.search("search in the next transaction", REWRITE, ask, lambda: self.last(db))
        with db.cursor() as cursor:
            cursor.execute("DELETE FROM ledger")
            db.rollback()
            self.note("rolled back", count())
            cursor.execute("DELETE FROM ledger")
            self.note("deleted", cursor.statusmessage)
        db.commit()
        self.two_phases(db)
        db.close()
        db = self.connect(autocommit=False)
        db.set_session(isolation_level="REPEATABLE READ", readonly=True)
        self.search("search at REPEATABLE READ", "isolation", lambda: self.rows(
            db, WHOLE_ROWS.format("%s", 5), (probe,)), lambda: self.last(db))
        self.fails("write in a read-only transaction", self.rows, db, "INSERT INTO ledger VALUES (1, 1)")
        db.close()

    def two_phases(self, db):
        """PREPARE TRANSACTION is off by default; the error must be PostgreSQL's."""
        db.tpc_begin(db.xid(1, "gtrid", "bqual"))
        self.rows(db, "SELECT 1")
        self.fails("two phases", db.tpc_prepare)
        db.close()

    def writes(self, db, probe):
        ask = lambda: self.rows(db, KEY_AND_DISTANCE.format("%s", 3), (probe, probe))
        with db.cursor() as cursor:
            psycopg2.extras.execute_values(
                cursor, "INSERT INTO docs (id, title, e) VALUES %s",
                [(90001 + n, f"title {n}", probe) for n in range(1)], page_size=1000)
            self.search("search for what execute_values inserted", LOCAL, ask, lambda: self.last(db))
            cursor.execute("DELETE FROM docs WHERE id > 90000")
            self.search("search for what was deleted", LOCAL, ask, lambda: self.last(db))
            got = psycopg2.extras.execute_values(
                cursor, "INSERT INTO ledger VALUES %s RETURNING id", [(n, n) for n in range(2500)],
                fetch=True)
            self.note("execute_values", [len(got), got[-1]])
            psycopg2.extras.execute_batch(
                cursor, "UPDATE ledger SET note = %s WHERE id = %s", [(f"n{n}", n) for n in range(200)])
            cursor.execute("SELECT count(note) FROM ledger")
            self.note("execute_batch", cursor.fetchall())
            cursor.execute("DELETE FROM ledger")
            self.note("deleted", cursor.rowcount)

    def errors(self, db, probe):
        for sql in FAILING:
            self.fails(f"error {sql}", self.rows, db, sql)
        for wrong in ("[1,2,3]", "[1,2,", "", "[1,2,3,4,5,6,7,NaN]"):
            self.fails(f"vector {wrong}", self.rows, db, WHOLE_ROWS.format("%s", 5), (wrong,))
        self.search("search after errors", REWRITE, lambda: self.rows(
            db, WHOLE_ROWS.format("%s", 5), (probe,)), lambda: self.last(db))

    def cursors(self, probe):
        db = self.connect(autocommit=False)
        with db.cursor("named", scrollable=True) as cursor:
            cursor.itersize = 7
            cursor.execute(WHOLE_ROWS.format("%s", 30), (probe,))
            self.note("named cursor", list(cursor))
            cursor.scroll(0, "absolute")
            self.note("named cursor scrolled", cursor.fetchmany(4))
        with db.cursor("large") as cursor:
            cursor.execute(LARGE)
            self.note("named cursor, large", sum(len(row[1]) for row in cursor))
        self.search("search after a named cursor", LOCAL, lambda: self.rows(
            db, KEY_AND_DISTANCE.format("%s", 3), (probe, probe)), lambda: self.last(db))
        with db.cursor("held", withhold=True) as cursor:
            cursor.execute(KEY_AND_DISTANCE.format("%s", 3), (probe, probe))
            db.commit()
            self.note("cursor WITH HOLD", cursor.fetchall())
        db.close()

    def copies(self, db):
        with db.cursor() as cursor:
            data = "".join(f"{n}\t{n}\tnote {n}\n" for n in range(5000))
            cursor.copy_expert("COPY ledger FROM STDIN", io.StringIO(data))
            self.note("COPY in", cursor.rowcount)
            out = io.BytesIO()
            cursor.copy_expert("COPY (SELECT * FROM ledger ORDER BY id) TO STDOUT", out)
            self.note("COPY out", [len(out.getvalue()), out.getvalue() == data.encode()])
            self.fails("COPY of what is no row", cursor.copy_expert, "COPY ledger FROM STDIN",
                       io.StringIO("not a row\n"))
            cursor.execute("DELETE FROM ledger")
            self.note("deleted", cursor.rowcount)

    def asynchronous(self, db):
        with db.cursor() as cursor:
            cursor.execute("LISTEN news")
        other = self.connect()
        self.rows(other, "SELECT pg_notify('news', 'ü ' || n) FROM generate_series(1, 3) n")
        while len(db.notifies) < 3:
            select.select([db], [], [], 60)
            db.poll()
        self.note("notified", [[n.channel, n.payload, n.pid == other.info.backend_pid]
                               for n in db.notifies])
        other.close()

    def cancels(self, db, probe):
        other = self.connect()

        def cancel():
            wait_until(lambda: self.rows(other, IS_ASLEEP)[0][0] == 1, "the sleeper")
            db.cancel()

        thread = threading.Thread(target=cancel)
        thread.start()
        self.fails("cancelled", self.rows, db, "SELECT pg_sleep(600)")
        thread.join()
        other.close()
        self.search("search after being cancelled", REWRITE, lambda: self.rows(
            db, WHOLE_ROWS.format("%s", 5), (probe,)), lambda: self.last(db))

    def waits_for_itself(self, probe):
        """psycopg2's asynchronous connection: the application polls the socket."""
        db = psycopg2.connect(self.dsn, async_=True)
        psycopg2.extras.wait_select(db)
        cursor = db.cursor()

        def ask(sql, values=None):
            cursor.execute(sql, values)
            psycopg2.extras.wait_select(db)
            return cursor.fetchall()

        for expected, search in SEARCHES:
            self.search("asynchronous search", expected,
                        lambda: ask(search.format("%(v)s", 5), {"v": probe}),
                        lambda: ask("SHOW veer.last")[0])
        db.close()

    def play(self):
        self.connections()
        db = self.connect()
        probes = [v for v, in self.rows(db, "SELECT v FROM probes ORDER BY n")]
        self.values(db)
        self.searches(probes)
        self.transactions(probes[0])
        self.writes(db, probes[0])
        self.errors(db, probes[0])
        self.cursors(probes[0])
        self.copies(db)
        self.asynchronous(db)
        self.cancels(db, probes[0])
        self.waits_for_itself(probes[0])
        rows = self.rows(db, LARGE)
        self.note("large", [len(rows), sum(len(row[1]) for row in rows), rows[-1]])


def numbers(probe):
    return [float(number) for number in probe.strip("[]").split(",")]


if __name__ == "__main__":
    Psycopg2Client().play()
