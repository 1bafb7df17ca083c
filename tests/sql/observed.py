"""What a client can see of a statement, through libpq without a driver's conversions, and how two are compared."""

import struct

from psycopg import pq

TOLERANCE = 1e-6
FLOAT8 = 701


class Session:
    """One connection. Statements are sent as the three ways of the protocol allow."""

    def __init__(self, port, user="postgres"):
        self.connection = pq.PGconn.connect(
            f"host=127.0.0.1 port={port} user={user} dbname=postgres client_encoding=UTF8".encode())
        if self.connection.status != pq.ConnStatus.OK:
            raise RuntimeError(self.connection.error_message.decode())
        self.prepared = 0

    def simple(self, sql):
        return self.seen(self.connection.exec_(sql.encode()))

    def extended(self, sql, values=(), binary_results=False, binary=()):
        """`binary`: by position, the values that are sent in binary form."""
        encoded, formats = self.bound(values, binary)
        return self.seen(self.connection.exec_params(
            sql.encode(), encoded, param_formats=formats, result_format=int(binary_results)))

    def named(self, sql, values=(), times=2, binary=(), types=None):
        """Prepared once, executed several times; what each of these steps gave."""
        self.prepared += 1
        name = f"s{self.prepared}".encode()
        encoded, formats = self.bound(values, binary)
        seen = [self.seen(self.connection.prepare(name, sql.encode(), types))]
        for _ in range(times):
            seen.append(self.seen(self.connection.exec_prepared(name, encoded, formats)))
        return seen

    def bound(self, values, binary):
        """Values and their formats."""
        texts = self.encoded(values)
        return ([binary[number] if number in binary else text for number, text in enumerate(texts)],
                [int(number in binary) for number in range(len(texts))])

    @staticmethod
    def encoded(values):
        return [None if value is None else value.encode() for value in values]

    def in_failed_transaction(self):
        return self.connection.transaction_status == pq.TransactionStatus.INERROR

    @staticmethod
    def seen(result):
        field = pq.DiagnosticField
        columns = [
            (result.fname(i), result.ftable(i), result.ftablecol(i), result.ftype(i), result.fmod(i),
             result.fsize(i), result.fformat(i)) for i in range(result.nfields)]
        return {
            "status": pq.ExecStatus(result.status).name,
            "tag": result.command_status,
            "error": [result.error_field(each) for each in (
                field.SEVERITY, field.SQLSTATE, field.MESSAGE_PRIMARY, field.MESSAGE_DETAIL,
                field.STATEMENT_POSITION)],
            "columns": columns,
            "rows": [[result.get_value(row, i) for i in range(result.nfields)] for row in range(result.ntuples)],
        }


def number(value, form):
    return struct.unpack("!d", value)[0] if form == 1 else float(value)


def same_value(column, left, right):
    if left == right:
        return True
    if column[3] != FLOAT8 or left is None or right is None:
        return False
    return abs(number(left, column[6]) - number(right, column[6])) <= TOLERANCE


def difference(direct, through, by_postgres=False):
    """The first difference in words, or nothing. Of what Postgres has answered both times the rows are as its plan has
    them: searched in an index or not."""
    for part in ("status", "tag", "error", "columns"):
        if direct[part] != through[part]:
            return f"{part}: {direct[part]!r} directly, {through[part]!r} through veer"
    if by_postgres:
        return None
    for row, (left, right) in enumerate(zip(direct["rows"], through["rows"])):
        for column, a, b in zip(direct["columns"], left, right):
            if not same_value(column, a, b):
                return f"row {row}, {column[0].decode()}: {a!r} directly, {b!r} through veer"
    return None


def last(session):
    """Who answered this session's last search, and why."""
    row = session.simple("SHOW veer.last")["rows"][0]
    return row[0].decode(), row[1].decode()

