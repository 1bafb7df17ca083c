#pragma once

#include "tests/support/client.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace veer::tests {

/// A search in docs for the five rows nearest to vector number `i` of a thousand.
std::string search_near(int i, const std::string& comment = "");

/// Is it the answer to a search for `count` rows by distance: no error, as many rows, each once,
/// none nearer than the one before it? `distance` is its column.
bool is_answer(const Outcome& outcome, std::size_t count, std::size_t distance);

/// Seven clients that search, and one that writes, until told to stop. Whatever fails is counted.
class Crowd {
  public:
    explicit Crowd(const std::string& dsn);
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;
    ~Crowd();

    void stop();

    int failed() const { return failed_; }

    int asked() const { return asked_; }

    /// Clients whose connection has gone: they have ended, which is no failure of an answer.
    int lost() const { return lost_; }

  private:
    void run(const std::string& dsn, int number);

    std::atomic<bool> stopped_ = false;
    std::atomic<int> failed_ = 0;
    std::atomic<int> asked_ = 0;
    std::atomic<int> lost_ = 0;
    std::vector<std::thread> threads_;
};

}  // namespace veer::tests
