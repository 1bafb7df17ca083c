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

-- Keys of times, before and after 2000, and beyond what a date has.
CREATE TABLE ticks (at timestamp PRIMARY KEY, note text, e vector(8));
INSERT INTO ticks SELECT '2000-01-01'::timestamp + (i - 200) * interval '7 hours 3.000001 seconds', 'tick ' || i, random_vector(i)
  FROM generate_series(1, 400) i;
INSERT INTO ticks VALUES ('infinity', 'last', random_vector(7001)), ('0044-03-15 12:00 BC', 'ides', random_vector(7002)),
                         ('12345-06-07', 'far', random_vector(7003));
CREATE INDEX ON ticks USING hnsw (e vector_l2_ops);
CREATE TABLE visits (day date, at timestamptz, n int, e vector(8), PRIMARY KEY (day, at));
INSERT INTO visits SELECT '1999-12-01'::date + i / 10, '1999-12-01 00:30+02'::timestamptz + i * interval '2 hours 11 minutes', i % 9, random_vector(i)
  FROM generate_series(1, 600) i;
CREATE INDEX ON visits USING hnsw (e vector_cosine_ops);

-- What the clients of frameworks/ make for themselves, in their own names.
CREATE TABLE items (id bigint PRIMARY KEY, content text, category_id int, metadata jsonb, embedding vector(8));
INSERT INTO items
SELECT i, 'content ' || i, i % 5, jsonb_build_object('k', 'v' || i % 4, 'n', i % 10, 'tags', jsonb_build_array('t' || i % 3)),
       random_vector(i)
  FROM generate_series(1, 600) i;
CREATE INDEX ON items USING hnsw (embedding vector_cosine_ops);
CREATE INDEX ON items USING hnsw (embedding vector_l2_ops);
CREATE INDEX ON items USING hnsw ((embedding::halfvec(8)) halfvec_l2_ops);
CREATE INDEX ON items USING hnsw ((binary_quantize(embedding)::bit(8)) bit_hamming_ops);
CREATE INDEX ON items USING ivfflat ((embedding::halfvec(8)) halfvec_ip_ops) WITH (lists = 1) WHERE category_id > 1;
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
-- Functions that the route of items.embedding <=> names (sql_test.py): some whose bodies are searches, ...
CREATE FUNCTION match_documents(query_embedding vector(8), match_threshold float, match_count int)
  RETURNS TABLE (id bigint, content text, similarity float) LANGUAGE sql STABLE AS $$
  -- As Supabase's guide has it.
  select items.id, items.content, 1 - (items.embedding <=> query_embedding) as similarity
  from items
  where 1 - (items.embedding <=> query_embedding) > match_threshold
  order by (items.embedding <=> query_embedding) asc
  limit match_count;
$$;
CREATE FUNCTION match_rows(query_embedding vector(8), match_count int DEFAULT 5, filter jsonb DEFAULT '{}')
  RETURNS SETOF items LANGUAGE sql AS $$
  select * from items where items.metadata @> match_rows.filter
  order by items.embedding <=> match_rows.query_embedding asc limit least(match_rows.match_count, 7) $$;
CREATE FUNCTION match_by_number(vector, int, OUT "Key" bigint, OUT score double precision) RETURNS SETOF record LANGUAGE sql
  IMMUTABLE PARALLEL SAFE AS $$ SELECT i.id, (i.embedding <=> $1) * -1 FROM items i WHERE category_id = $2 ORDER BY i.embedding <=> $1 LIMIT 4 $$;
-- ... and some that are Postgres' to run.
CREATE FUNCTION match_plpgsql(query vector, k int) RETURNS TABLE (key bigint, text text) LANGUAGE plpgsql AS
    $$ BEGIN RETURN QUERY SELECT id, content FROM items ORDER BY embedding <=> query LIMIT k; END $$;
CREATE FUNCTION match_definer(query vector, k int) RETURNS TABLE (key bigint, text text) LANGUAGE sql SECURITY DEFINER AS
    $$ SELECT id, content FROM items ORDER BY embedding <=> query LIMIT k $$;
