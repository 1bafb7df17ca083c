"""Vectors in columns that are none: copied, followed, searched and verified beside PostgreSQL's exact answers.

    sources_pg_test.py <veer binary>

Each column is a route that veer.toml declares. Where a row does not parse, PostgreSQL fails on it, and has to be asked.
"""

import random
import signal
import subprocess
import sys

import psycopg

from limits_pg_test import expect
from private_servers import PATIENT, Postgres, Veer, fail, session, wait_until

DIMENSIONS = 8
ROWS = 300
ROUTE = '[[route]]\ncolumn = "public.{}"\noperator = "<->"\n'
DECLARED = f"dimensions = {DIMENSIONS}\n"
COMPARED = "[compare]\nrate = 1\nbudget_per_second = 1000\nload_max = 1\n"
ROUTES = "".join([
    *(ROUTE.format(column) + DECLARED for column in (
        "texts.e", "varchars.e", "reals.e", "doubles.e", "jsons.e", "unbound.e")),
    ROUTE.format("skipped.e") + DECLARED + 'unparsable = "skip"\n',
    ROUTE.format("halfway.embedding") + 'legacy = "old"\n',
    ROUTE.format("wide.e") + "dimensions = 600\n",
    ROUTE.format("whole.embedding") + 'legacy = "old"\nhalf_migrated = "whole"\n',
    ROUTE.format("plain.e"),
])
# Column type, the expression of a search, and a value that does not parse.
FORMS = {
    "texts": ("text", "e::vector", "'no vector'"),
    "varchars": ("varchar(400)", "CAST(e AS vector(8))", "'[1,2]'"),
    "reals": ("real[]", "e::vector", "ARRAY[1,2,3,4,5,6,7,NULL]::real[]"),
    "doubles": ("double precision[]", "e::vector(8)", "ARRAY[1,2,3,4,5,6,7,1e300]::float8[]"),
    "jsons": ("jsonb", "e::text::vector", "'[1, 2, 3, 4, 5, 6, 7, null]'"),
    "unbound": ("vector", "e", "'[1,2]'"),
}
# From a vector, as each of them holds it.
CASTS = {"texts": "{}::text", "varchars": "{}::text", "reals": "{}::real[]", "doubles": "{}::real[]::float8[]",
         "jsons": "to_jsonb({}::real[])", "unbound": "{}"}
RANDOM = random.Random(20)


def vector(dimensions=DIMENSIONS):
    return "[" + ",".join(f"{RANDOM.uniform(-1, 1):.6f}" for _ in range(dimensions)) + "]"


def fill(postgres):
    with session(postgres.port) as db:
        db.execute("CREATE EXTENSION vector")
        db.execute("ALTER DATABASE postgres SET hnsw.ef_search = 1000")
        vectors = [(i, vector()) for i in range(1, ROWS + 1)]
        with db.cursor() as cursor:
            for table, (kind, _, _) in FORMS.items():
                cursor.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY, e {kind}, note text)")
                cast = CASTS[table].format("%s::vector")
                cursor.executemany(f"INSERT INTO {table} VALUES (%s, {cast}, 'n')", vectors)
            cursor.execute("CREATE TABLE skipped (id bigint PRIMARY KEY, e text)")
            cursor.executemany("INSERT INTO skipped VALUES (%s, %s)", vectors)
            cursor.execute("INSERT INTO skipped VALUES (0, 'none')")
            cursor.execute("INSERT INTO texts VALUES (1000, 'no vector', 'n')")
            cursor.execute("CREATE TABLE halfway (id bigint PRIMARY KEY, embedding vector(8), old text, note text)")
            cursor.executemany("INSERT INTO halfway VALUES (%s, NULL, %s, 'n')", vectors)
            cursor.execute("CREATE TABLE whole (id bigint PRIMARY KEY, embedding vector(8), old text, note text)")
            cursor.executemany(
                "INSERT INTO whole SELECT i, CASE WHEN i %% 2 = 0 THEN e END, e::text, 'n'"
                " FROM (SELECT %s AS i, %s::vector AS e) s", vectors)
            cursor.execute("CREATE INDEX ON whole USING hnsw (embedding vector_l2_ops)")
            cursor.execute("CREATE TABLE plain (id bigint PRIMARY KEY, e vector(8), note text)")
            cursor.executemany("INSERT INTO plain VALUES (%s, %s, 'n')", vectors)
            cursor.execute("CREATE TABLE wide (id bigint PRIMARY KEY, e text, n int)")
            cursor.execute("ALTER TABLE wide ALTER e SET STORAGE EXTERNAL")
            cursor.executemany("INSERT INTO wide VALUES (%s, %s, 0)", [(i, vector(600)) for i in range(1, 40)])


