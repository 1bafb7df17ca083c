#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace veer::index {

/// The keys of rows that have no place in the graph: of NULL vectors, and of those whose distance
/// is no number. Not thread-safe.
///
/// Bounded: beyond `keys_max` it forgets whose they are, and says that there are some until
/// clear().
class UnplacedRows {
  public:
    static constexpr std::size_t keys_max = 100'000;

    void add(std::string_view key, bool null) {
        remove(key);
        if (rows_.size() >= keys_max) {
            (null ? more_null_ : more_zero_) = true;
            return;
        }
        rows_.emplace(key, null);
        (null ? nulls_ : zeros_) += 1;
    }

    void remove(std::string_view key) {
        if (rows_.empty()) {
            return;  // as nearly always
        }
        const auto found = rows_.find(std::string(key));
        if (found != rows_.end()) {
            (found->second ? nulls_ : zeros_) -= 1;
            rows_.erase(found);
        }
    }

    void clear() { *this = {}; }

    bool null() const { return nulls_ > 0 || more_null_; }

    bool zero() const { return zeros_ > 0 || more_zero_; }

  private:
    std::unordered_map<std::string, bool> rows_;  ///< whether it is NULL
    std::size_t nulls_ = 0;
    std::size_t zeros_ = 0;
    bool more_null_ = false;
    bool more_zero_ = false;
};

}  // namespace veer::index