CREATE FUNCTION match_setting(query vector, k int) RETURNS TABLE (key bigint, text text) LANGUAGE sql SET enable_seqscan = on AS
    $$ SELECT id, content FROM items ORDER BY embedding <=> query LIMIT k $$;
CREATE FUNCTION match_strict(query vector, k int) RETURNS TABLE (key bigint, text text) LANGUAGE sql STRICT AS
    $$ SELECT id, content FROM items ORDER BY embedding <=> query LIMIT k $$;
CREATE FUNCTION match_one(query vector, k int) RETURNS SETOF bigint LANGUAGE sql AS
    $$ SELECT id FROM items ORDER BY embedding <=> query LIMIT k $$;
CREATE FUNCTION match_atomic(query vector, k int) RETURNS TABLE (key bigint, text text) LANGUAGE sql BEGIN ATOMIC
    SELECT id, content FROM items ORDER BY embedding <=> query LIMIT k; END;
CREATE FUNCTION match_several(query vector, k int) RETURNS TABLE (key bigint, text text) LANGUAGE sql AS
    $$ SELECT 1; SELECT id, content FROM items ORDER BY embedding <=> query LIMIT k $$;
CREATE FUNCTION match_all(query vector) RETURNS TABLE (key bigint, text text) LANGUAGE sql AS
    $$ SELECT id, content FROM items ORDER BY embedding <=> query $$;
CREATE FUNCTION match_column(query vector, category_id int) RETURNS TABLE (key bigint, text text) LANGUAGE sql AS
    $$ SELECT id, content FROM items WHERE category_id = category_id ORDER BY embedding <=> query LIMIT 5 $$;
CREATE FUNCTION match_label(query vector, d float) RETURNS TABLE (key bigint, distance float) LANGUAGE sql AS
    $$ SELECT id, embedding <=> query AS d FROM items ORDER BY d LIMIT 5 $$;
CREATE FUNCTION match_cast(query vector, k int) RETURNS TABLE (key int, text varchar) LANGUAGE sql AS
    $$ SELECT id::int, content FROM items ORDER BY embedding <=> query LIMIT k $$;
CREATE FUNCTION match_wider(query vector, k int) RETURNS TABLE (key numeric, text text) LANGUAGE sql AS
    $$ SELECT id, content FROM items ORDER BY embedding <=> query LIMIT k $$;
CREATE FUNCTION match_twice(query vector, k int) RETURNS TABLE (key bigint, text text) LANGUAGE sql AS
    $$ SELECT id, content FROM items ORDER BY embedding <=> query LIMIT k $$;
CREATE FUNCTION match_twice(query vector, k text) RETURNS TABLE (key bigint, text text) LANGUAGE sql AS
    $$ SELECT id, content FROM items ORDER BY embedding <=> query LIMIT 1 $$;
CREATE FUNCTION match_unnamed(query vector, k int) RETURNS TABLE (key bigint, text text) LANGUAGE sql AS
    $$ SELECT id, content FROM items ORDER BY embedding <=> query LIMIT k $$;
CREATE FUNCTION match_unused(query vector, k int, filter jsonb DEFAULT '{}') RETURNS TABLE (key bigint, text text) LANGUAGE sql AS
    $$ SELECT id, content FROM items ORDER BY embedding <=> query LIMIT k $$;
CREATE VIEW nearest_docs AS
    SELECT id, title FROM docs ORDER BY e <=> '[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]' LIMIT 5;
CREATE VIEW plain_docs AS SELECT id, tenant, e FROM docs;
CREATE SCHEMA front;
CREATE TABLE front.items AS SELECT * FROM public.items WHERE id < 10;

-- Vectors in columns that are none, which the routes of sql_test.py declare.
CREATE TABLE foreign_docs (id bigint PRIMARY KEY, tenant int, title text, t text, v varchar(400), r real[],
                           d double precision[], j jsonb, embedding vector(8), old text);
INSERT INTO foreign_docs
SELECT i, i % 7, 'title ' || i, e::text, ' ' || replace(e::text, ',', ' , '), e::real[],
       e::real[]::double precision[], to_jsonb(e::real[]),
       CASE WHEN i % 3 = 0 THEN e END, CASE WHEN i % 3 = 0 THEN 'migrated' ELSE e::text END
  FROM (SELECT i, random_vector(i) AS e FROM generate_series(1, 600) i OFFSET 0) s;