class SourcesVeer(Veer):
    def configure(self, percent):
        (self.directory / "veer.toml").write_text(PATIENT.format(percent) + COMPARED + ROUTES)

    def restart(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.log.close()
        self.start()

    def shown(self, table):
        with session(self.port) as db:
            rows = db.execute("SHOW veer.routes")
            names = [column.name for column in rows.description]
            return next(row for row in (dict(zip(names, each)) for each in rows) if row["table"] == f"public.{table}")

    def verify(self):
        done = subprocess.run(
            [self.binary, "verify", "--rate", "1000000", "--data-dir", self.directory / "data"],
            cwd=self.directory, capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"veer verify: {done.stdout}{done.stderr}")
        return done.stdout


def outcome(db, sql):
    try:
        return db.execute(sql).fetchall()
    except psycopg.Error as error:
        return (error.sqlstate, error.diag.message_primary)


class Searches:
    """One session through veer, and one beside it, which compares with every row."""

    def __init__(self, postgres, veer):
        self.veer = session(veer.port)
        self.exact = session(postgres.port)
        self.exact.execute("SET enable_indexscan = off")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.veer.close()
        self.exact.close()

    def check(self, sql, engine):
        """The same as PostgreSQL's, once it is veer, or PostgreSQL for this reason, that answers."""
        seen = None

        def answered_so():
            nonlocal seen
            seen = outcome(self.veer, sql)
            return tuple(self.veer.execute("SHOW veer.last").fetchone()[:2]) == engine

        wait_until(answered_so, f"{engine} for {sql}")
        expect(seen, outcome(self.exact, sql), sql)

    def nearest(self, table, engine, columns="id", k=10, expression=None):
        expression = expression or FORMS[table][1]
        for _ in range(3):
            distance = f"{expression} <-> '{vector()}'"
            self.check(f"SELECT {columns} FROM {table} ORDER BY {distance} LIMIT {k}", engine)


LOCAL = ("veer", "local")
REWRITE = ("veer", "rewrite")
UNPARSABLE = ("postgres", "unparsable")


def check_copied(veer, searches):
    searches.nearest("texts", UNPARSABLE)
    shown = veer.shown("texts")
    expect(shown["unparsable"], "1", "rows of texts that do not parse")
    expect("1000" in shown["reason"], False, "a key that any role could read: " + shown["reason"])
    searches.veer.execute("DELETE FROM texts WHERE id = 1000")
    for table in FORMS:
        searches.nearest(table, LOCAL)
        searches.nearest(table, REWRITE, columns="note, id")
        expect(veer.shown(table)["unparsable"], "0", f"rows of {table} that do not parse")
    expect(veer.shown("texts")["migrated"], "", "no migration without a legacy column")
    print("ok the copy")


def check_followed(veer, searches):
    """Rows come, change and go; one that does not parse comes and goes; NULL is no trouble."""
    for table, (_, _, unparsable) in FORMS.items():
        new, changed, mended = (CASTS[table].format(f"'{vector()}'::vector") for _ in range(3))
        change = searches.veer.execute
        change(f"INSERT INTO {table} VALUES (2000, {new}, 'n'), (2001, NULL, 'n')")
        change(f"UPDATE {table} SET e = {changed} WHERE id = 1")
        change(f"UPDATE {table} SET id = 3000 WHERE id = 3")
        change(f"DELETE FROM {table} WHERE id = 4")
        searches.nearest(table, LOCAL)
        change(f"UPDATE {table} SET e = {unparsable} WHERE id = 5")
        searches.nearest(table, UNPARSABLE)
        expect(veer.shown(table)["unparsable"], "1", f"a row of {table} that does not parse any more")
        change(f"UPDATE {table} SET e = {mended} WHERE id = 5")
        searches.nearest(table, LOCAL)
        change(f"UPDATE {table} SET e = {unparsable} WHERE id = 6")
        searches.nearest(table, UNPARSABLE)
        change(f"DELETE FROM {table} WHERE id = 6")
        searches.nearest(table, LOCAL, k=50)
        change("BEGIN")
        change(f"UPDATE {table} SET e = {unparsable} WHERE id = 7")
        change("ROLLBACK")
        searches.nearest(table, LOCAL)
    searches.veer.execute("UPDATE wide SET n = 1 WHERE id % 2 = 0")  # the text stays where it is, out of line
    searches.check(f"SELECT id FROM wide ORDER BY e::vector <-> '{vector(600)}' LIMIT 5", LOCAL)
    print("ok the stream")


def check_skipped(veer, searches):
    """The row that is skipped is as if it had gone."""
    expect(veer.shown("skipped")["unparsable"], "1", "a row that is skipped")
    searches.exact.execute("CREATE TEMP TABLE skipped AS SELECT * FROM public.skipped WHERE id > 0")
    searches.nearest("skipped", LOCAL, expression="e::vector")
    searches.exact.execute("DROP TABLE pg_temp.skipped")
    print("ok what is skipped")


WHOLE = "coalesce(embedding, old::vector)"


def migrated(veer):
    return float(veer.shown("halfway")["migrated"])


def check_migrated(veer, searches):
    """A table is migrated under way, and searched whole all the time."""
    expect(migrated(veer), 0.0, "percent at the beginning")
    before = 0.0
    for part in range(1, 5):
        searches.veer.execute(
            "UPDATE halfway SET embedding = old::vector, old = CASE WHEN id % 2 = 0 THEN 'moved' ELSE old END "
            f"WHERE id % 4 = {part % 4}")
        searches.nearest("halfway", LOCAL, expression=WHOLE)
        searches.nearest("halfway", REWRITE, expression=WHOLE, columns="id, note")
        expect(migrated(veer) > before, True, f"percent rises from {before}")
        before = migrated(veer)
        if part == 2:
            expect(before, 50.0, "percent half way")
            searches.veer.execute("INSERT INTO halfway VALUES (5001, NULL, 'none', 'n')")
            searches.nearest("halfway", UNPARSABLE, expression=WHOLE)
            searches.veer.execute(f"UPDATE halfway SET embedding = '{vector()}' WHERE id = 5001")
            searches.nearest("halfway", LOCAL, expression=WHOLE)
    expect(before, 100.0, "percent at the end")
    # What is about one of the two is not what the route is about.
    searches.nearest("halfway", ("postgres", "no_route"), expression="embedding")
    print("ok a table on its way")


def check_searched_whole(veer, searches):
    """What is about the new column alone is answered from both, where PostgreSQL has no part in it."""
    for _ in range(5):
        distance = f"<-> '{vector()}'"
        asked = f"SELECT id FROM whole ORDER BY embedding {distance} LIMIT 20"
        meant = f"SELECT id FROM whole ORDER BY {WHOLE} {distance} LIMIT 20"
        wait_until(lambda asked=asked: answered(searches.veer, asked) == LOCAL, "an answer from both")
        expect(outcome(searches.veer, asked), outcome(searches.exact, meant), "all rows, migrated or not")
        searches.check(meant, LOCAL)
        searches.check(f"SELECT id, note FROM whole ORDER BY embedding {distance} LIMIT 20", REWRITE)
    print("ok what is searched whole")


def check_plain(veer, searches):
    """A vector(n) that has a route needs no index of pgvector's, and outlives one."""
    searches.nearest("plain", LOCAL, expression="e")
    searches.veer.execute("CREATE INDEX plain_e ON plain USING hnsw (e vector_l2_ops) WITH (m = 8)")
    followed = "going on, though table public.plain has changed"
    wait_until(lambda: veer.said().count(followed) == 1, "the index to be seen")
    searches.nearest("plain", LOCAL, expression="e")
    searches.veer.execute("DROP INDEX plain_e")
    wait_until(lambda: veer.said().count(followed) == 2, "the index to be gone")
    searches.nearest("plain", LOCAL, expression="e")
    expect(veer.said().count("copying public.plain"), 1, "copies of a table that kept its route")
    print("ok a route without an index")


def compared(veer, outcome):
    """How many searches of each table were put to PostgreSQL as well, with this outcome."""
    with session(veer.port) as db:
        rows = db.execute("SHOW veer.compare")
        place = [column.name for column in rows.description].index(outcome)
        return {row[0].split(".")[1]: int(row[place]) for row in rows}


def check_compared(veer, searches):
    """PostgreSQL is asked by the same expression, beside the clients' way."""

    def all_compared():
        found = compared(veer, "equal")
        waiting = [table for table in (*FORMS, "halfway") if found[table] == 0]
        for table in waiting:
            searches.nearest(table, LOCAL, expression=WHOLE if table == "halfway" else None)
        return not waiting

    wait_until(all_compared, "a comparison of each form")
    expect(set(compared(veer, "veer_missed").values()), {0}, "rows that the index missed")
    expect(compared(veer, "compared")["skipped"], 0, "what PostgreSQL would fail on")
    print("ok comparisons")


def answered(db, sql):
    outcome(db, sql)
    return tuple(db.execute("SHOW veer.last").fetchone()[:2])


def check_kept(veer, searches):
    """Over a restart nothing is copied again, and nothing is forgotten."""
    searches.veer.execute("UPDATE texts SET e = 'unfit' WHERE id = 10")
    searches.veer.execute("UPDATE halfway SET embedding = NULL, old = embedding::text WHERE id <= 100")
    searches.nearest("halfway", LOCAL, expression=WHOLE)
    wait_until(lambda: veer.shown("texts")["unparsable"] == "1", "the unfit row")
    percent = migrated(veer)
    veer.restart()
    expect("copying" in veer.said(), False, "copied again:\n" + veer.said())
    expect(migrated(veer), percent, "percent after a restart")
    expect(veer.shown("texts")["unparsable"], "1", "rows that do not parse, after a restart")
    print("ok a restart")


def main():
    with Postgres() as postgres:
        fill(postgres)
        with SourcesVeer(sys.argv[1], postgres) as veer:
            with Searches(postgres, veer) as searches:
                check_copied(veer, searches)
                check_followed(veer, searches)
                check_skipped(veer, searches)
                check_migrated(veer, searches)
                check_searched_whole(veer, searches)
                check_plain(veer, searches)
                check_compared(veer, searches)
                veer.verify()
                check_kept(veer, searches)
            with Searches(postgres, veer) as searches:
                searches.nearest("texts", UNPARSABLE)
                searches.nearest("halfway", LOCAL, expression=WHOLE)
                searches.nearest("jsons", LOCAL)
            print(veer.verify())
    print("all of it held")


if __name__ == "__main__":
    main()
