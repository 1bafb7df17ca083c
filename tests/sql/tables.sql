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

-- What the clients of frameworks/ make for themselves, in their own names.
CREATE TABLE items (id bigint PRIMARY KEY, content text, category_id int, metadata jsonb, embedding vector(8));
INSERT INTO items
SELECT i, 'content ' || i, i % 5, jsonb_build_object('k', 'v' || i % 4, 'n', i % 10, 'tags', jsonb_build_array('t' || i % 3)),
       random_vector(i)
  FROM generate_series(1, 600) i;
CREATE INDEX ON items USING hnsw (embedding vector_cosine_ops);
CREATE INDEX ON items USING hnsw (embedding vector_l2_ops);
CREATE TABLE langchain_pg_collection (uuid uuid PRIMARY KEY, name varchar UNIQUE, cmetadata json);
INSERT INTO langchain_pg_collection VALUES
    ('8b1a9953-c461-1296-a827-abf8c47804d7', 'first', '{}'), ('00000000-0000-0000-0000-000000000002', 'second', NULL);
CREATE TABLE langchain_pg_embedding (
    id varchar PRIMARY KEY, collection_id uuid REFERENCES langchain_pg_collection (uuid) ON DELETE CASCADE,
    embedding vector(8), document varchar, cmetadata jsonb);
INSERT INTO langchain_pg_embedding
SELECT 'chunk-' || i, CASE WHEN i % 3 = 0 THEN '00000000-0000-0000-0000-000000000002'::uuid
                           ELSE '8b1a9953-c461-1296-a827-abf8c47804d7'::uuid END,
       random_vector(i), 'document ' || i, jsonb_build_object('a', (i % 3)::text)
  FROM generate_series(1, 300) i;
CREATE INDEX ON langchain_pg_embedding USING hnsw (embedding vector_cosine_ops);
CREATE TABLE data_docs (id bigint PRIMARY KEY, text varchar NOT NULL, metadata_ json, node_id varchar, embedding vector(8));
INSERT INTO data_docs
SELECT i, 'text ' || i, json_build_object('k', 'v' || i % 4, 'n', i % 10, 'tag', chr(97 + i % 26), 'tags', json_build_array('t' || i % 3)),
       'node-' || i, random_vector(i)
  FROM generate_series(1, 300) i;
CREATE INDEX ON data_docs USING hnsw (embedding vector_cosine_ops);
CREATE FUNCTION match_items(query vector, match_count int) RETURNS TABLE (id bigint, content text) LANGUAGE sql STABLE AS
    $$ SELECT id, content FROM items ORDER BY embedding <=> query LIMIT match_count $$;
CREATE VIEW nearest_docs AS
    SELECT id, title FROM docs ORDER BY e <=> '[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]' LIMIT 5;
CREATE VIEW plain_docs AS SELECT id, tenant, e FROM docs;
CREATE SCHEMA front;
CREATE TABLE front.items AS SELECT * FROM public.items WHERE id < 10;

CREATE FUNCTION noisy(int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN $1; END $$;
ANALYZE;
-- So many candidates that PostgreSQL's own answer from its index is the exact one.
ALTER DATABASE postgres SET hnsw.ef_search = 1000;
ALTER DATABASE postgres SET hnsw.iterative_scan = 'strict_order';
