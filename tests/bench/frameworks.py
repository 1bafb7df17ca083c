"""How many searches a second frameworks get, directly and through veer, and how good they are: their statements as captured,
in their order.

    frameworks.py --direct DSN --veer DSN [--rows N] [--dims N] [--seconds N] [--rounds N] [--ratios FILE]

Each framework's file of tests/sql/frameworks is played again and again by one client, transactions, settings and all,
each time with another query, and with 10 rows in the place of LIMIT's. The two take turns round by round; a ratio is of the
two rounds of one turn, their median counts. pgvector is as it comes (ef_search 40, no iterative scan), so where WHERE drops rows
it may give fewer than LIMIT: "rows" says so. recall@10 is the share of the rows of PostgreSQL's exact answers (no index scanned)
that came; distances are not compared. The client's own time is in both figures.
"""

import argparse
import collections
import pathlib
import re
import statistics
import sys
import time

from psycopg import pq

TESTS = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "sql"), str(TESTS / "clients")]

import sql_test  # noqa: E402
from observed import Session  # noqa: E402
from private_servers import wait_until  # noqa: E402

FRAMEWORKS = {
    "LangChain PGVector": "langchain", "LangChain PGVectorStore": "langchain_store", "LlamaIndex": "llamaindex",
    "Django": "django", "SQLAlchemy": "sqlalchemy", "neighbor (Rails)": "rails", "Spring AI": "spring_ai",
    "Drizzle": "drizzle"}
ROUTES = 9  # of the tables that load() makes
NOT_THEIRS = "-- Vectors in columns that are none"  # and all tables from there on
# As texts share topics, the common ones more often. All directions alike, as in tests/sql, no index finds the nearest of 384 dimensions.
VECTORS = """
SELECT setseed(0.17);
CREATE TABLE topics AS
SELECT i, (SELECT array_agg(random() - 0.5 + 0 * (i + j))::vector(8) FROM generate_series(1, 8) j) v FROM generate_series(1, 200) i;
CREATE FUNCTION random_vector(n int) RETURNS vector LANGUAGE sql VOLATILE AS
    $$ SELECT sum(v) FROM topics WHERE random() < 8.0 / (i + 8) $$;"""
DIALOGUES = 40
ROWS_OF_A_SEARCH = 10
FLOATS = (700, 701)


class Client(Session):
    def __init__(self, dsn):
        self.connection = pq.PGconn.connect(dsn.encode())
        if self.connection.status != pq.ConnStatus.OK:
            sys.exit(self.connection.error_message.decode())
        self.prepared = 0

    def run(self, sql):
        seen = self.simple(sql)
        if seen["error"][1] is not None:
            sys.exit(f"{sql[:200]}: {seen['error'][2].decode()}")
        return seen["rows"]

    def results(self, dialogue):
        """Of its searches."""
        for sql, values, searches in dialogue:
            result = self.connection.exec_params(sql, values) if values else self.connection.exec_(sql)
            if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
                sys.exit(f"{sql[:200]}: {result.error_message.decode()}")
            if searches:
                yield result

    def play(self, dialogue):
        """The rows that its searches gave."""
        return sum(result.ntuples for result in self.results(dialogue))

    def answers(self, dialogue):
        """The rows themselves, without distances, whose last digits depend on the machine."""
        found = []
        for result in self.results(dialogue):
            columns = [i for i in range(result.nfields) if result.ftype(i) not in FLOATS]
            found.append(collections.Counter(
                tuple(result.get_value(row, i) for i in columns) for row in range(result.ntuples)))
        return found


def drawn(client):
    """A vector like those of the rows."""
    return client.run("SELECT random_vector(1)")[0][0].decode()


def resized(text, dimensions):
    """Types and casts of this many dimensions."""
    return re.sub(r"\b(vector|halfvec|bit)\(8\)", rf"\1({dimensions})", text, flags=re.IGNORECASE)


def with_limit(sql, values):
    """The same for ROWS_OF_A_SEARCH rows."""
    limit = re.compile(r"\b(LIMIT |FETCH FIRST )(\$)?(\d+)", re.IGNORECASE)
    for _, parameter, number in limit.findall(sql):
        if parameter:
            values[int(number) - 1] = str(ROWS_OF_A_SEARCH)
    return limit.sub(lambda found: found[0] if found[2] else f"{found[1]}{ROWS_OF_A_SEARCH}", sql), values


