"""CREATE INDEX ... USING veer, DROP INDEX, veer.register() and veer.unregister(), and RuVector's names for these two.

    managed_test.py <veer binary>

What is wrong with a statement is told in the words that PostgreSQL has for the same statement USING hnsw.
"""

import os
import pathlib
import signal
import sys

from psycopg import pq

from observed import Session, last
from private_servers import Postgres, Veer, fail, session, wait_until

QUERY = "[0.1,-0.2,0.3,0.4]"
TABLES = """
CREATE EXTENSION vector;
CREATE ROLE owner LOGIN;
CREATE ROLE eve LOGIN;
CREATE SCHEMA shop AUTHORIZATION owner;
GRANT USAGE ON SCHEMA shop TO eve;
GRANT CREATE ON SCHEMA public TO owner;
CREATE SCHEMA hidden;
SELECT setseed(0.3);
CREATE FUNCTION some_vector(n int) RETURNS vector LANGUAGE sql VOLATILE AS
    $$ SELECT array_agg(random() - 0.5 + 0 * n)::vector FROM generate_series(1, 4) $$;
CREATE TABLE docs (id bigint PRIMARY KEY, kind text, e vector(4), loose vector, half halfvec(4), bits bit(8),
  loose_half halfvec, twice vector(4) GENERATED ALWAYS AS (e + e) STORED);
INSERT INTO docs (id, kind, e, loose, half, bits) SELECT i, 'k' || i % 3, v, v, v::halfvec(4), (i % 256)::bit(8)
  FROM generate_series(1, 300) i, some_vector(i) v;
CREATE TABLE "Odd Table" (id int PRIMARY KEY, "E ""x"" " vector(4));
INSERT INTO "Odd Table" SELECT i, some_vector(i) FROM generate_series(1, 50) i;
CREATE TABLE shop.items (id int PRIMARY KEY, e vector(4), old real[], taken int);
INSERT INTO shop.items SELECT i, v, v::real[], i FROM generate_series(1, 100) i, some_vector(i) v;
CREATE INDEX items_taken ON shop.items (taken);
CREATE TABLE hidden.secrets (id int PRIMARY KEY, e vector(4));
CREATE VIEW docs_view AS SELECT * FROM docs;
CREATE INDEX docs_kind ON docs (kind);
GRANT SELECT ON docs, shop.items, "Odd Table" TO eve, owner;
ALTER TABLE docs OWNER TO owner;
ALTER TABLE "Odd Table" OWNER TO owner;
ALTER TABLE docs_view OWNER TO owner;
ALTER TABLE shop.items OWNER TO owner;
"""
# By whom; the statement, of veer's or of hnsw's; the SQLSTATE that both of them give.
REFUSED = [
    ("owner", "CREATE INDEX ON nothing USING veer (e vector_l2_ops)", "42P01"),
    ("owner", "CREATE INDEX ON nowhere.docs USING veer (e vector_l2_ops)", "3F000"),
    ("owner", "CREATE INDEX ON hidden.secrets USING veer (e vector_l2_ops)", "42501"),
    ("owner", "CREATE INDEX ON docs USING veer (nothing vector_l2_ops)", "42703"),
    ("owner", "CREATE INDEX ON docs USING veer (e)", "42704"),
    ("owner", "CREATE INDEX ON docs USING veer (e nothing_ops)", "42704"),
    ("owner", "CREATE INDEX ON docs USING veer (id vector_l2_ops)", "42804"),
    ("owner", "CREATE INDEX ON docs USING veer (half vector_l2_ops)", "42804"),
    ("owner", "CREATE UNIQUE INDEX ON docs USING veer (e vector_l2_ops)", "0A000"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops, loose vector_l2_ops)", "0A000"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops) INCLUDE (kind)", "0A000"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops DESC)", "0A000"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops NULLS FIRST)", "0A000"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops) WITH (m = 1)", "22023"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops) WITH (m = 'x')", "22023"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops) WITH (ef_construction = 2000)", "22023"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops) WITH (nothing = 1)", "22023"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops) WITH (m = 16, m = 20)", "22023"),
    ("owner", "CREATE INDEX docs_kind ON docs USING veer (e vector_l2_ops)", "42P07"),
    ("owner", "CREATE INDEX ON docs_view USING veer (e vector_l2_ops)", "42809"),
    ("eve", "CREATE INDEX ON docs USING veer (e vector_l2_ops)", "42501"),
    ("eve", "CREATE INDEX ON shop.items USING veer (e vector_l2_ops)", "42501"),
    ("eve", "CREATE INDEX ON docs_view USING veer (e vector_l2_ops)", "42501"),
]
# Those that PostgreSQL has no word for, or pgvector none with an SQLSTATE of its own.
REFUSED_BY_VEER = [
    ("owner", "CREATE INDEX ON docs USING veer (loose vector_l2_ops)", "22023", "does not have dimensions"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops) WITH (dimensions = 3)", "22000", "expected 4 dimensions, not 3"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops) WITH (quantization = pq)", "22023", "quantization"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops) WITH (m = 20, ef_construction = 30)", "22023", "2 * m"),
    ("owner", "CREATE INDEX ON docs USING veer (e vector_l2_ops) WHERE id > 3", "0A000", "partial indexes"),
    ("owner", "CREATE INDEX ON docs USING veer (twice vector_l2_ops)", "0A000", "generated columns"),
    ("owner", "CREATE INDEX ON docs USING veer (loose_half halfvec_l2_ops) WITH (dimensions = 4)", "22023", "does not have dimensions"),
    ("owner", "SELECT veer.register('a.b', 'public', 'docs', 'e', 4, 'l2')", "42602", "invalid name"),
    ("owner", "SELECT veer.register('d', 'public', 'docs', 'e', 3, 'l2')", "22000", "expected 4 dimensions, not 3"),
    ("owner", "SELECT veer.register('d', 'public', 'docs', 'e', 4, 'nothing')", "22023", 'no metric "nothing"'),
    ("owner", "SELECT veer.register('d', 'public', 'docs', 'bits', 8, 'l2')", "42804", "no metric"),
    ("owner", "SELECT veer.register('d', 'public', 'docs', 'kind')", "22023", "does not have dimensions"),
    ("owner", "SELECT veer.register('d', 'public', 'docs', 'id', 4)", "42804", "holds no vectors"),
    ("owner", "SELECT veer.register('d', 'public', 'nothing', 'e', 4)", "42P01", 'relation "public.nothing"'),
    ("owner", "SELECT veer.register('d', 'nowhere', 'docs', 'e', 4)", "3F000", 'schema "nowhere"'),
    ("owner", "SELECT veer.register('d', 'public', 'docs', 'nothing', 4)", "42703", 'column "nothing"'),
    ("owner", "SELECT veer.register('d', 'public', 'docs')", "0A000", "it is called as"),
    ("owner", "SELECT veer.register('d', 'public', 'docs', 'e', 4) FROM docs", "0A000", "it is called as"),
    ("owner", "SELECT ruvector_register_collection('d', 'public', 'docs')", "0A000", "it is called as"),
    ("eve", "SELECT veer.register('d', 'public', 'docs', 'e', 4)", "42501", "must be owner of table docs"),
    ("owner", "SELECT veer.unregister('nothing')", "42704", 'collection "nothing" does not exist'),
]


