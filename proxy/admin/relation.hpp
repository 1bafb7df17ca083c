#pragma once

#include "proxy/admin/snapshot.hpp"
#include "proxy/admin/value.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace veer::proxy::admin {

struct Column {
    std::string name;
    Type type = Type::text;

    friend bool operator==(const Column&, const Column&) = default;
};

/// One table of the console: `SHOW ROUTES` and `SELECT ... FROM veer.routes` are the same.
struct Relation {
    std::string_view name;  ///< in lower case
    std::string_view about;
    std::vector<Column> columns;
    std::vector<Row> (*rows)(const Snapshot&) = nullptr;
};

/// Every relation, in the order in which SHOW TABLES lists them.
std::span<const Relation> relations();

/// By name, or by another name that means the same (SHOW LAG, SHOW REPLICATION); null where there
/// is none.
const Relation* find_relation(std::string_view name);

/// pg_class.oid of a relation, as the console tells psql.
std::uint32_t oid_of(const Relation& relation);
const Relation* relation_of_oid(std::uint32_t oid);

/// What an operator would look for by this name and cannot find yet, in a sentence.
std::optional<std::string_view> why_absent(std::string_view name);

}  // namespace veer::proxy::admin
