#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::sim {

/// The SQL that the model server understands: whole texts, not a grammar. The table is that of
/// tests/unit/proxy/sample_copy.hpp: docs(id, e) with rows 1 to 20 at (id, 0).
enum class Verb : std::uint8_t {
    empty,
    select,    ///< a search, a constant or the series
    division,  ///< a select whose second row fails
    insert,
    begin,
    commit,
    rollback,
    set,
    deallocate,
    copy_in,
    copy_out,
};

struct Column {
    std::string name;
    std::uint32_t table_oid = 0;
    std::int16_t attnum = 0;
    std::uint32_t type_oid = 0;
    std::int16_t type_length = 8;
    std::int32_t typmod = -1;
};

using Vector = std::vector<float>;

/// One statement as the server keeps it.
struct Sql {
    Verb verb = Verb::empty;
    std::vector<Column> columns;  ///< of a select
    bool search = false;
    bool star = false;                     ///< a search for whole rows, else for key and distance
    bool takes_vector = false;             ///< has $1
    std::optional<Vector> literal;         ///< in the place of $1
    std::optional<std::vector<int>> keys;  ///< the condition that veer put in
    std::size_t limit = 0;
    bool facts = false;
    int constant_rows = 0;  ///< of neither: numbers from one on
};

/// An error of the server: its SQLSTATE.
struct SqlError {
    std::string sqlstate;
};

std::variant<Sql, SqlError> read_sql(std::string_view text);

/// "[1,2]"; nothing for any other text.
std::optional<Vector> read_vector(std::string_view text);

/// vector_send's form.
std::optional<Vector> read_binary_vector(std::string_view bytes);

/// The values of one row in a statement's columns, each in its format. `wrote` goes into the
/// session's facts.
using Row = std::vector<std::string>;

/// All rows of a select. An error where the vector has other dimensions than the column.
std::variant<std::vector<Row>, SqlError> rows_of(
    const Sql& sql,
    const std::optional<Vector>& parameter,
    const std::vector<std::int16_t>& formats,
    bool wrote
);

}  // namespace veer::sim
