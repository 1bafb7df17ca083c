#include "router/management.hpp"
#include "router/management_row.hpp"
#include "router/rewrite.hpp"

#include <algorithm>
#include <utility>

namespace veer::router {

namespace {

using Kind = parser::Management::Kind;

constexpr std::string_view equals = " OPERATOR(pg_catalog.=) ";

std::string is(std::string_view what, std::string_view text) {
    return std::string(what).append(equals).append(escaped_literal(text));
}

std::string exists(std::string_view from, const std::string& condition) {
    return "EXISTS (SELECT FROM pg_catalog." + std::string(from) + " WHERE " + condition + ')';
}

/// Whether Postgres has what the statement is called by: an access method, or a function.
std::string taken(const parser::Management& management) {
    const bool enlists = management.kind == Kind::enlist;
    if (!enlists && management.kind != Kind::unlist) {
        return exists("pg_am m", is("m.amname", "veer"));
    }
    if (management.by_ruvector) {
        return exists(
            "pg_proc p",
            is("p.proname",
               enlists ? "ruvector_register_collection" : "ruvector_unregister_collection")
        );
    }
    return exists(
        "pg_proc p JOIN pg_catalog.pg_namespace w ON w.oid" + std::string(equals) +
            "p.pronamespace",
        is("p.proname", enlists ? "register" : "unregister") + " AND " + is("w.nspname", "veer")
    );
}

std::string head(const parser::Management& management) {
    return "SELECT " + taken(management) + ", pg_catalog.current_database()";
}

/// Of the names that an index may be given, the places of those that the schema has already.
std::string names_in_schema(const parser::Management& management) {
    std::string names;
    for (const std::string& name : index_names(management)) {
        names += (names.empty() ? "" : ", ") + escaped_literal(name) + "::pg_catalog.name";
    }
    return "(SELECT pg_catalog.string_agg(q.place::pg_catalog.text, ' ')"
           " FROM pg_catalog.unnest(ARRAY[" +
           names + "]) WITH ORDINALITY q(relname, place) WHERE " +
           exists(
               "pg_class r",
               "r.relname" + std::string(equals) + "q.relname AND r.relnamespace" +
                   std::string(equals) + "t.relnamespace"
           ) +
           ')';
}

/// See TableRow.
std::string table_query(const parser::Management& management) {
    const std::string path = "pg_catalog.current_schemas(true)";
    const std::string schema = management.schema.value_or("");
    const std::string of_schema =
        " FROM pg_catalog.pg_namespace g WHERE " + is("g.nspname", schema);
    const std::string usage =
        management.schema
            ? "(SELECT pg_catalog.has_schema_privilege(g.oid, 'USAGE')" + of_schema + ")"
            : "true";
    const std::string found = management.schema
                                  ? is("n.nspname", schema)
                                  : "n.nspname" + std::string(equals) + "ANY (" + path + ')';
    const bool index = management.kind == Kind::create_index;
    return head(management) + ", " + usage +
           ", t.nspname, t.relkind, t.relpersistence,"
           " pg_catalog.pg_has_role(t.relowner, 'USAGE'),"
           " pg_catalog.has_schema_privilege(t.relnamespace, 'CREATE'),"
           " a.typname, a.atttypmod, pg_catalog.format_type(a.atttypid, NULL), " +
           exists("pg_opclass x", is("x.opcname", management.operator_class)) + ", " +
           (index ? names_in_schema(management) : "''") +
           ", a.generated FROM (SELECT 1) o LEFT JOIN LATERAL (SELECT c.oid, c.relowner, "
           "c.relnamespace,"
           " c.relkind, c.relpersistence, n.nspname FROM pg_catalog.pg_class c"
           " JOIN pg_catalog.pg_namespace n ON n.oid" +
           std::string(equals) + "c.relnamespace WHERE " + is("c.relname", management.table) +
           " AND " + found + " ORDER BY pg_catalog.array_position(" + path +
           ", n.nspname) LIMIT 1) t ON true"
           " LEFT JOIN LATERAL (SELECT b.atttypid, b.atttypmod, y.typname, b.attgenerated "
           "OPERATOR(pg_catalog.<>) '' AS generated"
           " FROM pg_catalog.pg_attribute b JOIN pg_catalog.pg_type y ON y.oid" +
           std::string(equals) + "b.atttypid WHERE b.attrelid" + std::string(equals) +
           "t.oid AND " + is("b.attname", management.column) +
           " AND b.attnum OPERATOR(pg_catalog.>) 0 AND NOT b.attisdropped) a ON true";
}

std::string owner_of(const std::string& schema, const std::string& table) {
    return "(SELECT pg_catalog.pg_has_role(c.relowner, 'USAGE') FROM pg_catalog.pg_class c"
           " JOIN pg_catalog.pg_namespace n ON n.oid" +
           std::string(equals) + "c.relnamespace WHERE " + is("c.relname", table) + " AND " +
           is("n.nspname", schema) + ')';
}

/// Which schema of those with an index of that name is the first, whose it is there, and whether
/// the role owns the table. See IndexRow.
std::string index_query(const parser::Management& management, const Declarations::All& known) {
    std::string schemas;
    std::string owners;
    for (const Declaration& each : known) {
        if (each.kind == Declaration::Kind::index && each.name == management.name) {
            schemas += (schemas.empty() ? "" : ", ") + escaped_literal(each.schema);
            owners += " WHEN " + is("f.nspname", each.schema) + " THEN " +
                      owner_of(each.schema, each.table);
        }
    }
    const std::string own = exists(
        "pg_class r JOIN pg_catalog.pg_namespace n ON n.oid" + std::string(equals) +
            "r.relnamespace",
        is("r.relname", management.name) + " AND n.nspname" + std::string(equals) + "s.nspname"
    );
    const std::string path =
        management.schema ? "ARRAY[" + escaped_literal(*management.schema) + "]::pg_catalog.name[]"
                          : "pg_catalog.current_schemas(true)";
    const std::string owned = owners.empty() ? "NULL" : "CASE" + owners + " END";
    return head(management) + ", f.nspname, f.own, " + owned +
           " FROM (SELECT 1) o LEFT JOIN LATERAL (SELECT s.nspname, " + own +
           " AS own FROM pg_catalog.unnest(" + path +
           ") WITH ORDINALITY s(nspname, place) WHERE s.nspname" + std::string(equals) +
           "ANY (ARRAY[" + schemas + "]::pg_catalog.name[]) OR " + own +
           " ORDER BY s.place LIMIT 1) f ON true";
}

}  // namespace

std::vector<std::string> index_names(const parser::Management& management) {
    if (!management.name.empty()) {
        return {management.name};
    }
    constexpr std::size_t bytes_max = 63 - 6;  // of a name in Postgres, less what is put behind
    constexpr int most = 33;
    std::string base = management.table + '_' + management.column;
    if (base.size() > bytes_max) {
        std::size_t end = bytes_max;
        while (end > 0 && (static_cast<unsigned char>(base[end]) & 0xC0U) == 0x80U) {
            --end;  // within a character
        }
        base.resize(end);
    }
    std::vector<std::string> names{base + "_idx"};
    for (int number = 1; number < most; ++number) {
        names.push_back(base + "_idx" + std::to_string(number));
    }
    return names;
}

const Declaration* find_collection(const Declarations::All& known, std::string_view name) {
    const auto found = std::find_if(known.begin(), known.end(), [name](const Declaration& each) {
        return each.kind == Declaration::Kind::collection && each.name == name;
    });
    return found == known.end() ? nullptr : &*found;
}

namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x80;
    });
}

std::string question_of(const parser::Management& management, const Declarations::All& known) {
    switch (management.kind) {
        case Kind::create_index:
        case Kind::enlist:
            return table_query(management);
        case Kind::drop_index:
            return index_query(management, known);
        case Kind::unlist:
            break;
    }
    const Declaration* const found = find_collection(known, management.name);
    return head(management) + ", " +
           (found == nullptr ? "NULL" : owner_of(found->schema, found->table));
}

}  // namespace

std::optional<std::string> management_query(
    const parser::Management& management, const Declarations::All& known, bool utf8
) {
    std::string question = question_of(management, known);
    // Not every question has the name of a collection in it.
    const bool readable = utf8 || (is_ascii(question) && is_ascii(management.name));
    return readable ? std::optional(std::move(question)) : std::nullopt;
}

}  // namespace veer::router
