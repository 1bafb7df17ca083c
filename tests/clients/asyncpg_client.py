"""asyncpg: binary everywhere, statements prepared once, codecs, cursors, COPY, a pool, cancel."""

import asyncio
import io
import struct

import asyncpg
from dialogue import (DATABASE, EVERY_TYPE, FAILING, IS_ASLEEP, LARGE, LOCAL, NOTICE, PASSWORD, REWRITE,
                      SEARCHES, SECONDS_MAX, USER, Dialogue)

KEY_AND_DISTANCE = SEARCHES[0][1].format("$1", "$2")
VECTOR_AND_KEY = "SELECT id, e FROM docs ORDER BY e <=> $1 LIMIT $2"


class AsyncpgClient(Dialogue):

    def target(self, **more):
        return {"host": "127.0.0.1", "port": self.port, "user": USER, "password": PASSWORD,
                "database": DATABASE, **more}

    async def connect(self, **options):
        return await asyncpg.connect(**self.target(**options))

    async def search(self, step, expected, ask, db):
        """See Dialogue.search; here with coroutines."""
        for _ in range(1000):
            rows = [list(row.values()) for row in await ask()]
            answer = list(await db.fetchrow("SHOW veer.last"))[:2] if self.through_veer else None
            if answer is None or answer[1] != "behind":
                break
        self.note(step, rows, expected=expected, answer=answer)

    async def fails(self, step, awaitable):
        try:
            await awaitable
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            fields = getattr(error, "as_dict", dict)()
            self.note(step, [type(error).__name__, str(error), {k: str(v) for k, v in fields.items()}])
        else:
            raise SystemExit(f"{step}: no error")

    async def connections(self):
        db = await self.connect(server_settings={"application_name": "asyncpg client", "jit": "off"})
        settings = db.get_settings()
        self.note("connect", [str(db.get_server_version()), settings.application_name, settings.TimeZone,
                              settings.client_encoding, await db.fetchval("SHOW jit")])
        await db.execute("SET TimeZone = 'Asia/Tokyo'")
        self.note("SET is reported", db.get_settings().TimeZone)
        await db.close()
        await self.fails("wrong password", self.connect(password="correct house"))
        await self.fails("no such database", self.connect(database="nowhere"))

    async def values(self, db):
        prepared = await db.prepare(EVERY_TYPE)
        self.note("attributes", [[a.name, a.type.oid, a.type.name] for a in prepared.get_attributes()])
        self.note("every type", list((await prepared.fetchrow()).values()))
        sql = "SELECT $1::int, $2::text, $3::bytea, $4::int[], $5::float8, $6::jsonb"
        for number in range(8):
            row = await db.fetchrow(sql, number, "ü" * number, b"\0\1", [1, None], 0.1, '{"a": 1}')
            self.note("parameters", list(row.values()))
        self.note("status", [await db.execute("SELECT 1; SELECT 2"), prepared.get_statusmsg()])
        heard = []
        db.add_log_listener(lambda _, notice: heard.append([notice.severity, notice.message, notice.detail]))
        await db.execute(NOTICE)
        self.note("notice", heard)

    async def searches(self, db, probes):
        for expected, search in SEARCHES:
            prepared = await db.prepare(search.format("$1", "$2"))
            for number, probe in enumerate(probes):
                await self.search("search, prepared", expected,
                                  lambda: prepared.fetch(probe, number + 1), db)
                await self.search("search, fetch", expected,
                                  lambda: db.fetch(search.format("$1::vector", 4), probe), db)
                await self.search("search, float8[]", expected, lambda: db.fetch(
                    search.format("$1::float8[]::vector", "$2"), vector_from_text(probe), 5), db)
        await db.set_type_codec("vector", format="binary", encoder=vector_bytes, decoder=vector_from)
        for probe in map(vector_from_text, probes):
            for expected, sql in ((LOCAL, KEY_AND_DISTANCE), (REWRITE, VECTOR_AND_KEY)):
                await self.search("search, binary", expected, lambda: db.fetch(sql, probe, 5), db)
        await self.fails("wrong dimension", db.fetch(VECTOR_AND_KEY, [1.0, 2.0], 5))
        await db.reset_type_codec("vector")

    async def transactions(self, db, probe):
        ask = lambda: db.fetch(KEY_AND_DISTANCE, probe, 5)
        count = lambda: db.fetchval("SELECT count(*) FROM ledger")
        async with db.transaction():
            await db.execute("INSERT INTO ledger VALUES ($1, $2)", 1, 10)
            try:
                async with db.transaction():
                    await db.execute("INSERT INTO ledger VALUES ($1, $2)", 2, 20)
                    await db.fetch("SELECT 1 / $1::int", 0)
            except asyncpg.DivisionByZeroError as error:
                self.note("error in a savepoint", [str(error), error.sqlstate])
            self.note("after the savepoint", [await count(), db.is_in_transaction()])
        self.note("committed", await count())
        transaction = db.transaction()
        await transaction.start()
        await self.search("search in a transaction", LOCAL, ask, db)
        await db.execute("INSERT INTO docs VALUES (0, 'nearest', now(), $1)", probe)
        await self.search("search after a write", "transaction_wrote", ask, db)
        await transaction.rollback()
        await self.search("search after ROLLBACK", LOCAL, ask, db)
        async with db.transaction(isolation="serializable", readonly=True, deferrable=True):
            await self.search("search at SERIALIZABLE", "isolation", ask, db)
        transaction = db.transaction()
        await transaction.start()
        await self.fails("error in a transaction", db.fetch("SELECT 1/0"))
        await self.fails("statement in a failed transaction", db.fetch("SELECT 1"))
        await self.fails("search in a failed transaction", ask())
        await transaction.rollback()
        self.note("deleted", await db.execute("DELETE FROM ledger"))

    async def writes(self, db, probe):
        ask = lambda: db.fetch(KEY_AND_DISTANCE, probe, 3)
        await db.execute("INSERT INTO docs VALUES (90001, 'nearest', now(), $1)", probe)
        await self.search("search for what was inserted", LOCAL, ask, db)
        await db.execute("DELETE FROM docs WHERE id = 90001")
        await self.search("search for what was deleted", LOCAL, ask, db)
        await db.executemany("INSERT INTO ledger VALUES ($1, $2)", [(n, n) for n in range(500)])
        self.note("executemany", await db.fetchval("SELECT sum(amount) FROM ledger"))
        await self.fails("executemany fails", db.executemany(
            "INSERT INTO ledger VALUES ($1, $2)", [(n, n) for n in range(1000, 499, -1)] + [(7, 7)]))
        self.note("deleted", await db.execute("DELETE FROM ledger"))

    async def errors(self, db, probe):
        for sql in FAILING:
            await self.fails(f"error {sql}", db.fetch(sql))
            await self.fails(f"error {sql}, simple", db.execute(sql))
        for wrong in ("[1,2,3]", "[1,2,", "", "[1,2,3,4,5,6,7,NaN]"):
            await self.fails(f"vector {wrong}", db.fetch(KEY_AND_DISTANCE, wrong, 5))
        await self.search("search after errors", LOCAL, lambda: db.fetch(KEY_AND_DISTANCE, probe, 5), db)

    async def cursors(self, db, probe):
        async with db.transaction():
            cursor = await db.cursor(KEY_AND_DISTANCE, probe, 20)
            self.note("cursor", [await cursor.fetch(2), await cursor.forward(3), await cursor.fetch(99)])
            total = 0
            async for row in db.cursor(LARGE, prefetch=1000):
                total += len(row[1])
            self.note("cursor, large", total)
            await self.search("search after a cursor", LOCAL, lambda: db.fetch(KEY_AND_DISTANCE, probe, 5), db)

    async def copies(self, db):
        rows = [(n, n, f"note {n}\t") for n in range(5000)]
        self.note("COPY in", await db.copy_records_to_table("ledger", records=rows))
        for form in ("text", "csv", "binary"):
            out = io.BytesIO()
            status = await db.copy_from_query("SELECT * FROM ledger ORDER BY id", output=out, format=form)
            self.note(f"COPY out, {form}", [status, len(out.getvalue()), out.getvalue()[-40:]])
        await self.fails("COPY of what is no row", db.copy_to_table("ledger", source=io.BytesIO(b"no row\n")))
        self.note("deleted", await db.execute("DELETE FROM ledger"))

    async def asynchronous(self, db):
        queue = asyncio.Queue()
        heard = lambda _, pid, channel, payload: queue.put_nowait([pid, channel, payload])
        other = await self.connect()
        await db.add_listener("news", heard)
        await other.execute("SELECT pg_notify('news', 'ü ' || n) FROM generate_series(1, 3) n")
        for _ in range(3):
            pid, channel, payload = await asyncio.wait_for(queue.get(), SECONDS_MAX)
            self.note("notified", [pid == other.get_server_pid(), channel, payload])
        await db.remove_listener("news", heard)
        await other.close()

    async def cancels(self, db, probe):
        """asyncpg sends a CancelRequest where the waiting task is cancelled."""
        other = await self.connect()
        for _ in range(3):
            sleeper = asyncio.ensure_future(db.fetch("SELECT pg_sleep(600)"))
            while await other.fetchval(IS_ASLEEP) != 1:
                await asyncio.sleep(0.002)
            sleeper.cancel()
            try:
                await sleeper
            except asyncio.CancelledError:
                self.note("cancelled", "the task")
            await self.search("search after being cancelled", LOCAL,
                              lambda: db.fetch(KEY_AND_DISTANCE, probe, 5), db)
        await other.close()

    async def pooled(self, probes):
        """Connections that are reset (DISCARD-like statements) between their users, all at once."""
        async with asyncpg.create_pool(**self.target(min_size=1, max_size=4)) as pool:
            found = await asyncio.gather(*(pool.fetch(KEY_AND_DISTANCE, probe, 3) for probe in probes * 10))
            self.note("pool", [[list(row.values()) for row in rows] for rows in found])
            async with pool.acquire() as db:
                await self.search("search from a pool", LOCAL,
                                  lambda: db.fetch(KEY_AND_DISTANCE, probes[0], 5), db)

    async def play(self):
        await self.connections()
        db = await self.connect()
        probes = [row["v"] for row in await db.fetch("SELECT v FROM probes ORDER BY n")]
        await self.values(db)
        await self.searches(db, probes)
        await self.transactions(db, probes[0])
        await self.writes(db, probes[0])
        await self.errors(db, probes[0])
        await self.cursors(db, probes[0])
        await self.copies(db)
        await self.asynchronous(db)
        await self.cancels(db, probes[0])
        await self.pooled(probes)
        rows = await db.fetch(LARGE)
        self.note("large", [len(rows), sum(len(row[1]) for row in rows), list(rows[-1].values())])
        await db.close()


def vector_from_text(probe):
    return [float(number) for number in probe.strip("[]").split(",")]


def vector_bytes(vector):
    return struct.pack(f"!HH{len(vector)}f", len(vector), 0, *vector)


def vector_from(data):
    return list(struct.unpack(f"!{len(data) // 4 - 1}f", data[4:]))


if __name__ == "__main__":
    asyncio.run(AsyncpgClient().play())
