"""The pages of `veer report` in a headless Chromium: the checked-in example, and one made now.

    report_page_test.py <veer binary> <example report.html>

What a browser makes of a page is asked over DevTools' pipe (NUL-separated JSON on descriptors 3 and 4): requests,
messages, and how large what was drawn came out. Three spoilt pages show that each of these would be noticed.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from private_servers import PATIENT, Postgres, Veer, fail, session, wait_until

PROGRAMS = ("chromium-headless-shell", "chromium")

# Of every drawing: its size, its shapes with an extent, its words. Of every table: its rows, its size.
DRAWN = """(() => {
  const box = e => { const b = e.getBoundingClientRect(); return [b.width, b.height]; };
  const seen = e => { const [w, h] = box(e); return w > 0 || h > 0; };
  return JSON.stringify({
    title: document.title,
    sections: [...document.querySelectorAll('section')].map(s => ({
      heading: s.querySelector('h2').innerText,
      verdict: s.querySelector('p strong').innerText,
      plots: [...s.querySelectorAll('svg')].map(p => ({
        name: p.getAttribute('aria-label'), size: box(p), words: [...p.querySelectorAll('text')].filter(seen).length,
        shapes: [...p.querySelectorAll('rect, polyline, line')].filter(seen).length})),
      tables: [...s.querySelectorAll('table')].map(t => ({rows: t.rows.length, size: box(t)}))})),
    wider: document.documentElement.scrollWidth > document.documentElement.clientWidth});
})()"""


class Browser:
    """One Chromium; open() gives what a page has become, and what it said and asked for."""

    def __enter__(self):
        program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
        if program is None:
            fail(f"none of {', '.join(PROGRAMS)} is installed; run scripts/install")
        self.profile = tempfile.TemporaryDirectory(prefix="veer-browser-", ignore_cleanup_errors=True)
        heard, self.say = os.pipe()
        self.hear, said = os.pipe()

        def wire():
            # By way of high numbers: 3 and 4 may be in use for the pipes themselves.
            os.dup2(os.dup2(heard, 100), 3)
            os.dup2(os.dup2(said, 101), 4)

        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # which does not work for root
        self.process = subprocess.Popen(
            [program, "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", *sandbox],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=wire)
        os.close(heard)
        os.close(said)
        self.unread, self.number, self.events = b"", 0, []
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.say)
        os.close(self.hear)
        self.profile.cleanup()

    def message(self):
        while b"\0" not in self.unread:
            more = os.read(self.hear, 1 << 16)
            if not more:
                fail("the browser has ended")
            self.unread += more
        line, self.unread = self.unread.split(b"\0", 1)
        return json.loads(line)

    def ask(self, method, tab=None, **words):
        self.number += 1
        request = {"id": self.number, "method": method, "params": words, **({"sessionId": tab} if tab else {})}
        os.write(self.say, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    fail(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path, width=1000):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        tab = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable", tab)
        self.ask("Emulation.setDeviceMetricsOverride", tab, width=width, height=800, deviceScaleFactor=1, mobile=False)
        self.events.clear()
        url = pathlib.Path(path).resolve().as_uri()
        self.ask("Page.navigate", tab, url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self.message())
        page = json.loads(self.ask("Runtime.evaluate", tab, expression=DRAWN, returnByValue=True)["result"]["value"])
        page["asked"] = [event["params"]["request"]["url"] for event in self.events
                         if event["method"] == "Network.requestWillBeSent" and event["params"]["request"]["url"] != url]
        page["said"] = [event["params"] for event in self.events if event["method"] in (
            "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")]
        self.ask("Target.closeTarget", targetId=target)
        return page


def problems(page):
    """What a person would miss, or not want, in this page."""
    found = []
    if page["asked"]:
        found.append(f"it asks elsewhere: {page['asked']}")
    if page["said"]:
        found.append(f"it complains: {page['said']}")
    if not page["sections"]:
        found.append("it has no section")
    for section in page["sections"]:
        if len(section["plots"]) != 3:
            found.append(f"{section['heading']} has {len(section['plots'])} plots")
        for plot in section["plots"]:
            wide, high = plot["size"]
            if wide < 200 or high < 80 or plot["shapes"] < 3 or plot["words"] < 5:
                found.append(f"not drawn: {plot}")
        if len(section["tables"]) < 3:
            found.append(f"{section['heading']} has {len(section['tables'])} tables")
        found += [f"an empty table: {table}" for table in section["tables"]
                  if table["rows"] < 2 or table["size"][0] < 50 or table["size"][1] < 20]
        if section["verdict"] not in ("pass", "fail", "inconclusive"):
            found.append(f"no verdict: {section['verdict']}")
    return found


def whole(browser, path):
    page = browser.open(path)
    if page["title"] != "veer report" or problems(page) or page["wider"]:
        fail(f"{path}: {problems(page)} {page}")
    return page


def notices_spoilt_pages(browser, example, directory):
    good = pathlib.Path(example).read_text()
    for name, before, after, wanted in (
            ("asks", "</h1>", "</h1><img src='http://127.0.0.1:9/pixel.png'>", "asks elsewhere"),
            ("complains", "</body>", "<script>console.error('no')</script></body>", "complains"),
            ("hidden", "svg{width:100%", "svg{display:none;width:100%", "not drawn"),
            ("empty", "<polyline", "<g", "not drawn"),
            ("tables", "<table>", "<div>", "tables")):
        spoilt = directory / f"{name}.html"
        spoilt.write_text(good.replace(before, after) if name != "empty" else
                          good.replace("<polyline", "<g").replace("<line", "<g").replace("<rect", "<g"))
        found = problems(browser.open(spoilt))
        if not any(wanted in problem for problem in found):
            fail(f"a page that is spoilt ({name}) passes: {found}")
    print("ok spoilt pages are noticed", flush=True)


class ComparingVeer(Veer):
    def configure(self, percent):
        (self.directory / "veer.toml").write_text(
            PATIENT.format(percent) + "[compare]\nrate = 1\nbudget_per_second = 10000\nload_max = 1\njudge_cores = 4\n")


def report_made_now(binary, directory):
    with Postgres() as postgres:
        with session(postgres.port) as db:
            db.execute("CREATE EXTENSION vector")
            db.execute("CREATE TABLE documents (id bigint PRIMARY KEY, embedding vector(3))")
            db.execute("INSERT INTO documents SELECT i, ARRAY[sin(i), cos(i), i % 7]::vector FROM generate_series(1, 500) i")
            db.execute("CREATE INDEX ON documents USING hnsw (embedding vector_cosine_ops)")
        with ComparingVeer(binary, postgres) as veer:
            with session(veer.port) as db:
                asked = iter(range(1, 100_000))

                def compared():
                    db.execute(f"SELECT id FROM documents ORDER BY embedding <=> '[1,{next(asked)},2]' LIMIT 5").fetchall()
                    report = json.loads(db.execute("SHOW veer.report_json").fetchone()[0])
                    return report["routes"] and report["routes"][0]["compared"] >= 30

                wait_until(compared, "30 comparisons")
            page = directory / "now.html"
            done = subprocess.run([veer.binary, "report", f"host=127.0.0.1 port={veer.port} user=postgres dbname=postgres",
                                   "--html", page], capture_output=True, text=True, timeout=60)
            if done.returncode != 2 or not done.stdout.startswith("public.documents.embedding <=>: inconclusive."):
                fail(f"veer report: {done.returncode} {done.stdout} {done.stderr}")
    return page


def main():
    binary, example = sys.argv[1], sys.argv[2]
    with tempfile.TemporaryDirectory(prefix="veer-page-") as made, Browser() as browser:
        directory = pathlib.Path(made)
        page = whole(browser, example)
        if page["sections"][0]["verdict"] == "inconclusive":
            fail("the example shows no verdict")
        print("ok the checked-in example", flush=True)
        notices_spoilt_pages(browser, example, directory)
        page = whole(browser, report_made_now(binary, directory))
        if [section["heading"] for section in page["sections"]] != ["public.documents.embedding <=>"]:
            fail(f"not the route: {page}")
        print("ok a report made now", flush=True)


if __name__ == "__main__":
    main()
