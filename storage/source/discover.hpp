#pragma once

#include "storage/source/catalogue.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// The decisions of discover(), apart from the statements that fetch what they need.
namespace veer::storage::source {

/// A leaf of a partitioned table that is no ordinary, permanent table with the key of them all as
/// its replica identity.
struct OddPartition {
    std::string name;  ///< as SQL has it
    char kind = 'r';
    char persistence = 'p';
    char replica_identity = 'd';
};

/// A row of pg_class with at least one index, of pgvector's or declared, and what decides whether
/// it can be copied.
struct TableFacts {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;
    char kind = 'r';         ///< pg_class.relkind
    char persistence = 'p';  ///< pg_class.relpersistence
    char replica_identity = 'd';
    double estimated_rows = -1;
    bool is_partition = false;
    bool has_children = false;
    bool rows_hidden = false;       ///< row-level security applies to veer's role
    bool schema_usable = true;      ///< USAGE on the schema
    std::string file = {};          ///< fingerprint_file_sql, or fingerprint_tree_sql()
    PartitionList partitions = {};  ///< of a partitioned table
    /// Of a partitioned table: a partition whose rows the stream does not tell of as of its own.
    std::optional<OddPartition> odd_partition = std::nullopt;
};

/// A row of pg_attribute.
struct ColumnFacts {
    Column column;
    std::string type_name;
    std::string version;  ///< of fingerprint_version_sql
    bool generated = false;
    bool readable = true;
    std::string definition = {};  ///< of fingerprint_definition_sql
    bool deterministic = true;    ///< equal text is equal bytes (pg_collation)
};

/// A row of pg_index for a pgvector access method.
struct IndexFacts {
    std::string name;
    std::string method;
    std::int16_t attnum = 0;  ///< 0 for an expression
    std::int16_t column_count = 1;
    bool valid = true;
    bool partial = false;
    std::string operator_class;
    std::string operator_name;
    std::uint32_t operator_oid = 0;
    std::uint32_t m = 16;
    std::uint32_t ef_construction = 64;
};

/// A distance operator of pgvector on two of the same type.
struct OperatorFacts {
    std::string name;
    std::uint32_t oid = 0;
    std::uint32_t type_oid = 0;
    std::string type_name = "vector";
};

struct TableInput {
    TableFacts facts;
    std::vector<ColumnFacts> columns;    ///< in attnum order
    std::vector<std::int16_t> identity;  ///< attnums of the replica identity's index, in its order
    std::vector<IndexFacts> indexes;
    std::vector<OperatorFacts> operators = {};
};

/// Adds the table, or the reasons against it, to the catalogue. `role` is named in the advice.
void judge(
    const TableInput& input,
    const std::string& role,
    Catalogue& catalogue,
    const ColumnChoices& choices = {}
);

}  // namespace veer::storage::source
