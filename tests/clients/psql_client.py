"""psql: what a person types, statement by statement, with \\copy, FETCH_COUNT, \\gexec and Ctrl-C."""

import os
import re
import signal
import subprocess
import sys

from dialogue import (DATABASE, EVERY_TYPE, FAILING, IS_ASLEEP, KEY_AND_DISTANCE, LOCAL, NOTICE, PASSWORD,
                      REWRITE, SEARCHES, USER, WHOLE_ROWS, Dialogue, wait_until)

END = "---- end of a step ----"


class Psql:
    """A psql that is being talked to; it answers line by line, errors among them."""

    def __init__(self, port, *options):
        environment = dict(os.environ, PGPASSWORD=PASSWORD, PGHOST="127.0.0.1", PGPORT=str(port),
                           PGUSER=USER, PGDATABASE=DATABASE, LC_ALL="C.UTF-8")
        self.process = subprocess.Popen(
            ["stdbuf", "-o0", "psql", "-X", "-v", "VERBOSITY=verbose", *options], env=environment, text=True,
            bufsize=1, errors="backslashreplace", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def say(self, text):
        self.process.stdin.write(f"{text}\n\\echo {END}\n")
        self.process.stdin.flush()

    def answer(self):
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == END:
                return lines
            lines.append(re.sub(r"with PID \d+", "with PID n", line.rstrip("\n")))
        sys.exit(f"psql has ended: {lines[-5:]}")

    def ask(self, text):
        self.say(text)
        return self.answer()

    def close(self):
        self.process.stdin.close()
        return self.process.wait(), self.process.stdout.read()


class PsqlClient(Dialogue):

    def searches(self, psql, probes):
        last = lambda: psql.ask("\\t\nSHOW veer.last;\n\\t")[1].split("|")
        psql.ask("\\pset format unaligned")
        for expected, search in SEARCHES:
            for probe in probes:
                sql = search.format(f"'{probe}'", 5)
                self.search("search", expected, lambda: psql.ask(sql + ";"), last)
            sql = search.format("'[1,2,3,4,5,6,7,8]'", 5)
            self.search("search by \\gx", expected, lambda: psql.ask(sql + " \\gx"), last)
            psql.ask(f"\\set probe '{probe}'")
            self.search("search for a variable", expected,
                        lambda: psql.ask(search.format(":'probe'", 5) + ";"), last)
        psql.ask("BEGIN;")
        self.search("search in a transaction", LOCAL, lambda: psql.ask(
            KEY_AND_DISTANCE.format(f"'{probe}'", 5) + ";"), last)
        psql.ask(f"INSERT INTO docs VALUES (0, 'nearest', now(), '{probe}');")
        self.search("search after a write", "transaction_wrote", lambda: psql.ask(
            KEY_AND_DISTANCE.format(f"'{probe}'", 5) + ";"), last)
        psql.ask("ROLLBACK;")
        self.search("search after ROLLBACK", REWRITE, lambda: psql.ask(
            WHOLE_ROWS.format(f"'{probe}'", 5) + ";"), last)
        psql.ask(f"INSERT INTO docs VALUES (90001, 'nearest', now(), '{probe}');")
        self.search("search for what was inserted", LOCAL, lambda: psql.ask(
            KEY_AND_DISTANCE.format(f"'{probe}'", 5) + ";"), last)
        psql.ask("DELETE FROM docs WHERE id = 90001;")
        self.search("search for what was deleted", LOCAL, lambda: psql.ask(
            KEY_AND_DISTANCE.format(f"'{probe}'", 5) + ";"), last)
        psql.ask("\\pset format aligned")

    def script(self, psql, search):
        """Each of these is one step; what psql prints is compared as it is."""
        yield "\\conninfo \\echo :SERVER_VERSION_NAME :ENCODING :USER"
        yield EVERY_TYPE + ";"
        yield "\\d docs"
        yield "\\d+ ledger"
        yield "\\dx\n\\dt\n\\du app\n\\df nothing\n\\l"
        yield from (f"{sql};\n\\errverbose" for sql in FAILING)
        yield "\\echo :ERROR :SQLSTATE :ROW_COUNT :LAST_ERROR_MESSAGE"
        yield NOTICE + ";"
        yield "SELECT 1 \\; SELECT 2 \\; SELECT 3;"
        yield "SELECT 1 \\; SELECT 1/0 \\; SELECT 3;"
        yield "\\set SHOW_ALL_RESULTS off\nSELECT 1 \\; SELECT 2;\n\\set SHOW_ALL_RESULTS on"
        yield f"SELECT 1 \\; {search};"
        yield f"{search} \\gdesc"
        yield f"PREPARE near (vector, int) AS {KEY_AND_DISTANCE.format('$1', '$2')};"
        yield from ("EXECUTE near('[1,2,3,4,5,6,7,8]', 3);" for _ in range(8))
        yield "EXECUTE near('[1,2,3]', 3);\nDEALLOCATE near;\nEXECUTE near('[1,2,3]', 3);"
        yield f"\\set FETCH_COUNT 3\n{search};\nSELECT * FROM generate_series(1, 10);\n\\unset FETCH_COUNT"
        yield f"BEGIN;\nDECLARE c CURSOR FOR {search};\nFETCH 2 FROM c;\nMOVE 1 FROM c;\nFETCH ALL c;\nCOMMIT;"
        yield "BEGIN;\nSELECT 1/0;\nSELECT 1;\n" + search + ";\nCOMMIT;"
        yield ("\\set ON_ERROR_ROLLBACK on\nBEGIN;\nINSERT INTO ledger VALUES (1, 1);\nSELECT 1/0;\n"
               f"{search};\nSELECT * FROM ledger;\nROLLBACK;\n\\unset ON_ERROR_ROLLBACK")
        yield "\\set AUTOCOMMIT off\nINSERT INTO ledger VALUES (1, 1);\nROLLBACK;\n\\set AUTOCOMMIT on"
        yield "COPY ledger FROM STDIN;\n1\t1\tone\n2\t2\t\\N\n\\.\nCOPY ledger TO STDOUT;"
        yield "COPY ledger FROM STDIN;\nnot a row\n\\."
        yield f"COPY ({search}) TO STDOUT (FORMAT csv, HEADER);"
        yield "\\copy (SELECT * FROM generate_series(1, 3)) TO STDOUT"
        yield "\\copy ledger (id, amount) FROM PROGRAM 'echo 3,3' (FORMAT csv)\nTABLE ledger;"
        yield "DELETE FROM ledger RETURNING *;"
        yield f"SET client_min_messages = warning;\nEXPLAIN (COSTS OFF) {search};\nRESET client_min_messages;"
        yield f"SELECT 'SELECT ' || n FROM generate_series(1, 3) n \\gexec"
        yield f"{search} \\gset got_\n\\echo nothing\n{KEY_AND_DISTANCE.format(':' + chr(39) + 'probe' + chr(39), 1)}"\
              " \\gset got_\n\\echo :got_id"
        yield f"{search} \\crosstabview\nSELECT 1 AS a, 2 AS b, 3 AS c \\crosstabview"
        yield "LISTEN news;\nNOTIFY news, 'heard';\nSELECT 1;\nUNLISTEN *;"
        yield "\\encoding LATIN1\nSELECT 'a' || chr(252);\n\\encoding UTF8"
        yield "SET TimeZone = 'Asia/Tokyo';\nSELECT made FROM docs WHERE id = 1;\nRESET ALL;\nDISCARD ALL;"
        yield "\\lo_list\nSELECT count(*), sum(length(repeat(md5(i::text), 20))) FROM generate_series(1, 20000) i;"
        yield "SELECT i, repeat('x', 500) FROM generate_series(1, 2000) i;"
        yield "\\c\nSELECT current_user;"

    def cancels(self):
        """Not on a terminal, psql ends where it is interrupted: a cancelled statement was its last."""
        watcher = Psql(self.port, "-At")
        for _ in range(3):
            psql = Psql(self.port)
            psql.say("SELECT pg_sleep(600);")
            wait_until(lambda: "1" in watcher.ask(IS_ASLEEP + ";"), "the sleeper")
            psql.process.send_signal(signal.SIGINT)  # as Ctrl-C does
            self.note("cancelled", psql.close())
        watcher.close()

    def once(self, name, *options):
        """A psql that runs one thing and ends."""
        run = Psql(self.port, *options)
        self.note(name, run.close())

    def play(self):
        psql = Psql(self.port)
        probes = [line.strip() for line in psql.ask("\\t\nSELECT v FROM probes ORDER BY n;\n\\t") if "[" in line]
        self.searches(psql, probes)
        search = KEY_AND_DISTANCE.format("'[1,2,3,4,5,6,7,8]'", 5)
        for number, text in enumerate(self.script(psql, search)):
            self.note(f"{number}: {text}", psql.ask(text))
        self.note("end", psql.close())
        self.cancels()
        self.once("-c", "-c", search, "-c", "SELECT 1/0", "-c", "SELECT 2")
        self.once("-c, several", "-c", f"{search}; SELECT 1/0; SELECT 2")
        self.once("--single-transaction", "-1", "-c", search, "-c", "INSERT INTO ledger VALUES (1, -1)")
        self.once("\\c", "-c", "\\c nowhere")
        self.once("--list", "-l")
        self.once("--csv", "--csv", "-c", search)


if __name__ == "__main__":
    PsqlClient().play()
