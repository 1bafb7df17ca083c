#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace veer::index::test {

/// Catch2's assertions are for one thread: others count what they find wrong.
struct Readers {
    template <class Check>
    Readers(unsigned count, Check check) {
        for (unsigned i = 0; i < count; ++i) {
            threads.emplace_back([this, check, i] {
                for (std::size_t round = 0; !stop; ++round) {
                    wrong += check(round * 7 + i) ? 0U : 1U;
                    ++searches;
                }
            });
        }
    }

    ~Readers() { join(); }

    void join() {
        stop = true;
        for (std::thread& thread : threads) {
            thread.join();
        }
        threads.clear();
    }

    /// Lets every reader begin before the writer ends, whatever the machine is busy with.
    void wait_for_searches(std::uint64_t count) const {
        while (searches < count) {
            std::this_thread::yield();
        }
    }

    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> wrong{0};
    std::atomic<std::uint64_t> searches{0};
    std::vector<std::thread> threads;
};

}  // namespace veer::index::test
