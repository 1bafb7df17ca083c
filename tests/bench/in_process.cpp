#include "tests/bench/in_process.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace veer::bench {
namespace {

constexpr unsigned builders = 2;

/// Each client asks all queries, each from another one on. Searches per second.
double round(Contender& contender, const Vectors& queries, std::size_t ef, std::size_t clients) {
    const auto ask = [&](std::size_t client) {
        for (std::size_t i = 0; i < queries.size(); ++i) {
            const std::size_t first = client * queries.size() / clients;
            (void)contender.search(queries[(first + i) % queries.size()], ef);
        }
    };
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::thread> others;
    for (std::size_t client = 1; client < clients; ++client) {
        others.emplace_back(ask, client);
    }
    ask(0);
    for (std::thread& other : others) {
        other.join();
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began;
    return static_cast<double>(clients * queries.size()) / spent.count();
}

}  // namespace

InProcess::InProcess(const Dataset& dataset, std::vector<demo::Ids> truth)
    : truth_(std::move(truth)) {
    set_.metric = dataset.metric;
    set_.queries = dataset.queries;
    for (std::size_t i = 0; i < dataset.table.rows; ++i) {
        demo::Document document = dataset.source(i);
        ids_.push_back(document.id);
        set_.rows.push_back(std::move(document.embedding));
    }
}

void InProcess::build(Contender& contender) const {
    contender.build(set_, builders);
}

Point InProcess::measure(
    Contender& contender, int ef_search, std::size_t clients, std::size_t rounds
) const {
    const auto ef = static_cast<std::size_t>(ef_search);
    const double found = recall(contender, ef);  // and asks everything once
    std::vector<double> rates;
    for (std::size_t i = 0; i < rounds; ++i) {
        rates.push_back(round(contender, set_.queries, ef, clients));
    }
    std::sort(rates.begin(), rates.end());
    return {ef_search, found, rates.at(rates.size() / 2)};
}

double InProcess::recall(Contender& contender, std::size_t ef) const {
    demo::Tally tally;
    for (std::size_t i = 0; i < truth_.size(); ++i) {
        demo::Answer answer;
        for (const std::size_t row : contender.search(set_.queries[i], ef)) {
            answer.neighbours.push_back({.id = ids_.at(row), .title = ""});
        }
        tally.add(answer, truth_[i]);
    }
    return tally.recall();
}

}  // namespace veer::bench
