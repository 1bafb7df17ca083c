#pragma once

#include "proxy/net/event_loop.hpp"

#include <chrono>
#include <exception>
#include <thread>

namespace veer::proxy::net {

/// Posts for those who must not fail, as somebody waits for it, or as what leaves their thread ends
/// the process: without memory for some bytes it waits for them.
inline void post_surely(EventLoop& loop, const EventLoop::Task& task) {
    constexpr std::chrono::milliseconds pause{10};
    while (true) {
        try {
            loop.post(task);
            return;
        } catch (const std::exception&) {
            std::this_thread::sleep_for(pause);
        }
    }
}

}  // namespace veer::proxy::net
