"""Random searches, directly and through veer at 100 %, with PostgreSQL's exact answers as the judge.

    generated_test.py <veer binary>            VEER_GENERATED=statements (400)   VEER_SEED=number

The seed is printed; a difference is printed with its statement, which can then become a file.
"""

import collections
import os
import pathlib
import random
import sys

from observed import Session, difference, last
from private_servers import Postgres, Veer, fail, session

HERE = pathlib.Path(__file__).parent
DIMENSIONS = 8
DIFFERENCES_MAX = 10
SHARE_SERVED_MIN = 0.5
METADATA = ["{}", '{"k": "v1"}', '{"n": 3}']


class Table:
    def __init__(self, name, key, operator, columns):
        self.name = name
        self.key = key
        self.operator = operator
        self.columns = columns


DOCS = Table("docs", ["id"], "<=>", ["title", "tenant", "category", "price", "rating", "active", "made", "day",
                                     "meta", "tags", "small", "code", "amount", "mood"])
ITEMS = Table("shop.items", ["code"], "<->", ["name", "stock"])
PAIRS = Table("pairs", ["a", "b"], "<#>", ["note"])


class Statement:
    """A random search; `values` are the parameters that its text uses."""

    def __init__(self, chance):
        self.chance = chance
        self.table = chance.choices([DOCS, ITEMS, PAIRS], [8, 2, 1])[0]
        self.parametrised = chance.random() < 0.5
        self.values = []
        self.alias = chance.choice(["", "", " t", " AS x"])
        self.qualified = self.table is DOCS and chance.random() < 0.4  # then it may be joined
        vector = "[" + ",".join(f"{chance.uniform(-1, 1):.3f}" for _ in range(DIMENSIONS)) + "]"
        self.distance = f"{self.column('e')} {self.table.operator} {self.value(vector, chance.choice(['', '::vector']))}"
        self.sql = self.text()

    def column(self, name):
        alias = self.alias.split()[-1] if self.alias else self.table.name.split(".")[-1]
        return f"{alias}.{name}" if self.qualified or self.chance.random() < 0.5 else name

    def value(self, text, cast=""):
        if self.parametrised and self.chance.random() < 0.8:
            self.values.append(text)
            return f"${len(self.values)}{cast}"
        quoted = text.replace("'", "''")
        return f"'{quoted}'{cast}"

    def text(self):
        outputs, order = self.outputs()
        condition = f" WHERE {self.condition()}" if self.chance.random() < 0.8 else ""
        offset = f" OFFSET {self.chance.randint(0, 6)}" if self.chance.random() < 0.2 else ""
        limit = self.chance.choices([self.chance.randint(1, 10), self.chance.randint(11, 60)], [5, 1])[0]
        search = f"SELECT {outputs} FROM {self.source()}{condition} ORDER BY {order} LIMIT {limit}{offset}"
        return self.wrapped(search)

    def source(self):
        """The table, perhaps joined to owners, of whom some documents have none."""
        self.joined = self.qualified and self.chance.random() < 0.7
        if not self.joined:
            return self.table.name + self.alias
        kind = self.chance.choice(["JOIN", "LEFT JOIN"])
        name = self.alias.split()[-1] if self.alias else "docs"
        return f"{self.table.name}{self.alias} {kind} owners o ON o.id = {name}.owner_id"

    def wrapped(self, search):
        kind = self.chance.randrange(10)
        if kind == 0:
            return f"SELECT count(*) FROM ({search}) AS s"
        if kind == 1:
            return f"WITH s AS ({search}) SELECT * FROM s OFFSET {self.value('1')}"
        return search

    def outputs(self):
        some = self.chance.sample(self.table.columns, k=self.chance.randint(0, min(3, len(self.table.columns))))
        outputs = [self.column(name) for name in self.table.key + some]
        order = self.distance
        kind = self.chance.randrange(6)
        if kind == 0:
            outputs.append(f"{self.distance} AS d")
            order = self.chance.choice(["d", str(len(outputs)), self.distance])
        elif kind == 1:
            outputs.append(f"1 - ({self.distance}) AS similarity")
        elif kind == 2:
            outputs.append(f"({self.distance}) * -1 AS score")
        elif kind == 3 and not self.alias:
            outputs = ["*"]
        return ", ".join(outputs), order

    def condition(self, depth=0):
        kind = self.chance.randrange(6)
        if depth < 2 and kind == 0:
            return f"{self.condition(depth + 1)} OR {self.condition(depth + 1)}"
        if depth < 2 and kind == 1:
            return f"{self.condition(depth + 1)} AND {self.condition(depth + 1)}"
        if depth < 2 and kind == 2:
            return f"NOT ({self.condition(depth + 1)})"
        return self.test()

    def test(self):
        if self.table is ITEMS:
            return self.number("stock", 0, 9)
        if self.table is PAIRS:
            return self.number(*self.chance.choice([("a", 0, 60), ("b", 0, 9)]))
        return self.chance.choice([
            lambda: self.number("tenant", 0, 6),
            lambda: self.number("small", 0, 29),
            lambda: self.number("price", 0, 187),
            lambda: f"{self.column('category')} = {self.value(self.word())}",
            lambda: f"{self.column('category')} IN ({self.value(self.word())}, {self.value(self.word())})",
            lambda: f"{self.column('category')} IS {self.chance.choice(['', 'NOT '])}NULL",
            lambda: self.column("active"),
            lambda: f"{self.column('active')} IS NOT TRUE",
            lambda: f"{self.column('meta')}->>'k' = {self.value('v' + str(self.chance.randrange(5)))}",
            lambda: f"{self.column('meta')} @> {self.value(self.chance.choice(METADATA))}",
            lambda: f"({self.column('meta')}->>'n')::int > {self.chance.randrange(10)}",
            lambda: f"{self.column('tags')} @> ARRAY['t1']",
            lambda: f"{self.column('made')} > {self.value('2024-02-01')}",
            lambda: f"{self.column('tenant')} = ANY({self.value('{1,2,5}')})",
            lambda: f"{self.column('title')} LIKE 'title %{self.chance.randrange(10)}'",
            lambda: f"{self.distance} < {self.chance.uniform(0.2, 1.2):.2f}",
        ])()

    def number(self, name, least, most):
        operator = self.chance.choice(["=", "<>", "<", "<=", ">", ">="])
        number = self.chance.randint(least, most)
        return f"{self.column(name)} {operator} {self.value(str(number)) if self.chance.random() < 0.5 else number}"

    def word(self):
        return self.chance.choice(["red", "green", "blue", "Grün", "it's", "none"])

    def send(self, session, way):
        if way == "simple" and not self.values:
            return [session.simple(self.sql)]
        if way == "named":
            return session.named(self.sql, self.values)
        return [session.extended(self.sql, self.values, binary_results=way == "binary")]


