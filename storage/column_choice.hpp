#pragma once

#include <string>
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

/// The choice for each table.
struct ColumnChoices {
    struct OfTable {
        std::string schema;
        std::string table;
        ColumnChoice choice;

        friend bool operator==(const OfTable&, const OfTable&) = default;
    };

    ColumnChoice defaults;  ///< its names mean the tables that have such columns
    std::vector<OfTable> tables = {};

    friend bool operator==(const ColumnChoices&, const ColumnChoices&) = default;
};

}  // namespace veer::storage