class Managed(Veer):
    """Nothing is to be answered by the index unless somebody asks for it; and there is nothing to begin with."""

    def configure(self, percent):
        super().configure(0)

    def live(self):
        return True

    def restart(self):
        self.end()
        self.start()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.log.close()

    def routes(self):
        with session(self.port) as db:
            return {row[0]: row for row in db.execute("SHOW veer.routes")}

    def is_live(self, route):
        row = self.routes().get(route)
        return row is not None and row[4] == "live"


def first_error(steps):
    return next((step for step in steps if step["error"][1] is not None), steps[-1])


def ways(each):
    """How a statement is sent once."""
    yield "simple", each.simple
    yield "extended", each.extended
    yield "prepared", lambda sql: first_error(each.named(sql, times=1))


def done(seen, tag, what):
    if seen["error"][1] is not None or seen["tag"] != tag:
        fail(f"{what}: {seen}")
    return seen


def noticed(each):
    """The notices from here on."""
    notices = []
    each.connection.notice_handler = lambda result: notices.append(result.error_message.decode())
    return notices


def error_of(seen):
    return seen["error"][1] and seen["error"][1].decode(), (seen["error"][2] or b"").decode()


def refusals(postgres, veer):
    """In each way of the protocol; nothing is left of them."""
    for user, sql, sqlstate in REFUSED:
        direct, through = Session(postgres.port, user), Session(veer.port, user)
        state, message = error_of(direct.simple(sql.replace("USING veer", "USING hnsw")))
        if state != sqlstate:
            fail(f"{sql}, in PostgreSQL: {state} {message}")
        for way, send in ways(through):
            seen = error_of(send(sql))
            if seen != (state, message.replace('"hnsw"', '"veer"')):
                fail(f"{user}: {sql} ({way}): {seen}, and of hnsw {state} {message}")
    for user, sql, sqlstate, message in REFUSED_BY_VEER:
        for way, send in ways(Session(veer.port, user)):
            seen = error_of(send(sql))
            if seen[0] != sqlstate or message not in seen[1]:
                fail(f"{user}: {sql} ({way}): {seen}")
    if veer.routes().keys() - {""}:
        fail(f"refused, and there: {veer.routes()}")


