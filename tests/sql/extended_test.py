"""veer.search() and ruvector_search(): each call beside the SELECT that says the same, sent to PostgreSQL itself.

    extended_test.py <veer binary>

Rows and columns have to be the same in every way of the protocol; so do transactions after an error.
"""

import struct
import sys

from observed import Session, last, same_value
from private_servers import Postgres, Veer, fail, session, wait_until

QUERY = "[0.1,-0.2,0.3,0.4]"
TABLES = """
CREATE EXTENSION vector;
CREATE ROLE alice LOGIN;
CREATE ROLE eve LOGIN;
CREATE SCHEMA shop;
GRANT USAGE ON SCHEMA shop TO alice, eve;
SELECT setseed(0.7);
CREATE FUNCTION some_vector(n int) RETURNS vector LANGUAGE sql VOLATILE AS
    $$ SELECT array_agg(random() - 0.5 + 0 * n)::vector FROM generate_series(1, 4) $$;
CREATE TABLE docs (id bigint PRIMARY KEY, tenant int, kind text, day date, meta jsonb, "Odd Name" text, e vector(4));
INSERT INTO docs
SELECT i, i % 5, CASE WHEN i % 9 = 0 THEN NULL ELSE (ARRAY['red', 'green', 'it''s', 'é'])[i % 4 + 1] END,
       date '2024-01-01' + i % 50, jsonb_build_object('k', 'v' || i % 4, 'n', i % 3), 'odd ' || i % 6, some_vector(i)
  FROM generate_series(1, 400) i;
CREATE INDEX ON docs USING hnsw (e vector_cosine_ops);
CREATE INDEX ON docs USING hnsw (e vector_l2_ops);
CREATE TABLE shop.items (code uuid PRIMARY KEY, stock int, e vector(4));
INSERT INTO shop.items SELECT md5(i::text)::uuid, i % 10, some_vector(i) FROM generate_series(1, 300) i;
CREATE INDEX ON shop.items USING hnsw (e vector_ip_ops);
CREATE TABLE far (id int PRIMARY KEY, distance int, e vector(4));
INSERT INTO far SELECT i, i, some_vector(i) FROM generate_series(1, 50) i;
CREATE INDEX ON far USING hnsw (e vector_l2_ops);
GRANT SELECT ON docs, shop.items TO alice;
GRANT SELECT (id, e) ON docs TO eve;
ALTER DATABASE postgres SET hnsw.ef_search = 1000;
"""
ROUTES = """
[[route]]
column = "public.docs.e"
operator = "<=>"
columns = "all"

[[route]]
column = "public.docs.e"
operator = "<->"
columns = "all"
"""
COSINE = "public.docs.e <=>"
# What is asked of veer; of PostgreSQL; how it is answered. $1 is the vector.
CALLS = [
    (f"SELECT id, distance FROM veer.search('{COSINE}', $1, 5)",
     "SELECT id, e <=> $1 AS distance FROM docs ORDER BY e <=> $1 LIMIT 5", "local"),
    (f"SELECT s.id AS key, s.distance AS far FROM VEER.Search('{COSINE}', $1, 5, 200) AS s;",
     "SELECT id AS key, e <=> $1 AS far FROM docs ORDER BY e <=> $1 LIMIT 5", "local"),
    (f"/* before */ SELECT id, tenant, kind FROM veer.search('{COSINE}', $1, 3, filter => '{{\"tenant\": 3}}') -- after",
     "SELECT id, tenant, kind FROM docs WHERE tenant = 3 ORDER BY e <=> $1 LIMIT 3", "local"),
    (f"SELECT id FROM veer.search('{COSINE}', $1, filter => '{{\"kind\": [\"red\", \"it''s\", \"\\u00e9\"], \"tenant\": {{\"$ne\": 0}}}}')",
     "SELECT id FROM docs WHERE kind IN ('red', 'it''s', 'é') AND tenant <> 0 ORDER BY e <=> $1 LIMIT 10", "local"),
    (f"SELECT id, day FROM veer.search('{COSINE}', $1, 4, filter => '{{\"kind\": null, \"day\": {{\"$gte\": \"2024-01-20\"}}}}')",
     "SELECT id, day FROM docs WHERE kind IS NULL AND day >= '2024-01-20' ORDER BY e <=> $1 LIMIT 4", "veer"),
    (f"SELECT id FROM veer.search('{COSINE}', $1, 4, 100, '{{\"meta\": {{\"k\": \"v1\"}}}}'::jsonb)",
     "SELECT id FROM docs WHERE meta @> '{\"k\": \"v1\"}' ORDER BY e <=> $1 LIMIT 4", "veer"),
    (f"SELECT * FROM veer.search('{COSINE}', $1, 4)",
     "SELECT *, e <=> $1 AS distance FROM docs ORDER BY e <=> $1 LIMIT 4", "veer"),
    (f"SELECT id, round(distance::numeric, 3) FROM veer.search('{COSINE}', $1, 9) WHERE distance < 0.9 ORDER BY distance DESC",
     "SELECT id, round(distance::numeric, 3) FROM (SELECT id, e <=> $1 AS distance FROM docs ORDER BY e <=> $1 LIMIT 9) s"
     " WHERE distance < 0.9 ORDER BY distance DESC", "veer"),
    (f"SELECT d.kind, s.distance FROM veer.search('{COSINE}', $1, 6) s JOIN docs d USING (id) ORDER BY 2",
     "SELECT d.kind, s.distance FROM (SELECT id, e <=> $1 AS distance FROM docs ORDER BY e <=> $1 LIMIT 6) s"
     " JOIN docs d USING (id) ORDER BY 2", "veer"),
    (f"SELECT \"Odd Name\", d.id FROM ruvector_search('{COSINE}', $1, 5, NULL, FALSE, '{{\"Odd Name\": \"odd 3\"}}') d",
     "SELECT \"Odd Name\", id FROM docs WHERE \"Odd Name\" = 'odd 3' ORDER BY e <=> $1 LIMIT 5", "veer"),
    ("SELECT code, distance FROM veer.search('items', vector => $1::vector, k => 7)",
     "SELECT code, e <#> $1::vector AS distance FROM shop.items ORDER BY e <#> $1::vector LIMIT 7", "local"),
    (f"SELECT id FROM ruvector_search('{COSINE}', $1, 5, NULL, NULL, '{{\"tenant\": 3}}')",
     "SELECT id FROM docs WHERE tenant = 3 ORDER BY e <=> $1 LIMIT 5", "local"),
    (f'SELECT id FROM "veer"."search"(\'{COSINE}\', $1, 5)',
     "SELECT id FROM docs ORDER BY e <=> $1 LIMIT 5", "local"),
    # A name that only the query around it has is not found there.
    (f"SELECT u.number FROM (VALUES (1), (2)) u (number) WHERE EXISTS (SELECT id FROM veer.search('{COSINE}', $1, 2,"
     f" filter => '{{\"tenant\": 4}}') WHERE id % 5 = 4) ORDER BY 1",
     "SELECT u.number FROM (VALUES (1), (2)) u (number) WHERE EXISTS (SELECT id FROM (SELECT * FROM docs WHERE tenant = 4"
     " ORDER BY e <=> $1 LIMIT 2) s WHERE id % 5 = 4) ORDER BY 1", None),
    ("SELECT code FROM veer.search('shop.items.e', $1) AS s",
     "SELECT code FROM shop.items ORDER BY e <#> $1 LIMIT 10", "local"),
    (f"WITH near AS (SELECT id, distance FROM veer.search('{COSINE}', $1, 8)) SELECT count(*) FROM near WHERE id % 2 = 0",
     "WITH near AS (SELECT id, e <=> $1 AS distance FROM docs ORDER BY e <=> $1 LIMIT 8) SELECT count(*) FROM near WHERE id % 2 = 0",
     "veer"),
]
# What cannot be answered: SQLSTATE, and a part of the message.
WRONG = [
    ("SELECT * FROM veer.search('nothing', '[1,2,3,4]', 5)", "42704", 'there is no route "nothing"'),
    ("SELECT * FROM veer.search('docs', '[1,2,3,4]', 5)", "42725", "several routes"),
    ("SELECT * FROM veer.search('items')", "0A000", "has a route, a vector"),
    ("SELECT * FROM veer.search('items', '[1,2,3,4]', 5, 10, NULL, NULL, 7)", "0A000", "has a route, a vector"),
    ("SELECT * FROM veer.search('items', '[1,2,3,4]', k => NULL, k => 5)", "42601", 'argument name "k" used more than once'),
    ("SELECT * FROM veer.search('items', '[1,2,3,4]', NULL, k => 5)", "0A000", "has a route, a vector"),
    ("SELECT * FROM veer.search('items', '[1,2,3,4]', 5, 0)", "22023", "0 is no ef"),
    ("SELECT * FROM veer.search('items', '[1,2,3,4]', filter => 'stock = 3')", "22023", "no object"),
    ("SELECT * FROM veer.search('items', '[1,2,3,4]', filter => '{\"stock\": {\"$about\": 3}}')", "22023", "no object"),
    ("SELECT veer.search('items', '[1,2,3,4]', 5)", "0A000", "one item of FROM"),
    ("SELECT * FROM veer.search('items', (SELECT e FROM docs LIMIT 1), 5)", "0A000", "one item of FROM"),
    ("SELECT * FROM ruvector_search('items', '[1,2,3,4]', 5, 40, TRUE, NULL)", "0A000", "has a route, a vector"),
    ("SELECT * FROM veer.search('far', '[1,2,3,4]', 5)", "0A000", 'column "distance" of its own'),
    ("SELECT * FROM veer.search('items', '[1,2,3]', 5)", "22000", "different vector dimensions"),
    ("SELECT nothing FROM veer.search('items', '[1,2,3,4]', 5)", "42703", 'column "nothing" does not exist'),
    ("SELECT * FROM veer.search('items', '[1,2,3,4]', filter => '{\"none\": 3}')", "42703", "column items.none does not exist"),
    ("SELECT 1 FROM (VALUES (1)) u (number) WHERE EXISTS (SELECT * FROM veer.search('items', '[1,2,3,4]', filter => "
     "'{\"number\": 1}'))", "42703", "column items.number does not exist"),
    ("SELECT * FROM ruvector_search('items', '[1,2,3,4]', 5, 40, '{\"stock\": 3}', '{\"stock\": 3}')", "0A000", "has a route, a vector"),
    ("SELECT * FROM veer.search('items', '[1,2,3,4]', filter => '{\"stock\": \"x\"}')", "22P02", "invalid input syntax"),
    ("SELECT * FROM veer.search('items', '[1,2,3,4]', -1)", "2201W", "LIMIT must not be negative"),
]


