#pragma once

#include "parser/recognise.hpp"
#include "router/selectivity.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace veer::router {

/// What the text of a statement says, found once for all statements that differ only in literals.
struct Plan {
    std::string shape;  ///< the normalised text
    parser::Recognition recognition;
    /// Of its conditions; the one part that changes.
    std::shared_ptr<Selectivity> selectivity = std::make_shared<Selectivity>();
    std::uint64_t shape_id = 0;  ///< of `shape`, as rules, guards and comparisons name it

    /// Null where the statement is no servable search.
    const parser::NearestNeighbourQuery* query() const {
        return std::get_if<parser::NearestNeighbourQuery>(&recognition);
    }
};

/// The plans used last, by normalised text. Thread-safe; parsing happens outside the lock.
///
/// Bounded: at most `entries_max`, and no text longer than `shape_bytes_max` is kept: clients that
/// make a new text for every statement must not fill the memory (WIRE.md 3.4, item 42).
class PlanCache {
  public:
    static constexpr std::size_t entries_max = 4096;
    static constexpr std::size_t shape_bytes_max = 8192;

    std::shared_ptr<const Plan> plan(std::string_view normalised_text);

  private:
    using Entries = std::list<std::shared_ptr<const Plan>>;

    std::mutex mutex_;
    Entries entries_;                                                   // most recently used first
    std::unordered_map<std::string_view, Entries::iterator> by_shape_;  // views into the plans
};

}  // namespace veer::router
