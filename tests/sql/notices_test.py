"""What EXPLAIN and veer.notice say, beside what PostgreSQL says itself: plans stay as they are, byte for byte.

    notices_test.py <veer binary>
"""

import pathlib
import sys

from observed import Session, difference
from private_servers import Postgres, Veer, fail, session

HERE = pathlib.Path(__file__).parent
QUERY = "[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]"
KEYS = "SELECT id FROM docs ORDER BY e <=> '{q}' LIMIT 5"
TITLES = "SELECT id, title FROM docs WHERE tenant > 1 ORDER BY e <=> '{q}' LIMIT 5"
EXACT = "SELECT id FROM docs ORDER BY e <=> '{q}', id LIMIT 5"
NO_ROUTE = "SELECT id FROM plain_docs ORDER BY e <=> '{q}' LIMIT 5"
PARAMETER = "SELECT id FROM docs ORDER BY e <=> $1 LIMIT 5"


class Hearing(Session):
    """A session that keeps what it was told."""

    def __init__(self, port):
        super().__init__(port)
        self.heard = []
        self.connection.notice_handler = lambda result: self.heard.append(
            result.error_message.decode().splitlines()[0])

    def told(self, send):
        """What a statement gave, and what was said meanwhile."""
        self.heard.clear()
        return send(self), list(self.heard)


def expect(found, wanted, what):
    if found != wanted:
        fail(f"{what}: {found!r} instead of {wanted!r}")


def simple(sql):
    return lambda session: session.simple(sql.replace("{q}", QUERY))


def extended(sql, *values):
    return lambda session: session.extended(sql.replace("{q}", QUERY), values)


def named(sql, *values):
    return lambda session: session.named(sql.replace("{q}", QUERY), values, times=1)[-1]


class Stage:
    def __init__(self, direct, through):
        self.direct = direct
        self.through = through

    def say(self, send, *endings):
        """The same comes back on both sides, and through veer notices that end like this."""
        wanted, nothing = self.direct.told(send)
        expect(nothing, [], "said directly")
        found, heard = self.through.told(send)
        if different := difference(wanted, found):
            fail(f"{different} ({heard})")
        if len(heard) != len(endings) or not all(
                line.startswith("NOTICE:  veer ") and line.endswith(ending) for line, ending in zip(heard, endings)):
            fail(f"{endings} should have been said, not {heard}")

    def both(self, sql):
        self.direct.simple(sql), self.through.simple(sql)


def scene_explain(stage):
    would = "would answer this search from its index "
    for options in ("", "VERBOSE", "(COSTS off, FORMAT json)", "(ANALYZE, COSTS off, TIMING off, SUMMARY off)"):
        stage.say(simple(f"EXPLAIN {options} {KEYS}"), would + "(local)")
        stage.say(extended(f"EXPLAIN {options} {TITLES}"), would + "(rewrite)")
    stage.say(extended(f"EXPLAIN {PARAMETER}", QUERY), would + "(local)")
    stage.say(named(f"EXPLAIN {PARAMETER}", QUERY), would + "(local)")
    for other in (EXACT, NO_ROUTE, "SELECT 1", KEYS + "; SELECT 2"):
        stage.say(simple(f"EXPLAIN {other}"))
    stage.say(simple("EXPLAIN SELECT nothing FROM docs ORDER BY e <=> '{q}' LIMIT 5"))  # an error has no notice
    leave = "would leave this search to PostgreSQL "
    for setting, why in (("enable_indexscan = off", "exact_requested"), ("veer.route = 'postgres'", "session_route")):
        stage.both(f"SET {setting}")
        stage.say(simple(f"EXPLAIN {KEYS}"), f"{leave}({why})")
        stage.both(f"RESET {setting.split()[0]}")
    stage.both("BEGIN ISOLATION LEVEL REPEATABLE READ")
    stage.say(simple(f"EXPLAIN {KEYS}"), leave + "(isolation)")
    stage.both("ROLLBACK")
    stage.both("BEGIN")
    stage.say(simple(f"EXPLAIN {KEYS}"), would + "(local)")
    stage.both("SELECT 1 / 0")
    stage.say(simple(f"EXPLAIN {KEYS}"))
    stage.both("ROLLBACK")


def scene_searches(stage):
    answered = "answered this search from its index "
    left = "left this search to PostgreSQL "
    stage.say(simple(KEYS))
    stage.both("SET veer.notice = on")
    for send in (simple(KEYS), extended(PARAMETER, QUERY), named(PARAMETER, QUERY)):
        stage.say(send, answered + "(local)")
    stage.say(simple(TITLES), answered + "(rewrite)")
    stage.say(extended(TITLES), answered + "(rewrite)")
    stage.say(simple(EXACT), left + "(order_keys)")
    stage.say(extended(NO_ROUTE), left + "(no_route)")
    stage.say(simple(f"EXPLAIN {EXACT}"), "would leave this search to PostgreSQL (order_keys)")
    stage.say(simple(f"SELECT 1; {KEYS}"), left + "(multiple_statements)")
    stage.say(simple("SELECT 1"))


def scene_settings(stage):
    """SET LOCAL, ROLLBACK, savepoints and functions: PostgreSQL knows them, so veer does."""
    on = ("answered this search from its index (local)",)
    stage.both("SET veer.notice = off")
    stage.say(simple(KEYS))
    for set_it in ("SET LOCAL veer.notice = 'on'", "SELECT set_config('veer.notice', 'true', true)"):
        stage.both("BEGIN")
        stage.both(set_it)
        stage.say(simple(KEYS), *on)
        stage.both("COMMIT")
        stage.say(simple(KEYS))
    stage.both("BEGIN")
    stage.both("SAVEPOINT s")
    stage.both("SET veer.notice = on")
    stage.say(extended(KEYS), *on)
    stage.both("ROLLBACK TO s")
    stage.say(extended(KEYS))
    stage.both("COMMIT")
    stage.both("SET veer.notice = on")
    stage.both("SET client_min_messages = warning")
    stage.say(simple(KEYS))
    stage.say(simple(f"EXPLAIN {KEYS}"))
    stage.both("RESET ALL")
    stage.say(simple(KEYS))
    stage.say(simple(f"EXPLAIN {KEYS}"), "would answer this search from its index (local)")


def main(binary):
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute((HERE / "tables.sql").read_text())
        with Veer(binary, postgres) as veer:
            for scene in (scene_explain, scene_searches, scene_settings):
                print(scene.__name__, flush=True)
                scene(Stage(Hearing(postgres.port), Hearing(veer.port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
