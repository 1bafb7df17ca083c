#pragma once

#include "router/search_order.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace veer::router {

/// Another server that holds the table of a route, and answers in the index' place: rows as an
/// index would find them. Everything around stays as it is: the session's facts and rights are the
/// primary's, what is asked for besides comes from the copy's description or the client's session.
///
/// How far it is nobody can tell: only searches that are content with any copy go there.
class Candidate {
  public:
    Candidate() = default;
    Candidate(const Candidate&) = delete;
    Candidate& operator=(const Candidate&) = delete;
    virtual ~Candidate() = default;

    /// A client's search waits no longer for its rows, whatever it is that lasts: then Postgres
    /// answers.
    static constexpr std::chrono::milliseconds answer_time_max{2000};

    /// Which server, and how it is asked: evidence about one says nothing of another.
    virtual std::size_t identity() const = 0;

    /// How far behind the primary it is taken to be at most.
    virtual std::chrono::milliseconds lag_max() const = 0;

    /// One of a bounded number of places, kept as long as the result lives; null where all are
    /// taken, or the server did not answer a moment ago. Any thread; does not wait.
    virtual std::shared_ptr<void> admit() = 0;

    /// The nearest rows, nearest first, or whatever it was that failed. Waits for the server, for a
    /// bounded time. Any thread.
    virtual Found search(const SearchOrder& order) = 0;
};

}  // namespace veer::router
