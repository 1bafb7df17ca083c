"""Runs the searches of real Python drivers directly and through veer, and compares what they return.

    drivers_pg_test.py <veer binary>

A scene is a function of a port: it talks to whatever listens there and notes what it saw. Each scene
is played against PostgreSQL and against veer. It must see the same, but for distances within 1e-6;
`SHOW veer.last`, asked in the same session, proves who answered.
"""

import asyncio
import random
import struct
import sys

import asyncpg
import psycopg
import psycopg2
import sqlalchemy
from private_servers import Postgres, Veer, fail, session, wait_until
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.types import UserDefinedType

DIMENSIONS = 8
ROWS = 1000
ROUNDS = 8  # psycopg prepares a statement when it comes for the sixth time
DISTANCE_TOLERANCE = 1e-6

# Who is to answer, and how: key and distance, or anything else.
LOCAL, REWRITE = ("veer", "local"), ("veer", "rewrite")
KEY_AND_DISTANCE = "SELECT id, e <=> {0} AS d FROM docs ORDER BY e <=> {0} LIMIT {1}"
WHOLE_ROWS = "SELECT id, title, made, e <=> {0} AS d FROM docs ORDER BY d LIMIT {1}"
SEARCHES = {LOCAL: KEY_AND_DISTANCE, REWRITE: WHOLE_ROWS}
VECTOR_AND_KEY = "SELECT id, e FROM docs ORDER BY e <=> $1 LIMIT $2"
WROTE = ("postgres", "transaction_wrote")
BEHIND = ("postgres", "behind")

generator = random.Random(7)


def random_vector():
    return [generator.uniform(-1, 1) for _ in range(DIMENSIONS)]


VECTORS = [random_vector() for _ in range(ROUNDS)]
LITERALS = [str(vector) for vector in VECTORS]


class Seen:
    """What a scene saw: results to compare and, where veer is asked, who gave them."""

    def __init__(self, through_veer):
        self.through_veer = through_veer
        self.results = []
        self.answers = []

    def rows(self, what, rows):
        self.results.append((what, [tuple(row) for row in rows]))

    def search(self, what, expected, ask, last):
        """ask() returns rows, last() the row of SHOW veer.last in the same session. Asked again while
        the index is behind, as it may be after what might have been a write."""

        def attempt():
            rows = ask()
            answer = tuple(last())[:2] if self.through_veer else None
            return None if answer == BEHIND else (rows, answer)

        rows, answer = wait_until(attempt, f"the index to catch up ({what})")
        self.rows(what, rows)
        if self.through_veer:
            self.answers.append((what, expected, answer))

    def error(self, what, call, *arguments):
        """The class and the message of the error that the call must raise."""
        try:
            call(*arguments)
        except (psycopg.Error, psycopg2.Error, asyncpg.PostgresError) as error:
            self.rows(what, [(type(error).__name__, str(error))])
        else:
            fail(f"{what}: no error")


def psycopg_scene(port, seen):
    with session(port) as db:

        def ask(sql, vector, **options):
            return db.execute(sql, {"v": vector, "k": 5}, **options).fetchall()

        last = lambda: db.execute("SHOW veer.last", prepare=False).fetchone()
        forms = (("%(v)s", LITERALS), ("%(v)s::vector", LITERALS), ("%(v)s::vector", VECTORS),
                 ("%(v)s::float8[]::vector", VECTORS))
        for answer, search in SEARCHES.items():
            for form, vectors in forms:
                sql = search.format(form, "%(k)s")
                for vector in vectors:
                    what = f"psycopg {form} from {type(vector).__name__}"
                    seen.search(what, answer, lambda: ask(sql, vector), last)
            with db.cursor(binary=True) as cursor:
                sql = search.format("%(v)s", "%(k)s")
                for vector in LITERALS:
                    values = {"v": vector, "k": 5}
                    seen.search("psycopg binary cursor", answer,
                                lambda: cursor.execute(sql, values).fetchall(), last)
        prepared = "SELECT count(*) > 0 FROM pg_prepared_statements WHERE statement LIKE '%<=>%'"
        seen.rows("psycopg has prepared", db.execute(prepared).fetchall())
        sql = KEY_AND_DISTANCE.format("%(v)s", "%(k)s")
        seen.error("psycopg wrong dimension", ask, sql, "[1,2,3]")
        psycopg_pipeline(db, seen)
        psycopg_transaction(db, seen, lambda: ask(sql, LITERALS[0]), last)


