"""How old the copy may be that answers: causal, bounded and eventual searches while the stream is held up.

    freshness_pg_test.py <veer binary>

The walsender is stopped, so that the copy stays what it was for as long as the test likes.
"""

import contextlib
import os
import signal
import subprocess
import sys

from limits_pg_test import expect
from private_servers import Postgres, Veer, session, wait_until

NEAREST = "SELECT id FROM docs ORDER BY e <-> '[500,0,0]' LIMIT 1"
# Else a stream that is held up for some seconds takes all traffic back, whatever the freshness.
GUARDS = '[guards]\nlag_max = "10m"\n'
ROUTE = GUARDS + '[[route]]\ncolumn = "public.docs.e"\noperator = "<->"\npercent = 100\nfreshness = "{}"\n'


class FreshVeer(Veer):
    freshness = "causal"

    def configure(self, percent):
        del percent
        (self.directory / "veer.toml").write_text(ROUTE.format(self.freshness))

    def set_freshness(self, freshness):
        self.freshness = freshness
        self.configure(100)
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.shown() == freshness, f"the route to be {freshness}")

    def shown(self):
        with session(self.port) as db:
            shown = db.execute("SHOW veer.routes")
            return shown.fetchone()[[column.name for column in shown.description].index("freshness")]


def fill(postgres):
    with session(postgres.port) as db:
        db.execute("CREATE EXTENSION vector")
        db.execute("CREATE TABLE docs (id bigint PRIMARY KEY, e vector(3))")
        db.execute("INSERT INTO docs SELECT i, ARRAY[i, 0, 1]::vector FROM generate_series(1, 100) i")
        db.execute("CREATE INDEX ON docs USING hnsw (e vector_l2_ops)")


def find(db):
    """The nearest row's key, and who said so, and why."""
    key = db.execute(NEAREST).fetchone()[0]
    return (key, *db.execute("SHOW veer.last").fetchone()[:2])


@contextlib.contextmanager
def stream_held_up(postgres):
    with session(postgres.port) as db:
        pid = db.execute("SELECT active_pid FROM pg_replication_slots WHERE active").fetchone()[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def searcher(veer, freshness):
    with session(veer.port) as db:
        db.execute(f"SET veer.freshness = '{freshness}'")
        yield db


def check_sessions(postgres, veer):
    """All of one moment: an old row, and a new one, which the copy has not."""
    with contextlib.ExitStack() as stack:
        sessions = {
            word: stack.enter_context(searcher(veer, word))
            for word in ("causal", "bounded 500ms", "bounded 1h", "eventual", "nonsense")}
        for word, db in sessions.items():
            wait_until(lambda db=db: find(db) == (100, "veer", "local"), f"{word}: answered by the index")
        with stream_held_up(postgres):
            sessions["causal"].execute("INSERT INTO docs VALUES (1000, '[500,0,0]')")
            expect(find(sessions["causal"]), (1000, "postgres", "behind"), "causal, behind")
            expect(find(sessions["nonsense"]), (1000, "postgres", "behind"), "no freshness at all, behind")
            expect(find(sessions["eventual"]), (100, "veer", "local"), "eventual, behind")
            wait_until(
                lambda: find(sessions["bounded 500ms"]) == (1000, "postgres", "behind"), "the copy to be 500 ms old")
            expect(find(sessions["bounded 500ms"]), (1000, "postgres", "behind"), "bounded, and older")
            expect(find(sessions["bounded 1h"]), (100, "veer", "local"), "bounded, and not that old")
        for word, db in sessions.items():
            wait_until(lambda db=db: find(db) == (1000, "veer", "local"), f"{word}: the index has caught up")
    print("ok sessions")


def check_written_elsewhere(postgres, veer):
    """What veer has not seen being written, a bound holds for all the same."""
    with searcher(veer, "bounded 500ms") as bounded, searcher(veer, "causal") as causal:
        wait_until(lambda: find(bounded) == (1000, "veer", "local"), "a known age")
        with stream_held_up(postgres):
            with session(postgres.port) as db:
                db.execute("DELETE FROM docs WHERE id = 1000")
            expect(find(causal), (1000, "veer", "local"), "causal, of what went not through veer")
            wait_until(lambda: find(bounded) == (100, "postgres", "behind"), "the copy to be 500 ms old")
        wait_until(lambda: find(bounded) == (100, "veer", "local"), "the index to have caught up")
    print("ok what is written elsewhere")


def check_route(postgres, veer):
    """The file's word for the route, and the session's, which wins."""
    expect(veer.shown(), "causal", "what SHOW veer.routes says")
    veer.set_freshness("eventual")
    checked = subprocess.run(
        [veer.binary, "check-config", "-c", veer.directory / "veer.toml"], capture_output=True, text=True)
    expect(checked.returncode, 0, "check-config: " + checked.stderr)
    expect('freshness = "eventual"' in checked.stdout, True, "check-config names it")
    with session(veer.port) as plain, searcher(veer, "causal") as causal:
        with stream_held_up(postgres):
            causal.execute("INSERT INTO docs VALUES (2000, '[500,0,0]')")
            expect(find(plain), (100, "veer", "local"), "the route's eventual")
            expect(find(causal), (2000, "postgres", "behind"), "the session's causal")
        wait_until(lambda: find(plain) == (2000, "veer", "local"), "the index to have caught up")
    veer.set_freshness("bounded 1s")
    print("ok routes")


def main():
    with Postgres() as postgres:
        fill(postgres)
        with FreshVeer(sys.argv[1], postgres) as veer:
            check_sessions(postgres, veer)
            check_written_elsewhere(postgres, veer)
            check_route(postgres, veer)
            veer.check_running()
    print("all of it held")


if __name__ == "__main__":
    main()
