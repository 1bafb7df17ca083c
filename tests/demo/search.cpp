#include "tests/demo/search.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace veer::demo {
namespace {

constexpr std::size_t ties_seen = 100;

std::string statement(const Question& question) {
    const std::string columns =
        question.projection == Projection::key ? "id" : "id, title, category";
    const std::string where = question.condition == "true" ? "" : " WHERE " + question.condition;
    const std::string distance = "embedding " + question.distance + " $1";
    return "SELECT " + columns + ", " + distance + " AS distance FROM " + question.table + where +
           " ORDER BY " + distance + " LIMIT " + std::to_string(question.limit);
}

}  // namespace

Searcher::Searcher(Connection& connection, const Question& question)
    : connection_(connection),
      projection_(question.projection),
      name_(question.table + (projection_ == Projection::key ? "_by_key" : "_by_row")) {
    connection.prepare(name_, statement(question));
}

Answer Searcher::search(std::span<const float> query) {
    const std::string parameter = vector_bytes(query);
    const auto started = std::chrono::steady_clock::now();
    const Rows rows = connection_.run(name_, {&parameter, 1});
    const auto ended = std::chrono::steady_clock::now();
    Answer answer;
    answer.milliseconds = std::chrono::duration<double, std::milli>(ended - started).count();
    const bool whole = projection_ == Projection::row;
    for (int row = 0; row < rows.count(); row++) {
        answer.neighbours.push_back(
            {.id = rows.int8(row, 0),
             .distance = rows.float8(row, whole ? 3 : 1),
             .title = whole ? std::string(rows.text(row, 1)) : std::string()}
        );
    }
    return answer;
}

std::vector<Ids> exact_answers(
    Connection& connection, Question question, std::span<const std::vector<float>> queries
) {
    connection.execute("SET enable_indexscan = off");
    question.projection = Projection::key;
    question.limit = ties_seen;
    std::vector<Ids> answers;
    Searcher searcher(connection, question);
    for (const std::vector<float>& query : queries) {
        const std::vector<Neighbour> nearest = searcher.search(query).neighbours;
        const double tenth = nearest.at(std::min(nearest.size(), neighbours_wanted) - 1).distance;
        Ids ids;
        for (const Neighbour& neighbour : nearest) {
            if (neighbour.distance <= tenth) {
                ids.insert(neighbour.id);
            }
        }
        answers.push_back(std::move(ids));
    }
    return answers;
}

void Tally::add(const Answer& answer, const Ids& truth) {
    milliseconds_.push_back(answer.milliseconds);
    wanted_ += std::min(truth.size(), neighbours_wanted);
    Ids found;
    for (const Neighbour& neighbour : answer.neighbours) {
        if (truth.contains(neighbour.id)) {
            found.insert(neighbour.id);
        }
    }
    found_ += found.size();
}

double Tally::recall() const {
    return static_cast<double>(found_) / static_cast<double>(wanted_);
}

double Tally::percentile(double share) const {
    std::vector<double> sorted = milliseconds_;
    std::sort(sorted.begin(), sorted.end());
    const double rank = std::ceil(share * static_cast<double>(sorted.size()));
    return sorted.at(static_cast<std::size_t>(std::max(rank, 1.0)) - 1);
}

double Tally::searches_per_second() const {
    const double total = std::accumulate(milliseconds_.begin(), milliseconds_.end(), 0.0);
    return 1000.0 * static_cast<double>(milliseconds_.size()) / total;
}

}  // namespace veer::demo