def served(each, sql):
    """Whether the index answers; and the same rows as PostgreSQL itself has."""
    rows = each.simple(sql)
    if rows["error"][1] is not None:
        fail(f"{sql}: {rows['error']}")
    return last(each)[0] == "veer"


def life(postgres, veer):
    """Made, searched at once, copied, served, dropped; by each way of the protocol."""
    route = "public.docs.e <=>"
    search = f"SELECT id FROM docs ORDER BY e <=> '{QUERY}' LIMIT 5"
    direct = Session(postgres.port, "owner")
    direct.simple("SET enable_indexscan = off")
    wanted = direct.simple(search)["rows"]
    for number, way in enumerate(("simple", "extended", "prepared")):
        send = dict(ways(Session(veer.port, "owner")))[way]
        other = Session(veer.port, "eve")
        made = done(send("CREATE INDEX CONCURRENTLY docs_e ON docs USING veer (e vector_cosine_ops)"
                         " WITH (m = 20, ef_construction = 100, quantization = none)"), b"CREATE INDEX", way)
        if made["columns"] or made["rows"]:
            fail(f"{way}: {made}")
        for call in (f"SELECT id FROM veer.search('docs_e', '{QUERY}', 5)",
                     f"SELECT id FROM veer.search('public.docs_e', '{QUERY}', 5)", search):
            if (rows := other.simple(call)["rows"]) != wanted:
                fail(f"{way}, at once: {call}: {rows}")
        row = veer.routes()[route]
        if row[-1] != "docs_e":
            fail(f"{way}, at once: {row}")
        wait_until(lambda: veer.is_live(route), f"{route} ({way})")
        wait_until(lambda: served(other, search), f"{route} to be served ({way})")
        call = f"SELECT id FROM veer.search('docs_e', '{QUERY}', 5)"
        if other.simple(call)["rows"] != wanted or last(other)[0] != "veer":
            fail(f"{way}: {call}: {last(other)}")
        if (state := error_of(send("CREATE INDEX docs_e ON docs USING veer (e vector_l2_ops)"))[0]) != "42P07":
            fail(f"{way}, again: {state}")
        if (state := error_of(send("CREATE INDEX more ON docs USING veer (e vector_cosine_ops)"))[0]) != "42710":
            fail(f"{way}, the same route: {state}")
        done(send("CREATE INDEX IF NOT EXISTS docs_e ON docs USING veer (e vector_cosine_ops)"), b"CREATE INDEX", way)
        if (seen := error_of(Session(veer.port, "eve").simple("DROP INDEX docs_e"))) != (
                "42501", "must be owner of index docs_e"):
            fail(f"{way}, dropped by eve: {seen}")
        if number == 0:
            veer.restart()
            send = Session(veer.port, "owner").simple
            wait_until(lambda: veer.is_live(route), f"{route} after a restart")
            again = Session(veer.port, "eve")
            wait_until(lambda: served(again, call), f"{route} to be served after a restart")
            if again.simple(call)["rows"] != wanted:
                fail(f"after a restart: {again.simple(call)}")
        done(send("DROP INDEX docs_e" if number else "DROP INDEX CONCURRENTLY IF EXISTS public.docs_e"), b"DROP INDEX", way)
        wait_until(lambda: route not in veer.routes(), f"{route} to be gone ({way})")
        each = Session(veer.port, "eve")
        if error_of(each.simple(f"SELECT id FROM veer.search('docs_e', '{QUERY}', 5)"))[0] != "42704":
            fail(f"{way}: dropped, and searched")
        if (seen := error_of(send("DROP INDEX docs_e"))) != ("42704", 'index "docs_e" does not exist'):
            fail(f"{way}: dropped twice: {seen}")
        done(send("DROP INDEX IF EXISTS docs_e"), b"DROP INDEX", f"of nothing ({way})")


