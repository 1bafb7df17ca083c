// What does a search cost at which recall, inside one process and one thread?
//
//     index_bench --cache DIRECTORY [--data DIRECTORY] [--quick] [--only TEXT] [--rounds N]
//     [--filtered]
//
// The contenders take turns; the least of the rounds counts, in processor time of the thread, so
// that others on the machine disturb little. An answer is right when it is no farther than the
// tenth nearest row.

#include "index/kernels.hpp"
#include "index/space.hpp"
#include "tests/bench/contenders.hpp"
#include "tests/bench/filtered.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <functional>
#include <limits>
#include <map>

namespace veer::bench {
namespace {

constexpr unsigned builders = 2;

double seconds_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Of memory that no file backs.
std::size_t resident_bytes() {
    std::ifstream file{"/proc/self/statm"};
    std::size_t size = 0;
    std::size_t resident = 0;
    std::size_t shared = 0;
    file >> size >> resident >> shared;
    return (resident - shared) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

struct Figure {
    double recall = 0;
    double microseconds = std::numeric_limits<double>::infinity();
};

struct Candidate {
    std::unique_ptr<Contender> contender;
    std::map<std::size_t, Figure> by_ef;
};

double recall(const SearchedSet& set, Contender& contender, std::size_t ef) {
    const index::Space space{set.metric, static_cast<std::uint32_t>(set.dimensions())};
    std::size_t right = 0;
    for (std::size_t i = 0; i < set.queries.size(); ++i) {
        const double kth = set.kth_distance[i];
        const double limit = kth + 1e-6 * std::max(1.0, std::abs(kth));
        for (const std::size_t row : contender.search(set.queries[i], ef)) {
            right += space.reported(set.queries[i].data(), set.rows[row].data()) <= limit;
        }
    }
    return static_cast<double>(right) / static_cast<double>(neighbours * set.queries.size());
}

double microseconds(const SearchedSet& set, Contender& contender, std::size_t ef) {
    const double start = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (const auto& query : set.queries) {
        (void)contender.search(query, ef);
    }
    const double spent = seconds_of(CLOCK_THREAD_CPUTIME_ID) - start;
    return spent * 1e6 / static_cast<double>(set.queries.size());
}

std::vector<Candidate> built(const SearchedSet& set, const std::filesystem::path& directory) {
    std::vector<Candidate> candidates;
    std::vector<std::unique_ptr<Contender>> contenders;
    contenders.push_back(hnswlib_float32());
    contenders.push_back(veer_float32());
    contenders.push_back(veer_automatic());
    contenders.push_back(veer_in_file(directory));
    for (auto& contender : contenders) {
        Candidate candidate{std::move(contender), {}};
        ::malloc_trim(0);  // what was freed before must not hide what is needed now
        const std::size_t bytes = resident_bytes();
        const double wall = seconds_of(CLOCK_MONOTONIC);
        const double processor = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
        candidate.contender->build(set, builders);
        std::printf(
            "  %-18s built by %u in %6.1f s (%6.1f s of processor), %6zu bytes a row\n",
            candidate.contender->name().c_str(),
            builders,
            seconds_of(CLOCK_MONOTONIC) - wall,
            seconds_of(CLOCK_PROCESS_CPUTIME_ID) - processor,
            (resident_bytes() - std::min(bytes, resident_bytes())) / set.rows.size()
        );
        std::fflush(stdout);
        candidates.push_back(std::move(candidate));
    }
    return candidates;
}

void print(const std::vector<Candidate>& candidates, std::size_t ef) {
    const double baseline = candidates.front().by_ef.at(ef).microseconds;
    for (const Candidate& candidate : candidates) {
        const Figure& figure = candidate.by_ef.at(ef);
        std::printf(
            "  %-18s ef %4zu  recall@10 %.4f  %8.1f us a search  %5.2f x\n",
            candidate.contender->name().c_str(),
            ef,
            figure.recall,
            figure.microseconds,
            baseline / figure.microseconds
        );
    }
}

void race(const SearchedSet& set, std::size_t rounds, const std::filesystem::path& directory) {
    std::printf("\n%s\n", set.name.c_str());
    std::vector<Candidate> candidates = built(set, directory);
    for (const std::size_t ef : {20U, 40U, 80U, 160U, 320U}) {
        for (Candidate& candidate : candidates) {
            candidate.by_ef[ef].recall = recall(set, *candidate.contender, ef);
        }
        for (std::size_t round = 0; round < rounds; ++round) {
            for (Candidate& candidate : candidates) {
                double& least = candidate.by_ef[ef].microseconds;
                least = std::min(least, microseconds(set, *candidate.contender, ef));
            }
        }
        print(candidates, ef);
        std::fflush(stdout);
    }
}

struct Options {
    std::filesystem::path cache;
    std::filesystem::path data;
    std::string only;
    std::size_t rounds = 5;
    bool filtered = false;   ///< searches under filters, veer's only
    std::size_t shrunk = 1;  ///< made-up rows are divided by it
};

bool read(Options& options, int count, char** values) {
    for (int i = 1; i < count; ++i) {
        const std::string name = values[i];
        if (name == "--quick") {
            options.rounds = 1;
            options.shrunk = 20;
            continue;
        }
        if (name == "--filtered") {
            options.filtered = true;
            continue;
        }
        if (++i == count) {
            return false;
        }
        if (name == "--cache") {
            options.cache = values[i];
        } else if (name == "--data") {
            options.data = values[i];
        } else if (name == "--only") {
            options.only = values[i];
        } else if (name == "--rounds") {
            options.rounds = std::strtoul(values[i], nullptr, 10);
        } else {
            return false;
        }
    }
    return !options.cache.empty();
}

/// The sets to race in, each made when its turn comes.
std::vector<std::pair<std::string, std::function<SearchedSet()>>> sets(const Options& options) {
    using index::Metric;
    std::vector<std::pair<std::string, std::function<SearchedSet()>>> all;
    for (const Recipe& recipe : {
             Recipe{100'000, 768, 500, Metric::cosine},
             Recipe{100'000, 128, 500, Metric::l2},
             Recipe{50'000, 1536, 500, Metric::cosine},
         }) {
        Recipe shrunk = recipe;
        shrunk.rows /= options.shrunk;
        all.emplace_back("made up " + std::to_string(recipe.dimensions), [=] {
            return made_up(shrunk, options.cache);
        });
    }
    const std::pair<const char*, Metric> real_sets[] = {
        {"debpkg_lsa384", Metric::cosine},
        {"minilm_queries384", Metric::cosine},
        {"sift5k", Metric::l2},
    };
    for (const auto& [name, metric] : real_sets) {
        const std::filesystem::path directory = options.data / name;
        if (!options.data.empty() && std::filesystem::exists(directory / "base.npy")) {
            all.emplace_back(name, [=, metric = metric] {
                return real(directory, metric, 500, options.cache);
            });
        }
    }
    return all;
}

int run(int count, char** values) {
    Options options;
    if (!read(options, count, values)) {
        std::fputs(
            "usage: index_bench --cache DIRECTORY [--data DIRECTORY] [--quick] [--only TEXT] "
            "[--rounds N] [--filtered]\n",
            stderr
        );
        return 2;
    }
    std::printf("%s kernels, m 16, ef_construction 64\n", index::best_kernels().name);
    for (const auto& [name, make] : sets(options)) {
        if (name.find(options.only) != std::string::npos) {
            if (options.filtered) {
                race_filtered(make(), builders, options.rounds);
            } else {
                race(make(), options.rounds, options.cache);
            }
        }
    }
    return 0;
}

}  // namespace
}  // namespace veer::bench

int main(int count, char** values) {
    try {
        return veer::bench::run(count, values);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
