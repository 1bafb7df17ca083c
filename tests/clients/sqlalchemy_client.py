"""SQLAlchemy: core and ORM over psycopg2 and asyncpg, pools, savepoints, streams."""

import asyncio

import sqlalchemy
from dialogue import LARGE, LOCAL, REWRITE, Dialogue
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session, declarative_base
from sqlalchemy.types import UserDefinedType

Base = declarative_base()


class Vector(UserDefinedType):
    """The column's type as an application would declare it; vectors travel as text."""

    cache_ok = True

    def get_col_spec(self, **_):
        return "vector(8)"

    def bind_processor(self, dialect):
        return str


class Document(Base):
    __tablename__ = "docs"
    id = sqlalchemy.Column(sqlalchemy.BigInteger, primary_key=True, autoincrement=False)
    title = sqlalchemy.Column(sqlalchemy.Text)
    made = sqlalchemy.Column(sqlalchemy.DateTime(timezone=True))
    e = sqlalchemy.Column(Vector)


class Entry(Base):
    __tablename__ = "ledger"
    id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True, autoincrement=False)
    amount = sqlalchemy.Column(sqlalchemy.Numeric)
    note = sqlalchemy.Column(sqlalchemy.Text)


def searches(probes):
    for expected, columns in ((LOCAL, [Document.id]), (REWRITE, [Document.id, Document.title, Document.made])):
        for probe in probes:
            distance = Document.e.op("<=>", return_type=sqlalchemy.Float)(probe)
            yield expected, select(*columns, distance.label("d")).order_by(distance).limit(5)


class SqlalchemyClient(Dialogue):

    def last(self, db):
        return db.exec_driver_sql("SHOW veer.last").fetchone()

    def fails(self, step, call, *arguments):
        self.error(step, sqlalchemy.exc.DBAPIError, lambda error: [error.orig.pgcode, str(error.orig)],
                   call, *arguments)

    def core(self, engine, probes):
        ledger = sqlalchemy.Table("ledger", sqlalchemy.MetaData(), autoload_with=engine)
        self.note("reflected", [[str(column.name), str(column.type), column.nullable]
                                for column in ledger.columns])
        for expected, search in searches(probes):
            with engine.begin() as db:
                self.search("search", expected, lambda: db.execute(search).fetchall(), lambda: self.last(db))
        automatic = engine.execution_options(isolation_level="AUTOCOMMIT")
        for expected, search in searches(probes):
            with automatic.connect() as db:
                self.search("search, AUTOCOMMIT", expected, lambda: db.execute(search).fetchall(),
                            lambda: self.last(db))
        repeatable = engine.execution_options(isolation_level="REPEATABLE READ")
        with repeatable.connect() as db:
            search = next(searches(probes))[1]
            self.search("search at REPEATABLE READ", "isolation", lambda: db.execute(search).fetchall(),
                        lambda: self.last(db))
        with engine.connect().execution_options(stream_results=True, max_row_buffer=100) as db:
            rows = db.execute(sqlalchemy.text(LARGE))
            self.note("streamed", sum(len(row[1]) for row in rows))
            self.note("search, streamed", [tuple(row) for row in db.execute(search)])

    def transactions(self, engine, probe):
        expected, search = next(searches([probe]))
        with engine.connect() as db:
            transaction = db.begin()
            db.execute(sqlalchemy.insert(Entry), [{"id": n, "amount": n} for n in range(50)])
            savepoint = db.begin_nested()
            self.fails("error in a savepoint", db.execute, sqlalchemy.insert(Entry).values(id=1, amount=1))
            savepoint.rollback()
            self.search("search after a write", "transaction_wrote", lambda: db.execute(search).fetchall(),
                        lambda: self.last(db))
            self.note("counted", db.execute(select(func.count(Entry.id), func.sum(Entry.amount))).fetchall())
            transaction.rollback()
            self.search("search after ROLLBACK", expected, lambda: db.execute(search).fetchall(),
                        lambda: self.last(db))
        with engine.connect() as db:
            wrong = select(Document.id).order_by(Document.e.op("<=>")([1, 2, 3])).limit(5)
            self.fails("wrong dimension", db.execute, wrong)
            self.fails("search in a failed transaction", db.execute, search)

    def orm(self, engine, probe):
        distance = Document.e.op("<=>", return_type=sqlalchemy.Float)(probe)
        nearest = select(Document).order_by(distance).limit(5)
        with Session(engine) as session:
            seen = lambda: [(d.id, d.title, d.made, d.e) for d in session.execute(nearest).scalars()]
            last = lambda: self.last(session.connection())
            self.search("objects", REWRITE, seen, last)
            session.add(Document(id=90001, title="nearest", e=probe))
            session.flush()
            self.search("objects after a flush", "transaction_wrote", seen, last)
            session.commit()
            session.expire_all()
            self.search("objects after COMMIT", REWRITE, seen, last)
            session.delete(session.get(Document, 90001))
            session.commit()
            self.search("objects after a deletion", REWRITE, seen, last)
            try:
                with session.begin_nested():
                    session.add_all([Entry(id=1, amount=1), Entry(id=2, amount=-1)])
            except sqlalchemy.exc.IntegrityError as error:
                self.note("violated", [error.orig.pgcode, str(error.orig)])
            session.rollback()
            self.search("objects after ROLLBACK", REWRITE, seen, last)

    async def asynchronous(self, probes):
        engine = create_async_engine(f"postgresql+asyncpg://{self.url}")
        for expected, search in searches(probes):
            for _ in range(1000):
                async with engine.connect() as db:  # its first statement begins a transaction
                    rows = [tuple(row) for row in (await db.execute(search)).fetchall()]
                    answer = (list((await db.exec_driver_sql("SHOW veer.last")).fetchone())[:2]
                              if self.through_veer else None)
                if answer is None or answer[1] != "behind":
                    break
            self.note("search over asyncpg", rows, expected=expected, answer=answer)
        async with engine.connect() as db:
            total = 0
            async for row in await db.stream(sqlalchemy.text(LARGE)):
                total += len(row[1])
            self.note("streamed over asyncpg", total)
            streamed = await db.stream(search)
            self.note("search streamed over asyncpg", [tuple(row) async for row in streamed])
            try:
                await db.execute(sqlalchemy.text("SELECT 1/0"))
            except sqlalchemy.exc.DBAPIError as error:
                self.note("error over asyncpg", [error.orig.pgcode, str(error.orig)])
        await engine.dispose()

    def play(self):
        engine = sqlalchemy.create_engine(f"postgresql+psycopg2://{self.url}", pool_size=2,
                                          pool_pre_ping=True, future=True)
        with engine.connect() as db:
            self.note("connect", [list(engine.dialect.server_version_info), engine.dialect.default_schema_name])
            probes = [row[0] for row in db.exec_driver_sql("SELECT v FROM probes ORDER BY n")]
        vectors = [[float(number) for number in probe.strip("[]").split(",")] for probe in probes]
        self.core(engine, vectors)
        self.transactions(engine, vectors[0])
        self.orm(engine, vectors[0])
        engine.dispose()
        asyncio.run(self.asynchronous(vectors))


if __name__ == "__main__":
    SqlalchemyClient().play()