def shares(veer):
    """A [[route]] without `percent` says how its searches are answered, not how many; one with it says both."""
    route = "public.docs.e <#>"
    search = f"SELECT id FROM docs ORDER BY e <#> '{QUERY}' LIMIT 5"
    without = veer.defaults
    for number, (said, share) in enumerate((("tie_breakers = true", 100), ("percent = 0", 0))):
        veer.defaults = f"""{without}
[[route]]
column = "public.docs.e"
operator = "<#>"
{said}
"""
        veer.restart()
        owner = Session(veer.port, "owner")
        wait_until(lambda: veer.is_live(route), f"{route}, which the file names")
        if served(owner, search):
            fail(f"{route}: served, and nobody has asked for it")
        done(owner.simple(f"CREATE INDEX docs_s{number} ON docs USING veer (e vector_ip_ops)"), b"CREATE INDEX", said)
        wait_until(lambda: float(veer.routes()[route][7]) == share, f"{said}: {share} %")
        wait_until(lambda: veer.is_live(route), f"{route}, declared")
        if share:
            wait_until(lambda: served(owner, search), f"{said}: to be served")
        elif served(owner, search):
            fail(f"{said}: {last(owner)}")
        done(owner.simple(f"DROP INDEX docs_s{number}"), b"DROP INDEX", said)
    veer.defaults = without
    veer.restart()


def collections(veer):
    """register and unregister, under both of their names."""
    for names in (("veer.register", "veer.unregister"), ("ruvector_register_collection", "ruvector_unregister_collection")):
        for way, send in ways(Session(veer.port, "owner")):
            made = done(send(f"SELECT {names[0]}('things', 'shop', 'items', 'e', 4, 'l2')"), b"SELECT 1", way)
            if made["rows"] != [[b"shop.items.e <->"]] or made["columns"][0][0].decode() != names[0].split(".")[-1]:
                fail(f"{names[0]} ({way}): {made}")
            each = Session(veer.port, "eve")
            call = f"SELECT id FROM veer.search('things', '{QUERY}', 3)"
            wanted = each.simple(f"SELECT id FROM shop.items ORDER BY e <-> '{QUERY}' LIMIT 3")["rows"]
            if (rows := each.simple(call)["rows"]) != wanted:
                fail(f"{names[0]} ({way}), at once: {rows}")
            if error_of(send(f"SELECT {names[0]}('things', 'shop', 'items', 'e', 4, 'ip')"))[0] != "42710":
                fail(f"{names[0]} ({way}): twice")
            if error_of(each.simple(f"SELECT {names[1]}('things')"))[0] != "42501":
                fail(f"{names[1]} ({way}): by eve")
            if way == "simple":
                wait_until(lambda: veer.is_live("shop.items.e <->"), names[0])
                wait_until(lambda: served(each, call), f"things to be served ({way})")
            done(send(f"SELECT * FROM {names[1]}('things')"), b"SELECT 1", way)
            if error_of(each.simple(call))[0] != "42704":
                fail(f"{names[1]} ({way}): searched all the same")


