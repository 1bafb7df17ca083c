"""Functions whose bodies veer puts in the place of their calls, while what they are, and who may call them, changes.

    functions_test.py <veer binary>

What PostgreSQL says directly is right. Both sides change through the one database, so each change is made once.
"""

import sys

from observed import Session, difference, last
from private_servers import Postgres, Veer, fail, session, wait_until

QUERY = "[0.1,-0.2,0.3,0.4]"
BODY = "SELECT id, title, e <-> query FROM docs WHERE tenant = {} ORDER BY e <-> query LIMIT k"
MATCH = """CREATE OR REPLACE FUNCTION public.match(query vector, k int) RETURNS TABLE (key bigint, name text, far float8)
LANGUAGE {} AS $$ {} $$"""
TABLES = """
CREATE EXTENSION vector;
CREATE ROLE alice LOGIN;
CREATE TABLE docs (id bigint PRIMARY KEY, tenant int, title text, e vector(4));
SELECT setseed(0.7);
INSERT INTO docs
SELECT i, i % 5, 'title ' || i, ARRAY[random() - 0.5, random() - 0.5, random() - 0.5, random() - 0.5]::vector
  FROM generate_series(1, 300) i;
CREATE INDEX ON docs USING hnsw (e vector_l2_ops);
GRANT SELECT ON docs TO alice;
CREATE SCHEMA mine;
GRANT USAGE ON SCHEMA mine TO alice;
ALTER DATABASE postgres SET hnsw.ef_search = 1000;
ALTER TABLE docs ADD label text COLLATE "en-x-icu";
UPDATE docs SET label = CASE id % 2 WHEN 0 THEN 'a' ELSE 'B' END || id;
CREATE TYPE pair AS (key bigint, name text);
CREATE FUNCTION pairs(query vector, k int) RETURNS SETOF pair LANGUAGE sql
    AS $$ SELECT id, title FROM docs ORDER BY e <-> query LIMIT k $$;
CREATE FUNCTION labels(query vector, k int) RETURNS TABLE (key bigint, name text) LANGUAGE sql
    AS $$ SELECT id, label FROM docs ORDER BY e <-> query LIMIT k $$;
"""
ROUTE = """
[[route]]
column = "public.docs.e"
operator = "<->"
functions = ["public.match", "public.pairs", "public.labels"]
"""
CALL = "SELECT * FROM match($1, 5)"


class Pair:
    """A session at PostgreSQL and one at veer, with the call prepared in both."""

    def __init__(self, stage, user):
        self.direct = Session(stage.postgres.port, user)
        self.through = Session(stage.veer.port, user)
        self.direct.simple("SET enable_indexscan = off")
        for each in (self.direct, self.through):
            each.connection.prepare(b"call", CALL.encode())

    def say(self, sql):
        for each in (self.direct, self.through):
            each.simple(sql)

    def search(self, what):
        """Every way of the protocol; gives who answered, and why."""
        ways = {
            "simple": lambda each: each.simple(CALL.replace("$1", f"'{QUERY}'")),
            "extended": lambda each: each.extended(CALL, [QUERY]),
            "binary": lambda each: each.extended(CALL, [QUERY], binary_results=True),
            "prepared": lambda each: each.seen(each.connection.exec_prepared(b"call", [QUERY.encode()])),
        }
        answers = set()
        for way, send in ways.items():
            if different := difference(send(self.direct), send(self.through)):
                fail(f"{what}, {way}: {different} ({last(self.through)})")
            answers.add(last(self.through))
        return answers


class Stage:
    def __init__(self, postgres, veer):
        self.postgres = postgres
        self.veer = veer
        self.admin = Session(veer.port)

    def change(self, *statements):
        for sql in statements:
            if (seen := self.admin.simple(sql))["error"][1] is not None:
                fail(f"{sql}: {seen['error']}")

    def served(self, pair, what):
        """Sooner or later the index answers in all ways; never is an answer another than PostgreSQL's."""
        wait_until(lambda: pair.search(what) == {("veer", "rewrite")}, what)


