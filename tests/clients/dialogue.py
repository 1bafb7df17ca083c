"""A Python client's half of the matrix: says what it saw, one line of JSON a step (see README.md)."""

import json
import sys
import time

SECONDS_MAX = 180
USER, PASSWORD, DATABASE = "app", "correct horse", "postgres"

# Key and distance: veer alone. Other columns: the keys from veer, the rows from PostgreSQL.
LOCAL, REWRITE = "local", "rewrite"
KEY_AND_DISTANCE = "SELECT id, e <=> {0} AS d FROM docs ORDER BY e <=> {0} LIMIT {1}"
WHOLE_ROWS = "SELECT id, title, made, e <=> {0} AS d FROM docs ORDER BY d LIMIT {1}"
SEARCHES = ((LOCAL, KEY_AND_DISTANCE), (REWRITE, WHOLE_ROWS))

EVERY_TYPE = r"""SELECT 1::int2 AS a, 2::int4 AS b, 3::int8 AS c, 1.5::float4 AS d, 0.1::float8 AS e,
    12.3400::numeric AS f, 'text' AS g, 'c'::char(3) AS h, true AS i, '\x00ff'::bytea AS j,
    '2024-02-29'::date AS k, '2024-02-29 12:00:00.123456+02'::timestamptz AS l,
    '1 day 02:03:04'::interval AS m, '{1,NULL,3}'::int[] AS n, '{"a": [1, null]}'::jsonb AS o,
    '00000000-0000-0000-0000-000000000001'::uuid AS p, NULL::text AS q, 'ü' AS r"""
LARGE = "SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 20000) i"
FAILING = (
    "SELEC 1", "SELECT * FROM nowhere", "SELECT 1/0", "INSERT INTO ledger VALUES (1, -1)",
    "INSERT INTO ledger VALUES (1, NULL)", "SELECT nothing FROM docs",
    "SELECT id FROM docs ORDER BY e <=> '[1,2,3]' LIMIT 5", "SELECT 'x'::int")
NOTICE = "DO $$ BEGIN RAISE NOTICE 'heard %', 1 USING DETAIL = 'a detail'; END $$"
IS_ASLEEP = ("SELECT count(*) FROM pg_stat_activity"
             " WHERE query LIKE '%pg_sleep(600)%' AND wait_event = 'PgSleep'")


def wait_until(holds, what):
    """Asks until it holds. Nothing depends on how long that takes."""
    deadline = time.monotonic() + SECONDS_MAX
    while not (found := holds()):
        if time.monotonic() > deadline:
            sys.exit(f"waited {SECONDS_MAX} s in vain for {what}")
        time.sleep(0.002)
    return found


def as_json(value):
    return value.hex() if isinstance(value, (bytes, memoryview)) else f"{type(value).__name__} {value}"


class Dialogue:
    """Arguments: the port, and whether "postgres" or "veer" listens there."""

    def __init__(self):
        self.port = int(sys.argv[1])
        self.through_veer = sys.argv[2] == "veer"
        self.dsn = f"host=127.0.0.1 port={self.port} user={USER} password='{PASSWORD}' dbname={DATABASE}"
        self.url = f"{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/{DATABASE}"

    def note(self, step, result, **more):
        print(json.dumps({"step": step, "result": result, **more}, default=as_json))

    def search(self, step, expected, ask, last):
        """ask() returns rows, last() the row of SHOW veer.last in the same session. Asked again while
        the index is behind, as it may be after what might have been a write."""

        def attempt():
            rows = [tuple(row) for row in ask()]
            answer = list(last())[:2] if self.through_veer else None
            return None if answer and answer[1] == "behind" else (rows, answer)

        rows, answer = wait_until(attempt, f"the index to catch up ({step})")
        if not rows:
            sys.exit(f"{step}: no rows")
        self.note(step, rows, expected=expected, answer=answer)

    def error(self, step, errors, describe, call, *arguments):
        """The call must raise one of errors; describe() makes of it what is compared."""
        try:
            call(*arguments)
        except errors as error:
            self.note(step, [type(error).__name__, describe(error), str(error)])
        else:
            sys.exit(f"{step}: no error")
