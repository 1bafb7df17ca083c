#pragma once

#include "parser/management.hpp"
#include "router/declarations.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

// What management_query() asks for, column by column.

/// Of what makes an index.
enum TableRow : std::size_t {
    table_taken,
    table_database,
    table_usage,   ///< of the schema that is named; NULL: there is none
    table_schema,  ///< NULL: there is no such table
    table_kind,
    table_persistence,
    table_owned,
    table_creates,  ///< CREATE on its schema
    table_type,     ///< of the column; NULL: there is none
    table_typmod,
    table_type_text,
    table_class,      ///< the operator class exists
    table_names,      ///< numbers of index_names(), from 1 on
    table_generated,  ///< the column is
    table_row_size,
};

/// Of DROP INDEX.
enum IndexRow : std::size_t {
    index_taken,
    index_database,
    index_schema,  ///< NULL: nobody has it
    index_own,     ///< Postgres has it there
    index_owned,   ///< the table; NULL: there is none any more
    index_row_size,
};

/// Of what takes a collection away.
enum CollectionRow : std::size_t {
    collection_taken,
    collection_database,
    collection_owned,  ///< the table; NULL: there is none any more
    collection_row_size,
};

/// The name, or those that Postgres would try one after the other where none is given.
std::vector<std::string> index_names(const parser::Management& management);

/// Null where there is none.
const Declaration* find_collection(const Declarations::All& known, std::string_view name);

}  // namespace veer::router
