#pragma once

#include <atomic>
#include <cstdint>

namespace veer::router {

/// How many of the nearest rows one statement's conditions and joins keep, learned from its own
/// answers: so many keys are given to Postgres that LIMIT is reached in one round.
///
///     first guess 1/4 ──▶ 40 wanted: 192 candidates ──▶ 40 came ──▶ a little fewer next time
///                                                  └──▶ 12 came ──▶ 12/192: more now, and next
///                                                  time
///
/// Thread-safe; a lost update makes a guess worse, never an answer wrong.
class Selectivity {
  public:
    /// How many candidates to begin with; never more than `most`. 0 where not even `most` would do:
    /// such a statement is Postgres' business. Now and then it is tried all the same, as other
    /// values may select more.
    std::uint64_t candidates(std::uint64_t wanted, std::uint64_t most);

    /// `kept` rows came of `candidates`, which were too few.
    void note_short(std::uint64_t kept, std::uint64_t candidates);

    /// LIMIT was reached: perhaps with fewer.
    void note_full();

  private:
    static constexpr unsigned tried_every = 16;

    std::atomic<double> share_ = 0.25;
    std::atomic<unsigned> given_up_ = 0;
};

/// The next round's candidates, after `kept` rows came of `candidates`: at least twice as many.
std::uint64_t more_candidates(std::uint64_t wanted, std::uint64_t kept, std::uint64_t candidates);

}  // namespace veer::router
