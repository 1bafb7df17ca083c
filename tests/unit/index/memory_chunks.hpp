#pragma once

#include "storage/chunk_store.hpp"

#include <functional>
#include <limits>
#include <map>
#include <string>

namespace veer::index::test {

/// A ChunkStore in memory that fails, as a disk that goes away, after so many writes.
class MemoryChunks final : public storage::ChunkStore {
  public:
    storage::Result<std::optional<std::string>> read(const std::string& key) const override {
        if (on_read) {
            on_read();
        }
        const auto found = values.find(key);
        return found == values.end() ? std::optional<std::string>{} : std::optional{found->second};
    }

    storage::Result<std::vector<std::string>> keys(const std::string& prefix) const override {
        std::vector<std::string> found;
        for (const auto& [key, value] : values) {
            if (key.starts_with(prefix)) {
                found.push_back(key);
            }
        }
        return found;
    }

    storage::Result<void> put(const std::string& key, const std::string& value) override {
        if (!may_write()) {
            return gone();
        }
        values[key] = value;
        return {};
    }

    storage::Result<void> commit(
        const std::string& key, const std::string& value, std::span<const std::string> erased
    ) override {
        if (!may_write()) {
            return gone();
        }
        values[key] = value;
        for (const std::string& old : erased) {
            values.erase(old);
        }
        return {};
    }

    std::map<std::string, std::string> values;
    std::function<void()> on_read = nullptr;  ///< what others do meanwhile
    std::size_t writes_left = std::numeric_limits<std::size_t>::max();
    std::size_t writes = 0;

  private:
    bool may_write() {
        ++writes;
        return writes_left > 0 && writes_left-- > 0;
    }

    static storage::Error gone() { return {storage::Errc::disk, "The disk has gone."}; }
};

}  // namespace veer::index::test
