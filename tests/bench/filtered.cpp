// What does a search under a filter cost, beside comparing with every row that passes?
//
// The rows get two columns: `drawn`, which has nothing to do with the vector, and `near`, the rank
// by distance from one row, so that those that pass lie together: near some queries, far from
// others. Of each, from 90 % to 0.1 % pass.

#include "tests/bench/filtered.hpp"

#include "index/route_index.hpp"
#include "index/space.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <limits>
#include <map>
#include <numeric>
#include <set>

namespace veer::bench {

namespace {

double thread_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// int4send.
std::string sent(std::size_t value) {
    std::string bytes;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        bytes.push_back(static_cast<char>(value >> shift));
    }
    return bytes;
}

std::vector<std::size_t> ranks(const SearchedSet& set) {
    const index::Space space{set.metric, static_cast<std::uint32_t>(set.dimensions())};
    std::vector<double> distance;
    for (const auto& row : set.rows) {
        distance.push_back(space.reported(set.rows[0].data(), row.data()));
    }
    std::vector<std::size_t> order(set.rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return distance[a] < distance[b];
    });
    std::vector<std::size_t> rank(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        rank[order[i]] = i;
    }
    return rank;
}

std::unique_ptr<index::RouteIndex> built(const SearchedSet& set, unsigned threads) {
    auto made = std::make_unique<index::RouteIndex>(index::IndexOptions{
        .metric = set.metric,
        .dimensions = static_cast<std::uint32_t>(set.dimensions()),
        .expected_rows = set.rows.size(),
        .columns = {storage::ColumnType::int4, storage::ColumnType::int4}});
    const std::vector<std::size_t> rank = ranks(set);
    std::vector<std::vector<storage::ColumnValue>> values;
    std::vector<index::RouteIndex::Entry> entries;
    for (std::size_t row = 0; row < set.rows.size(); ++row) {
        const std::size_t drawn = row * 2'654'435'761U % set.rows.size();
        values.push_back({sent(drawn), sent(rank[row])});
    }
    for (std::size_t row = 0; row < set.rows.size(); ++row) {
        entries.push_back({std::to_string(row), set.rows[row], values[row]});
    }
    made->load(entries, threads);
    made->publish();
    return made;
}

struct Figure {
    double recall = 0;
    double microseconds = std::numeric_limits<double>::infinity();
};

/// The nearest of the rows that pass, and what it costs to compare with each of them.
struct Truth {
    std::vector<std::set<std::string>> keys;
    double microseconds = 0;
};

Truth truth_of(
    const SearchedSet& set, const index::RouteIndex& index, const index::Filter& filter
) {
    Truth truth;
    const double begin = thread_seconds();
    for (const auto& query : set.queries) {
        const auto hits = index.search_exact({.query = query, .k = neighbours, .filter = &filter});
        auto& keys = truth.keys.emplace_back();
        for (const index::Hit& hit : *hits) {
            keys.insert(hit.key);
        }
    }
    truth.microseconds = (thread_seconds() - begin) * 1e6 / static_cast<double>(set.queries.size());
    return truth;
}

Figure measure(
    const SearchedSet& set,
    const index::RouteIndex& index,
    const index::Filter& filter,
    const Truth& truth,
    std::size_t ef,
    std::size_t rounds
) {
    Figure figure;
    for (std::size_t round = 0; round < rounds; ++round) {
        double spent = 0;
        std::size_t right = 0;
        std::size_t wanted = 0;
        for (std::size_t i = 0; i < set.queries.size(); ++i) {
            const double begin = thread_seconds();
            const auto found =
                index.search({.query = set.queries[i], .k = neighbours, .ef = ef, .filter = &filter}
                );
            spent += thread_seconds() - begin;
            wanted += truth.keys[i].size();
            right += static_cast<std::size_t>(std::count_if(
                found->begin(),
                found->end(),
                [&](const auto& hit) { return truth.keys[i].contains(hit.key); }
            ));
        }
        figure.recall = static_cast<double>(right) / static_cast<double>(wanted);
        figure.microseconds =
            std::min(figure.microseconds, spent * 1e6 / static_cast<double>(set.queries.size()));
    }
    return figure;
}

/// The rows whose value in `column` is among the lowest.
index::Filter lowest(const SearchedSet& set, std::size_t column, double share) {
    index::Filter filter;
    filter.kind = index::Filter::Kind::compare;
    filter.comparison = index::Filter::Comparison::less;
    filter.column = column;
    filter.values = {static_cast<std::int64_t>(static_cast<double>(set.rows.size()) * share)};
    return filter;
}

constexpr std::array<std::size_t, 4> breadths{40, 60, 80, 160};

}  // namespace

void race_filtered(const SearchedSet& set, unsigned threads, std::size_t rounds) {
    std::printf("\n%s, filtered\n", set.name.c_str());
    const auto index = built(set, threads);
    const index::Filter all;
    const Truth whole = truth_of(set, *index, all);
    std::map<std::size_t, double> plain;
    for (const std::size_t ef : breadths) {
        const Figure figure = measure(set, *index, all, whole, ef, rounds);
        plain[ef] = figure.microseconds;
        std::printf(
            "  ef %3zu  every row passes        recall@10 %.4f  %8.1f us a search\n",
            ef,
            figure.recall,
            figure.microseconds
        );
    }
    for (const double share : {0.9, 0.5, 0.25, 0.1, 0.03, 0.01, 0.001}) {
        for (const std::size_t column : {0U, 1U}) {
            const index::Filter filter = lowest(set, column, share);
            const Truth truth = truth_of(set, *index, filter);
            for (const std::size_t ef : breadths) {
                const Figure figure = measure(set, *index, filter, truth, ef, rounds);
                std::printf(
                    "  ef %3zu  %5.1f %% pass, %-10s  recall@10 %.4f  %8.1f us a search, %5.2f x "
                    "unfiltered, %5.2f x all that pass\n",
                    ef,
                    share * 100,
                    column == 0 ? "scattered" : "together",
                    figure.recall,
                    figure.microseconds,
                    figure.microseconds / plain.at(ef),
                    figure.microseconds / truth.microseconds
                );
                std::fflush(stdout);
            }
        }
    }
}

}  // namespace veer::bench
