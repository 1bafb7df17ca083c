#pragma once

#include "index/error.hpp"
#include "index/filter.hpp"
#include "index/records.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace veer::index {

/// A Filter made ready for the columns of one index.
///
///     NOT (a = 1 AND b IS NULL)   ──▶   any( a <> 1, b IS NOT NULL )
///
/// Negations are pushed down to the conditions, by De Morgan's laws, which hold in three-valued
/// logic. As nothing above a condition negates it then, and only TRUE passes, it need not be told
/// apart whether a condition is false or unknown: two values do.
class Predicate {
  public:
    /// Fails with Errc::wrong_filter where a column is not there, a value is not of its column's
    /// type, or a text would have to be ordered.
    static Result<Predicate> compile(const Filter& filter, const Records& records);

    /// Where the answer is the same for all rows.
    bool always() const { return root_.kind == Node::Kind::all && root_.children.empty(); }

    bool never() const { return root_.kind == Node::Kind::any && root_.children.empty(); }

    static constexpr std::size_t block = 4096;

    /// Sets the bits of those of `count` records from `first` on that pass, the first one's first.
    /// Requires that `first` is divisible by 64 or count is 1, and count <= block.
    void evaluate(const Records& records, Record first, std::size_t count, std::uint64_t* words)
        const;

  private:
    struct Node {
        enum class Kind : std::uint8_t {
            all,
            any,
            inside,    ///< low <= value <= high
            outside,   ///< not inside, and not NULL
            compared,  ///< `comparison` of a uuid with texts.front()
            listed,    ///< among `numbers` or `texts`, which are sorted
            unlisted,  ///< not listed, and not NULL
            null,
            not_null,
            containing,  ///< an array, all of `texts`; jsonb, texts.front() as `member`
            lacking,     ///< not containing, and not NULL
            overlapping,
            disjoint,
        };

        Kind kind = Kind::all;
        std::size_t column = 0;
        std::int64_t low = 0;
        std::int64_t high = 0;
        Filter::Comparison comparison = Filter::Comparison::equal;
        std::vector<std::int64_t> numbers = {};
        std::vector<std::string> texts = {};     ///< of uuid and text; elements as they are sent
        std::optional<std::string> member = {};  ///< of jsonb, escaped
        std::vector<std::string> escaped = {};   ///< `texts` as jsonb strings, sorted
        std::vector<Node> children = {};
    };

    class Compiler;
    struct Evaluation;

    explicit Predicate(Node root) : root_{std::move(root)} {}

    Node root_;
};

}  // namespace veer::index
