#include "tests/bench/latency.hpp"

#include "tests/demo/search.hpp"

#include <sys/prctl.h>

#include <chrono>
#include <fstream>
#include <future>
#include <random>
#include <thread>
#include <vector>

namespace veer::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// When one client's searches are due.
class Arrivals {
  public:
    Arrivals(double per_second, Clock::time_point begin, unsigned seed)
        : gap_(per_second > 0 ? per_second : 1),
          open_(per_second > 0),
          due_(begin),
          random_(seed) {}

    /// Waits for the next one; where none is due, that is now.
    Clock::time_point next() {
        if (!open_) {
            return Clock::now();
        }
        due_ +=
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(gap_(random_))
            );
        std::this_thread::sleep_until(due_);
        return due_;
    }

  private:
    std::exponential_distribution<double> gap_;
    bool open_;
    Clock::time_point due_;
    std::mt19937 random_;
};

std::vector<demo::Answer> ask(
    const LatencyOptions& options,
    const Dataset& dataset,
    std::size_t client,
    Clock::time_point until
) {
    prctl(PR_SET_TIMERSLACK, 1UL);  // wakes when it is due
    demo::Connection connection(options.dsn);
    demo::Searcher searcher(
        connection, {.table = dataset.table.name, .distance = dataset.distance()}
    );
    const auto seed = static_cast<unsigned>(options.seed * options.clients + client);
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> nudge(-1e-3F, 1e-3F);
    const auto rate = static_cast<double>(options.rate) / static_cast<double>(options.clients);
    Arrivals arrivals(rate, Clock::now(), seed);
    std::vector<demo::Answer> answers;
    std::vector<float> query;
    for (std::size_t i = client;; ++i) {
        query = dataset.queries[i % dataset.queries.size()];
        for (float& element : query) {
            element += nudge(random);
        }
        const Clock::time_point due = arrivals.next();
        if (due >= until) {
            return answers;
        }
        demo::Answer answer = searcher.search(query);
        answer.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - due).count();
        answers.push_back(std::move(answer));
    }
}

}  // namespace

Latencies measure_latencies(const LatencyOptions& options, const Dataset& dataset) {
    const Clock::time_point until = Clock::now() + std::chrono::seconds(options.seconds);
    std::vector<std::future<std::vector<demo::Answer>>> running;
    for (std::size_t client = 0; client < options.clients; ++client) {
        running.push_back(std::async(std::launch::async, [&options, &dataset, client, until] {
            return ask(options, dataset, client, until);
        }));
    }
    demo::Tally tally;
    std::ofstream samples(options.samples, std::ios::app);
    for (auto& answers : running) {
        for (const demo::Answer& answer : answers.get()) {
            tally.add(answer, {});
            samples << answer.milliseconds << '\n';
        }
    }
    return {
        .median_ms = tally.percentile(0.5),
        .p99_ms = tally.percentile(0.99),
        .searches = tally.size()};
}

}  // namespace veer::bench
