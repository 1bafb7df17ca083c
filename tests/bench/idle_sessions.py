"""Opens sessions, runs one statement in each, and prints the resident memory of a process in KiB.

    idle_sessions.py PORT SESSIONS PID
"""

import pathlib
import socket
import struct
import sys


def receive_until_ready(session):
    received = b""
    while not received.endswith(b"Z\0\0\0\5I"):
        more = session.recv(65536)
        if not more:
            sys.exit(f"closed: {received!r}")
        received += more


def open_session(port):
    session = socket.create_connection(("127.0.0.1", port))
    words = b"user\0postgres\0database\0demo\0\0"
    session.sendall(struct.pack("!II", len(words) + 8, 196608) + words)
    receive_until_ready(session)
    statement = b"SELECT repeat('x', 10000)\0"
    session.sendall(b"Q" + struct.pack("!I", len(statement) + 4) + statement)
    receive_until_ready(session)
    return session


def main():
    port, count, pid = map(int, sys.argv[1:])
    sessions = [open_session(port) for _ in range(count)]
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    print(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    for session in sessions:
        session.close()


if __name__ == "__main__":
    main()