def scene_replaced(stage):
    """CREATE OR REPLACE by another session: seen at once, and served again."""
    pair = Pair(stage, "alice")
    stage.served(pair, "at first")
    for tenant in (2, 3):
        stage.change(MATCH.format("sql", BODY.format(tenant)))
        pair.search(f"replaced for tenant {tenant}")
        stage.served(pair, f"tenant {tenant}")
    stage.change(MATCH.format("plpgsql", "BEGIN RETURN QUERY " + BODY.format(1) + "; END"))
    pair.search("in another language")
    wait_until(lambda: pair.search("PL/pgSQL") == {("postgres", "function_language")}, "the reason")
    stage.change(MATCH.format("sql STABLE", BODY.format(1)))
    stage.served(pair, "LANGUAGE sql again")
    for change in ("SECURITY DEFINER", "SECURITY INVOKER STRICT", "CALLED ON NULL INPUT SET enable_sort = on"):
        stage.change(f"ALTER FUNCTION public.match {change}")
        wait_until(lambda: pair.search(change) == {("postgres", "function_form")}, change)
    stage.change("ALTER FUNCTION public.match RESET ALL")
    stage.served(pair, "as it was")


def scene_past_veer(stage):
    """At PostgreSQL itself: a new session sees it at once, an old one when its facts have aged."""
    old = Pair(stage, "alice")
    stage.served(old, "before")
    with session(stage.postgres.port) as db:
        db.execute(MATCH.format("sql", BODY.format(4)))
    Pair(stage, "alice").search("replaced past veer, in a new session")
    with session(stage.postgres.port) as db:
        db.execute(MATCH.format("sql", BODY.format(1)))
    same = lambda: difference(*(each.extended(CALL, [QUERY]) for each in (old.direct, old.through))) is None
    wait_until(same, "what was replaced past veer")
    stage.served(old, "after")


def scene_rights(stage):
    """Whoever may not execute it, or not read the table, hears PostgreSQL's error."""
    pair = Pair(stage, "alice")
    stage.served(pair, "with all rights")
    for change in ("REVOKE EXECUTE ON FUNCTION public.match FROM PUBLIC", "GRANT EXECUTE ON FUNCTION public.match TO alice",
                   "REVOKE SELECT ON docs FROM alice", "GRANT SELECT (id, e) ON docs TO alice",
                   "GRANT SELECT (title, tenant) ON docs TO alice", "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
                   "GRANT USAGE ON SCHEMA public TO PUBLIC", "ALTER TABLE docs ENABLE ROW LEVEL SECURITY",
                   "CREATE POLICY evens ON docs USING (id % 2 = 0)"):
        stage.change(change)
        pair.search(change)
    wait_until(lambda: pair.search("row security") == {("postgres", "row_security")}, "row security")
    stage.change("ALTER TABLE docs DISABLE ROW LEVEL SECURITY")
    stage.served(pair, "without row security")


def scene_names(stage):
    """Another function of the name, in the session's own path or beside it; none at all."""
    pair = Pair(stage, "alice")
    stage.served(pair, "alone of its name")
    pair.say("SET search_path = mine, public")
    stage.served(pair, "in another path")
    stage.change(MATCH.format("sql", BODY.format(2)).replace("public.match", "mine.match"))
    pair.search("hidden by another")
    stage.change("DROP FUNCTION mine.match")
    stage.served(pair, "alone again")
    stage.change(MATCH.format("sql", BODY.format(2)).replace("k int", "k text").replace("LIMIT k", "LIMIT 3"))
    pair.search("with another of other arguments")
    stage.change("DROP FUNCTION public.match(vector, text)")
    stage.served(pair, "alone once more")
    stage.change("ALTER TABLE docs ADD query int")
    pair.search("a column of a parameter's name")
    stage.change("ALTER TABLE docs DROP query")
    stage.served(pair, "without that column")
    stage.change("DROP FUNCTION public.match")
    pair.search("gone")
    stage.change(MATCH.format("sql", BODY.format(1)))
    stage.served(pair, "back")


