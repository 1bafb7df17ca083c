#pragma once

#include "tests/demo/postgres.hpp"

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace veer::demo {

inline constexpr std::size_t neighbours_wanted = 10;

/// What a search asks for: the key and the distance, which an index alone can answer, or the row as
/// well.
enum class Projection { key, row };

/// One kind of search: the nearest rows of a table by `distance`, an operator of pgvector.
struct Question {
    std::string table;
    Projection projection = Projection::key;
    std::string distance = "<=>";
    std::string condition = "true";
    std::size_t limit = neighbours_wanted;
};

struct Neighbour {
    std::int64_t id = 0;
    double distance = 0;
    std::string title;
};

struct Answer {
    std::vector<Neighbour> neighbours;
    double milliseconds = 0;
};

/// Prepares one search on a connection and runs it for any query vector. The same code measures
/// every server: prepared once, parameter and rows in binary format, the clock around nothing but
/// the round trip.
class Searcher {
  public:
    Searcher(Connection& connection, const Question& question);

    Answer search(std::span<const float> query);

  private:
    Connection& connection_;
    Projection projection_;
    std::string name_;
};

using Ids = std::set<std::int64_t>;

/// The true neighbours of each query among the rows of the condition, by exact search of the table:
/// ten, and whatever is as near as the tenth. Real tables hold the same vector many times, and no
/// engine is wrong for choosing another of them. Of the question, projection and limit do not
/// matter.
std::vector<Ids> exact_answers(
    Connection& connection, Question question, std::span<const std::vector<float>> queries
);

/// What a number of searches has shown.
class Tally {
  public:
    void add(const Answer& answer, const Ids& truth);

    double recall() const;
    double percentile(double share) const;  // milliseconds
    double searches_per_second() const;

    std::size_t size() const { return milliseconds_.size(); }

  private:
    std::vector<double> milliseconds_;
    std::size_t found_ = 0;
    std::size_t wanted_ = 0;
};

}  // namespace veer::demo
