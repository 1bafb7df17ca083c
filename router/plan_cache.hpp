#pragma once

#include "parser/function_call.hpp"
#include "parser/recognise.hpp"
#include "parser/table_function.hpp"
#include "router/selectivity.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace veer::router {

/// Who has answered the searches of one shape. Counted without a lock.
struct PlanTally {
    std::atomic<std::uint64_t> veer = 0;
    std::atomic<std::uint64_t> postgres = 0;
    std::atomic<std::uint64_t> fallbacks = 0;  ///< of Postgres', those that veer had begun
    /// Why Postgres answered, the last time; null: it has not. Reasons are literals.
    std::atomic<const char*> last_reason = nullptr;

    void count_postgres(std::string_view reason, bool fell_back) {
        postgres.fetch_add(1, std::memory_order_relaxed);
        fallbacks.fetch_add(fell_back ? 1 : 0, std::memory_order_relaxed);
        last_reason.store(reason.data(), std::memory_order_relaxed);
    }
};

/// What the text of a statement says, found once for all statements that differ only in literals.
struct Plan {
    std::string shape;  ///< the normalised text
    parser::Recognition recognition;
    std::optional<parser::FunctionCall> call;  ///< where it is no search but the call of a function
    std::optional<parser::TableFunction>
        table_function;  ///< where it reads the rows of one of veer's own
    /// Of its conditions; the one part that changes.
    std::shared_ptr<Selectivity> selectivity = std::make_shared<Selectivity>();
    std::uint64_t shape_id = 0;  ///< of `shape`, as rules, guards and comparisons name it
    std::shared_ptr<PlanTally> tally = std::make_shared<PlanTally>();

    /// Null where the statement is no servable search.
    const parser::NearestNeighbourQuery* query() const {
        return std::get_if<parser::NearestNeighbourQuery>(&recognition);
    }

    /// A search that is servable or not, or a call; else it only has a function's name in it.
    bool is_search_or_call() const {
        return query() != nullptr || call || parser::mentions_distance_operator(shape);
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

    /// Those that are kept, the one used last first.
    std::vector<std::shared_ptr<const Plan>> plans() const;

  private:
    using Entries = std::list<std::shared_ptr<const Plan>>;

    mutable std::mutex mutex_;
    Entries entries_;                                                   // most recently used first
    std::unordered_map<std::string_view, Entries::iterator> by_shape_;  // views into the plans
};

}  // namespace veer::router