def kinds_of_columns(veer):
    """Each of pgvector's types, columns without dimensions, arrays, and odd names."""
    owner = Session(veer.port, "owner")
    for made, route in (
            ("CREATE INDEX ON docs USING veer (half halfvec_l2_ops)", "public.docs.half <->"),
            ("CREATE INDEX ON docs USING veer (bits bit_hamming_ops)", "public.docs.bits <~>"),
            ("CREATE INDEX ON docs USING veer (loose vector_l1_ops) WITH (dimensions = 4)", "public.docs.loose <+>"),
            ("CREATE INDEX ON shop.items USING veer (old vector_ip_ops) WITH (dimensions = 4)", "shop.items.old <#>"),
            ('CREATE INDEX "The Index" ON "Odd Table" USING veer ("E ""x"" " vector_l2_ops)', 'public.Odd Table.E "x"  <->')):
        notices = noticed(owner)
        done(owner.simple(made), b"CREATE INDEX", made)
        if len(notices) != 1 or "until it is complete Postgres answers" not in notices[0]:
            fail(f"{made}: {notices}")
        wait_until(lambda: veer.is_live(route), route)
    names = {row[-1] for row in veer.routes().values()}
    if names != {"docs_half_idx", "docs_bits_idx", "docs_loose_idx", "items_old_idx", "The Index"}:
        fail(f"named {names}")
    each = Session(veer.port, "owner")
    for index, vector in (("docs_half_idx", QUERY), ("docs_bits_idx", "10110100"), ("docs_loose_idx", QUERY), ("The Index", QUERY)):
        call = f"SELECT id FROM veer.search('{index}', '{vector}', 3)"
        wait_until(lambda: served(each, call), call)
    wait_until(lambda: served(each, f"SELECT id FROM shop.items ORDER BY old::vector <#> '{QUERY}' LIMIT 3"), "the array")
    if error_of(each.simple(f"SELECT id FROM veer.search('shop.items_old_idx', '{QUERY}', 3)"))[0] != "0A000":
        fail("an array is searched by name")
    for name in ("docs_half_idx", "docs_bits_idx", "docs_loose_idx", '"The Index"', "shop.items_old_idx"):
        done(each.simple(f"DROP INDEX {name}"), b"DROP INDEX", name)


def transactions(veer):
    """Refused as CREATE INDEX CONCURRENTLY is; the transaction has failed."""
    each = Session(veer.port, "owner")
    done(each.simple("CREATE INDEX docs_t ON docs USING veer (e vector_l2_ops)"), b"CREATE INDEX", "before")
    for sql in ("CREATE INDEX docs_u ON docs USING veer (e vector_ip_ops)", "DROP INDEX docs_t", "DROP INDEX IF EXISTS docs_t",
                "SELECT veer.register('t', 'public', 'docs', 'e', 4, 'ip')", "SELECT veer.unregister('t')"):
        for way, send in ways(each):
            each.simple("BEGIN")
            first = error_of(send(sql))[0]
            failed = each.in_failed_transaction()
            second = error_of(send(sql))[0]
            each.simple("ROLLBACK")
            if (first, failed, second) != ("25001", True, "25P02"):
                fail(f"{sql} ({way}): {first}, failed: {failed}, {second}")
        if (several := error_of(each.simple(f"{sql}; SELECT 1"))[0]) != "25001":
            fail(f"{sql}, and another: {several}")
        if each.simple("SELECT 1")["rows"] != [[b"1"]]:
            fail("the session is out of step")
    # Prepared before, executed within.
    each.connection.prepare(b"drop", b"DROP INDEX docs_t")
    each.simple("BEGIN")
    if (state := error_of(each.seen(each.connection.exec_prepared(b"drop", [])))[0]) != "25001":
        fail(f"executed within: {state}")
    each.simple("ROLLBACK")
    if {row[-1] for row in veer.routes().values()} - {""} != {"docs_t"}:
        fail(f"of transactions there is left: {veer.routes()}")
    if error_of(each.seen(each.connection.exec_prepared(b"drop", [])))[0] is not None:
        fail("executed outside")
    twice = error_of(each.seen(each.connection.exec_prepared(b"drop", [])))
    if twice != ("42704", 'index "docs_t" does not exist'):
        fail(f"dropped twice by one statement: {twice}")
    # And the session asks all the same.
    done(each.simple("CREATE INDEX docs_t ON docs USING veer (e vector_l2_ops)"), b"CREATE INDEX", "after")
    done(each.simple("DROP INDEX docs_t"), b"DROP INDEX", "after")