-- Query vectors that stand in rows of another table.
CREATE TABLE probes (pid int PRIMARY KEY, name text, v vector(8), h halfvec(8));
INSERT INTO probes SELECT i, 'probe ' || i, random_vector(i), random_vector(i) FROM generate_series(1, 20) i;
INSERT INTO probes VALUES (21, 'none', NULL, NULL), (22, 'zero', '[0,0,0,0,0,0,0,0]', NULL);

-- Routes of these may answer what Postgres sorts exactly (sql_test.py): without and with rows at one distance,
-- and with rows that come first in a falling order.
CREATE TABLE near (id bigint PRIMARY KEY, grp int, title text, e vector(8));
INSERT INTO near SELECT i, i % 4, 'title ' || i, random_vector(i) FROM generate_series(1, 400) i;
CREATE INDEX ON near USING hnsw (e vector_cosine_ops);
CREATE INDEX ON near USING hnsw (e vector_ip_ops);
CREATE TABLE twins (id bigint PRIMARY KEY, grp int, title text, e vector(8));
INSERT INTO twins SELECT n.id * 10 + 7 * i % 10, i, 'twin ' || i, n.e FROM near n, generate_series(1, 9) i WHERE n.id < 60;
INSERT INTO twins SELECT 10000 + i, i % 3, 'many', '[1,1,1,1,1,1,1,1]' FROM generate_series(1, 300) i;
CREATE INDEX ON twins USING hnsw (e vector_cosine_ops);
CREATE TABLE gaps (id bigint PRIMARY KEY, e vector(8), f vector(8));
INSERT INTO gaps SELECT id, CASE WHEN id % 50 = 0 THEN NULL ELSE e END, e FROM near;
INSERT INTO gaps VALUES (1001, '[1,2,3,4,5,6,7,8]', '[0,0,0,0,0,0,0,0]');
CREATE INDEX ON gaps USING hnsw (e vector_cosine_ops);
CREATE INDEX ON gaps USING hnsw (f vector_cosine_ops);

-- The other types. Each row of `codes` has one more bit than the one before, so that no two are as far from none, or all.
CREATE TABLE codes (id int PRIMARY KEY, b bit(64), s sparsevec(8), h halfvec(8), v vector(8));
INSERT INTO codes
SELECT i, (repeat('1', i) || repeat('0', 64 - i))::bit(64), random_vector(i)::sparsevec(8), random_vector(i)::halfvec(8), random_vector(i)
  FROM generate_series(0, 64) i;
CREATE INDEX ON codes USING hnsw (b bit_hamming_ops);
CREATE INDEX ON codes USING hnsw (b bit_jaccard_ops);
CREATE INDEX ON codes USING hnsw (s sparsevec_l2_ops);
CREATE INDEX ON codes USING hnsw (h halfvec_cosine_ops);
CREATE INDEX ON codes USING hnsw (v vector_l1_ops);

