#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace veer::router {

/// The smallest ef at which a route's searches keep a recall, from exact answers to some of them.
///
///     10  14  20  28 [40] 56  80 ... 1000        steps
///              ▲       ▲ value(): what searches use, measured for as long as the route is served
///              └ asked() in turn with it, once it holds: may it be less?
///
/// Invariants:
/// 1. A step holds where the mean recall less two standard errors is at least the target, and fails
///    where the mean and two standard errors are below; neither before `enough` answers.
/// 2. value() falls only to a step that holds before `window` answers, one at a time, and rises as
///    soon as its own fails.
/// 3. A step that failed is not tried again before `patience` more answers, so that the value does
///    not swing; older answers count half with each `window`.
///
/// A value without locks or clocks.
class EfLearner {
  public:
    static constexpr std::size_t enough = 50;
    static constexpr std::size_t window = 400;
    static constexpr std::uint64_t patience = 4000;

    /// Begins at pgvector's default.
    explicit EfLearner(double target) : target_{target} {}

    /// Begins where another one has come to; at the default where that is no step.
    EfLearner(double target, std::uint32_t value);

    double target() const { return target_; }

    std::uint32_t value() const;

    /// At which ef to ask next.
    std::uint32_t asked() const;

    /// An answer at asked(), which had this recall.
    void note(double recall);

  private:
    static constexpr std::array<std::uint32_t, 14> steps{
        10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 1000};
    static constexpr std::size_t default_step = 4;

    /// Mean and spread of a step's answers (Welford 1962).
    struct Step {
        double count = 0;
        double mean = 0;
        double squares = 0;
        std::optional<std::uint64_t> failed;  ///< the number of answers then

        void add(double recall);

        void forget() { count = mean = squares = 0; }
    };

    std::optional<bool> holds(const Step& step) const;
    void judge();
    bool may_try_lower() const;

    double target_;
    std::array<Step, steps.size()> all_{};
    std::size_t used_ = default_step;
    bool trying_ = false;  ///< the step below is being tried
    std::uint64_t answers_ = 0;
};

/// What a search is to use: a session that has set ef_search, be it to pgvector's default, has its
/// own way.
inline std::uint32_t effective_ef(std::uint32_t of_session, bool is_set, std::uint32_t learned) {
    constexpr std::uint32_t pgvector_default = 40;
    return learned != 0 && !is_set && of_session == pgvector_default ? learned : of_session;
}

}  // namespace veer::router
