#include "tests/unit/parser/describe.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <string_view>

using namespace veer::parser;

namespace {

struct Case {
    std::string_view client;
    std::string_view sql;
    std::string_view expected;
};

// As captured from the clients named, vectors shortened.
constexpr Case served[] = {
    {"psycopg 3",
     "SELECT id, embedding <=> $1::vector AS d FROM items ORDER BY d LIMIT $2",
     "items.embedding <=> $1::vector limit $2 by d: id, dist d $1::vector"},
    {"psycopg 3, registered",
     "SELECT * FROM items ORDER BY embedding <-> $1 LIMIT 5",
     "items.embedding <-> $1 limit 5: *"},
    {"mem0",
     "SELECT id, embedding <=> $1::vector AS distance, metadata FROM items ORDER BY distance LIMIT "
     "$2",
     "items.embedding <=> $1::vector limit $2 by distance: id, dist distance $1::vector, metadata"},
    {"psycopg 2",
     "SELECT id, embedding FROM items ORDER BY embedding <-> '[1.0,2.0,3.0]' LIMIT 5",
     "items.embedding <-> '0 limit 5: id, embedding"},
    {"Dify",
     "SELECT metadata, content, embedding <=> '[1.0, 2.0, 3.0]' AS distance FROM items ORDER BY "
     "distance LIMIT 4",
     "items.embedding <=> '0 limit 4 by distance: metadata, content, dist distance '0"},
    {"psycopg 2, a list",
     "SELECT id FROM items ORDER BY embedding <=> ARRAY[1.0,2.0,3.0]::vector LIMIT 4",
     "items.embedding <=> ['0]::vector limit 4: id"},
    {"asyncpg",
     "SELECT id, embedding <=> $1 AS d FROM items ORDER BY embedding <=> $1 LIMIT $2",
     "items.embedding <=> $1 limit $2: id, dist d $1"},
    {"asyncpg, a cast",
     "SELECT id FROM items ORDER BY embedding <=> $1::vector LIMIT 3",
     "items.embedding <=> $1::vector limit 3: id"},
    {"asyncpg, a list",
     "SELECT id FROM items ORDER BY embedding <=> $1::float4[]::vector LIMIT 3",
     "items.embedding <=> [$1]::vector limit 3: id"},
    {"SQLAlchemy",
     "SELECT items.metadata, items.id, items.category_id, items.content, items.embedding \nFROM "
     "items ORDER BY items.embedding <-> '[3.0,1.0,2.0]' \n LIMIT 5",
     "items.embedding <-> '0 limit 5: metadata, id, category_id, content, embedding"},
    {"SQLAlchemy, asyncpg",
     "SELECT items.id, items.embedding <=> $1 AS distance \nFROM items ORDER BY items.embedding "
     "<=> $2 \n LIMIT $3::integer",
     "items.embedding <=> $2 limit $3: id, dist distance $1"},
    {"Django",
     "SELECT \"items\".\"id\", \"items\".\"embedding\", \"items\".\"content\", "
     "\"items\".\"category_id\" FROM \"items\" ORDER BY (\"items\".\"embedding\" <-> "
     "'[3.0,1.0,2.0]') ASC LIMIT 5",
     "items.embedding <-> '0 limit 5: id, embedding, content, category_id"},
    {"Django, annotated",
     "SELECT \"items\".\"id\", (\"items\".\"embedding\" <=> '[3.0,1.0,2.0]') AS \"distance\" FROM "
     "\"items\" ORDER BY \"distance\" ASC LIMIT 5 OFFSET 5",
     "items.embedding <=> '0 limit 5 offset 5 by distance: id, dist distance '0"},
    {"Peewee",
     "SELECT \"t1\".\"id\", \"t1\".\"embedding\", \"t1\".\"content\" FROM \"items\" AS \"t1\" "
     "ORDER "
     "BY (\"t1\".\"embedding\" <-> '[3.0,1.0,2.0]') LIMIT 5",
     "items t1.embedding <-> '0 limit 5: id, embedding, content"},
    {"Peewee, annotated",
     "SELECT \"t1\".\"id\", (\"t1\".\"embedding\" <=> '[3.0,1.0,2.0]') AS \"distance\" FROM "
     "\"items\" AS \"t1\" ORDER BY distance LIMIT 5",
     "items t1.embedding <=> '0 limit 5 by distance: id, dist distance '0"},
    {"node-postgres",
     "SELECT id FROM items ORDER BY embedding <=> $1::vector LIMIT $2",
     "items.embedding <=> $1::vector limit $2: id"},
    {"postgres.js",
     "SELECT id, embedding <=> $1 AS d FROM items ORDER BY embedding <=> $2 LIMIT $3",
     "items.embedding <=> $2 limit $3: id, dist d $1"},
    {"postgres.js, simple",
     "SELECT id FROM items ORDER BY embedding <=> '[1,2,3]' LIMIT 5",
     "items.embedding <=> '0 limit 5: id"},
    {"Drizzle",
     "select \"id\", \"content\", \"category_id\", \"embedding\" from \"items\" order by "
     "\"items\".\"embedding\" <-> $1 limit $2",
     "items.embedding <-> $1 limit $2: id, content, category_id, embedding"},
    {"Drizzle, alias",
     "select \"id\", \"items\".\"embedding\" <=> $1 as \"distance\" from \"items\" order by "
     "\"distance\" limit $2 offset $3",
     "items.embedding <=> $1 limit $2 offset $3 by distance: id, dist distance $1"},
    {"Kysely",
     "select * from \"items\" order by \"embedding\" <-> $1 asc limit $2",
     "items.embedding <-> $1 limit $2: *"},
    {"Knex",
     "select \"id\", embedding <=> $1 as distance from \"items\" order by \"distance\" asc limit "
     "$2",
     "items.embedding <=> $1 limit $2 by distance: id, dist distance $1"},
    {"LangChain.js",
     "SELECT *, \"embedding\" <=> $1 as \"_distance\"\n FROM items ORDER BY \"_distance\" ASC "
     "LIMIT "
     "$2;",
     "items.embedding <=> $1 limit $2 by _distance: *, dist _distance $1"},
    {"Sequelize",
     "SELECT \"id\", \"embedding\", \"content\" FROM \"items\" AS \"Item\" ORDER BY \"embedding\" "
     "<-> '[1,1,1]' LIMIT 5;",
     "items Item.embedding <-> '0 limit 5: id, embedding, content"},
    {"TypeORM",
     "SELECT \"item\".\"id\" AS \"item_id\", \"item\".\"embedding\" AS \"item_embedding\", "
     "\"item\".\"content\" AS \"item_content\" FROM \"items\" \"item\" ORDER BY embedding <-> $1 "
     "ASC "
     "LIMIT 5",
     "items item.embedding <-> $1 limit 5: id as item_id, embedding as item_embedding, content as "
     "item_content"},
    {"Prisma",
     "SELECT id, content, 1 - (embedding <=> $1::vector) AS similarity FROM \"documents\" ORDER BY "
     "embedding <=> $2::vector LIMIT $3",
     "documents.embedding <=> $2::vector limit $3: id, content, sim similarity $1::vector"},
    {"Haystack",
     "SELECT *, 1 - (embedding <=> '[1]') AS score FROM \"public\".\"haystack_documents\" ORDER BY "
     "embedding <=> '[1]' ASC LIMIT 10",
     "public.haystack_documents.embedding <=> '1 limit 10: *, sim score '0"},
    {"Semantic Kernel",
     "SELECT \"id\", \"embedding\" <=> $1 AS \"sk_pg_distance\" FROM \"public\".\"c\" ORDER BY "
     "sk_pg_distance LIMIT 5",
     "public.c.embedding <=> $1 limit 5 by sk_pg_distance: id, dist sk_pg_distance $1"},
    {"EF Core",
     "SELECT i.\"Id\", i.\"Embedding\" FROM \"Items\" AS i ORDER BY i.\"Embedding\" <-> $1 LIMIT "
     "$2",
     "Items i.Embedding <-> $1 limit $2: Id, Embedding"},
    {"Ecto",
     "SELECT i0.\"id\", i0.\"embedding\" FROM \"items\" AS i0 ORDER BY (i0.\"embedding\" <-> $1) "
     "LIMIT 5",
     "items i0.embedding <-> $1 limit 5: id, embedding"},
    {"Hibernate",
     "select e1_0.id from items e1_0 order by e1_0.embedding<=>$1 fetch first $2 rows only",
     "items e1_0.embedding <=> $1 limit $2: id"},
    {"LlamaIndex",
     "SELECT public.data_x.id, public.data_x.node_id, public.data_x.embedding <=> '[1]' AS "
     "distance "
     "FROM public.data_x ORDER BY distance asc LIMIT 2",
     "public.data_x.embedding <=> '0 limit 2 by distance: id, node_id, dist distance '0"},
    {"vecs",
     "SELECT vecs.docs.id FROM vecs.docs ORDER BY vecs.docs.vec <=> '[1]' LIMIT 10",
     "vecs.docs.vec <=> '0 limit 10: id"},
    {"LightRAG",
     "SELECT e.entity_name FROM LIGHTRAG_VDB_ENTITY e ORDER BY e.content_vector <=> "
     "'[1]'::vector LIMIT $1",
     "lightrag_vdb_entity e.content_vector <=> '0::vector limit $1: entity_name"},
    {"Rails marginalia",
     "SELECT \"items\".* FROM \"items\" /* loading for inspect */ ORDER BY \"items\".\"embedding\" "
     "<#> '[1]' LIMIT $1 /*application:Shop*/",
     "items.embedding <#> '0 limit $1: *"},
    {"LangChain.js, schema",
     "SELECT *, \"embedding\" OPERATOR(ext.<=>) $1 as \"_distance\" FROM t ORDER BY \"_distance\" "
     "ASC "
     "LIMIT $2",
     "t.embedding ext.<=> $1 limit $2 by _distance: *, dist _distance $1"},
    {"Spring AI",
     "SELECT *, embedding <=> $1 AS distance FROM public.vector_store ORDER BY distance LIMIT $2 ",
     "public.vector_store.embedding <=> $1 limit $2 by distance: *, dist distance $1"},
    {"pgai",
     "select x.id from x order by x.embedding <=> $1::vector(1536) limit 3",
     "x.embedding <=> $1::vector(1536) limit 3: id"},
    {"LangChain v2",
     "SELECT \"id\", \"content\", \"embedding\", cosine_distance(\"embedding\", $1) as distance "
     "FROM "
     "\"public\".\"items\"  ORDER BY \"embedding\" <=> $2 LIMIT $3;",
     "public.items.embedding <=> $2 limit $3: id, content, embedding, expr distance"},
    {"SQLAlchemy",
     "SELECT items.id, items.embedding <=> '[3.0,1.0,2.0]' AS distance \nFROM items \nWHERE "
     "metadata->>'k' = 'v1' ORDER BY distance asc \n LIMIT 5",
     "items.embedding <=> '0 limit 5 by distance where: id, dist distance '0"},
    {"postgres.js",
     "SELECT id, embedding <=> $1 AS d FROM items WHERE category_id = $2 ORDER BY embedding <=> $3 "
     "LIMIT $4",
     "items.embedding <=> $3 limit $4 where: id, dist d $1"},
    {"Rails neighbor",
     "SELECT \"items\".\"id\", \"items\".\"embedding\" <=> '[0.9,1.3]' AS neighbor_distance FROM "
     "\"items\" WHERE \"items\".\"embedding\" IS NOT NULL ORDER BY \"items\".\"embedding\" <=> "
     "'[0.9,1.3]' LIMIT $1",
     "items.embedding <=> '1 limit $1 where: id, dist neighbor_distance '0"},
    {"LangChain4j",
     "SELECT (2 - (embedding <=> '[1]')) / 2 AS score FROM t WHERE round(cast(float8 (embedding "
     "<=> "
     "'[1]') as numeric), 8) <= round(2 - 2 * 0.6, 8) ORDER BY embedding <=> '[1]' LIMIT 5;",
     "t.embedding <=> '2 limit 5 where: expr score"},
    {"LlamaIndex, a number in the metadata",
     "SELECT public.data_x.id, public.data_x.embedding <=> '[1]' AS distance FROM public.data_x "
     "WHERE "
     "(metadata_->>'k')::float > 3.0 ORDER BY distance asc LIMIT 2",
     "public.data_x.embedding <=> '0 limit 2 by distance where !: id, dist distance '0"},
    {"mem0, filtered",
     "SELECT id, vector <=> $1::vector AS distance, payload FROM \"c\" WHERE payload->>'user_id' = "
     "$2 "
     "ORDER BY distance LIMIT $3",
     "c.vector <=> $1::vector limit $3 by distance where: id, dist distance $1::vector, payload"},
    {"LangChain v1, without its join",
     "SELECT id FROM e WHERE collection_id = '1'::UUID AND jsonb_path_match(cmetadata, CAST('$.f "
     "== "
     "$value' AS JSONPATH), CAST('{}' AS JSONB)) ORDER BY embedding <=> '[1]' ASC LIMIT 4",
     "e.embedding <=> '3 limit 4 where !: id"},
    {"LangChain.js, filtered",
     "SELECT *, \"embedding\" <=> $1 as \"_distance\" FROM t WHERE collection_id = $3 AND metadata "
     "->> "
     "$5 IN ($4) ORDER BY \"_distance\" ASC LIMIT $2;",
     "t.embedding <=> $1 limit $2 by _distance where: *, dist _distance $1"},
    {"Spring AI, threshold and metadata",
     "SELECT *, embedding <=> $1 AS distance FROM public.vector_store WHERE embedding <=> $2 < $3 "
     "AND "
     "metadata::jsonb @@ '$.\"country\" == \"BG\"'::jsonpath ORDER BY distance LIMIT $4 ",
     "public.vector_store.embedding <=> $1 limit $4 by distance where !: *, dist distance $1"},
    {"Haystack, inner product",
     "SELECT *, (embedding <#> '[1]') * -1 AS score FROM \"public\".\"haystack_documents\" WHERE "
     "meta->>'k' = ANY($1) ORDER BY embedding <#> '[1]' ASC LIMIT 10",
     "public.haystack_documents.embedding <#> '2 limit 10 where: *, expr score"},
    {"vecs, filtered",
     "SELECT vecs.docs.id FROM vecs.docs WHERE vecs.docs.metadata @> '{}'::jsonb ORDER BY "
     "vecs.docs.vec "
     "<=> '[1]' LIMIT 10",
     "vecs.docs.vec <=> '1 limit 10 where: id"},
    {"AnythingLLM",
     "SELECT embedding <=> $1 AS _distance, metadata FROM \"anythingllm_vectors\" WHERE namespace "
     "= $2 "
     "ORDER BY _distance ASC LIMIT $3",
     "anythingllm_vectors.embedding <=> $1 limit $3 by _distance where: dist _distance $1, "
     "metadata"},
    {"LangChain v1",
     "SELECT a.id FROM a JOIN b ON a.b_id = b.uuid WHERE a.b_id = '1'::UUID ORDER BY a.e <=> '[1]' "
     "ASC LIMIT 4",
     "a.e <=> '1 limit 4 join b where: id"},
    {"node-postgres",
     "SELECT id, 1 - (embedding <=> '[1,2,3]') AS similarity FROM items ORDER BY similarity DESC "
     "LIMIT 5",
     "items.embedding <=> '0 limit 5 by similarity falling: id, sim similarity '0"},
    {"Drizzle guide",
     "select \"content\", 1 - (\"items\".\"embedding\" <=> $1) from \"items\" where 1 - "
     "(\"items\".\"embedding\" <=> $2) > $3 order by 1 - (\"items\".\"embedding\" <=> $4) desc "
     "limit "
     "$5",
     "items.embedding <=> $4 limit $5 falling where: content, sim ?column? $1"},
    {"OpenWebUI",
     "SELECT q.qid, r.id FROM (VALUES (0, CAST(ARRAY[1.0, 2.0, 3.0] AS VECTOR(3)))) AS q (qid, v) "
     "JOIN LATERAL (SELECT items.id AS id, items.e <=> q.v AS d FROM items WHERE items.c = 2 ORDER "
     "BY items.e <=> q.v LIMIT 3) AS r ON true ORDER BY q.qid, r.d",
     "items.e <=> ['0]::vector(3) limit 3 left join items where inside: id, dist d "
     "['0]::vector(3)"},
};

constexpr Case passed[] = {
    {"psycopg, named cursor",
     "DECLARE \"cur1\" CURSOR FOR SELECT id FROM items ORDER BY embedding <-> '[1,2,3]' LIMIT 5",
     "not_select"},
    {"Discourse",
     "WITH c AS (SELECT topic_id FROM a ORDER BY binary_quantize(e)::bit(8) <~> "
     "binary_quantize('[1]'::halfvec(8)) LIMIT 200) SELECT topic_id FROM c",
     "derived_vector"},
    {"Semantic Kernel",
     "SELECT subquery.*, 1 - subquery.\"d\" AS \"d\" FROM (SELECT e <=> $1 AS d FROM t ORDER BY d "
     "LIMIT 5) AS subquery",
     "t.e <=> $1 limit 5 by d left join t inside: dist d $1"},
};

}  // namespace

TEST_CASE("Searches of real clients are recognised", "[parser]") {
    for (const Case& each : served) {
        CAPTURE(each.client, each.sql);
        CHECK(describe_sql(each.sql) == each.expected);
    }
}

TEST_CASE("Statements of real clients that Postgres must answer are refused", "[parser]") {
    for (const Case& each : passed) {
        CAPTURE(each.client, each.sql);
        CHECK(describe_sql(each.sql) == each.expected);
    }
}
