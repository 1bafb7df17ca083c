"""target_session_attrs of veer's DSN, with a real primary, a hot standby, and a failover.

    hosts_pg_test.py <veer binary>
"""

import signal
import subprocess
import sys

import psycopg
from limits_pg_test import PlainVeer, Raw, expect, query, sqlstates
from private_servers import Postgres, fail, session, wait_until

PATIENCE = 60


class Standby(Postgres):
    """A hot standby of a server, made by pg_basebackup."""

    def __init__(self, primary):
        super().__init__()
        self.primary = primary

    def make_cluster(self, programs, user, data):
        made = subprocess.run(
            ["setpriv", *user, programs.with_name("pg_basebackup"), "-D", data, "-R", "-X", "stream", "-c", "fast",
             "-d", f"host=127.0.0.1 port={self.primary.port} user=postgres"],
            cwd=self.directory, capture_output=True, text=True)
        if made.returncode != 0:
            fail("pg_basebackup: " + made.stderr)

    def accepts(self):
        self.check_running()
        return "ready to accept read-only connections" in self.said()

    def promote(self):
        with session(self.port) as db:
            db.execute("SELECT pg_promote()")


def dsn(hosts, attributes):
    names = ",".join("127.0.0.1" for _ in hosts)
    ports = ",".join(str(host.port) for host in hosts)
    return (f"host={names} port={ports} user=postgres dbname=postgres connect_timeout=5 "
            f"target_session_attrs={attributes}")


def port_behind(port):
    """Of the server that a new session through `port` gets; none where it is refused."""
    try:
        with session(port) as db:
            return int(db.execute("SHOW port").fetchone()[0])
    except psycopg.OperationalError:
        return None


def check_choice(binary, primary, standby):
    wanted = {
        "any": standby, "read-write": primary, "primary": primary, "standby": standby,
        "read-only": standby, "prefer-standby": standby}
    for attributes, server in wanted.items():
        print("  " + attributes, flush=True)
        with PlainVeer(binary, primary, upstream=dsn([standby, primary], attributes)) as veer:
            for _ in range(3):
                expect(port_behind(veer.port), server.port, f"{attributes}: the server's port")


def check_read_only_default(binary, primary):
    with session(primary.port) as db:
        db.execute("ALTER ROLE postgres SET default_transaction_read_only = on")
    short = '[limits]\nconnect_timeout = "300ms"\n'
    with PlainVeer(binary, primary, short, upstream=dsn([primary], "read-write")) as veer:
        refused = Raw(veer.port, startup=False)
        refused.send_startup()
        expect(sqlstates(refused.rest()), ["08001"], "a primary that does not write by default")
    with session(primary.port) as db:
        db.execute("SET default_transaction_read_only = off")
        db.execute("ALTER ROLE postgres RESET default_transaction_read_only")


def check_failover(binary, primary, standby):
    writes = PlainVeer(binary, primary, upstream=dsn([primary, standby], "read-write"))
    reads = PlainVeer(binary, primary, upstream=dsn([primary, standby], "prefer-standby"))
    with writes, reads:
        expect(port_behind(writes.port), primary.port, "before the failover: writes")
        expect(port_behind(reads.port), standby.port, "before the failover: reads")
        client = Raw(writes.port)
        primary.process.send_signal(signal.SIGQUIT)
        client.rest()
        primary.process.wait(PATIENCE)
        standby.promote()
        for veer, what in ((writes, "writes"), (reads, "reads")):
            wait_until(lambda veer=veer: port_behind(veer.port) == standby.port, f"{what} after the failover")
        moved = Raw(writes.port)
        moved.send(query("CREATE TABLE after_failover ()"))
        expect(sqlstates(moved.until(b"Z")), [], "a write after the failover")


def main():
    binary = sys.argv[1]
    with Postgres() as primary, Standby(primary) as standby:
        check_choice(binary, primary, standby)
        check_read_only_default(binary, primary)
        check_failover(binary, primary, standby)


if __name__ == "__main__":
    main()
