"""Random searches: shapes x conditions x outputs x spellings, as texts and values."""

import struct

DIMENSIONS = 8
METADATA = ["{}", '{"k": "v1"}', '{"n": 3}', '{"tags": ["all"]}']
WORDS = ["red", "green", "blue", "Grün", "it's", "none"]
BINARY = {"int2": "!h", "int4": "!i", "int8": "!q", "float8": "!d"}
DECLARED = {"int2": 21, "int4": 23, "int8": 20, "text": 25}


class Table:
    def __init__(self, name, key, operator, columns, numbers):
        self.name = name
        self.key = key
        self.operator = operator
        self.columns = columns
        self.numbers = numbers  # name, type, least, most


DOCS = Table("docs", ["id"], "<=>",
             ["title", "tenant", "category", "price", "rating", "active", "made", "day", "meta", "tags", "small",
              "code", "amount", "mood", '"Odd Name"'],
             [("tenant", "int4", 0, 6), ("small", "int2", 0, 29), ("price", "float8", 0, 20), ("id", "int8", 1, 170),
              ('"Odd Name"', "int4", 0, 9)])
ITEMS = Table("shop.items", ["code"], "<->", ["name", "stock"], [("stock", "int4", 0, 9)])
PAIRS = Table("pairs", ["a", "b"], "<#>", ["note"], [("a", "int4", 0, 16), ("b", "int2", 0, 9)])
# Of which pgvector's own indexes have some rows only.
PARTLY = Table("partly", ["id"], "<=>", ["title", "tenant", "category", "active"],
              [("tenant", "int4", 0, 6), ("id", "int8", 1, 170)])
TWINS = {"<=>": "cosine_distance", "<->": "l2_distance", "<#>": "vector_negative_inner_product"}


class Value:
    """One parameter: its text, its bytes where the type is known, and a type that may be declared."""

    def __init__(self, text, kind=None, declared=0):
        self.text = text
        self.kind = kind
        self.declared = declared

    def binary(self):
        if self.kind == "vector":
            numbers = [float(part) for part in self.text.strip("[]").split(",")]
            return struct.pack(f"!HH{len(numbers)}f", len(numbers), 0, *numbers)
        if self.kind in BINARY:
            return struct.pack(BINARY[self.kind], int(self.text))
        return None


