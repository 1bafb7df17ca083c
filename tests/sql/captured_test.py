"""Every search that was captured from a client library is in a file of frameworks/, and so is each client that
QUERIES.md lists: there they run directly and through veer, with the mode that is expected (sql_test.py).

    captured_test.py
"""

import ast
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
OPERATOR = re.compile(r"<->|<=>|<#>|<\+>|<~>|<%>")
# The clients of QUERIES.md A.1 by the file that has their statements.
CLIENTS = {
    "LangChain PGVector": "langchain", "LangChain PGVectorStore": "langchain_store", "LlamaIndex": "llamaindex",
    "OpenWebUI": "openwebui", "Dify": "dify", "mem0": "mem0", "agno": "agno", "vecs": "vecs", "Haystack": "haystack",
    "Django": "django", "SQLAlchemy": "sqlalchemy", "Peewee": "peewee", "asyncpg": "asyncpg", "psycopg": "psycopg",
    "node-postgres, LangChain.js": "node_postgres", "Drizzle": "drizzle", "Kysely, Knex, TypeORM, Objection, Sequelize, MikroORM":
    "query_builders", "postgres.js": "postgres_js", "Prisma": "prisma", "neighbor": "rails", "Spring AI": "spring_ai",
    "LangChain4j": "langchain4j", "Semantic Kernel": "semantic_kernel", "EF Core": "entity_framework",
    "pgx, GORM, tokio-postgres, sqlx, diesel": "go_and_rust", "Ecto": "ecto", "Laravel": "laravel", "Hibernate": "hibernate",
    "AnythingLLM": "anythingllm", "Mastra": "mastra", "LightRAG": "lightrag", "Supabase": "supabase", "pgai": "pgai",
    "Discourse": "discourse", "Immich": "immich"}


def shape(sql):
    """A statement without what differs between a capture and a test: vectors, dimensions, white space, counts."""
    sql = re.sub(r"'\[[^]']*\]'|'\{q\}'|'\{other\}'", "V", sql)
    sql = re.sub(r"(?i)ARRAY\[[^]]*\]", "ARRAY", sql)
    sql = re.sub(r"(?i)\bvector\(\d+\)", "VECTOR", sql)
    sql = re.sub(r"\b\d+\.\d+\b", "N", sql)
    sql = re.sub(r"'[0-9a-f]{8}-[0-9a-f-]{27}'", "UUID", sql)
    return " ".join(sql.split()).rstrip(";")


def captured():
    for line in (HERE / "wire_capture.txt").read_text().splitlines():
        found = re.match(r"F (?:Parse .* sql=|Query )(['\"].*)$", line)
        if found and OPERATOR.search(found[1]):
            yield shape(ast.literal_eval(found[1]))


def tested():
    """The shape of each statement in frameworks/, with its first line: mode and labels."""
    for file in sorted((HERE / "frameworks").glob("*.test")):
        for record in file.read_text().split("\n\n"):
            lines = [line for line in record.splitlines() if not line.startswith(("#", "with "))]
            if lines and OPERATOR.search(record):
                yield shape("\n".join(lines[1:])), f"{file.stem}: {lines[0]}"


def main():
    known = dict(tested())
    wanted = sorted(set(captured()))
    for sql in wanted:
        print(f"{known.get(sql, 'MISSING'):40}{sql[:120]}")
    missing = [sql for sql in wanted if sql not in known]
    missing += [client for client, file in CLIENTS.items() if not (HERE / "frameworks" / f"{file}.test").exists()]
    print(f"{len(wanted)} captured searches, {len(CLIENTS)} clients, {len(missing)} not tested")
    if missing or not wanted:
        sys.exit("not tested:\n" + "\n".join(missing))


if __name__ == "__main__":
    main()
