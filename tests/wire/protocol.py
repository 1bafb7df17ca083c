"""The v3 protocol as bytes, written from the manual's chapter "Message Formats" and from nothing of veer's, so that
it can judge veer: frontend messages are made, backend messages are cut and put into words.
"""

import hashlib
import struct

MESSAGES = {
    "R": "Authentication", "K": "BackendKeyData", "2": "BindComplete", "3": "CloseComplete", "C": "CommandComplete",
    "d": "CopyData", "c": "CopyDone", "G": "CopyInResponse", "H": "CopyOutResponse", "W": "CopyBothResponse",
    "D": "DataRow", "I": "EmptyQueryResponse", "E": "ErrorResponse", "V": "FunctionCallResponse",
    "v": "NegotiateProtocolVersion", "n": "NoData", "N": "NoticeResponse", "A": "NotificationResponse",
    "t": "ParameterDescription", "S": "ParameterStatus", "1": "ParseComplete", "s": "PortalSuspended",
    "Z": "ReadyForQuery", "T": "RowDescription"}
CODES = {"CancelRequest": 80877102, "SSLRequest": 80877103, "GSSENCRequest": 80877104}
SHOWN_BYTES_MAX = 300


def cstring(text):
    return text + b"\0"


def counted(items):
    return struct.pack("!H", len(items)) + b"".join(items)


def field(value):
    return struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value


def message(kind, payload=b"", length=None):
    """`length` where it is to be a wrong one."""
    return kind.encode() + struct.pack("!i", len(payload) + 4 if length is None else length) + payload


def untyped(payload, length=None):
    """A message of the start-up phase: without a type byte."""
    return struct.pack("!i", len(payload) + 4 if length is None else length) + payload


def parse(name=b"", query=b"", types=()):
    return message("P", cstring(name) + cstring(query) + counted([struct.pack("!I", oid) for oid in types]))


def bind(portal=b"", statement=b"", formats=(), values=(), results=()):
    shorts = lambda codes: counted([struct.pack("!h", code) for code in codes])
    return message("B", cstring(portal) + cstring(statement) + shorts(formats)
                   + counted([field(value) for value in values]) + shorts(results))


def describe(kind, name=b""):
    return message("D", kind.encode() + cstring(name))


def close(kind, name=b""):
    return message("C", kind.encode() + cstring(name))


def execute(portal=b"", max=0):
    return message("E", cstring(portal) + struct.pack("!i", max))


def query(text):
    return message("Q", cstring(text))


def function_call(oid, formats=(), values=(), result=0):
    return message("F", struct.pack("!I", oid) + counted([struct.pack("!h", code) for code in formats])
                   + counted([field(value) for value in values]) + struct.pack("!h", result))


def startup(version=(3, 0), parameters=()):
    pairs = b"".join(cstring(name.encode()) + cstring(value) for name, value in parameters)
    return untyped(struct.pack("!HH", *version) + pairs + b"\0")


def request(name, rest=b""):
    return untyped(struct.pack("!I", CODES[name]) + rest)


class Reader:
    """Takes fields off a payload. Whatever is missing raises: the server sent something unheard of."""

    def __init__(self, payload):
        self.payload, self.at = payload, 0

    def take(self, form):
        values = struct.unpack_from(form, self.payload, self.at)
        self.at += struct.calcsize(form)
        return values if len(values) > 1 else values[0]

    def bytes(self, size):
        found = self.payload[self.at:self.at + size]
        if len(found) != size:
            raise ValueError("a field reaches past its message")
        self.at += size
        return found

    def cstring(self):
        end = self.payload.index(b"\0", self.at)
        return self.bytes(end - self.at + 1)[:-1].decode(errors="backslashreplace")

    def left(self):
        return self.at < len(self.payload)


def shown(value):
    """A field's bytes for people, still different for different bytes."""
    if value is None:
        return "NULL"
    if len(value) > SHOWN_BYTES_MAX:
        return f"<{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()[:16]}>"
    try:
        text = value.decode()
        return repr(text) if text.isprintable() or "\n" in text else "x" + value.hex()
    except UnicodeDecodeError:
        return "x" + value.hex()


def error_fields(payload):
    """[(code, text)] of an ErrorResponse or NoticeResponse."""
    reader, fields = Reader(payload), []
    while (code := reader.take("!c")) != b"\0":
        fields.append((code.decode(), reader.cstring()))
    return fields


def row_fields(payload):
    reader = Reader(payload)
    sizes = (reader.take("!i") for _ in range(reader.take("!H")))
    return [None if size < 0 else reader.bytes(size) for size in sizes]


class Describer:
    """Puts backend messages into words. What legitimately differs between two runs gets a name of its own: process
    ids and cancel keys, what a password exchange draws by lot, and OIDs of relations that the script itself made."""

    def __init__(self, lasting_relations):
        self.lasting_relations = lasting_relations
        self.connections = {}  # process id: connection's name

    def describe(self, kind, payload):
        """One line that two runs of a script share exactly where they saw the same."""
        name, say = MESSAGES.get(kind, f"unknown {kind!r}"), self.SPECIAL.get(kind)
        words = say(self, Reader(payload)) if say else shown(payload) if payload else ""
        return f"{name} {words}".rstrip()

    def authentication(self, reader):
        code = reader.take("!i")
        if code in (5, 11, 12):
            return f"{code} <drawn by lot>"
        return f"{code} {shown(reader.payload[4:])}"

    def key(self, reader):
        return f"<process> <key of {len(reader.payload) - 4} bytes>"

    def error(self, reader):
        return " ".join(f"{code}={text!r}" for code, text in error_fields(reader.payload))

    def row(self, reader):
        return " ".join(shown(value) for value in row_fields(reader.payload))

    def notification(self, reader):
        process = reader.take("!i")
        return f"from {self.connections.get(process, 'elsewhere')} {reader.cstring()!r} {reader.cstring()!r}"

    def row_description(self, reader):
        columns = []
        for _ in range(reader.take("!H")):
            name = reader.cstring()
            table, attnum, type_oid, size, typmod, code = reader.take("!IhIhih")
            if table >= 16384 and table not in self.lasting_relations:
                table = "<new>"
            columns.append(f"({name!r} table {table}.{attnum} type {type_oid} size {size} typmod {typmod} format {code})")
        return " ".join(columns)

    def parameter_description(self, reader):
        return " ".join(str(reader.take("!I")) for _ in range(reader.take("!H")))

    def tag(self, reader):
        return repr(reader.cstring())

    def parameter_status(self, reader):
        return f"{reader.cstring()} = {reader.cstring()!r}"

    SPECIAL = {
        "R": authentication, "K": key, "E": error, "N": error, "D": row, "A": notification, "T": row_description,
        "C": tag, "t": parameter_description, "S": parameter_status}
