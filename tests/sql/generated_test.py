"""Random searches, directly and through veer at 100 %, with PostgreSQL's exact answers as the judge.

    generated_test.py <veer binary>     VEER_GENERATED=statements (5,000)   VEER_NIGHTLY=1: 100,000
                                        VEER_SEED=number

The seed is printed; a difference is printed with its statement, which can then become a file. Between the statements
settings, transactions and rows change, at random as well.
"""

import collections
import os
import pathlib
import random
import sys

from observed import Session, difference, last
from private_servers import Postgres, Veer, fail, session
from random_statements import DIMENSIONS, WAYS, Statement

HERE = pathlib.Path(__file__).parent
ROWS = 150
STATEMENTS_OF_A_SESSION = 1000
DIFFERENCES_MAX = 10
SHARE_SERVED_MIN = 0.5

SETTINGS = {
    "extra_float_digits": ["1", "3", "2", "0", "-4"],
    "DateStyle": ["'ISO, MDY'", "'German'", "'SQL, DMY'"],
    "TimeZone": ["'UTC'", "'Asia/Kolkata'", "'America/New_York'"],
    "IntervalStyle": ["'postgres'", "'iso_8601'"],
    "bytea_output": ["'hex'", "'escape'"],
    "client_encoding": ["'UTF8'", "'UTF8'", "'UTF8'", "'LATIN1'"],
    "search_path": ["public", '"$user", public, shop', "shop, public", "pg_catalog, public"],
    "standard_conforming_strings": ["on", "on", "on", "off"],
    "plan_cache_mode": ["auto", "force_generic_plan", "force_custom_plan"],
    "enable_seqscan": ["on", "off"],
    "default_transaction_isolation": ["'read committed'"] * 4 + ["'repeatable read'"],
    "role": ["none", "reader"],
    "jit": ["on", "off"],
    "quote_all_identifiers": ["on", "off"],
}
COLUMNS = ["all", "all", "auto", "none"]
ROUTES = "".join(f"""
[[route]]
column = "{table}.e"
operator = "{operator}"
order_by_similarity = true
tie_breakers = true
""" for table, operator in (("public.docs", "<=>"), ("shop.items", "<->"), ("public.pairs", "<#>")))
BEGINNINGS = ["BEGIN", "BEGIN READ ONLY", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN; SAVEPOINT s",
              "BEGIN; SET LOCAL hnsw.ef_search = 900", "BEGIN; UPDATE docs SET tenant = tenant WHERE id = {own}"]
PREPARATION = """
DELETE FROM docs WHERE id > {rows};
DELETE FROM shop.items WHERE code > (SELECT code FROM shop.items ORDER BY code OFFSET {rows} LIMIT 1);
DELETE FROM pairs WHERE a >= {rows} / 10;
CREATE ROLE reader;
GRANT SELECT ON docs, pairs TO reader;
GRANT USAGE ON SCHEMA shop TO reader;
GRANT SELECT (code, stock, e) ON shop.items TO reader;
CREATE INDEX ON docs USING hnsw ((binary_quantize(e)::bit(8)) bit_hamming_ops);
CREATE TABLE partly (id bigint PRIMARY KEY, title text, tenant int, category text, active boolean, e vector(8));
INSERT INTO partly SELECT id, title, tenant, category, active, e FROM docs;
CREATE INDEX ON partly USING hnsw (e vector_cosine_ops) WHERE tenant < 4;
CREATE INDEX ON partly USING hnsw (e vector_cosine_ops) WHERE category IN ('red', 'blue');
CREATE INDEX ON partly USING hnsw (e vector_cosine_ops) WHERE active;
GRANT SELECT ON partly TO reader;
VACUUM ANALYZE;
"""