def names(postgres, veer):
    """Who makes an index or a collection cannot take the name of another's."""
    with session(postgres.port) as db:
        db.execute(f"CREATE SCHEMA evil AUTHORIZATION eve; CREATE TABLE evil.docs (id int PRIMARY KEY, e vector(4));"
                   f"INSERT INTO evil.docs VALUES (-1, '{QUERY}'); ALTER TABLE evil.docs OWNER TO eve; GRANT USAGE ON SCHEMA evil TO owner")
    owner, eve = Session(veer.port, "owner"), Session(veer.port, "eve")

    def nearest(name):
        seen = owner.simple(f"SELECT id FROM veer.search('{name}', '{QUERY}', 1)")
        return error_of(seen)[0] or int(seen["rows"][0][0])

    done(owner.simple("CREATE INDEX docs_n ON docs USING veer (e vector_l2_ops)"), b"CREATE INDEX", "the owner's")
    done(owner.simple("SELECT veer.register('nearby', 'public', 'docs', 'e', 4, 'ip')"), b"SELECT 1", "the owner's")
    mine = {name: nearest(name) for name in ("docs_n", "nearby", "public.docs.e <->")}
    done(eve.simple("CREATE INDEX docs_n ON evil.docs USING veer (e vector_l2_ops)"), b"CREATE INDEX", "eve's")
    for name in ("docs_n", "nearby", "docs", "public.docs", "public.docs_n"):
        if error_of(eve.simple(f"SELECT veer.register('{name}', 'evil', 'docs', 'e', 4, 'ip')"))[0] not in ("42602", "42710"):
            fail(f"eve has a collection {name}")
    if -1 in mine.values() or {name: nearest(name) for name in mine} != mine:
        fail(f"the owner's, beside eve's: {mine}")
    if nearest("evil.docs_n") != "42501":
        fail(f"eve's, with its schema: {nearest('evil.docs_n')}")
    owner.simple("SET search_path = evil, public")  # which the owner may say at any time
    if nearest("docs_n") != "42501":
        fail(f"eve's, by the search_path: {nearest('docs_n')}")
    owner.simple("RESET search_path")
    done(owner.simple("DROP INDEX docs_n"), b"DROP INDEX", "the owner's")
    if nearest("docs_n") != "42704":
        fail(f"the owner's has gone: {nearest('docs_n')}")
    done(eve.simple("DROP INDEX evil.docs_n"), b"DROP INDEX", "eve's")
    done(owner.simple("SELECT veer.unregister('nearby')"), b"SELECT 1", "the owner's")


def postgres_own(postgres, veer):
    """What PostgreSQL has under these names is PostgreSQL's."""
    admin, through = Session(postgres.port), Session(veer.port)
    done(through.simple("CREATE INDEX docs_own ON docs USING veer (e vector_l2_ops)"), b"CREATE INDEX", "veer's")
    # By the search_path, as Postgres finds it.
    admin.simple("CREATE TABLE shop.t (i int); CREATE INDEX docs_own ON shop.t (i)")
    through.simple("SET search_path = shop, public")
    done(through.simple("DROP INDEX docs_own"), b"DROP INDEX", "shop's")
    if admin.simple("SELECT to_regclass('shop.docs_own')")["rows"] != [[None]]:
        fail("PostgreSQL's index is still there")
    if "docs_own" not in {row[-1] for row in veer.routes().values()}:
        fail("veer's index went in its place")
    done(through.simple("DROP INDEX docs_own"), b"DROP INDEX", "veer's")
    for name, made in (("veer.register", "CREATE SCHEMA veer"), ("ruvector_register_collection", "SELECT 1")):
        admin.simple(made)
        admin.simple(f"CREATE FUNCTION {name}(text, text, text, text, int) RETURNS int LANGUAGE sql AS 'SELECT 42 + $5'")
        for way, send in ways(through):
            if (rows := send(f"SELECT {name}('a', 'public', 'docs', 'e', 4)")["rows"]) != [[b"46"]]:
                fail(f"{name} ({way}): {rows}")
        admin.simple(f"DROP FUNCTION {name}(text, text, text, text, int)")
    admin.simple("DROP SCHEMA veer")
    admin.simple("CREATE ACCESS METHOD veer TYPE INDEX HANDLER hnswhandler")
    admin.simple("CREATE OPERATOR CLASS vector_l2_ops FOR TYPE vector USING veer AS"
                 " OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops, FUNCTION 1 vector_l2_squared_distance(vector, vector)")
    for way, send in ways(through):
        done(send("CREATE INDEX docs_am ON docs USING veer (e vector_l2_ops)"), b"CREATE INDEX", f"an access method ({way})")
        if admin.simple("SELECT to_regclass('public.docs_am')")["rows"] == [[None]]:
            fail(f"the access method's index is not PostgreSQL's ({way})")
        done(send("DROP INDEX docs_am"), b"DROP INDEX", way)
    admin.simple("DROP ACCESS METHOD veer CASCADE")


