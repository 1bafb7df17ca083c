"""PostgreSQL's own replication clients through veer, which is a pipe to them.

    replication_pg_test.py <veer binary>

What they leave behind has to be what it is where they talk to PostgreSQL itself.
"""

import os
import signal
import subprocess
import sys

from limits_pg_test import PlainVeer, expect
from private_servers import Postgres, fail, server_program, session, wait_until

USER = ("--reuid", "postgres", "--regid", "postgres", "--clear-groups") if os.geteuid() == 0 else ()
ROWS = 20_000


def run(name, port, *arguments):
    """As the server's user, in whose directory it writes."""
    command = ["setpriv", *USER, server_program(name), "-h", "127.0.0.1", "-p", port, "-U", "postgres", *arguments]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd="/")
    if done.returncode != 0:
        fail(f"{name}: {done.stderr}")


def check_base_backup(postgres, veer):
    """The copy's own manifest tells whether all of it is there."""
    copy = postgres.directory / "copy"
    run("pg_basebackup", veer.port, "-D", copy, "-X", "stream", "-c", "fast", "--no-sync")
    verified = subprocess.run(["setpriv", *USER, server_program("pg_verifybackup"), copy], capture_output=True, text=True, cwd="/")
    expect(verified.returncode, 0, "pg_verifybackup: " + verified.stderr)
    print("ok pg_basebackup")


def change(db):
    db.execute(f"INSERT INTO followed SELECT i, repeat('x', 1000) FROM generate_series(1, {ROWS}) i")
    db.execute("UPDATE followed SET t = 'y' WHERE i % 2 = 0")
    db.execute("TRUNCATE followed")


def check_logical(postgres, veer):
    """Two slots of the same position, one read directly."""
    ports = {"directly": postgres.port, "through_veer": veer.port}
    with session(postgres.port) as db:
        db.execute("CREATE TABLE followed (i int PRIMARY KEY, t text)")
        for slot, port in ports.items():
            run("pg_recvlogical", port, "-d", "postgres", "--create-slot", "-S", slot, "-P", "test_decoding")
        change(db)
        end = db.execute("SELECT pg_current_wal_insert_lsn()").fetchone()[0]
        for slot, port in ports.items():
            run("pg_recvlogical", port, "-d", "postgres", "--start", "-S", slot, "-E", end, "--no-loop", "-F", "1",
                "-o", "include-xids=1", "-f", postgres.directory / slot)
            run("pg_recvlogical", port, "-d", "postgres", "--drop-slot", "-S", slot)
    found = {slot: (postgres.directory / slot).read_text() for slot in ports}
    expect(found["through_veer"].count("INSERT"), ROWS, "rows that pg_recvlogical was told of")
    expect(found["through_veer"] == found["directly"], True, "the same changes, told in the same words")
    print("ok pg_recvlogical")


def check_wal(postgres, veer):
    """A whole segment, byte for byte, from a client that goes on until it is told to stop."""
    archive = postgres.directory / "archive"
    archive.mkdir(mode=0o777)
    archive.chmod(0o777)
    with session(postgres.port) as db:
        segment = db.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()[0]
        command = ["setpriv", "--pdeathsig", "KILL", *USER, server_program("pg_receivewal"), "-h", "127.0.0.1", "-p",
                   veer.port, "-U", "postgres", "-D", archive, "--no-loop"]
        receiving = subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, text=True, cwd="/")
        wait_until(lambda: list(archive.iterdir()) or receiving.poll() is not None, "pg_receivewal to begin")
        db.execute("SELECT pg_switch_wal()")
        wait_until(lambda: (archive / segment).exists() or receiving.poll() is not None, "the segment")
    receiving.send_signal(signal.SIGINT)
    _, said = receiving.communicate()
    expect(receiving.returncode, 0, "pg_receivewal: " + said)
    original = (postgres.directory / "data" / "pg_wal" / segment).read_bytes()
    expect((archive / segment).read_bytes() == original, True, "the same bytes of WAL")
    print("ok pg_receivewal")


def main():
    binary = sys.argv[1]
    with Postgres() as postgres, PlainVeer(binary, postgres) as veer:
        check_base_backup(postgres, veer)
        check_logical(postgres, veer)
        check_wal(postgres, veer)
        veer.check_running()
    print("all of it held")


if __name__ == "__main__":
    main()