def alike(wanted, seen):
    """Without where columns are from, which a sub-select may change, and but for the last digits of distances."""
    names = [[(column[0], column[3]) for column in each["columns"]] for each in (wanted, seen)]
    same = names[0] == names[1] and len(wanted["rows"]) == len(seen["rows"])
    return same and all(wanted[part] == seen[part] for part in ("status", "tag", "error")) and all(
        same_value(column, *values)
        for rows in zip(wanted["rows"], seen["rows"])
        for column, *values in zip(wanted["columns"], *rows))


def ways(each, sql):
    yield "simple", each.simple(sql.replace("$1", f"'{QUERY}'"))
    yield "extended", each.extended(sql, [QUERY])
    yield "binary results", each.extended(sql, [QUERY], binary_results=True)
    for step, seen in enumerate(each.named(sql, [QUERY], types=None)):
        yield f"prepared, step {step}", seen


def calls(postgres, veer, user):
    direct, through = Session(postgres.port, user), Session(veer.port, user)
    direct.simple("SET enable_indexscan = off")
    for sql, same, how in CALLS:
        for (way, wanted), (_, seen) in zip(ways(direct, same), ways(through, sql)):
            if not alike(wanted, seen):
                fail(f"{sql} ({way}):\n{wanted}\n{seen}")
            engine, reason = last(through)
            if how is not None and way != "prepared, step 0" and (engine != "veer" or how not in ("veer", reason)):
                fail(f"{sql} ({way}): {engine} answered ({reason}), not {how}")


