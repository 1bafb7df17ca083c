"""TLS on both sides and authentication, by real psql and PostgreSQL, and by peers that lie.

Every cell of the matrix in proxy/README.md times libpq's modes; certificates are made here and go with the test.
"""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import string
import struct
import subprocess
import sys
import tempfile
import threading

import psycopg
import private_servers
from private_servers import fail, wait_until

PASSWORD = "pencil"
PIECE_BYTES = 1 << 20
READABLE_BYTES_MAX = 1 << 30  # of one mapping: a sanitizer's shadow is larger, and holds nothing else
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSSENC_REQUEST = struct.pack("!ii", 8, 80877104)


def startup_packet(user="alice"):
    body = struct.pack("!i", 196608) + b"user\0" + user.encode() + b"\0database\0postgres\0\0"
    return struct.pack("!i", len(body) + 4) + body


class Certificates:
    """An authority and what it has signed, in a directory of their own."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="veer-tls-"))
        self.directory.chmod(0o755)
        self.count = 0
        self.authority = self.directory / "ca.crt"
        self.key("ca")
        self.run("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=test authority", "-days", "2", "-out", "ca.crt")

    def run(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.directory, capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"openssl {arguments}: {done.stderr}")

    def key(self, name):
        self.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
        (self.directory / f"{name}.key").chmod(0o600)

    def make(self, common_name, names="", signed=True):
        self.count += 1
        name = f"c{self.count}"
        self.key(name)
        if signed:
            self.run("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={common_name}", "-out", f"{name}.csr")
            (self.directory / f"{name}.ext").write_text(f"subjectAltName={names}\n" if names else "basicConstraints=CA:FALSE\n")
            self.run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.crt")
        else:
            self.run("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={common_name}", "-days", "2",
                     "-out", f"{name}.crt")
        return self.directory / f"{name}.crt", self.directory / f"{name}.key"


class Postgres(private_servers.Postgres):
    """Asks everybody for a SCRAM password, except its superuser, in the clear and encrypted."""

    def start(self):
        super().start()
        with psycopg.connect(f"host=127.0.0.1 port={self.port} user=postgres", autocommit=True) as db:
            db.execute(f"CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}'")
            db.execute(f"CREATE ROLE stale LOGIN PASSWORD '{PASSWORD}'")
            db.execute(f"CREATE ROLE expired LOGIN PASSWORD '{PASSWORD}' VALID UNTIL '2001-01-01'")
            db.execute(f"CREATE ROLE barred NOLOGIN PASSWORD '{PASSWORD}'")
            self.secret = db.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'alice'").fetchone()[0]

    def configure(self, hba, **settings):
        (self.directory / "data" / "pg_hba.conf").write_text(hba)
        with psycopg.connect(f"host={self.directory} port={self.port} user=postgres", autocommit=True) as db:
            for name, value in settings.items():
                db.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            before = db.execute("SELECT pg_conf_load_time()").fetchone()
            db.execute("SELECT pg_reload_conf()")
            wait_until(lambda: db.execute("SELECT pg_conf_load_time()").fetchone() != before, "the reload")

    def use_certificate(self, certificate, key, authority):
        for source, name in ((certificate, "server.crt"), (key, "server.key"), (authority, "root.crt")):
            target = self.directory / "data" / name
            shutil.copy(source, target)
            if os.geteuid() == 0:
                shutil.chown(target, "postgres", "postgres")
            target.chmod(0o600)


LOCAL = "local all all trust\n"
ANY = LOCAL + "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
ONLY_TLS = LOCAL + "hostnossl all all 127.0.0.1/32 reject\n" + ANY
ONLY_PLAIN = LOCAL + "hostssl all all 127.0.0.1/32 reject\n" + ANY
CERTIFICATE = LOCAL + "hostssl all all 127.0.0.1/32 cert clientcert=verify-full\n"


class Veer(private_servers.Server):
    def __init__(self, binary, upstream, toml=""):
        super().__init__()
        self.binary, self.upstream, self.toml = binary, upstream, toml

    def start(self):
        self.write(self.toml)
        self.launch(self.binary, "run", "--upstream", self.upstream, "--listen", "127.0.0.1:0", "--data-dir",
                    self.directory / "data")
        self.port = int(wait_until(self.listening, "veer to listen")[1])

    def listening(self):
        self.check_running()
        return private_servers.re.search(r"listens on 127\.0\.0\.1:(\d+)", self.said())

    def write(self, toml):
        (self.directory / "veer.toml").write_text(toml)

    def reload(self, toml, expected):
        self.write(toml)
        said = self.said().count(expected)
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.said().count(expected) > said, expected)


def psql(port, *more, user="alice", password=PASSWORD, host="127.0.0.1", sql=None):
    """What psql prints, or its complaint. By default: is the client's leg encrypted, is the server's?"""
    sql = sql or "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    dsn = f"host={host} port={port} user={user} dbname=postgres " + " ".join(more)
    environment = {**os.environ, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "30", "HOME": "/nonexistent"}
    done = subprocess.run(["psql", "-X", "-At", dsn, "-c", sql], capture_output=True, text=True, env=environment)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


def expect(what, said, wanted):
    if wanted not in said if len(wanted) > 1 else said != wanted:
        fail(f"{what}: expected {wanted!r}, psql said {said!r}")
    print("ok", what)


def receive_all(peer):
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while part := peer.recv(65536):
            said += part
    return said


def talk(port, *sent):
    """Sends each piece after an answer to the one before; returns what came after the last."""
    with socket.create_connection(("127.0.0.1", port), 30) as peer:
        for piece in sent[:-1]:
            peer.sendall(piece)
            peer.recv(1)
        peer.sendall(sent[-1])
        peer.shutdown(socket.SHUT_WR)
        return receive_all(peer)


class LyingServer:
    """Answers whatever it is sent by the same bytes."""

    def __init__(self, answer):
        self.answer = answer
        self.heard = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.answer_one, args=(peer,), daemon=True).start()

    def answer_one(self, peer):
        # Each on its own: veer's connections for the copy come here too, and one that waits for
        # more must not keep the others waiting.
        with peer:
            heard = peer.recv(65536)
            peer.sendall(self.answer)
            self.heard.append(heard + receive_all(peer))


def check_matrix(binary, postgres, certificates, server):
    """Client plain or TLS times upstream plain or TLS, times the ways to log in."""
    tls = f"[tls]\ncert = '{server[0]}'\nkey = '{server[1]}'\n"
    users = certificates.directory / "userlist.txt"
    users.write_text(f'"alice" "{postgres.secret}"\n')
    users.chmod(0o600)
    secrets = {"none": "", "file": f"[auth]\nfile = '{users}'\n", "query": "[auth]\nquery = 'default'\n"}
    base = f"host=127.0.0.1 port={postgres.port} user=postgres dbname=postgres"
    for upstream in ("disable", "allow", "prefer", "require"):
        encrypted = "t" if upstream in ("prefer", "require") else "f"
        for source, auth in secrets.items():
            with Veer(binary, f"{base} sslmode={upstream}", tls + auth) as veer:
                where = f"upstream {upstream}, secrets from {source}"
                expect(f"plain client, {where}", psql(veer.port, "sslmode=disable"), encrypted)
                both = encrypted == "t" and source == "none"
                wanted = "SCRAM cannot be relayed between two encrypted connections" if both else encrypted
                expect(f"TLS client, {where}", psql(veer.port, "sslmode=require"), wanted)
                expect(f"TLS client without binding, {where}",
                       psql(veer.port, "sslmode=require channel_binding=disable"), encrypted)
                expect(f"wrong password, {where}",
                       psql(veer.port, "sslmode=require channel_binding=disable", password="no"),
                       'password authentication failed for user "alice"')
                if encrypted == "t" and source != "none":
                    expect(f"bound client, {where}", psql(veer.port, "sslmode=require channel_binding=require"), "t")
                    expect(f"unknown user, {where}", psql(veer.port, "sslmode=require", user="nobody"),
                           'password authentication failed for user "nobody"')
                for user in ("expired", "barred"):
                    expect(f"{user} user, {where}",
                           psql(veer.port, "sslmode=require channel_binding=disable", user=user), "FATAL")
                expect(f"trusted user, {where}", psql(veer.port, "sslmode=require", user="postgres"), encrypted)


def check_stale_secret(binary, postgres, certificates, server):
    users = certificates.directory / "stale.txt"
    users.write_text(f'"stale" "{postgres.secret}"\n')
    toml = f"[tls]\ncert = '{server[0]}'\nkey = '{server[1]}'\n[auth]\nfile = '{users}'\n"
    with Veer(binary, f"host=127.0.0.1 port={postgres.port} user=postgres sslmode=require", toml) as veer:
        expect("a stale secret lets nobody in", psql(veer.port, "sslmode=require", user="stale"),
               'password authentication failed for user "stale"')
        if 'another SCRAM secret for user "stale"' not in veer.said():
            fail("veer does not warn of a stale secret")
        if postgres.secret in veer.said() or PASSWORD in veer.said():
            fail("a secret is in the log")


def check_fallback(binary, postgres):
    """sslmode=allow and prefer try the other way where the server refuses the first."""
    base = f"host=127.0.0.1 port={postgres.port} user=postgres"
    for rules, modes in ((ONLY_TLS, {"disable": "no encryption", "allow": "t", "prefer": "t", "require": "t"}),
                         (ONLY_PLAIN, {"disable": "f", "allow": "f", "prefer": "f", "require": "SSL encryption"})):
        postgres.configure(rules)
        for mode, wanted in modes.items():
            with Veer(binary, f"{base} sslmode={mode}") as veer:
                expect(f"upstream {mode} under {'TLS' if rules == ONLY_TLS else 'plain'} only",
                       psql(veer.port, "sslmode=disable"), wanted)
    postgres.configure(ANY)


def check_upstream_certificates(binary, postgres, certificates):
    ca = certificates.authority
    other = certificates.make("other authority", signed=False)[0]
    for name, options, wanted in (
            ("verify-ca", f"host=127.0.0.1 sslmode=verify-ca sslrootcert={ca}", "t"),
            ("verify-full by name", f"host=db.example hostaddr=127.0.0.1 sslmode=verify-full sslrootcert={ca}", "t"),
            ("verify-full by another name", f"host=wrong.example hostaddr=127.0.0.1 sslmode=verify-full sslrootcert={ca}",
             'server certificate does not match host name "wrong.example"'),
            ("verify-ca by another name", f"host=wrong.example hostaddr=127.0.0.1 sslmode=verify-ca sslrootcert={ca}", "t"),
            ("another authority", f"host=127.0.0.1 sslmode=verify-ca sslrootcert={other}", "certificate verify failed"),
            ("another authority, prefer", f"host=127.0.0.1 sslmode=prefer sslrootcert={other}", "f")):
        with Veer(binary, f"{options} port={postgres.port} user=postgres dbname=postgres") as veer:
            expect(f"upstream {name}", psql(veer.port, "sslmode=disable"), wanted)
    certificate, key = certificates.make("alice")
    postgres.configure(CERTIFICATE, ssl_ca_file="root.crt")
    base = f"host=127.0.0.1 port={postgres.port} user=postgres sslmode=require"
    with Veer(binary, f"{base} sslcert={certificate} sslkey={key}") as veer:
        expect("veer's own client certificate", psql(veer.port, "sslmode=disable"), "t")
    with Veer(binary, base) as veer:
        expect("no client certificate", psql(veer.port, "sslmode=disable"), "connection requires a valid client certificate")
    postgres.configure(ANY)


def check_client_modes(binary, postgres, certificates, server):
    """[tls] mode, seen from psql with each sslmode."""
    ca = certificates.authority
    mine, strange = certificates.make("alice"), certificates.make("alice", signed=False)
    base = f"host=127.0.0.1 port={postgres.port} user=postgres sslmode=disable"
    plain, tls = "sslmode=disable", f"sslmode=verify-full sslrootcert={ca} sslcert=none"
    refused = "no encryption"
    files = f"cert = '{server[0]}'\nkey = '{server[1]}'\nca = '{ca}'\n"
    for mode, if_plain, if_tls in (("disable", "f", "does not support SSL"), ("allow", "f", "f"), ("prefer", "f", "f"),
                                   ("require", refused, "f"), ("verify-ca", refused, "valid client certificate"),
                                   ("verify-full", refused, "valid client certificate")):
        with Veer(binary, base, f"[tls]\nmode = '{mode}'\n{files}") as veer:
            expect(f"{mode}: plain", psql(veer.port, plain), if_plain)
            expect(f"{mode}: TLS", psql(veer.port, tls, "hostaddr=127.0.0.1", host="localhost"), if_tls)
            if mode == "require":
                expect("require: psql with allow comes again encrypted", psql(veer.port, "sslmode=allow"), "f")
                expect("another host name", psql(veer.port, tls, "hostaddr=127.0.0.1", host="other.example"), "does not match")
            if mode.startswith("verify"):
                shown = f"sslmode=require sslcert={mine[0]} sslkey={mine[1]}"
                expect(f"{mode}: a client certificate", psql(veer.port, shown), "f")
                expect(f"{mode}: that of another authority",
                       psql(veer.port, f"sslmode=require sslcert={strange[0]} sslkey={strange[1]}"), "unknown ca")
                expect(f"{mode}: that of another user", psql(veer.port, shown, user="postgres"),
                       "f" if mode == "verify-ca" else 'certificate authentication failed for user "postgres"')


def check_start_up(binary, postgres, certificates, server):
    toml = f"[tls]\ncert = '{server[0]}'\nkey = '{server[1]}'\n"
    base = f"host=127.0.0.1 port={postgres.port} user=postgres sslmode=prefer"
    context = ssl.create_default_context(cafile=certificates.authority)
    with Veer(binary, base, toml) as veer:
        for request, words in ((SSL_REQUEST, b"received unencrypted data after SSL request"),
                               (GSSENC_REQUEST, b"received unencrypted data after GSSAPI encryption request")):
            for stuffed in (b"x", startup_packet("postgres")):
                if words not in talk(veer.port, request + stuffed):
                    fail(f"{stuffed!r} after a request was taken")
        if talk(veer.port, SSL_REQUEST, startup_packet("postgres")).startswith(b"R"):
            fail("a plain packet was taken where a handshake was due")
        if b"C0A000\0" not in talk(veer.port, GSSENC_REQUEST, GSSENC_REQUEST):
            fail("a second GSSENCRequest was taken")
        print("ok extra bytes and second requests")
        for protocols, welcome in ((["postgresql"], b"R"), ([], b""), (["http/1.1"], None)):
            context.set_alpn_protocols(protocols) if protocols else None
            if not protocols:
                context = ssl.create_default_context(cafile=certificates.authority)
            said = b""
            with socket.create_connection(("127.0.0.1", veer.port), 30) as plain:
                try:
                    with context.wrap_socket(plain, server_hostname="localhost") as peer:
                        peer.sendall(startup_packet("postgres"))
                        said = peer.recv(1)
                except (ssl.SSLError, ConnectionResetError):
                    said = None if welcome is None else b""
            if said != welcome:
                fail(f"direct TLS with protocols {protocols}: {said!r}")
        print("ok direct TLS with and without ALPN")
        check_cancel(veer, certificates)


def read_message(peer):
    header = b""
    while len(header) < 5:
        header += peer.recv(5 - len(header))
    length = struct.unpack("!i", header[1:])[0] - 4
    payload = b""
    while len(payload) < length:
        payload += peer.recv(length - len(payload))
    return header[:1], payload


def check_cancel(veer, certificates):
    """A CancelRequest in the clear (as libpq 15 sends it always), inside TLS, and by direct TLS."""
    sleeping = "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'"
    for way in ("plain", "asked", "direct"):
        with socket.create_connection(("127.0.0.1", veer.port), 60) as peer:
            peer.sendall(startup_packet("postgres"))
            key = None
            while (message := read_message(peer))[0] != b"Z":
                key = message[1] if message[0] == b"K" else key
            peer.sendall(b"Q" + struct.pack("!i", 25) + b"SELECT pg_sleep(600)\0")
            with psycopg.connect(f"host=127.0.0.1 port={veer.port} user=postgres", autocommit=True) as other:
                wait_until(lambda: other.execute(sleeping).fetchone(), "the sleep")
            send_cancel(veer, certificates, struct.pack("!ii", 16, 80877102) + key, way)
            while (message := read_message(peer))[0] not in (b"E", b"C"):
                pass
            if b"C57014\0" not in message[1]:
                fail(f"a CancelRequest ({way}) did not cancel: {message}")
        print("ok cancel,", way)


def send_cancel(veer, certificates, packet, way):
    context = ssl.create_default_context(cafile=certificates.authority)
    context.set_alpn_protocols(["postgresql"])
    with socket.create_connection(("127.0.0.1", veer.port), 30) as plain:
        if way == "plain":
            plain.sendall(packet)
            if receive_all(plain) != b"":
                fail("a CancelRequest was answered")
            return
        if way == "asked":
            plain.sendall(SSL_REQUEST)
            if plain.recv(1) != b"S":
                fail("no S")
        with context.wrap_socket(plain, server_hostname="localhost") as peer:
            peer.sendall(packet)
            with contextlib.suppress(ssl.SSLError):
                if peer.recv(1) != b"":
                    fail("a CancelRequest was answered")


def check_lying_upstream(binary):
    """What a server says in the clear before the handshake is never shown, and never answered."""
    error = b"E\0\0\0\x2aSFATAL\0C28P01\0Mtell me your password\0\0"
    for answer, words in ((error, "server sent an error response during SSL exchange"),
                          (b"S" + error, "received unencrypted data after SSL response"),
                          (b"N" + error, "received unencrypted data after SSL response"),
                          (b"Z", "received invalid response to SSL negotiation")):
        server = LyingServer(answer)
        with Veer(binary, f"host=127.0.0.1 port={server.port} user=postgres sslmode=prefer") as veer:
            said = psql(veer.port, "sslmode=disable")
            expect(f"an upstream that answers {answer[:2]!r}", said, words)
            if "tell me" in said or any(b"alice" in heard for heard in server.heard):
                fail("an unencrypted lie got through")


def check_reload(binary, postgres, certificates, server):
    ca = certificates.authority
    renewed = certificates.make("renewed", "DNS:renewed.example")
    shown = certificates.directory / "shown.crt", certificates.directory / "shown.key"

    def show(pair):
        for source, target in zip(pair, shown):
            shutil.copy(source, target)

    show(server)
    toml = f"[tls]\ncert = '{shown[0]}'\nkey = '{shown[1]}'\n"
    new = [f"sslmode=verify-full sslrootcert={ca}", "hostaddr=127.0.0.1"]
    with Veer(binary, f"host=127.0.0.1 port={postgres.port} user=postgres sslmode=disable", toml) as veer:
        with psycopg.connect(f"host=127.0.0.1 port={veer.port} user=postgres sslmode=require") as old:
            expect("before the reload", psql(veer.port, *new, host="localhost"), "f")
            show(renewed)
            veer.reload(toml, "configuration reloaded")
            expect("after it: the new name", psql(veer.port, *new, host="renewed.example"), "f")
            expect("after it: the old name", psql(veer.port, *new, host="localhost"), "does not match")
            if old.execute("SELECT 1").fetchone() != (1,):
                fail("a session did not survive the reload")
            shown[0].write_text("no certificate")
            veer.reload(toml, "reload refused")
            expect("after a broken one: still the new name", psql(veer.port, *new, host="renewed.example"), "f")
            show(server)
            shown[1].chmod(0o644)
            veer.reload(toml, "has group or world access")
            expect("after a key that others may read", psql(veer.port, *new, host="renewed.example"), "f")


def holds(process, secret):
    """Is it anywhere in the memory that the process can write to, freed or not?"""
    with open(f"/proc/{process.pid}/smaps") as maps, open(f"/proc/{process.pid}/mem", "rb", 0) as memory:
        for line in maps:
            words = line.split()
            if "-" in words[0]:
                begin, end = (int(part, 16) for part in words[0].split("-"))
                writable = words[1].startswith("rw")
            elif words[0] == "Rss:" and words[1] != "0" and writable:
                for at in range(begin, min(end, begin + READABLE_BYTES_MAX), PIECE_BYTES):
                    with contextlib.suppress(OSError, ValueError, OverflowError):
                        memory.seek(at)
                        if secret in memory.read(min(PIECE_BYTES + len(secret), end - at)):
                            return True
    return False


def check_passwords_are_forgotten(binary, postgres, server):
    """A password in the clear, relayed over each pair of legs, is in veer's memory no more when the client is in."""
    tls = f"[tls]\ncert = '{server[0]}'\nkey = '{server[1]}'\n"
    secret = "".join(random.SystemRandom().choices(string.ascii_letters, k=40))
    with psycopg.connect(f"host=127.0.0.1 port={postgres.port} user=postgres", autocommit=True) as db:
        db.execute(f"CREATE ROLE clear LOGIN PASSWORD '{secret}'")
    postgres.configure("host all clear 127.0.0.1/32 password\n" + ANY)
    for upstream in ("disable", "require"):
        with Veer(binary, f"host=127.0.0.1 port={postgres.port} user=postgres sslmode={upstream}", tls) as veer:
            for client in ("disable", "require"):
                where = f"client {client}, upstream {upstream}"
                expect(f"a password in the clear, {where}", psql(veer.port, f"sslmode={client}", user="clear", password=secret),
                       "t" if upstream == "require" else "f")
                expect(f"a wrong one, {where}", psql(veer.port, f"sslmode={client}", user="clear", password=secret[::-1]),
                       "password authentication failed")
                if holds(veer.process, secret.encode()) or holds(veer.process, secret[::-1].encode()):
                    fail(f"a password is still in memory, {where}")
                print("ok forgotten,", where)
            if not holds(veer.process, f"sslmode={upstream}".encode()):
                fail("what veer holds was not looked at")
    postgres.configure(ANY)