def psycopg_pipeline(db, seen):
    """One search a Sync and several: who answers may change, what comes back may not."""
    sql = KEY_AND_DISTANCE.format("%(v)s", "%(k)s")
    with db.pipeline() as pipeline:
        cursors = []
        for number, literal in enumerate(LITERALS * 2):
            cursors.append(db.execute(sql, {"v": literal, "k": 5}))
            if number < ROUNDS:
                pipeline.sync()
            cursors.append(db.execute("SELECT %s::int", (number,)))
        for cursor in cursors:
            seen.rows("psycopg pipeline", cursor.fetchall())


def psycopg_transaction(db, seen, ask, last):
    with db.transaction(force_rollback=True):
        seen.search("psycopg in a transaction", LOCAL, ask, last)
        db.execute("INSERT INTO docs VALUES (0, 'nearest', now(), %s)", (LITERALS[0],))
        seen.search("psycopg after a write", WROTE, ask, last)
        with db.cursor("named") as cursor:
            cursor.execute(KEY_AND_DISTANCE.format("%(v)s", 5), {"v": LITERALS[0]})
            seen.rows("psycopg named cursor", cursor.fetchall())
    seen.search("psycopg after ROLLBACK", LOCAL, ask, last)


def psycopg2_scene(port, seen):
    db = psycopg2.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")
    cursor = db.cursor()

    def ask(sql, vector=None):
        cursor.execute(sql, {"v": vector, "k": 5})
        return cursor.fetchall()

    last = lambda: ask("SHOW veer.last")[0]
    for db.autocommit in (True, False):
        for answer, search in SEARCHES.items():
            for form, vectors in (("%(v)s", LITERALS), ("%(v)s::vector", VECTORS)):
                sql = search.format(form, "%(k)s")
                for vector in vectors:
                    what = f"psycopg2 {form}, autocommit {db.autocommit}"
                    seen.search(what, answer, lambda: ask(sql, vector), last)
    sql = WHOLE_ROWS.format("%(v)s", "%(k)s")
    seen.error("psycopg2 wrong dimension", ask, sql, "[1,2,3]")
    db.rollback()
    seen.search("psycopg2 after the error", REWRITE, lambda: ask(sql, LITERALS[0]), last)
    db.close()


