#pragma once

#include "parser/function_call.hpp"
#include "router/function.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace veer::router {

/// What sessions have heard of functions, by how calls name them. Thread-safe.
///
/// 1. That one is served is asserted by each session that calls it (function_condition()), so it
/// may
///    be believed for ever.
/// 2. That one is refused, nobody asserts: it is believed for `refused_ns`.
/// 3. At most `entries_max`; then all are asked for again.
class KnownFunctions {
  public:
    static constexpr std::int64_t refused_ns = 1'000'000'000;
    static constexpr std::size_t entries_max = 256;

    /// Null where it has to be asked for.
    std::shared_ptr<const Function> find(
        const std::string& database, const parser::FunctionCall& call, std::int64_t now_ns
    );

    /// In place of what was known. One session's refusal is no reason to forget what others call.
    void put(
        const std::string& database,
        const parser::FunctionCall& call,
        std::shared_ptr<const Function> function,
        std::int64_t now_ns
    );

  private:
    struct Entry {
        std::shared_ptr<const Function> function;
        std::int64_t known_ns = 0;
    };

    std::mutex mutex_;
    std::map<std::array<std::string, 3>, Entry> entries_;  // of database, schema or "", and name
};

}  // namespace veer::router
