"""Plays a script's steps on raw sockets and writes down every message that comes back."""

import select
import socket
import struct
import time

import protocol
import psycopg
from passwords import Login
from script import ScriptError

REPLY_SECONDS_MAX = 30
PIECES_MAX = 20_000


class Connection:
    """One socket. Reads only where it cannot write or has nothing to write: the other side gets pressure."""

    def __init__(self, name, address, piece, seconds_max):
        """`address`: a port of this machine, or the path of a Unix socket."""
        self.name, self.piece, self.seconds_max = name, piece, seconds_max
        if isinstance(address, int):
            self.socket = socket.create_connection(("127.0.0.1", address))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(address)
        self.socket.setblocking(False)
        self.received, self.pending = bytearray(), bytearray()
        self.closed, self.logged_in = False, False

    def send_pending(self):
        data, self.pending = memoryview(bytes(self.pending)), bytearray()
        piece = max(self.piece, len(data) // PIECES_MAX) if self.piece else len(data)
        at, deadline = 0, time.monotonic() + self.seconds_max
        while at < len(data):
            try:
                at += self.socket.send(data[at:at + piece])
                deadline = time.monotonic() + self.seconds_max
            except BlockingIOError:
                readable, writable, _ = select.select([self.socket], [self.socket], [], deadline - time.monotonic())
                if not writable and readable:
                    self.receive_once()
                if not writable and not readable:
                    raise TimeoutError
            except (BrokenPipeError, ConnectionResetError):
                return  # the reading side will see why

    def receive_once(self):
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        self.closed = self.closed or not data
        self.received += data

    def receive(self):
        """Waits until something came or the other side has closed."""
        if not select.select([self.socket], [], [], self.seconds_max)[0]:
            raise TimeoutError
        self.receive_once()

    def next_message(self):
        """(type, payload), or None where the other side has closed."""
        while True:
            if len(self.received) >= 5:
                size = struct.unpack_from("!i", self.received, 1)[0] + 1
                while len(self.received) < size and not self.closed:
                    self.receive()
                if len(self.received) >= size:
                    kind, payload = chr(self.received[0]), bytes(self.received[5:size])
                    del self.received[:size]
                    return kind, payload
            if self.closed:
                return None
            self.receive()

    def next_byte(self):
        while not self.received and not self.closed:
            self.receive()
        found = bytes(self.received[:1])
        if found in (b"N", b"S", b"G"):
            del self.received[:1]
        return found


class Player:
    """One run of one case. `trace` is what two runs have in common if the client cannot tell them apart.

    `referee` answers what is no part of the dialogue: SQL on a connection of its own, who served a search.
    """

    def __init__(self, address, referee, describer, piece=0, seconds_max=REPLY_SECONDS_MAX):
        self.address, self.referee, self.describer = address, referee, describer
        self.piece, self.seconds_max = piece, seconds_max
        self.connections, self.current = {}, None
        self.trace, self.errors, self.complaints = [], [], []
        self.keys = {}  # connection's name: payload of its BackendKeyData, also when it is gone
        self.parting = []  # SQL of `finally`

    def play(self, case):
        self.referee.begin()
        try:
            for step in case.steps:
                self.step(step)
            for connection in list(self.connections.values()):
                self.part(connection)
        except TimeoutError:
            self.complaints.append(f"nothing more for {self.seconds_max} s")
        except (ValueError, struct.error) as error:
            self.complaints.append(f"not the protocol: {error}")
        except psycopg.Error as error:
            self.complaints.append(f"beside the dialogue: {error}")
        finally:
            for connection in self.connections.values():
                connection.socket.close()
            for sql in self.parting:
                self.referee.act(sql)
        return self

    def step(self, step):
        known = STEPS.get(step.verb)
        if known is not None:
            known(self, step)
        elif step.verb in MESSAGES:
            if self.current is None:
                self.connect(step)
            try:
                self.current.pending += MESSAGES[step.verb](*step.words, **step.options)
            except (TypeError, ValueError, struct.error) as error:
                raise ScriptError(f"{step.where}: {error}") from error
        else:
            raise ScriptError(f"{step.where}: no step is called {step.verb}")

    # Connections

    def open(self, step, name=None):
        name = name or (step.words[0] if step.words and step.verb == "open" else "main")
        self.current = Connection(name, self.address, self.piece, self.seconds_max)
        self.connections[name] = self.current

    def connect(self, step):
        explicit = step.verb == "connect"
        self.open(step, step.words[0] if explicit and step.words else "main")
        options = dict(step.options) if explicit else {}
        password, version = options.pop("password", None), options.pop("version", "3.0")
        parameters = {"user": b"postgres", "database": b"postgres", **options}
        self.current.pending += startup(version=version, **parameters)
        Login(self.current, self.heard, parameters["user"], password).run()

    def on(self, step):
        self.current = self.connections[step.words[0]]

    def part(self, connection):
        """The end of a script: whatever is still on its way belongs to the trace."""
        self.current = connection
        if connection.logged_in and not connection.closed:
            connection.pending += protocol.message("X")
            connection.send_pending()
            self.listen_until(["closed"], 1)

    # What is heard

    def heard(self, connection, found):
        """Notes one message, or the end; returns its name."""
        if found is None:
            self.trace.append(f"{connection.name}: closed")
            return "closed"
        kind, payload = found
        if kind == "K":
            self.keys[connection.name] = payload
            self.describer.connections[struct.unpack_from("!I", payload)[0]] = connection.name
        if kind == "E":
            self.errors.append(dict(protocol.error_fields(payload)).get("C", "none"))
        if kind == "Z":
            connection.logged_in = True
        self.trace.append(f"{connection.name}: {self.describer.describe(kind, payload)}")
        return protocol.MESSAGES.get(kind, kind)

    def listen_until(self, names, times):
        while times > 0:
            name = self.heard(self.current, self.current.next_message())
            if name in names:
                times -= 1
            elif name == "closed":
                return

    def until(self, step):
        self.current.send_pending()
        self.errors = []
        names = step.words[0].split("|")
        self.listen_until(names, step.words[1] if len(step.words) > 1 else 1)
        expected = [str(code) for code in step.options.get("errors", [])]
        if expected != ["any"] and self.errors != expected:
            self.complaints.append(f"{step.where}: errors {self.errors}, expected {expected}")

    def send(self, _):
        self.current.send_pending()

    def byte(self, _):
        """The answer to a request before the start-up; anything else is left for the next step."""
        self.current.send_pending()
        self.trace.append(f"{self.current.name}: byte {self.current.next_byte()!r}")

    def half_close(self, _):
        self.current.send_pending()
        try:
            self.current.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has gone; what it said is still to be read

    def abort(self, _):
        """Away without a word, as a process that dies."""
        self.current.send_pending()
        self.connections.pop(self.current.name).socket.close()
        self.current = None

    # Beside the dialogue

    def cancel(self, step):
        key = self.keys[step.words[0]]
        pid_and_key = key[:4] + step.options.get("key", key[4:])
        canceller = Connection("cancel", self.address, self.piece, self.seconds_max)
        canceller.pending += protocol.request("CancelRequest", pid_and_key)
        canceller.send_pending()
        while (found := canceller.next_message()) is not None:
            self.heard(canceller, found)
        canceller.socket.close()

    def control(self, step):
        self.referee.act(self.filled(step.words[0]))

    def last_words(self, step):
        self.parting.append(step.words[0].decode())

    def await_sql(self, step):
        sql, deadline = self.filled(step.words[0]), time.monotonic() + self.seconds_max
        while not self.referee.ask(sql):
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.005)

    def filled(self, sql):
        text = sql.decode()
        for name, key in self.keys.items():
            text = text.replace(f"$pid({name})", str(struct.unpack_from("!I", key)[0]))
        return text

    def for_time(self, step):
        """The body again and again; a round is noted where it differs from the one before."""
        until, before = time.monotonic() + step.words[0] / 1000, None
        while time.monotonic() < until:
            start = len(self.trace)
            for inner in step.options["body"]:
                self.step(inner)
            if self.trace[start:] == before:
                del self.trace[start:]
            else:
                before = self.trace[start:]

    def peak(self, step):
        """`peak veer N`: megabytes by which its memory has grown at most since the case began."""
        problem = self.referee.check_peak(step.words[1])
        if problem:
            self.complaints.append(f"{step.where}: {problem}")

    def served(self, step):
        """`served by veer [N]`: so many searches since the last check; `served by postgres [because REASON]`."""
        _, engine, *rest = step.words
        if engine == "veer":
            problem = self.referee.check_served(rest[0] if rest else 1)
        else:
            problem = self.referee.check_served(0)
            if rest and not problem:
                problem = self.check_reason(rest[1])
        if problem:
            self.complaints.append(f"{step.where}: {problem}")

    def check_reason(self, reason):
        """Asks within the session. Without veer it asks something else, so that the session's state is the same."""
        asks_veer = self.referee.knows_reasons
        self.current.pending += protocol.query(b"SHOW veer.last" if asks_veer else b"SHOW work_mem")
        self.current.send_pending()
        row = None
        while (found := self.current.next_message()) is not None and found[0] != "Z":
            row = protocol.row_fields(found[1]) if found[0] == "D" else row
        if not asks_veer or (row is not None and row[:2] == [b"postgres", reason.encode()]):
            return None
        return f"SHOW veer.last says {row}, expected postgres because {reason}"