def wrong(veer):
    """Errors say what to do, in and out of transactions, and end these as errors do."""
    through = Session(veer.port)
    for sql, sqlstate, message in WRONG:
        for way, send in (("simple", through.simple), ("extended", through.extended), ("prepared", lambda text: through.named(text)[0])):
            if way == "prepared" and sqlstate in ("22000", "2201W"):
                continue  # not before it is run
            error = send(sql)["error"]
            if error[1] != sqlstate.encode() or message not in error[2].decode() or error[4] is not None:
                fail(f"{sql} ({way}): {error}")
            through.simple("BEGIN")
            error = send(sql)["error"]
            failed = through.in_failed_transaction()
            again = through.simple(CALLS[0][0].replace("$1", f"'{QUERY}'"))["error"][1]
            through.simple("ROLLBACK")
            if error[1] != sqlstate.encode() or not failed or again != b"25P02":
                fail(f"{sql} ({way}) in a transaction: {error}, failed: {failed}, then {again}")
    for sql in ("SELECT id FROM veer.search($1, '[1,2,3,4]')", "SELECT id FROM veer.search('items', '[1,2,3,4]', filter => $1)",
                "SELECT id FROM veer.search('items', '[1,2,3,4]', ef => $1)"):
        error = through.extended(sql, ["items"])["error"]
        if error[1] != b"0A000" or b"from the statement's text" not in error[2]:
            fail(f"{sql}: {error}")