def main(binary):
    count = int(os.environ.get("VEER_GENERATED", "400"))
    seed = int(os.environ.get("VEER_SEED", random.randrange(1 << 32)))
    print(f"VEER_SEED={seed} VEER_GENERATED={count}", flush=True)
    chance = random.Random(seed)
    reasons = collections.Counter()
    problems = []
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute((HERE / "tables.sql").read_text())
        with Veer(binary, postgres) as veer:
            direct = Session(postgres.port)
            direct.simple("SET enable_indexscan = off")
            through = Session(veer.port)
            for _ in range(count):
                statement = Statement(chance)
                way = chance.choice(["simple", "text", "binary", "named"])
                in_transaction = chance.random() < 0.3
                if in_transaction:
                    direct.simple("BEGIN"), through.simple("BEGIN")
                steps = zip(statement.send(direct, way), statement.send(through, way))
                different = next(filter(None, (difference(*step) for step in steps)), None)
                if in_transaction:
                    direct.simple("COMMIT"), through.simple("COMMIT")
                engine, reason = last(through)
                reasons[engine, reason] += 1
                if different:
                    problems.append(f"{way}, {reason}: {statement.sql}\n  {statement.values}\n  {different}")
    for (engine, reason), times in reasons.most_common():
        print(f"{engine:10}{reason:20}{times:8}")
    served = sum(times for (engine, _), times in reasons.items() if engine == "veer")
    if problems:
        fail(f"{len(problems)} differences\n" + "\n".join(problems[:DIFFERENCES_MAX]))
    if served < SHARE_SERVED_MIN * count:
        fail(f"only {served} of {count} were answered by veer")


if __name__ == "__main__":
    main(*sys.argv[1:])