CREATE FUNCTION noisy(int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN $1; END $$;
ANALYZE;
-- So many candidates that PostgreSQL's own answer from its index is the exact one.
ALTER DATABASE postgres SET hnsw.ef_search = 1000;
ALTER DATABASE postgres SET hnsw.iterative_scan = 'strict_order';

-- What is in jsonb and in arrays, of all kinds.
CREATE TABLE papers (id bigint PRIMARY KEY, meta jsonb, tags text[], years int[], big bigint[], e vector(8));
INSERT INTO papers
SELECT i, (ARRAY['{"k": "v1", "n": 3}', '{"k": "v2", "n": 3.0, "x": {"k": "v1"}}', '{"n": 4, "k": 1.50}', '{"k": 1.5}', '{"k": "1.50"}',
                 '{"k": null, "n": 3}', '{"k": true}', '{"k": {"a": 1}}', '{"k": [1, "x"], "tags": ["x", "y"]}', '["k", "v1"]', '"k"',
                 '{"a \"b\"": "it''s \\ Grün", "kk": "v1"}', '{}', '{"": "empty", "v1": "k"}', NULL])[i % 15 + 1]::jsonb,
       (ARRAY['{t1,t2}', '{t1}', '{}', '{NULL,t1}', '{{t1,t2},{t3,t2}}', NULL, '{"it''s","{t1}"}', '[2:3]={t2,t3}'])[i % 8 + 1]::text[],
       (ARRAY['{1999,-1}', '{2000,NULL}', NULL, '{}'])[i % 4 + 1]::int[],
       (ARRAY['{3000000000,1}', '{2}', NULL])[i % 3 + 1]::bigint[], random_vector(i)
  FROM generate_series(1, 240) i;
CREATE INDEX ON papers USING hnsw (e vector_cosine_ops);

-- Of which pgvector has indexes of some rows: for <=> of five kinds, for <-> of those with a vector, for <+> of what veer
-- does not read; for <#> of all as well.
CREATE TABLE parts (id bigint PRIMARY KEY, category int, lang text, kind varchar(20), archived boolean, meta jsonb, mood mood,
                    owner_id int, e vector(8));
INSERT INTO parts
SELECT i, i % 15, (ARRAY['en','de','EN','it''s'])[i % 4 + 1], (ARRAY['a','b','c'])[i % 3 + 1],
       CASE WHEN i % 17 = 0 THEN NULL ELSE i % 5 = 0 END, jsonb_build_object('k', 'v' || i % 3),
       (ARRAY['calm','angry'])[i % 2 + 1]::mood, i % 20 + 1, random_vector(i)
  FROM generate_series(1, 600) i;
CREATE INDEX ON parts USING hnsw (e vector_cosine_ops) WHERE category = 3;
CREATE INDEX ON parts USING hnsw (e vector_cosine_ops) WHERE lang = 'en' AND NOT archived;
CREATE INDEX ON parts USING hnsw (e vector_cosine_ops) WHERE category > 10;
CREATE INDEX ON parts USING ivfflat (e vector_cosine_ops) WITH (lists = 1) WHERE kind = 'a';
CREATE INDEX ON parts USING hnsw (e vector_cosine_ops) WHERE meta->>'k' = 'v1';
CREATE INDEX ON parts USING hnsw (e vector_l2_ops) WHERE e IS NOT NULL;
CREATE INDEX ON parts USING hnsw (e vector_l1_ops) WHERE mood = 'calm';
CREATE INDEX ON parts USING hnsw (e vector_ip_ops) WHERE category = 3;
CREATE INDEX ON parts USING hnsw (e vector_ip_ops);
ANALYZE parts;
CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE folds (id bigint PRIMARY KEY, name text COLLATE folded, plain text, e vector(8));
INSERT INTO folds SELECT i, (ARRAY['abc', 'ABC', 'xyz'])[i % 3 + 1], (ARRAY['abc', 'ABC', 'xyz'])[i % 3 + 1], random_vector(i)
  FROM generate_series(1, 300) i;
CREATE INDEX ON folds USING hnsw (e vector_cosine_ops) WHERE name <> 'ABC';
CREATE INDEX ON folds USING hnsw (e vector_cosine_ops) WHERE plain <> 'ABC';
-- Ten rows with the signs of {q}; and ten with other signs that are nearer to it, of which a second vector is of other dimensions.
CREATE TABLE mixed (id int PRIMARY KEY, e vector(8), loose vector);
INSERT INTO mixed SELECT i, ARRAY[0.1, -0.2, 0.3, 0.4, -0.5, 0.6, 0.7 / (i + 1), -0.8]::vector, random_vector(i) FROM generate_series(1, 10) i;
INSERT INTO mixed SELECT i, ARRAY[-0.001 * i, 0.001 * i, 0.3, 0.4, -0.5, 0.6, 0.7, -0.8]::vector, '[1,2,3]' FROM generate_series(11, 20) i;
CREATE INDEX ON mixed USING hnsw (e vector_cosine_ops);
CREATE INDEX ON mixed USING hnsw ((binary_quantize(e)::bit(8)) bit_hamming_ops);