def check_bulk(binary, postgres, server):
    """Megabytes each way, and a client that pipelines."""
    toml = f"[tls]\ncert = '{server[0]}'\nkey = '{server[1]}'\n"
    with Veer(binary, f"host=127.0.0.1 port={postgres.port} user=postgres sslmode=require", toml) as veer:
        with psycopg.connect(f"host=127.0.0.1 port={veer.port} user=postgres sslmode=require") as db:
            text = "0123456789abcdef" * 500_000
            if db.execute("SELECT %s::text", [text]).fetchone()[0] != text:
                fail("8 MB were changed on their way")
            with db.cursor().copy("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 20000)) TO STDOUT") as copy:
                if sum(len(block) for block in copy) != 20000 * 1001:
                    fail("COPY lost bytes")
            with db.pipeline():
                cursors = [db.execute("SELECT %s::int", [n]) for n in range(1000)]
            if [cursor.fetchone()[0] for cursor in cursors] != list(range(1000)):
                fail("a pipeline was changed on its way")
    print("ok megabytes and pipelines")


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    certificates = Certificates()
    try:
        with Postgres() as postgres:
            server = certificates.make("localhost", "DNS:localhost,IP:127.0.0.1")
            postgres.use_certificate(*certificates.make("db", "DNS:db.example,IP:127.0.0.1"), certificates.authority)
            postgres.configure(ANY, ssl="on", ssl_cert_file="server.crt", ssl_key_file="server.key")
            check_matrix(binary, postgres, certificates, server)
            check_stale_secret(binary, postgres, certificates, server)
            check_fallback(binary, postgres)
            check_upstream_certificates(binary, postgres, certificates)
            check_client_modes(binary, postgres, certificates, server)
            check_start_up(binary, postgres, certificates, server)
            check_lying_upstream(binary)
            check_reload(binary, postgres, certificates, server)
            check_bulk(binary, postgres, server)
            check_passwords_are_forgotten(binary, postgres, server)
    finally:
        shutil.rmtree(certificates.directory, ignore_errors=True)
    print("all of it held")


if __name__ == "__main__":
    main()
