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

}  // namespace

double bucket(std::string_view salt, std::string_view key) {
    return Hash().add(salt).add(separator).add(key).bucket();
}

double bucket(std::string_view salt, std::string_view shape, std::span<const float> vector) {
    const std::string_view bits(reinterpret_cast<const char*>(vector.data()), vector.size_bytes());
    return Hash().add(salt).add(separator).add(shape).add(separator).add(bits).bucket();
}

}  // namespace veer::router
