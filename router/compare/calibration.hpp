#pragma once

#include "router/compare/mismatch_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace veer::router::compare {

/// Is the tolerance for float error right for the rows that there are, and does Postgres agree with
/// itself? Measured on searches that were put to both engines, and to Postgres a second time.
///
///     search ──▶ veer: row 7 at 0.18112300   ┐ the same row: |difference| : tolerance
///            ──▶ Postgres: row 7 at 0.18112301 ┘
///            ──▶ Postgres again: the same distances, place by place?
class Calibration {
  public:
    /// One line of what CALIBRATE answers.
    struct Finding {
        std::string measure;
        std::uint64_t samples = 0;
        double median = 0;
        double p99 = 0;
        double most = 0;
        std::optional<double> allowed = std::nullopt;
        std::string verdict;
    };

    /// The same search, compared twice.
    void add(const Mismatch& first, const Mismatch& second);

    std::uint64_t searches() const { return searches_; }

    std::vector<Finding> findings() const;

  private:
    std::vector<double> relative_;  // differences : distances, of rows that both engines found
    std::vector<double> of_slack_;  // differences : tolerance
    std::uint64_t searches_ = 0;
    std::uint64_t self_differing_ = 0;  // of Postgres, asked twice
    std::uint64_t hanging_ = 0;         // other verdicts at a tenth or ten times the tolerance
};

}  // namespace veer::router::compare
