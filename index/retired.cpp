#include "index/retired.hpp"

#include <algorithm>
#include <exception>
#include <iterator>

namespace veer::index {

bool Retired::sweep() {
    std::vector<std::shared_ptr<const void>> free;  // dies outside of the lock
    const std::lock_guard lock{mutex_};
    const auto alone = std::partition(all_.begin(), all_.end(), [](const auto& one) {
        return one.use_count() > 1;
    });
    free.assign(std::move_iterator{alone}, std::move_iterator{all_.end()});
    all_.erase(alone, all_.end());
    return !all_.empty();
}

void Retirement::add(std::vector<std::shared_ptr<const void>> all) noexcept {
    try {
        for (std::shared_ptr<const void>& one : all) {
            retired_.add(std::move(one));
        }
        if (retired_.sweep()) {
            sweeping_.request();
        }
    } catch (const std::exception&) {
        // Without memory for the list, whoever has it last frees it.
    }
}

}  // namespace veer::index
