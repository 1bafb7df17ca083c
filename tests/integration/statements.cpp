#include "tests/integration/statements.hpp"

namespace veer::tests {

namespace {

const std::string q = "[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]";
const std::string other = "[0.9,0.1,-0.3,0.4,0.5,-0.6,0.2,0.8]";
const std::string literal = "'" + q + "'";

void add_local(std::vector<Statement>& list) {
    const std::string r = "local";
    list.push_back({"SELECT id FROM docs ORDER BY e <=> " + literal + " LIMIT 10", {}, r});
    list.push_back(
        {"SELECT id, e <=> " + literal + " FROM docs ORDER BY e <=> " + literal + " LIMIT 10;",
         {},
         r}
    );
    list.push_back({"SELECT id, e <=> " + literal + " AS d FROM docs ORDER BY d LIMIT 10", {}, r});
    list.push_back(
        {"SELECT id, 1 - (e <=> " + literal + ") AS s FROM docs ORDER BY e <=> " + literal +
             " ASC LIMIT 7",
         {},
         r}
    );
    list.push_back({"SELECT id, e <=> " + literal + " FROM docs ORDER BY 2 LIMIT 5", {}, r});
    list.push_back(
        {"select \"docs\".\"id\" from \"public\".\"docs\" order by \"docs\".\"e\" <=> " + literal +
             "::vector limit 3",
         {},
         r}
    );
    list.push_back(
        {"SELECT d.id FROM docs AS d ORDER BY d.e <=> " + literal + "::vector(8) LIMIT 4 OFFSET 3",
         {},
         r}
    );
    list.push_back({"SELECT id FROM docs ORDER BY " + literal + " <=> e LIMIT 6", {}, r});
}

void add_local_forms(std::vector<Statement>& list) {
    const std::string r = "local";
    list.push_back(
        {"SELECT id FROM docs ORDER BY e OPERATOR(public.<=>) " + literal + " LIMIT 6", {}, r}
    );
    list.push_back(
        {"SELECT id FROM docs ORDER BY e <=> CAST(" + literal + " AS vector) LIMIT 6", {}, r}
    );
    list.push_back(
        {"SELECT id FROM docs ORDER BY e <=> ARRAY[0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]::vector "
         "LIMIT 6",
         {},
         r}
    );
    list.push_back(
        {"/* app */ SELECT id -- keys\n FROM docs ORDER BY (e <=> " + literal +
             ") NULLS LAST FETCH FIRST 5 ROWS ONLY",
         {},
         r}
    );
    list.push_back({"SELECT id FROM points ORDER BY e <-> " + literal + " LIMIT 10", {}, r});
    list.push_back(
        {"SELECT id, e <-> " + literal + " FROM points ORDER BY e <-> " + literal + " LIMIT 10",
         {},
         r}
    );
    list.push_back(
        {"SELECT id, e <#> " + literal + " FROM inner_products ORDER BY e <#> " + literal +
             " LIMIT 10",
         {},
         r}
    );
    list.push_back({"SELECT a, b, e <-> " + literal + " AS d FROM pairs ORDER BY d LIMIT 9", {}, r}
    );
    list.push_back({"SELECT name FROM named ORDER BY e <=> " + literal + " LIMIT 9", {}, r});
    list.push_back({"SELECT id FROM docs ORDER BY e <=> $1 LIMIT 10", {q}, r});
    list.push_back(
        {"SELECT id, e <=> $1 AS d FROM docs ORDER BY e <=> $2 LIMIT $3", {q, q, "10"}, r}
    );
    list.push_back(
        {"SELECT id, 1 - (e <=> $1::vector) AS similarity FROM docs ORDER BY e <=> $1::vector "
         "LIMIT $2 OFFSET $3",
         {q, "5", "2"},
         r}
    );
    list.push_back(
        {"SELECT id FROM docs ORDER BY e <=> $1::float8[]::vector LIMIT 5",
         {"{0.1,-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8}"},
         r}
    );
}

void add_rewritten(std::vector<Statement>& list) {
    const std::string r = "rewrite";
    list.push_back({"SELECT * FROM docs ORDER BY e <=> " + literal + " LIMIT 10", {}, r});
    list.push_back(
        {"SELECT id, title, category FROM docs ORDER BY e <=> " + literal + " LIMIT 10", {}, r}
    );
    list.push_back(
        {"SELECT d.*, d.e <=> " + literal + " AS distance FROM docs d ORDER BY distance LIMIT 4",
         {},
         r}
    );
    list.push_back(
        {"SELECT title, 1 - (e <=> " + literal + ") AS score FROM docs ORDER BY e <=> " + literal +
             " LIMIT 8 OFFSET 4",
         {},
         r}
    );
    list.push_back({"SELECT title FROM docs ORDER BY e <=> $1 LIMIT 10", {q}, r});
    list.push_back(
        {"SELECT *, e <=> $1 AS \"_distance\" FROM docs ORDER BY \"_distance\" ASC LIMIT $2;",
         {q, "10"},
         r}
    );
    list.push_back({"SELECT title, made FROM docs ORDER BY e <=> $1 LIMIT $2", {q, "3"}, r});
    list.push_back({"SELECT * FROM points ORDER BY e <-> $1 LIMIT 10", {q}, r});
    list.push_back({"SELECT * FROM inner_products ORDER BY e <#> $1 LIMIT 10", {q}, r});
    list.push_back({"SELECT * FROM pairs ORDER BY e <-> $1 LIMIT 10", {q}, r});
    list.push_back({"SELECT * FROM named ORDER BY e <=> $1 LIMIT 10", {q}, r});
    list.push_back({"SELECT id, e <=> $1 AS d FROM docs ORDER BY e <=> $2 LIMIT 5", {other, q}, r});
    list.push_back(
        {"SELECT id FROM docs WHERE category = 3 ORDER BY e <=> " + literal + " LIMIT 5",
         {},
         "local"}
    );
    list.push_back(
        {"SELECT id FROM docs WHERE category = $2 OR title = $3 ORDER BY e <=> $1 LIMIT $4",
         {q, "3", "title 8", "20"},
         r}
    );
}

void add_passed(std::vector<Statement>& list) {
    list.push_back(
        {"SELECT id FROM docs WHERE noisy(category) = 3 ORDER BY e <=> " + literal + " LIMIT 5",
         {},
         "function"}
    );
    list.push_back(
        {"SELECT id FROM docs ORDER BY e <=> " + literal + " DESC LIMIT 5", {}, "descending"}
    );
    list.push_back(
        {"SELECT id FROM docs ORDER BY e <=> " + literal + ", id LIMIT 5", {}, "order_keys"}
    );
    list.push_back({"SELECT id FROM docs ORDER BY e <-> " + literal + " LIMIT 5", {}, "no_route"});
    list.push_back(
        {"SELECT count(*) FROM (SELECT id FROM docs ORDER BY e <=> " + literal + " LIMIT 5) s",
         {},
         "rewrite"}
    );
    list.push_back({"SELECT id FROM docs ORDER BY e <=> '[1,2,3]' LIMIT 5", {}, "dimensions"});
    list.push_back({"SELECT id FROM docs ORDER BY e <=> 'abc' LIMIT 5", {}, "vector_value"});
    list.push_back(
        {"SELECT nothing FROM docs ORDER BY e <=> " + literal + " LIMIT 5", {}, "unknown_column"}
    );
    list.push_back({"SELECT id FROM docs ORDER BY e <=> $1 LIMIT $2", {q, "-1"}, "limit_value"});
    list.push_back({"SELECT id FROM docs ORDER BY e <=> $1 LIMIT 5", {std::nullopt}, "vector_value"}
    );
    list.push_back({"SELECT id FROM nowhere ORDER BY e <=> " + literal + " LIMIT 5", {}, "no_route"}
    );
    list.push_back({"SELECT id FROM docs ORDER BY e <=> " + literal + " LIMIT 0", {}, "limit_value"}
    );
    list.push_back(
        {"EXPLAIN (COSTS OFF) SELECT id FROM docs ORDER BY e <=> " + literal + " LIMIT 5",
         {},
         "not_select"}
    );
}

void add_ordinary(std::vector<Statement>& list) {
    list.push_back({"SELECT 1", {}, ""});
    list.push_back({"SELECT id, title FROM docs WHERE id = $1", {"7"}, ""});
    list.push_back({"SELECT count(*), sum(category) FROM docs", {}, ""});
    list.push_back({"SELECT 1 / 0", {}, ""});
    list.push_back({"SELEC", {}, ""});
    list.push_back({"", {}, ""});
    list.push_back({"SELECT generate_series(1, 5000) AS n", {}, ""});
    list.push_back({"SHOW server_version", {}, ""});
    list.push_back({"SELECT NULL::text, ''::text, E'\\\\x00'::bytea, ARRAY[1,2,3]", {}, ""});
}

}  // namespace

std::vector<Statement> equality_statements() {
    std::vector<Statement> list;
    add_local(list);
    add_local_forms(list);
    add_rewritten(list);
    add_passed(list);
    add_ordinary(list);
    return list;
}

}  // namespace veer::tests