def startup(version="3.0", **parameters):
    major, minor = str(version).split(".")
    return protocol.startup((int(major), int(minor)), parameters.items())


def whole(text):
    """A list of texts is one text in parts."""
    return b"".join(text) if isinstance(text, list) else text


def parse(name=b"", query=b"", types=()):
    return protocol.parse(name, whole(query), types)


MESSAGES = {
    "Parse": parse, "Bind": protocol.bind, "Describe": protocol.describe, "Execute": protocol.execute,
    "Close": protocol.close, "Query": lambda *parts: protocol.query(b"".join(parts)),
    "FunctionCall": protocol.function_call,
    "Flush": lambda: protocol.message("H"), "Sync": lambda: protocol.message("S"),
    "CopyData": lambda data=b"": protocol.message("d", data), "CopyDone": lambda: protocol.message("c"),
    "CopyFail": lambda why=b"": protocol.message("f", protocol.cstring(why)),
    "Terminate": lambda: protocol.message("X"), "Password": lambda text: protocol.message("p", text),
    "message": lambda kind, payload=b"", **length: protocol.message(kind, whole(payload), **length),
    "untyped": lambda payload=b"", **length: protocol.untyped(whole(payload), **length), "bytes": lambda data: data,
    "Startup": startup, "SSLRequest": lambda rest=b"": protocol.request("SSLRequest", rest),
    "GSSENCRequest": lambda rest=b"": protocol.request("GSSENCRequest", rest),
    "CancelRequest": lambda rest=b"": protocol.request("CancelRequest", rest)}
STEPS = {
    "open": Player.open, "connect": Player.connect, "on": Player.on, "until": Player.until, "send": Player.send,
    "byte": Player.byte, "half-close": Player.half_close, "abort": Player.abort, "cancel": Player.cancel,
    "control": Player.control, "finally": Player.last_words, "await": Player.await_sql, "served": Player.served,
    "peak": Player.peak, "for": Player.for_time}