def load(client, rows, dimensions):
    """The tables of tests/sql, larger, without the settings that make pgvector's answers exact."""
    text, mark, _ = (TESTS / "sql" / "tables.sql").read_text().partition(NOT_THEIRS)
    text, replaced = re.subn(r"CREATE FUNCTION random_vector.*?\$\$;", lambda _: VECTORS, text, flags=re.DOTALL)
    if not mark or not replaced:
        sys.exit(f"tables.sql has no {NOT_THEIRS!r}, or no random_vector()")
    text = "".join(line for line in text.splitlines(True) if not line.startswith("ALTER DATABASE"))
    text = text.replace("generate_series(1, 8)", f"generate_series(1, {dimensions})")
    text = resized(text, dimensions)
    for few in ("(1, 600)", "(1, 300)"):
        text = text.replace(few, f"(1, {rows})")
    first, mark, rest = text.partition("CREATE TYPE mood")
    client.run(first)
    client.run((mark + rest).replace("[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]", drawn(client)))


def dialogues(name, client, dimensions):
    """The file's statements, once for each of some queries."""
    made = []
    for _ in range(DIALOGUES):
        sql_test.QUERY, sql_test.OTHER = drawn(client), drawn(client)
        dialogue = []
        for record in sql_test.read(TESTS / "sql" / "frameworks" / f"{name}.test"):
            sql, values = "\n".join(record.lines), list(record.values)
            if record.mode != "run":
                sql, values = with_limit(sql, values)
            encoded = [value.encode() for value in values]
            dialogue.append((resized(sql, dimensions).encode(), encoded, record.mode != "run"))
        made.append(dialogue)
    return made


def play_for(client, made, seconds):
    """Searches a second, and rows of a search."""
    searches = rows = 0
    until = time.monotonic() + seconds
    began = time.monotonic()
    while time.monotonic() < until:
        dialogue = made[searches % len(made)]
        rows += client.play(dialogue)
        searches += sum(search for *_, search in dialogue)
    return searches / (time.monotonic() - began), rows / searches


def recalls(made, direct, through):
    """Of each the share of the exact answers' rows that it found. What is no SELECT, as DECLARE is, has no rows."""
    found, wanted = [0, 0], 0
    for dialogue in made:
        direct.run("SET enable_indexscan = off")
        exact = direct.answers(dialogue)
        direct.run("RESET enable_indexscan")
        wanted += sum(each.total() for each in exact)
        for side, client in enumerate((direct, through)):
            found[side] += sum((a & b).total() for a, b in zip(client.answers(dialogue), exact))
    return [each / wanted for each in found]


def served(client):
    """Searches so far by who answered them."""
    counts = collections.Counter()
    for _, engine, reason, times in client.run("SHOW veer.reasons"):
        counts["PASS" if engine == b"postgres" else reason.decode().upper()] += int(times)
    return counts


def measure(name, title, direct, through, options, notes):
    made = dialogues(name, direct, options.dims)
    for client in (direct, through):
        client.play(made[0])
    before = served(through)
    pairs = [(play_for(direct, made, options.seconds), play_for(through, made, options.seconds))
             for _ in range(options.rounds)]
    after = served(through) - before
    rates = [statistics.median(side[0] for side in sides) for sides in zip(*pairs)]
    recall = recalls(made, direct, through)
    rows = [statistics.median(side[1] for side in sides) for sides in zip(*pairs)]
    ratio = statistics.median(through_rate / direct_rate for (direct_rate, _), (through_rate, _) in pairs)
    shares = " ".join(f"{after[way] / after.total():8.0%}" for way in ("LOCAL", "REWRITE", "PASS"))
    print(f"  {title:26}{rates[0]:9,.0f}{rates[1]:9,.0f}{ratio:9.2f}   {rows[0]:6.2f}{rows[1]:6.2f}"
          f"   {recall[0]:6.3f}{recall[1]:6.3f}   {shares}", flush=True)
    if notes:
        notes.write(f"{title:42}veer/pgvector {ratio:.2f}   recall@10 {recall[1]:.3f} : {recall[0]:.3f}\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--direct", required=True)
    parser.add_argument("--veer", required=True)
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--dims", type=int, default=384)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ratios")
    options = parser.parse_args()
    direct = Client(options.direct)
    load(direct, options.rows, options.dims)
    through = Client(options.veer)
    live = lambda: sum(row[4] == b"live" for row in through.run("SHOW veer.routes"))
    wait_until(lambda: live() >= ROUTES, f"{ROUTES} routes")  # indexes on expressions are refused, and have rows of their own
    through.run("SET veer.route = 'veer'")
    print(f"  {'':26}{'searches/s':>18}{'veer/':>9}   {'rows':>12}   {'recall@10':>12}   {'answered':>18}")
    print(f"  {options.rows:,} rows x {options.dims:<11}{'pgvector':>9}{'veer':>9}{'pgvector':>9}   {'pgv.':>6}{'veer':>6}"
          f"   {'pgv.':>6}{'veer':>6}"
          f"   {'LOCAL':>8} {'REWRITE':>8} {'PASS':>8}")
    notes = open(options.ratios, "a") if options.ratios else None
    for title, name in FRAMEWORKS.items():
        measure(name, title, direct, through, options, notes)


if __name__ == "__main__":
    main()
