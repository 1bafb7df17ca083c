#include "index/retired.hpp"

#include <algorithm>
#include <exception>

namespace veer::index {

void Retired::add(std::shared_ptr<const void> one) noexcept {
    try {
        const std::lock_guard lock{mutex_};
        all_.push_back(std::move(one));
    } catch (const std::exception&) {
        return;
    }
}

/// One after the other: a list of those to be freed would need memory, and memory is wanted.
bool Retired::sweep() {
    while (true) {
        std::shared_ptr<const void> free;  // dies outside of the lock
        const std::lock_guard lock{mutex_};
        const auto alone = std::find_if(all_.begin(), all_.end(), [](const auto& one) {
            return one.use_count() == 1;
        });
        if (alone == all_.end()) {
            return !all_.empty();
        }
        free = std::move(*alone);
        all_.erase(alone);
    }
}

void Retirement::add(std::vector<std::shared_ptr<const void>> all) noexcept {
    for (std::shared_ptr<const void>& one : all) {
        retired_.add(std::move(one));
    }
    if (retired_.sweep()) {
        sweeping_.request();
    }
}

}  // namespace veer::index
