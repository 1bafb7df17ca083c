"""The primary of veer's connection string ends, and its standby takes over, with veer's slot and without.

    failover_pg_test.py <veer binary> [seed]

Writers go on through veer: what each has committed it finds, from whichever server and engine. After each failover
`veer verify` finds nothing. The seed is printed. Since PostgreSQL 17 a standby keeps up with the slot itself.
"""

import random
import shutil
import signal
import sys

from faults_pg_test import TOML, CrashingPostgres, Gate, MortalVeer, Stage, Writer, fill
from hosts_pg_test import Standby, dsn, port_behind
from limits_pg_test import expect
from private_servers import server_program, session, wait_until


class ReturningStandby(Standby, CrashingPostgres):
    """Can be stopped, and started again as what it was."""

    def rest(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.log.close()

    def take_over(self):
        self.promote()
        wait_until(lambda: not self.in_recovery(), "the promotion")

    def in_recovery(self):
        with session(self.port) as db:
            return db.execute("SELECT pg_is_in_recovery()").fetchone()[0]


class FollowingStandby(ReturningStandby):
    """Has the slots that its primary has, and nobody is told by one of them what the standby does not have."""

    def make_cluster(self, programs, user, data):
        with session(self.primary.port) as db:
            db.execute("SELECT pg_create_physical_replication_slot('standby', true)")
            db.execute("ALTER SYSTEM SET synchronized_standby_slots = 'standby'")
            db.execute("SELECT pg_reload_conf()")
        super().make_cluster(programs, user, data)
        with open(data / "postgresql.auto.conf", "a") as settings:
            settings.write(f"primary_conninfo = 'host=127.0.0.1 port={self.primary.port} user=postgres dbname=postgres'\n"
                           "primary_slot_name = 'standby'\nhot_standby_feedback = on\nsync_replication_slots = on\n"
                           "synchronized_standby_slots = ''\n")

    def follow(self):
        """Its server looks at the primary's slots again and again; those move on when what runs there is logged."""
        with session(self.primary.port) as primary, session(self.port) as db:
            def followed():
                primary.execute("SELECT pg_log_standby_snapshot()")
                return db.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name ~ '^veer_' AND synced AND NOT temporary "
                                  "AND invalidation_reason IS NULL").fetchall()
            wait_until(followed, "veer's slot on the standby")


class FailoverStage(Stage):
    """Its `postgres` is who is primary now."""

    def __init__(self, binary, primary, standby, seed, attributes):
        self.postgres, self.standby, self.random = primary, standby, random.Random(seed)
        self.veer = MortalVeer(binary, primary, TOML, dsn([primary, standby], attributes))
        self.writers = [Writer(self.veer, number, seed + number) for number in range(2)]

    def begin(self):
        """A commit that a client has heard of is the standby's, too."""
        with session(self.postgres.port) as db:
            db.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            db.execute("SELECT pg_reload_conf()")
            wait_until(lambda: db.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchall(),
                       "a synchronous standby")
        wait_until(self.veer.live, "veer to be live")
        for writer in self.writers:
            writer.start()
        self.go_on(20)

    def end(self):
        for writer in self.writers:
            writer.stopping = True
        for writer in self.writers:
            writer.join()
        print(f"ok {self.changes()} changes, each looked for", flush=True)

    def crash(self):
        """What veer's slot had is gone with the server."""
        self.go_on(5)
        self.postgres.crash()
        self.standby.take_over()

    def crash_with_slot(self):
        """The slot is behind veer by what was committed since."""
        self.standby.follow()
        self.crash()

    def crash_and_pause(self):
        """Veer is at the standby before that is primary."""
        self.go_on(5)
        self.postgres.crash()
        wait_until(lambda: "The upstream is a standby" in self.veer.said(), "veer to be told that it is at a standby")
        self.standby.take_over()

    def crash_with_slot_and_pause(self):
        self.standby.follow()
        self.crash_and_pause()

    def switch_over(self):
        """The primary ends in peace, when everybody has everything; the standby gets its slot, as Patroni does it."""
        self.go_on(5)
        self.postgres.process.send_signal(signal.SIGINT)
        self.postgres.process.wait()
        self.postgres.log.close()
        self.standby.rest()
        for slot in (self.postgres.directory / "data" / "pg_replslot").iterdir():
            kept = self.standby.directory / "data" / "pg_replslot" / slot.name
            shutil.copytree(slot, kept)
            for path in (kept, *kept.iterdir()):
                shutil.chown(path, slot.owner(), slot.group())
        self.standby.come_back()
        self.standby.take_over()