def asyncpg_scene(port, seen):
    loop = asyncio.new_event_loop()
    run = loop.run_until_complete
    db = run(asyncpg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres"))

    ask = lambda sql, *values: run(db.fetch(sql, *values))
    last = lambda: run(db.fetchrow("SHOW veer.last"))
    for answer, search in SEARCHES.items():
        prepared = run(db.prepare(search.format("$1", "$2")))
        for number, literal in enumerate(LITERALS):
            seen.search("asyncpg prepared", answer,
                        lambda: run(prepared.fetch(literal, number + 1)), last)
            seen.search("asyncpg fetch", answer,
                        lambda: ask(search.format("$1::vector", 4), literal), last)
        for vector in VECTORS:
            sql = search.format("$1::float8[]::vector", "$2")
            seen.search("asyncpg float8[]", answer, lambda: ask(sql, vector, 5), last)
    run(db.set_type_codec("vector", format="binary", encoder=vector_bytes, decoder=vector_from))
    for vector in VECTORS:
        for answer, sql in ((LOCAL, KEY_AND_DISTANCE.format("$1", "$2")), (REWRITE, VECTOR_AND_KEY)):
            seen.search("asyncpg binary", answer, lambda: ask(sql, vector, 5), last)
    asyncpg_transaction(db, run, seen, last)
    seen.error("asyncpg wrong dimension", ask, VECTOR_AND_KEY, [1.0, 2.0], 5)
    run(db.close())
    loop.close()


def asyncpg_transaction(db, run, seen, last):
    transaction = db.transaction()
    run(transaction.start())
    seen.search("asyncpg in a transaction", REWRITE,
                lambda: run(db.fetch(VECTOR_AND_KEY, VECTORS[0], 5)), last)
    cursor = run(db.cursor(VECTOR_AND_KEY, VECTORS[1], 5))
    seen.rows("asyncpg cursor", run(cursor.fetch(2)) + run(cursor.fetch(9)))
    run(transaction.rollback())


def vector_bytes(vector):
    return struct.pack(f"!HH{len(vector)}f", len(vector), 0, *vector)


def vector_from(data):
    return list(struct.unpack(f"!{len(data) // 4 - 1}f", data[4:]))


class Vector(UserDefinedType):
    """The column's type as an application would declare it; vectors travel as text."""

    cache_ok = True

    def get_col_spec(self, **_):
        return f"vector({DIMENSIONS})"

    def bind_processor(self, dialect):
        return str


def sqlalchemy_searches():
    docs = sqlalchemy.Table(
        "docs", sqlalchemy.MetaData(), sqlalchemy.Column("id", sqlalchemy.BigInteger),
        sqlalchemy.Column("title", sqlalchemy.Text), sqlalchemy.Column("e", Vector))
    for answer, columns in ((LOCAL, [docs.c.id]), (REWRITE, [docs.c.id, docs.c.title])):
        for vector in VECTORS:
            distance = docs.c.e.op("<=>", return_type=sqlalchemy.Float)(vector)
            chosen = sqlalchemy.select(*columns, distance.label("d"))
            yield answer, chosen.order_by(distance).limit(5)


def sqlalchemy_scene(port, seen):
    engine = sqlalchemy.create_engine(f"postgresql+psycopg2://postgres@127.0.0.1:{port}/postgres")
    for answer, search in sqlalchemy_searches():
        with engine.begin() as db:
            seen.search("SQLAlchemy psycopg2", answer, lambda: db.execute(search).fetchall(),
                        lambda: db.exec_driver_sql("SHOW veer.last").fetchone())
    engine.dispose()


def sqlalchemy_asyncpg_scene(port, seen):
    loop = asyncio.new_event_loop()
    run = loop.run_until_complete
    engine = create_async_engine(f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres")
    for answer, search in sqlalchemy_searches():
        db = run(engine.connect())  # its first statement begins a transaction
        seen.search("SQLAlchemy asyncpg", answer, lambda: run(db.execute(search)).fetchall(),
                    lambda: run(db.exec_driver_sql("SHOW veer.last")).fetchone())
        run(db.close())
    run(engine.dispose())
    loop.close()


def same(left, right):
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= DISTANCE_TOLERANCE
    return type(left) is type(right) and left == right


def compare(scene, direct_port, veer_port):
    """The number of comparisons; ends at the first that does not hold."""
    direct, through = Seen(through_veer=False), Seen(through_veer=True)
    scene(direct_port, direct)
    scene(veer_port, through)
    if len(direct.results) != len(through.results):
        fail(f"{len(direct.results)} results directly, {len(through.results)} through veer")
    for (what, expected), (_, actual) in zip(direct.results, through.results):
        if not expected or not same(expected, actual):
            fail(f"{what}\n  directly:     {expected}\n  through veer: {actual}")
    for what, expected, actual in through.answers:
        if expected != actual:
            fail(f"{what}: answered by {actual}, expected {expected}")
    return len(through.results) + len(through.answers)


def create_table(port):
    rows = [(i, f"title {i}", str(random_vector())) for i in range(1, ROWS + 1)]
    with session(port) as db:
        db.execute("CREATE EXTENSION vector")
        db.execute("CREATE TABLE docs (id bigint PRIMARY KEY, title text, made timestamptz,"
                   f" e vector({DIMENSIONS}))")
        db.cursor().executemany("INSERT INTO docs VALUES (%s, %s, '2024-01-01', %s)", rows)
        db.execute("CREATE INDEX ON docs USING hnsw (e vector_cosine_ops)")
        # So many candidates that PostgreSQL's own answer is the exact one.
        db.execute("ALTER DATABASE postgres SET hnsw.ef_search = 400")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    scenes = (psycopg_scene, psycopg2_scene, asyncpg_scene, sqlalchemy_scene, sqlalchemy_asyncpg_scene)
    with Postgres() as postgres:
        create_table(postgres.port)
        with Veer(sys.argv[1], postgres) as veer:
            checks = sum(compare(scene, postgres.port, veer.port) for scene in scenes)
    print(f"{checks} checks passed")


if __name__ == "__main__":
    main()
