#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::parser {

/// A statement that makes or drops an index of veer's own, or what would be one:
///
///     CREATE INDEX docs_e ON shop.docs USING veer (e vector_cosine_ops) WITH (m = 24)
///     DROP INDEX docs_e
///     SELECT veer.register('docs', 'shop', 'docs', 'e', 384, 'cosine')
///     SELECT ruvector_unregister_collection('docs')
///
/// 1. Names are as Postgres reads them: folded, or as quoted.
/// 2. Whether Postgres has an access method, functions or an index of these names, and whether the
///    rest makes sense, only the catalogue knows.
struct Management {
    enum class Kind : std::uint8_t { create_index, drop_index, enlist, unlist };

    /// One of WITH (...): 'value' for a number, a string or a word; empty: none is given.
    struct Option {
        std::string name;
        std::string value;

        friend bool operator==(const Option&, const Option&) = default;
    };

    Kind kind = Kind::create_index;
    bool alone = true;                  ///< the text has no other statement
    bool if_there = false;              ///< IF NOT EXISTS, IF EXISTS
    bool by_ruvector = false;           ///< a function under RuVector's name for it
    std::optional<std::string> schema;  ///< of the table, or of the index that is dropped
    std::string table;
    std::string column;
    std::string name;  ///< of the index or the collection; empty: one is to be chosen
    std::string operator_class;
    std::string metric;  ///< of `enlist`: "cosine"
    std::optional<std::int64_t> dimensions;
    std::vector<Option> options;
    /// What is asked for that such an index cannot have, in Postgres' words; or how the function is
    /// called, where it was not so. Empty: nothing.
    std::string refused;

    friend bool operator==(const Management&, const Management&) = default;
};

/// True where the text may be one: a look at its first words, and at a short SELECT.
bool may_manage(std::string_view text);

/// Whether veer has an index of this name, in some schema.
using HasIndex = std::function<bool(std::string_view)>;

/// Of a text as the client sent it, with standard_conforming_strings on: the first of its
/// statements that is one. DROP INDEX is where it names one that veer has.
std::optional<Management> read_management(std::string_view text, const HasIndex& has_index);

}  // namespace veer::parser