class Pair:
    """The same session at PostgreSQL, where no index is scanned, and at veer."""

    def __init__(self, chance, postgres, veer):
        self.chance = chance
        self.direct = Session(postgres.port)
        self.through = Session(veer.port)
        self.direct.simple("SET enable_indexscan = off")
        self.changed = {}

    def say(self, sql):
        """`{own}` is a row for each, so that neither waits for the other's lock."""
        for own, each in enumerate((self.direct, self.through)):
            each.simple(sql.replace("{own}", str(own)))

    def change_setting(self):
        name = self.chance.choice(list(SETTINGS))
        value = self.chance.choice(SETTINGS[name])
        self.changed[name] = value
        self.say(f"SET {name} = {value}")

    def reset_settings(self):
        for name in self.changed:
            self.say(f"RESET {name}")
        self.changed.clear()

    def write(self):
        """Through veer, which has to know before it answers the next search."""
        row = self.chance.randint(1, ROWS + 40)
        vector = "[" + ",".join(f"{self.chance.uniform(-1, 1):.4f}" for _ in range(DIMENSIONS)) + "]"
        vector = self.chance.choices([f"'{vector}'", "NULL", "'[0,0,0,0,0,0,0,0]'"], [8, 1, 1])[0]
        self.through.simple("SET role = none; " + self.chance.choice([
            f"UPDATE docs SET e = {vector} WHERE id = {row}",
            f"UPDATE docs SET tenant = (tenant + 1) % 7, category = NULL WHERE id = {row}",
            f"DELETE FROM docs WHERE id = {row}",
            f"INSERT INTO docs (id, tenant, e) VALUES ({row}, 3, {vector}) ON CONFLICT DO NOTHING",
            f"UPDATE docs SET id = id + 1000 WHERE id = {row}",
            f"UPDATE docs SET id = id - 1000 WHERE id = {row + 1000}"]))
        self.through.simple(f"SET role = {self.changed.get('role', 'none')}")

    def compare(self, statement):
        """The first difference in words, or nothing."""
        way = self.chance.choice(WAYS)
        beginning = self.chance.choice(BEGINNINGS) if self.chance.random() < 0.25 else None
        if beginning:
            self.say(beginning)
        steps = list(zip(statement.send(self.direct, way, directly=True), statement.send(self.through, way)))
        if statement.asked_of_postgres:
            steps = [tuple(map(without_places, step)) for step in steps]
        if beginning:
            self.say("ROLLBACK")
        by_postgres = last(self.through)[0] == "postgres"
        different = next(filter(None, (difference(*step, by_postgres) for step in steps)), None)
        if not different:
            return None
        values = [(value.text, value.declared) for value in statement.values]
        return (f"{way}, {beginning or 'no transaction'}, {self.changed}, {last(self.through)}: {statement.sql}\n"
                f"  {values}\n  {different}")


def without_places(seen):
    """Of two texts that say the same."""
    return {**seen, "error": seen["error"][:4],
            "columns": [(name, 0, 0, *rest) for name, _, _, *rest in seen["columns"]]}


def reasons(port):
    with session(port) as db:
        rows = db.execute("SHOW veer.reasons").fetchall()
    counts = collections.Counter()
    for _, engine, reason, times in rows:
        counts[engine, reason] += int(times)
    return counts


def play(count, chance, postgres, veer):
    problems = []
    for number in range(count):
        if number % STATEMENTS_OF_A_SESSION == 0:
            pair = Pair(chance, postgres, veer)
        if chance.random() < 0.1:
            pair.change_setting()
        elif chance.random() < 0.05:
            pair.reset_settings()
        elif chance.random() < 0.05:
            pair.write()
        statement = Statement(chance)
        if statement.asked_of_postgres and pair.changed.get("standard_conforming_strings") == "off":
            continue  # veer does not read texts there, and PostgreSQL has no such function
        if problem := pair.compare(statement):
            problems.append(f"statement {number}, {problem}")
            if len(problems) == DIFFERENCES_MAX:
                break
    return problems


def main(binary):
    count = int(os.environ.get("VEER_GENERATED", "100000" if os.environ.get("VEER_NIGHTLY") == "1" else "5000"))
    seed = int(os.environ.get("VEER_SEED", random.randrange(1 << 32)))
    chance = random.Random(seed)
    columns = chance.choice(COLUMNS)
    print(f"VEER_SEED={seed} VEER_GENERATED={count}, columns = {columns}", flush=True)
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute((HERE / "tables.sql").read_text())
            for statement in filter(str.strip, PREPARATION.format(rows=ROWS).split(";")):
                db.execute(statement)
        with Veer(binary, postgres, f'columns = "{columns}"\n{ROUTES}') as veer:
            problems = play(count, chance, postgres, veer)
            counts = reasons(veer.port)
    for (engine, reason), times in counts.most_common():
        print(f"{engine:10}{reason:20}{times:8}")
    served = sum(times for (engine, _), times in counts.items() if engine == "veer")
    if problems:
        fail(f"{len(problems)} differences\n" + "\n".join(problems))
    if served < SHARE_SERVED_MIN * count:
        fail(f"only {served} of {count} were answered by veer")


if __name__ == "__main__":
    main(*sys.argv[1:])