def scene_transactions(stage):
    """What a transaction has made of it is for itself alone."""
    pair, other = Pair(stage, "postgres"), Pair(stage, "alice")
    stage.served(pair, "outside")
    through = pair.through
    for end in ("ROLLBACK", "COMMIT"):
        through.simple("BEGIN")
        through.simple(MATCH.format("sql", BODY.format(0)))
        titles = lambda: [row[1] for row in through.extended(CALL, [QUERY])["rows"]]
        inside = titles()
        other.search("while another transaction has replaced it")
        through.simple(end)
        pair.search(f"after {end}")
        if (inside == titles()) != (end == "COMMIT"):
            fail(f"inside a transaction and after its {end}: {inside}")
    stage.change(MATCH.format("sql", BODY.format(1)))
    pair.say("BEGIN")
    stage.served(pair, "inside of a transaction that reads")
    pair.say("COMMIT")


def asked(pair, sql, what):
    """The same answer from both, of a statement that neither has prepared; gives who answered, and why."""
    seen = pair.through.extended(sql, [QUERY])
    if different := difference(pair.direct.extended(sql, [QUERY]), seen):
        fail(f"{what}: {different} ({last(pair.through)})")
    return last(pair.through)


def scene_row_types(stage):
    """The columns of the type that a function returns change, while the function's own entry does not."""
    pair = Pair(stage, "alice")
    sql = "SELECT * FROM pairs($1, 5)"
    wait_until(lambda: asked(pair, sql, "a row type") == ("veer", "rewrite"), "served")
    for change in ("RENAME ATTRIBUTE name TO label", "ALTER ATTRIBUTE label TYPE varchar(20)",
                   "ALTER ATTRIBUTE label TYPE text", "RENAME ATTRIBUTE label TO name"):
        stage.change(f"ALTER TYPE pair {change}")
        asked(pair, sql, change)
    wait_until(lambda: asked(pair, sql, "as it was") == ("veer", "rewrite"), "served again")


def scene_collations(stage):
    """What comes out of a function has its type's collation, whatever its column has."""
    pair = Pair(stage, "alice")
    for order in ("key", "name", "max(name) OVER () || key"):
        asked(pair, f"SELECT key, name FROM labels($1, 20) ORDER BY {order}", order)
    if (heard := asked(pair, "SELECT * FROM labels($1, 5)", "alone"))[0] != "postgres":
        fail(f"a function of another collation: {heard}")


def scene_explained(stage):
    """EXPLAIN and SET veer.notice say why."""
    told = Session(stage.veer.port)
    heard = []
    told.connection.notice_handler = lambda result: heard.append(result.error_message.decode().splitlines()[0])
    call = CALL.replace("$1", f"'{QUERY}'")
    told.simple("EXPLAIN " + call)
    stage.change(MATCH.format("plpgsql", "BEGIN RETURN QUERY " + BODY.format(1) + "; END"))
    told.simple("EXPLAIN " + call)
    told.simple("EXPLAIN " + call)
    stage.change(MATCH.format("sql", BODY.format(1)))
    wanted = ["would answer this search from its index (rewrite)"] + [
        f"would leave this search to PostgreSQL ({why})" for why in ("function_changed", "function_language")]
    if [line.removeprefix("NOTICE:  veer ") for line in heard] != wanted:
        fail(f"heard {heard}, not {wanted}")


def main(binary, *names):
    scenes = [each for name, each in globals().items() if name.startswith("scene_") and (not names or name in names)]
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute(TABLES)
            db.execute(MATCH.format("sql", BODY.format(1)))
        with Veer(binary, postgres, ROUTE) as veer:
            stage = Stage(postgres, veer)
            for scene in scenes:
                scene(stage)
                print(f"{scene.__name__} holds", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
