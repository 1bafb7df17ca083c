#include "router/known_functions.hpp"

#include <utility>

namespace veer::router {

std::shared_ptr<const Function> KnownFunctions::find(
    const std::string& database, const parser::FunctionCall& call, std::int64_t now_ns
) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find({database, call.schema.value_or(""), call.name});
    if (found == entries_.end()) {
        return nullptr;
    }
    const Entry& entry = found->second;
    const bool old = entry.function->refused && now_ns - entry.known_ns >= refused_ns;
    return old ? nullptr : entry.function;
}

void KnownFunctions::put(
    const std::string& database,
    const parser::FunctionCall& call,
    std::shared_ptr<const Function> function,
    std::int64_t now_ns
) {
    const std::lock_guard lock(mutex_);
    if (entries_.size() >= entries_max) {
        entries_.clear();
    }
    entries_.insert_or_assign(
        {database, call.schema.value_or(""), call.name}, Entry{std::move(function), now_ns}
    );
}

}  // namespace veer::router
