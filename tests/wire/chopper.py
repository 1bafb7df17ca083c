"""A relay between veer and PostgreSQL that hands on what the server sends in small pieces, so that veer meets its
frames cut everywhere.

    chopper.py <port of the server> <bytes a piece>     prints its own port, then runs until it is killed
"""

import socket
import sys
import threading

PIECES_MAX = 2_000  # of one read: large results need not take for ever


def hand_on(source, sink, piece):
    """Until the source ends; then so does this half of the sink."""
    try:
        while data := source.recv(1 << 16):
            size = max(piece, len(data) // PIECES_MAX) if piece else len(data)
            for at in range(0, len(data), size):
                sink.sendall(data[at:at + size])
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has gone before


def serve(client, port, piece):
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        other = threading.Thread(target=hand_on, args=(client, server, 0), daemon=True)
        other.start()
        hand_on(server, client, piece)
        other.join()


def main():
    port, piece = int(sys.argv[1]), int(sys.argv[2])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, port, piece), daemon=True).start()


if __name__ == "__main__":
    main()
