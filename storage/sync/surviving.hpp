#pragma once

#include "storage/source/wake.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <string_view>

namespace veer::storage::sync {

/// The body of a thread that is not the stream's. The libraries below may throw where memory runs
/// out: that is logged, and the body begins anew after a second, until `wake` is woken. An
/// exception that left the thread would end all sessions.
template <class Body>
void surviving(std::string_view who, const source::Wake& wake, const Body& body) {
    for (;;) {
        try {
            body();
            return;
        } catch (const std::exception& thrown) {
            spdlog::error("sync: {} failed and begins anew: {}", who, thrown.what());
        }
        wake.sleep(std::chrono::seconds{1});
        if (wake.woken()) {
            return;
        }
    }
}

}  // namespace veer::storage::sync