class Statement:
    """A random search; `values` are the parameters that its text uses."""

    def __init__(self, chance):
        self.chance = chance
        self.table = chance.choices([DOCS, ITEMS, PAIRS, PARTLY], [8, 2, 1, 1])[0]
        self.parametrised = chance.random() < 0.6
        self.values = []
        self.alias = chance.choice(["", "", " t", " AS x", ' "T"'])
        self.qualified = self.table is DOCS and chance.random() < 0.4  # then it may be joined
        self.vector = "[" + ",".join(f"{chance.uniform(-1, 1):.3f}" for _ in range(DIMENSIONS)) + "]"
        self.beside = chance.random() < 0.06  # VALUES
        self.given = not self.beside and chance.random() < 0.06  # by WITH
        self.selected = chance.random() < 0.5  # from there
        self.asked_of_postgres = None  # where that is another text
        if chance.random() < 0.03 and self.table is not PARTLY:
            self.distance = self.called()
            return
        self.distance = self.operator_call()
        self.sql = self.decorated(self.text())

    def maybe(self, share):
        return self.chance.random() < share

    @property
    def name(self):
        return self.alias.split()[-1] if self.alias else self.table.name.split(".")[-1]

    def column(self, name):
        return f"{self.name}.{name}" if self.qualified or self.maybe(0.5) else name

    def value(self, text, kind=None, cast="", declared=0):
        if self.parametrised and self.maybe(0.8):
            self.values.append(Value(text, kind, declared))
            return f"${len(self.values)}{cast}"
        quoted = text.replace("'", "''")
        return f"'{quoted}'{cast}"

    def called(self):
        """veer.search(), and the SELECT that says the same."""
        rows = self.chance.randint(1, 12)
        key = ", ".join(self.table.key)
        vector = self.value(self.vector, "vector")
        distance = f"e {self.table.operator} {vector}"
        name, kind, least, most = self.chance.choice(self.table.numbers)
        number = self.chance.randint(least, most)
        whole = kind.startswith("int") and '"' not in name and self.maybe(0.6)
        condition = f" WHERE {name} = {number}" if whole else ""
        told = f", filter => '{{\"{name}\": {number}}}'" if whole else ""
        self.asked_of_postgres = (
            f"SELECT {key}, {distance} AS distance FROM {self.table.name}{condition} ORDER BY {distance} LIMIT {rows}")
        self.sql = (f"SELECT {key}, distance FROM veer.search('public.{self.table.name}.e {self.table.operator}'"
                    f", {vector}, {rows}{told}) AS s")
        if self.table is ITEMS:
            self.sql = self.sql.replace("public.shop.", "shop.")
        return distance

    def query_vector(self):
        if self.given and self.selected:
            return self.chance.choice(["(SELECT v FROM q)", "(SELECT q.v FROM q LIMIT 1)"])
        if self.beside or self.given:
            return "q.v"
        spelling = self.chance.randrange(12)
        if spelling == 0:
            return f"CAST({self.value(self.vector, 'vector')} AS vector({DIMENSIONS}))"
        if spelling == 1:
            return f"ARRAY[{self.vector.strip('[]')}]::vector"
        if spelling == 2:
            return self.value(self.vector, cast="::text::vector")
        if spelling == 3 and self.parametrised:
            return self.value(self.vector.replace("[", "{").replace("]", "}"), cast="::real[]::vector") \
                if self.maybe(0.5) else self.value(self.vector, "vector", f"::public.vector({DIMENSIONS})")
        if spelling == 4 and self.table is DOCS:
            return f"(SELECT e FROM docs WHERE id = {self.value(str(self.chance.randint(1, 160)), 'int8')})"
        if spelling == 5 and self.table is PAIRS:
            return f"(SELECT p.e FROM pairs AS p WHERE p.a = {self.chance.randint(0, 15)} AND p.b = 3 LIMIT 1)"
        return self.value(self.vector, "vector", self.chance.choice(["", "", "::vector", f"::vector({DIMENSIONS})"]))

    def operator_call(self):
        operator = self.table.operator
        if self.maybe(0.05):
            operator = f"OPERATOR(public.{operator})"
        column = self.column("e")
        if self.maybe(0.05):
            return f"{self.query_vector()} {operator} {column}"
        return f"{column} {operator} {self.query_vector()}"

    def text(self):
        outputs, order = self.outputs()
        condition = f" WHERE {self.condition()}" if self.maybe(0.7) else ""
        if self.maybe(0.03) and not (self.alias or self.qualified or self.beside or self.given) and (text := self.signs(condition)):
            return text
        source = self.source()
        if self.given:
            row = f"WITH q AS (SELECT {self.value(self.vector, 'vector', '::vector')} AS v) "
            source += "" if self.selected else ", q"
            return f"{row}SELECT {outputs} FROM {source}{condition} ORDER BY {self.keys(order)}{self.limit()}"
        search = f"SELECT {outputs} FROM {source}{condition} ORDER BY {self.keys(order)}{self.limit()}"
        return self.wrapped(search)

    def keys(self, order):
        """The distance, or by similarity; with keys for rows of one distance, or without."""
        direction = self.chance.choice(["", "", " ASC", " NULLS LAST", " ASC NULLS LAST"])
        if self.maybe(0.1):
            order = self.chance.choice([f"1 - ({self.distance})", f"({self.distance}) * -1", f"(2 - ({self.distance})) / 2"])
            direction = self.chance.choice([" DESC", " DESC NULLS LAST"])
        if self.maybe(0.1):
            direction += "".join(f", {self.name}.{key}{self.chance.choice(['', ' DESC'])}" for key in self.table.key)
        return order + direction

    def limit(self):
        rows = str(self.chance.choices([self.chance.randint(1, 10), self.chance.randint(11, 40)], [6, 1])[0])
        kind = self.chance.choice(["int2", "int4", "int8"])
        offset = f" OFFSET {self.chance.randint(0, 6)}" if self.maybe(0.2) else ""
        spelling = self.chance.randrange(8)
        if spelling == 0:
            return f"{offset} FETCH FIRST {rows} ROWS ONLY"
        if spelling == 1:
            return f" LIMIT '{rows}'{offset}"
        if spelling == 2:
            return f" LIMIT {self.value(rows, 'int4', '::int')}{offset}"
        if spelling < 6:
            return f" LIMIT {self.value(rows, kind, declared=DECLARED[kind])}{offset}"
        return f"{offset} LIMIT {rows}"

    def source(self):
        """The table, perhaps joined to owners, of whom some documents have none."""
        self.joined = self.qualified and self.maybe(0.7)
        if not self.joined:
            return self.table.name + self.alias
        kind = self.chance.choice(["JOIN", "LEFT JOIN"])
        return f"{self.table.name}{self.alias} {kind} owners o ON o.id = {self.name}.owner_id"

    def some_vector(self):
        return "[" + ",".join(f"{self.chance.uniform(-1, 1):.3f}" for _ in range(DIMENSIONS)) + "]"

    def beside_values(self, search):
        """For each of some vectors."""
        rows = [f"(1, {self.value(self.vector, 'vector', '::vector')})"]
        for number in range(2, self.chance.randint(2, 4)):
            rows.append(f"({number}, {self.value(self.some_vector(), 'vector', '::vector')})")
        join = self.chance.choice([" CROSS JOIN LATERAL ", ", LATERAL ", " JOIN LATERAL "])
        on = " ON true" if "JOIN L" in join and "CROSS" not in join else ""
        return f"SELECT q.n, r.* FROM (VALUES {', '.join(rows)}) AS q (n, v){join}({search}) r{on}"

    def signs(self, condition):
        """All rows are chosen, so that the order that follows says which are the nearest."""
        if self.table is not DOCS:
            return None
        vector = self.value(self.vector, "vector", "::vector")
        chosen = (f"SELECT * FROM docs{condition} ORDER BY binary_quantize(e)::bit(8) <~> binary_quantize({vector})"
                  f" LIMIT {self.chance.choice([1000, 2000])}")
        return f"SELECT s.id, s.title FROM ({chosen}) s ORDER BY s.e <=> {vector}{self.limit()}"

    def wrapped(self, search):
        kind = self.chance.randrange(16)
        if self.beside:
            return self.beside_values(search)
        if kind == 0:
            return f"SELECT count(*) FROM ({search}) AS s"
        if kind == 1:
            return f"WITH s AS ({search}) SELECT * FROM s OFFSET {self.value('1', 'int8')}"
        if kind == 2:
            return f"SELECT s.* FROM ({search}) s, (VALUES (1)) v (one)"
        if kind == 3:
            return f"WITH s AS MATERIALIZED ({search}) SELECT row_to_json(s) FROM s"
        return search

    def outputs(self):
        most = min(3, len(self.table.columns))
        some = self.chance.sample(self.table.columns, k=self.chance.choice([0, self.chance.randint(0, most)]))
        outputs = [self.column(name) for name in self.table.key + some]
        order = self.distance
        kind = self.chance.randrange(12)
        if kind < 3:
            outputs.append(f"{self.distance} AS d")
            order = self.chance.choice(["d", str(len(outputs)), self.distance])
        elif kind == 3:
            outputs.append(f"1 - ({self.distance}) AS similarity")
        elif kind == 4:
            outputs.append(f"({self.distance}) * -1 AS score")
        elif kind == 5 and not self.alias:
            outputs = ["*"]
        elif kind == 6:
            outputs.append(f"rank() OVER (ORDER BY {self.distance}) AS place")
        elif kind == 7:
            outputs.append(f"{TWINS[self.table.operator]}({self.column('e')}, '{self.vector}') AS twin")
        elif kind == 8:
            outputs += [f"{self.column('e')}::text AS written", "'a constant' AS c"]
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
        if self.maybe(0.15):
            return self.threshold()
        if self.table is not DOCS or self.maybe(0.3):
            return self.number(*self.chance.choice(self.table.numbers))
        return self.chance.choice([
            lambda: f"{self.column('category')} = {self.value(self.word(), 'text')}",
            lambda: f"{self.column('category')} IN ({self.value(self.word())}, {self.value(self.word())})",
            lambda: f"{self.column('category')} NOT IN ({self.value(self.word())}, 'red')",
            lambda: f"{self.column('category')} IS {self.chance.choice(['', 'NOT '])}NULL",
            lambda: f"{self.column('category')} IS DISTINCT FROM {self.value(self.word(), 'text')}",
            lambda: self.column("active"),
            lambda: f"{self.column('active')} = {self.value(self.chance.choice(['true', 'false']))}",
            lambda: f"{self.column('active')} IS {self.chance.choice(['NULL', 'NOT NULL', 'TRUE', 'NOT TRUE'])}",
            lambda: f"{self.column('meta')}->>'k' = {self.value('v' + str(self.chance.randrange(5)))}",
            lambda: f"{self.column('meta')} @> {self.value(self.chance.choice(METADATA))}",
            lambda: f"({self.column('meta')}->>'n')::int > {self.chance.randrange(10)}",
            lambda: f"{self.column('tags')} @> ARRAY['t1']",
            lambda: f"{self.column('made')} > {self.value('2024-01-10')}",
            lambda: f"{self.column('made')} BETWEEN {self.value('2024-01-03')} AND {self.value('2024-01-20 12:00+02')}",
            lambda: f"{self.column('day')} < {self.value('2024-02-20')}",
            lambda: f"{self.column('code')} = {self.value('c4ca4238a0b923820dcc509a6f75849b')}",
            lambda: f"{self.column('tenant')} = ANY({self.value('{1,2,5}')})",
            lambda: f"{self.column('tenant')} BETWEEN {self.chance.randrange(4)} AND {self.chance.randrange(7)}",
            lambda: f"{self.column('title')} LIKE 'title %{self.chance.randrange(10)}'",
            lambda: f"lower({self.column('category')}) = 'red'",
            lambda: f"{self.column('mood')} = {self.value('calm')}",
            lambda: f"{self.column('amount')} > {self.value('33.5')}",
            lambda: f"coalesce({self.column('category')}, 'none') = {self.value(self.word(), 'text')}",
        ])()

    def threshold(self):
        bound = f"{self.chance.uniform(0.2, 1.2):.2f}"
        return self.chance.choice([
            f"{self.distance} < {bound}", f"1 - ({self.distance}) > {bound}", f"({self.distance}) <= {bound}"])

    def number(self, name, kind, least, most):
        operator = self.chance.choice(["=", "<>", "<", "<=", ">", ">="])
        number = self.chance.randint(least, most)
        return f"{self.column(name)} {operator} {self.value(str(number), kind) if self.maybe(0.5) else number}"

    def word(self):
        return self.chance.choice(WORDS)

    def decorated(self, sql):
        kind = self.chance.randrange(12)
        if kind == 0:
            return sql.replace(" FROM ", " /* it's \"quoted\" */ FROM ", 1)
        if kind == 1:
            return sql.replace(" ORDER BY ", "\n\t-- a remark\nORDER  BY ", 1)
        if kind == 2:
            return sql.lower() if "'" not in sql and '"' not in sql else sql + " ; "
        return sql

    def send(self, session, way, directly=False):
        """What comes back, in one of WAYS."""
        sql = self.asked_of_postgres if directly and self.asked_of_postgres else self.sql
        values = [value.text for value in self.values]
        if way == "simple" and not values:
            return [session.simple(sql)]
        forms = {}
        if way in ("binary values", "declared"):
            forms["binary"] = {number: bytes_ for number, value in enumerate(self.values)
                               if (bytes_ := value.binary()) is not None}
        if way == "declared":
            forms["types"] = [value.declared for value in self.values]
        if way in ("named", "declared"):
            return session.named(sql, values, **forms)
        return [session.extended(sql, values, binary_results=way == "binary", **forms)]


WAYS = ["simple", "text", "binary", "binary values", "named", "declared"]
