#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace veer::storage {

/// Which columns beside key and vectors are copied, of those with a ColumnType.
struct ColumnChoice {
    enum class Kind {
        automatic,  ///< the key, and the types of fixed length
        none,
        all,
    };

    Kind kind = Kind::automatic;
    std::vector<std::string> names = {};  ///< these as well

    friend bool operator==(const ColumnChoice&, const ColumnChoice&) = default;
};

/// What is to be indexed whether or not pgvector has an index on it: a column of one of its types
/// with fixed dimensions, one that holds vectors in whatever VectorForm, or coalesce() of two.
struct DeclaredIndex {
    std::string schema;
    std::string table;
    std::string column;
    std::string legacy;  ///< counts where `column` is NULL; empty: none
    std::string operator_name;
    std::int32_t dimensions = 0;  ///< 0: those of the column's type
    std::uint32_t m = 16;         ///< pgvector's defaults
    std::uint32_t ef_construction = 64;
    /// Somebody has said these: by CREATE INDEX USING veer. Of a [[route]] nobody has.
    bool states_parameters = false;

    /// Of a column as it is: pgvector could have the same index.
    bool is_plain() const { return legacy.empty() && dimensions == 0; }

    friend bool operator==(const DeclaredIndex&, const DeclaredIndex&) = default;
};

/// The choice for each table, and what is declared beside what the catalogue has.
struct ColumnChoices {
    struct OfTable {
        std::string schema;
        std::string table;
        ColumnChoice choice;

        friend bool operator==(const OfTable&, const OfTable&) = default;
    };

    ColumnChoice defaults;  ///< its names mean the tables that have such columns
    std::vector<OfTable> tables = {};
    std::vector<DeclaredIndex> declared = {};
    /// What is declared beside while veer runs; from any thread. Null: nothing is.
    std::function<std::vector<DeclaredIndex>()> later = nullptr;

    /// With all that is declared by now in `declared`.
    ColumnChoices as_of_now() const {
        ColumnChoices now = *this;
        if (later) {
            for (DeclaredIndex& index : later()) {
                now.declared.push_back(std::move(index));
            }
        }
        return now;
    }
};

}  // namespace veer::storage