def counts(veer):
    """A parameter for k, NULL among them, in text and in binary form."""
    through = Session(veer.port)
    call = f"SELECT id FROM veer.search('{COSINE}', $1, $2)"
    for value, binary, rows in (("7", {}, 7), ("7", {1: struct.pack("!i", 7)}, 7), (None, {}, 10)):
        for seen in (through.extended(call, [QUERY, value], binary=binary), through.named(call, [QUERY, value], binary=binary)[2]):
            if seen["error"][1] is not None or len(seen["rows"]) != rows:
                fail(f"k = {value}: {seen}")
            if value is not None and last(through) != ("veer", "local"):
                fail(f"k = {value}: {last(through)}")


def hints(veer):
    """What a client has written into the text that is replaced."""
    through = Session(veer.port)
    for sql in (f"SELECT /* veer: route=postgres */ id FROM veer.search('{COSINE}', '{QUERY}')",
                f"SELECT * FROM veer.search('{COSINE}', /* NO LOAD BALANCE */ '{QUERY}') s WHERE id > 0"):
        rows = through.simple(sql)["rows"]
        if len(rows) != 10 or last(through) != ("postgres", "hint"):
            fail(f"{sql}: {len(rows)} rows, {last(through)}")


def several(veer):
    """In a Query of several statements a call is refused in veer's words, and others' errors in PostgreSQL's."""
    through = Session(veer.port)
    call = f"SELECT id FROM veer.search('{COSINE}', '{QUERY}')"
    for sql, sqlstate in ((f"SELECT 1; {call}", b"0A000"), (f"SELECT * FROM not_there; {call}", b"42P01")):
        if (error := through.simple(sql)["error"])[1] != sqlstate:
            fail(f"{sql}: {error}")