def slow_disk(veer):
    """Who waits for the file of declared routes holds up nobody else, and hears of it when it is there."""
    owner = Session(veer.port, "owner").connection
    others = [Session(veer.port, "owner").connection for _ in range(2 * os.cpu_count())]  # some on the same thread
    draft = veer.directory / "data" / "routes.new"
    reader = full_pipe(draft)
    owner.send_query(b"CREATE INDEX docs_d ON docs USING veer (e vector_l2_ops)")
    wait_until(lambda: has_open(veer, draft), "the file to be opened")
    for each in others:
        each.send_query(b"SELECT 1")
    wait_until(lambda: all(answered(each) for each in others), "the other sessions")
    if answered(owner):
        fail("an index is there before it is stored")
    os.read(reader, 1 << 20)  # there is room again; and a pipe cannot be made durable
    wait_until(lambda: answered(owner), "what becomes of it")
    os.close(reader)
    if (state := owner.get_result().error_field(pq.DiagnosticField.SQLSTATE)) != b"58030":
        fail(f"what cannot be stored: {state}")
    draft.unlink()
    each = Session(veer.port, "owner")
    done(each.simple("CREATE INDEX docs_d ON docs USING veer (e vector_l2_ops)"), b"CREATE INDEX", "with a disk again")
    done(each.simple("DROP INDEX docs_d"), b"DROP INDEX", "with a disk again")


def full_pipe(path):
    """Whoever writes to it waits until its end, which this gives, is read."""
    os.mkfifo(path)
    reader, writer = (os.open(path, flags | os.O_NONBLOCK) for flags in (os.O_RDONLY, os.O_WRONLY))
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.close(writer)
    return reader


def has_open(veer, path):
    files = pathlib.Path(f"/proc/{veer.process.pid}/fd")
    return any(os.path.samefile(file, path) for file in files.iterdir() if file.exists())


def answered(connection):
    connection.consume_input()
    return not connection.is_busy()


def broken_file(veer):
    """Said with its line, and left as it is; without it veer starts again."""
    each = Session(veer.port, "owner")
    done(each.simple("CREATE INDEX docs_f ON docs USING veer (e vector_l2_ops)"), b"CREATE INDEX", "before")
    veer.end()
    file = veer.directory / "data" / "routes"
    whole = file.read_text()
    file.write_text(whole.replace("docs_f", "docs_g"))
    broken = file.read_text()
    veer.launch(veer.binary, "run", "--upstream", veer.upstream, "--listen", "127.0.0.1:0", "--data-dir", veer.directory / "data")
    if veer.process.wait() != 1 or "data/routes:3: " not in veer.said() or file.read_text() != broken:
        fail(f"a broken file: {veer.said()}")
    veer.log.close()
    file.write_text(whole)
    veer.start()
    if {row[-1] for row in veer.routes().values()} != {"docs_f"}:
        fail(f"a whole file: {veer.routes()}")


def main(binary):
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute(TABLES)
        with Managed(binary, postgres) as veer:
            refusals(postgres, veer)
            life(postgres, veer)
            collections(veer)
            shares(veer)
            kinds_of_columns(veer)
            transactions(veer)
            names(postgres, veer)
            postgres_own(postgres, veer)
            slow_disk(veer)
            broken_file(veer)
    print(f"{len(REFUSED) + len(REFUSED_BY_VEER)} refusals in 3 ways; indexes and collections made, served and dropped in 3 ways")


if __name__ == "__main__":
    main(*sys.argv[1:])
