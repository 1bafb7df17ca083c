"""Compares where veer sends each statement of eligibility.sql with whether PostgreSQL itself searches an index for it.

    eligibility_test.py <veer binary>

eligibility.sql makes a table with pgvector's indexes and prints, for each statement, INDEX or noindex: what applications
get today, near enough or exact. veer must not answer what is exact, and must answer the rest, but for PASSED.
"""

import pathlib
import subprocess
import sys

from observed import Session, last
from private_servers import Postgres, Veer, fail, session

FILE = pathlib.Path(__file__).parent / "eligibility.sql"
STATEMENTS = 51
ROWS = "2500"  # of the file's 20000: the planner chooses alike, and a graph under sanitizers is made in seconds

# Veer leaves it to PostgreSQL: what it then says of the last search is of this one, or of the statement after it.
UNSERVED = "SELECT id FROM t WHERE id < 0 ORDER BY e <=> '[1,1,1,1,1,1,1,1]'"

# By number: searched in an index by PostgreSQL, and left to it by veer, for this reason.
PASSED = {
    15: "order_keys",  # since 17, which sorts rows of one distance behind the index
    40: "grouping",  # the same, for DISTINCT
    19: "no_limit",
    39: "no_distance_order",  # ROW_NUMBER() without ORDER BY
    43: "derived_vector",  # bits of vectors
    48: "locking",
    51: "limit_form",
}


def judged_by_postgres(postgres):
    """Of each statement its number, INDEX or noindex, and its text."""
    output = subprocess.run(
        ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres", "postgres"],
        input=FILE.read_text().replace("20000", ROWS), check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        if line.count(" | ") == 2:
            number, plan, sql = line.split(" | ")
            yield int(number), plan.startswith("INDEX"), sql


def main(binary):
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute("CREATE EXTENSION IF NOT EXISTS vector")
        judged = list(judged_by_postgres(postgres))
        if len(judged) != STATEMENTS:
            fail(f"{len(judged)} statements, not {STATEMENTS}")
        with Veer(binary, postgres) as veer:
            through = Session(veer.port)
            problems = []
            for number, index, sql in judged:
                through.simple(UNSERVED)
                seen = through.simple(sql)
                engine, reason = last(through)
                wanted = "veer" if index and number not in PASSED else "postgres"
                right = engine == wanted and reason == PASSED.get(number, reason)
                print(f"{number:3} {'INDEX' if index else 'noindex':8}{engine:9}{reason:18}{sql[:110]}")
                if not right or seen["status"] != "TUPLES_OK":
                    problems.append(f"{number}: {engine} ({reason}), {seen['status']}: {sql}")
            if problems:
                fail("\n".join(problems))


if __name__ == "__main__":
    main(*sys.argv[1:])