def check(binary, seed, how, copied_again, kind=ReturningStandby, attributes="read-write"):
    with CrashingPostgres() as primary:
        fill(primary)
        with kind(primary) as standby:
            stage = FailoverStage(binary, primary, standby, seed, attributes)
            with stage.veer:
                stage.begin()
                getattr(stage, how)()
                stage.postgres = standby
                stage.write_past_veer()
                stage.settle()
                stage.end()
                said = stage.veer.said()
                expect(said.count("sync: copying public.docs") > 1, copied_again, f"copied again, with {how}: {said}")
    print(f"ok {how}", flush=True)


def check_parted(binary):
    """Two primaries: sessions are at the new one, while veer's stream is still open at the old one, which has more."""
    nearest = "SELECT id FROM docs ORDER BY e <-> (SELECT e FROM docs WHERE id = 1) LIMIT 3"
    with CrashingPostgres() as primary:
        fill(primary)
        gate = Gate(primary.port)
        with ReturningStandby(primary) as standby:
            with MortalVeer(binary, primary, TOML, dsn([gate, standby], "read-write")) as veer:
                wait_until(veer.live, "veer to be live")
                with session(standby.port) as db:
                    db.execute("ALTER SYSTEM SET primary_conninfo = ''")
                    db.execute("SELECT pg_reload_conf()")
                    wait_until(lambda: not db.execute("SELECT 1 FROM pg_stat_wal_receiver").fetchall(),
                               "the standby to follow nobody")
                with session(veer.port) as db:  # what only the old primary will have
                    db.execute("DELETE FROM docs WHERE id BETWEEN 2 AND 500")
                    db.execute("UPDATE docs SET e = (SELECT e FROM docs WHERE id = 1) WHERE id BETWEEN 501 AND 510")
                    db.execute(nearest)
                    expect(db.execute("SHOW veer.last").fetchone()[0], "veer", "who knows of it")
                gate.shut()
                standby.take_over()
                wait_until(lambda: port_behind(veer.port) == standby.port, "sessions at the new primary")
                with session(veer.port) as db, session(standby.port) as direct:
                    for sql in (nearest, nearest.replace("SELECT id", "SELECT *")):
                        expect(db.execute(sql).fetchall(), direct.execute(sql).fetchall(), f"at the new primary, {sql}")
                        expect(db.execute("SHOW veer.last").fetchone()[:2], ("postgres", "other_timeline"), "who answered")
                    db.execute("INSERT INTO docs (id, e) SELECT 9500000, e FROM docs WHERE id = 1")
                    expect(9500000 in {row[0] for row in db.execute(nearest).fetchall()}, True, "a row just written there")
    print("ok two primaries", flush=True)


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    check_parted(sys.argv[1])
    check(sys.argv[1], seed, "crash", True)
    check(sys.argv[1], seed, "crash_and_pause", True, attributes="any")
    check(sys.argv[1], seed, "switch_over", False)
    if int(server_program("postgres").parts[-3]) >= 17:
        check(sys.argv[1], seed, "crash_with_slot", False, FollowingStandby)
        check(sys.argv[1], seed, "crash_with_slot_and_pause", False, FollowingStandby, "any")
    print("all of it held")


if __name__ == "__main__":
    main()
