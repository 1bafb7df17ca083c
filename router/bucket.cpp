#include "router/bucket.hpp"

#include <memory>

#define XXH_INLINE_ALL  // NOLINT(readability-identifier-naming): xxhash names it
#include <xxhash.h>

namespace veer::router {

namespace {

class Hash {
  public:
    Hash() { XXH3_64bits_reset(&state_); }

    Hash& add(std::string_view bytes) {
        XXH3_64bits_update(&state_, bytes.data(), bytes.size());
        return *this;
    }

    double bucket() const {
        constexpr double scale = 1.0 / 9007199254740992.0;  // 2^-53
        return static_cast<double>(XXH3_64bits_digest(&state_) >> 11U) * scale;
    }

  private:
    XXH3_state_t state_{};
};

constexpr std::string_view separator = "\x1f";

template <class T>
std::string_view bytes_of(const std::vector<T>& items) {
    return {reinterpret_cast<const char*>(items.data()), items.size() * sizeof(T)};
}

}  // namespace

double bucket(std::string_view salt, std::string_view key) {
    return Hash().add(salt).add(separator).add(key).bucket();
}

double bucket(std::string_view salt, std::string_view shape, const storage::Vector& vector) {
    Hash hash;
    hash.add(salt).add(separator).add(shape).add(separator);
    if (const auto* const bits = std::get_if<storage::BitVector>(&vector)) {
        hash.add(bytes_of(bits->words));
    } else if (const auto* const sparse = std::get_if<storage::SparseVector>(&vector)) {
        hash.add(bytes_of(sparse->indices)).add(bytes_of(sparse->values));
    } else {
        hash.add(bytes_of(std::get<std::vector<float>>(vector)));
    }
    return hash.bucket();
}

}  // namespace veer::router
