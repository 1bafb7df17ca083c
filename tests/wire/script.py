"""Reads .pgtest files: see README.md for the language."""

import dataclasses
import pathlib
import re

WORD = re.compile(r"""\s*(?:
    (?P<open>[\[\]]) | (?P<hex>x"(?P<digits>[0-9a-fA-F ]*)") | (?P<text>"(?P<inner>(?:[^"\\]|\\.)*)") |
    (?P<key>[A-Za-z_.]+)= | (?P<comma>,) | (?P<bare>[^\s\[\],"=*]+))""", re.VERBOSE)
TIMES = re.compile(r"\*(\d+)")
ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
PLAIN = {b"n": b"\n", b"t": b"\t", b"0": b"\0"}


class ScriptError(Exception):
    pass


@dataclasses.dataclass
class Step:
    """One line: `verb word... key=word...`. Texts and hex are bytes, bare words are str or int, null is None."""

    where: str
    verb: str
    words: list
    options: dict


@dataclasses.dataclass
class Case:
    file: str
    title: str
    steps: list
    runs: set  # names of the runs that play it; empty: all
    unix_socket: bool  # where it is played without veer

    @property
    def name(self):
        return f"{self.file}: {self.title}"


def unescape(text):
    """\\n, \\t, \\0, \\xHH; anything else stands for itself."""
    def one(match):
        what = match[1]
        return bytes.fromhex(what[1:].decode()) if len(what) == 3 else PLAIN.get(what, what)

    return ESCAPE.sub(one, text.encode())


def word_value(match):
    if match["hex"] is not None:
        return bytes.fromhex(match["digits"])
    if match["text"] is not None:
        return unescape(match["inner"])
    bare = match["bare"]
    if bare == "null":
        return None
    return int(bare) if re.fullmatch(r"-?\d+", bare) else bare


class LineReader:
    """`verb word [word, word] key=word text*3 [word]*3`: a times sign repeats what stands before it."""

    def __init__(self, line, where):
        self.verb, _, rest = line.partition(" ")
        self.rest, self.where, self.at = rest.rstrip(), where, 0
        self.words, self.options = [], {}

    def next(self):
        match = WORD.match(self.rest, self.at)
        if match is None:
            raise ScriptError(f"{self.where}: cannot read {self.rest[self.at:]!r}")
        self.at = match.end()
        return match

    def value(self, match):
        if match["open"] == "[":
            found = []
            while not (match := self.next())["open"]:
                if not match["comma"]:
                    found.append(self.value(match))
        else:
            found = word_value(match)
        times = TIMES.match(self.rest, self.at)
        if times:
            self.at = times.end()
            found *= int(times[1])
        return found

    def read(self):
        while self.at < len(self.rest):
            match = self.next()
            if match["key"]:
                self.options[match["key"]] = self.value(self.next())
            else:
                self.words.append(self.value(match))
        return Step(self.where, self.verb, self.words, self.options)


def read_steps(lines, file):
    """`repeat N` ... `end` is written out here, {i} counting from 0; `for N ms` ... `end` becomes one step with a body.
    Neither is nested."""
    steps, loop, body = [], None, []
    for number, line in lines:
        where = f"{file}:{number}"
        if re.match("(repeat|for) ", line):
            loop, body = LineReader(line, where).read(), []
        elif line == "end" and loop is not None:
            if loop.verb == "for":
                loop.options["body"] = [LineReader(text, at).read() for at, text in body]
                steps.append(loop)
            else:
                steps += [LineReader(text.replace("{i}", str(i)), at).read()
                          for i in range(loop.words[0]) for at, text in body]
            loop = None
        elif loop is not None:
            body.append((where, line))
        else:
            steps.append(LineReader(line, where).read())
    return steps


def make_cases(file, title, lines):
    """One case, or one for each value of its variables. `lines`: (number, text)."""
    variants = [{}]
    runs, unix_socket = set(), False
    while lines and re.match(r"(each \w+|runs|socket):", lines[0][1]):
        head, _, rest = lines.pop(0)[1].partition(":")
        if head == "runs":
            runs = {name.strip() for name in rest.split(",")}
        elif head == "socket":
            unix_socket = rest.strip() == "unix"
        else:
            name = head.split()[1]
            values = [value.strip() for value in rest.split("|")]
            variants = [{**variant, name: value} for variant in variants for value in values]
    for variant in variants:
        fill = lambda text: re.sub(r"\{(\w+)\}", lambda m: variant.get(m[1], m[0]), text)
        steps = read_steps([(number, fill(line)) for number, line in lines], file)
        yield Case(file, fill(title), steps, runs, unix_socket)


def read_script(path):
    """The cases of one file."""
    title, lines, cases = None, [], []
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        line = line.strip()
        if line.startswith("=="):
            if title is not None:
                cases += make_cases(path.stem, title, lines)
            title, lines = line[2:].strip(), []
        elif line and not line.startswith("#"):
            if title is None:
                raise ScriptError(f"{path.name}:{number}: a step before the first == title")
            lines.append((number, line))
    return cases + list(make_cases(path.stem, title, lines))
