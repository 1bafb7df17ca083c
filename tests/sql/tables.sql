-- What the files of tests/sql and the generated statements search. setseed() makes random() the same
-- in every run; every row has a vector, so that exact answers and an index's are the same rows.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE FUNCTION random_vector(n int) RETURNS vector LANGUAGE sql VOLATILE AS
    $$ SELECT array_agg(random() * 2 - 1 + 0 * n)::vector FROM generate_series(1, 8) $$;
SELECT setseed(0.42);

CREATE TYPE mood AS ENUM ('calm', 'angry');
CREATE TABLE owners (id int PRIMARY KEY, name text NOT NULL, tier int, note text);
INSERT INTO owners SELECT i, 'owner ' || i, i % 3, CASE WHEN i % 4 = 0 THEN NULL ELSE 'n' || i END
  FROM generate_series(1, 20) i;

CREATE TABLE docs (
    id bigint PRIMARY KEY, owner_id int, tenant int NOT NULL, category text, price double precision, rating real,
    active boolean, made timestamptz, day date, meta jsonb, tags text[], title varchar(40), small smallint,
    code uuid, amount numeric(10,2), mood mood, "Odd Name" int, e vector(8));
INSERT INTO docs
SELECT i, i % 23, i % 7, CASE WHEN i % 11 = 0 THEN NULL ELSE (ARRAY['red','green','blue','Grün','it''s'])[i % 5 + 1] END,
       i / 8.0, (i % 50) / 10.0, CASE WHEN i % 13 = 0 THEN NULL ELSE i % 2 = 0 END,
       '2024-01-01 00:00:00+00'::timestamptz + i * interval '90 minutes', date '2024-01-01' + i % 100,
       jsonb_build_object('k', 'v' || i % 4, 'n', i % 10, 'tags', jsonb_build_array('t' || i % 3, 'all'),
                          'nested', jsonb_build_object('deep', i % 2 = 0)),
       ARRAY['t' || i % 3, 't' || i % 5], 'title ' || i, i % 30, md5((i % 40)::text)::uuid, i / 3.0,
       (ARRAY['calm','angry'])[i % 2 + 1]::mood, i % 9, random_vector(i)
  FROM generate_series(1, 1500) i;
CREATE INDEX ON docs (tenant);
CREATE INDEX ON docs USING hnsw (e vector_cosine_ops);

CREATE SCHEMA shop;
CREATE TABLE shop.items (code uuid PRIMARY KEY, name text, stock int, e vector(8));
INSERT INTO shop.items SELECT md5(i::text)::uuid, 'item ' || i, i % 10, random_vector(i) FROM generate_series(1, 600) i;
CREATE INDEX ON shop.items USING hnsw (e vector_l2_ops);

CREATE TABLE pairs (a int, b smallint, note text, e vector(8), PRIMARY KEY (a, b));
INSERT INTO pairs SELECT i / 10, i % 10, 'note ' || i, random_vector(i) FROM generate_series(1, 600) i;
CREATE INDEX ON pairs USING hnsw (e vector_ip_ops);

CREATE FUNCTION noisy(int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN $1; END $$;
ANALYZE;
-- So many candidates that PostgreSQL's own answer from its index is the exact one.
ALTER DATABASE postgres SET hnsw.ef_search = 1000;
ALTER DATABASE postgres SET hnsw.iterative_scan = 'strict_order';
