#pragma once

#include "storage/table.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::router {

/// A route that was declared by a statement, and not in the configuration. Says what a [[route]]
/// would, and has a name.
struct Declaration {
    enum class Kind : std::uint8_t {
        index,       ///< by CREATE INDEX; the schema of its name is its table's, as in Postgres
        collection,  ///< by veer.register()
    };

    Kind kind = Kind::index;
    std::string name;
    std::string schema;
    std::string table;
    std::string column;
    std::string operator_name;
    std::int32_t dimensions = 0;  ///< 0: those of the column's type
    std::uint32_t m = 16;         ///< pgvector's defaults
    std::uint32_t ef_construction = 64;
    std::string quantization = "auto";  ///< or "none", "sq8"

    bool same_route(const Declaration& other) const {
        return schema == other.schema && table == other.table && column == other.column &&
               operator_name == other.operator_name;
    }

    friend bool operator==(const Declaration&, const Declaration&) = default;
};

/// "public.documents.embedding <=>", as SHOW veer.routes has it.
std::string route_name(const Declaration& declaration);

/// Whether it is this index that was declared.
bool is_about(
    const Declaration& declaration, const storage::Table& table, const storage::AnnIndex& ann
);

/// The file of them:
///
///     veer routes 1 of "app"
///     index "docs_e" on "shop" "docs" "e" <=> dimensions 0 m 16 ef_construction 64 quantization
///     auto collection "docs" on "shop" "docs" "old" <-> dimensions 384 m 16 ... end 2
///     a430d84680aabd0b
///
/// The first line has the database, the last counts them and has a checksum of all before it. In
/// quotes a line feed is \n, and a backslash stands before a quote and another backslash.
std::string to_text(const std::string& database, const std::vector<Declaration>& declarations);

/// What is wrong with such a text, and in which line, from 1 on.
struct BrokenText {
    std::size_t line = 0;
    std::string message;

    friend bool operator==(const BrokenText&, const BrokenText&) = default;
};

/// All of them or none; those of another database are none.
std::variant<std::vector<Declaration>, BrokenText> declarations_from_text(
    const std::string& database, std::string_view text
);

}  // namespace veer::router