def rights(postgres, veer):
    """Of the SELECT that a call stands for; row level security is Postgres'."""
    eve, admin = Session(veer.port, "eve"), Session(veer.port)
    for sql, sqlstate in (
            (f"SELECT id, distance FROM veer.search('{COSINE}', '{QUERY}', 5)", None),
            (f"SELECT id, kind FROM veer.search('{COSINE}', '{QUERY}', 5)", b"42501"),
            (f"SELECT * FROM veer.search('{COSINE}', '{QUERY}', 5)", b"42501"),
            (f"SELECT id FROM veer.search('{COSINE}', '{QUERY}', 5, filter => '{{\"tenant\": 1}}')", b"42501"),
            (f"SELECT code FROM veer.search('items', '{QUERY}', 5)", b"42501")):
        if (found := eve.simple(sql)["error"][1]) != sqlstate:
            fail(f"eve, {sql}: {found}")
    admin.simple("ALTER TABLE docs ENABLE ROW LEVEL SECURITY")
    admin.simple("CREATE POLICY few ON docs FOR SELECT USING (id <= 3)")
    rows = eve.simple(f"SELECT id FROM veer.search('{COSINE}', '{QUERY}', 5)")["rows"]
    if sorted(row[0] for row in rows) != [b"1", b"2", b"3"]:
        fail(f"row level security: {rows}")
    admin.simple("DROP POLICY few ON docs")
    admin.simple("ALTER TABLE docs DISABLE ROW LEVEL SECURITY")


def transactions(veer):
    """What the transaction has written is seen, whoever answers."""
    through = Session(veer.port)
    call = f"SELECT id FROM veer.search('{COSINE}', '{QUERY}', 1)"
    through.simple("BEGIN")
    through.simple(f"INSERT INTO docs (id, e) VALUES (9999, '{QUERY}')")
    inside = through.simple(call)["rows"]
    through.simple("ROLLBACK")
    after = through.simple(call)["rows"]
    if inside != [[b"9999"]] or after == inside:
        fail(f"in a transaction that wrote: {inside}, after its ROLLBACK: {after}")


def names(postgres, veer):
    """A function of that name in PostgreSQL is PostgreSQL's, as soon as there is one."""
    through, other = Session(veer.port), Session(veer.port)
    call = "SELECT * FROM {}('items', '[1,2,3,4]', 2)"
    for name, prepare in (("veer.search", "CREATE SCHEMA veer"), ("ruvector_search", "SELECT 1")):
        if through.simple(call.format(name))["error"][1] is not None:
            fail(f"{name} before")
        through.simple(prepare)
        made = through.simple(f"CREATE FUNCTION {name}(text, vector, int) RETURNS int LANGUAGE sql AS 'SELECT 42 + $3'")
        if made["error"][1] is not None:
            fail(f"{made['error']}")
        for each in (through, Session(veer.port)):
            if (rows := each.simple(call.format(name))["rows"]) != [[b"44"]]:
                fail(f"{name} exists: {rows}")
        wait_until(lambda: other.simple(call.format(name))["rows"] == [[b"44"]], f"{name} in another session")
        through.simple(f"DROP FUNCTION {name}(text, vector, int)")
        if through.simple(call.format(name))["error"][1] is not None:
            fail(f"{name} after")
    through.simple("DROP SCHEMA veer")


def main(binary):
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute(TABLES)
        with Veer(binary, postgres, ROUTES) as veer:
            for user in ("postgres", "alice"):
                calls(postgres, veer, user)
            wrong(veer)
            counts(veer)
            hints(veer)
            several(veer)
            rights(postgres, veer)
            transactions(veer)
            names(postgres, veer)
    print(f"{len(CALLS)} calls in 6 ways by 2 roles, {len(WRONG)} that are wrong: as they should be")


if __name__ == "__main__":
    main(*sys.argv[1:])
