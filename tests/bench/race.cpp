#include "tests/bench/race.hpp"

#include "tests/demo/console.hpp"
#include "tests/demo/scene.hpp"

#include <algorithm>
#include <chrono>
#include <future>

namespace veer::bench {
namespace {

demo::Question question(
    const Dataset& dataset, demo::Projection projection, const std::string& condition
) {
    return {
        .table = dataset.table.name,
        .projection = projection,
        .distance = dataset.distance(),
        .condition = condition};
}

/// One connection with both searches prepared.
struct Client {
    Client(const std::string& dsn, const Dataset& dataset, const std::string& condition)
        : connection(dsn),
          by_key(connection, question(dataset, demo::Projection::key, condition)),
          by_row(connection, question(dataset, demo::Projection::row, condition)) {}

    demo::Searcher& searcher(demo::Projection projection) {
        return projection == demo::Projection::key ? by_key : by_row;
    }

    demo::Connection connection;
    demo::Searcher by_key;
    demo::Searcher by_row;
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

/// Of a round at least: a single pass of the faster engine is over before it is warm.
constexpr std::chrono::milliseconds round_min{700};

/// Every `stride`th of the queries from the one at `first` on, again and again until `end`.
demo::Tally ask(
    demo::Searcher& searcher,
    const Vectors& queries,
    const std::vector<demo::Ids>& truth,
    std::size_t first,
    std::size_t stride,
    std::chrono::steady_clock::time_point end
) {
    demo::Tally tally;
    do {
        for (std::size_t i = first; i < queries.size(); i += stride) {
            tally.add(searcher.search(queries[i]), truth[i]);
        }
    } while (std::chrono::steady_clock::now() < end);
    return tally;
}

}  // namespace

class Race::Engine {
  public:
    Engine(const std::string& dsn, const RaceOptions& options, const Dataset& dataset)
        : dataset_(dataset) {
        for (std::size_t i = 0; i < options.clients; i++) {
            clients_.push_back(std::make_unique<Client>(dsn, dataset, options.condition));
        }
    }

    void execute(const std::string& sql) {
        for (const auto& client : clients_) {
            client->connection.execute(sql);
        }
    }

    /// All clients ask at the same time: every query as often as the others, whole passes.
    Result round(demo::Projection projection, const std::vector<demo::Ids>& truth) {
        const auto started = std::chrono::steady_clock::now();
        const auto end = started + round_min;
        std::vector<std::future<demo::Tally>> running;
        const std::size_t stride = std::min(clients_.size(), stride_max);
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            running.push_back(std::async(std::launch::async, [=, this, &truth] {
                return ask(
                    clients_[i]->searcher(projection),
                    dataset_.queries,
                    truth,
                    i % stride,
                    stride,
                    end
                );
            }));
        }
        Result result;
        std::size_t asked = 0;
        for (auto& answers : running) {
            const demo::Tally tally = answers.get();
            asked += tally.size();
            result.recall += tally.recall() / static_cast<double>(clients_.size());
        }
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
        result.searches_per_second = static_cast<double>(asked) / seconds.count();
        result.searches = asked;
        return result;
    }

    demo::Connection& console() { return clients_[0]->connection; }

  private:
    static constexpr std::size_t stride_max = 4;

    const Dataset& dataset_;
    std::vector<std::unique_ptr<Client>> clients_;
};

Race::Race(const RaceOptions& options, const Dataset& dataset)
    : dataset_(dataset),
      options_(options),
      direct_(std::make_unique<Engine>(options.direct, options, dataset)),
      veer_(std::make_unique<Engine>(options.veer, options, dataset)) {
    demo::Connection judge(options.direct);
    truth_ = demo::exact_answers(
        judge, question(dataset, demo::Projection::key, options.condition), dataset.queries
    );
    if (options.condition != "true") {
        direct_->execute("SET hnsw.iterative_scan = strict_order");
    } else {
        // The index is what veer is measured against. Where vectors are long enough to be kept out
        // of line, the planner finds the small table that is left cheaper to read: 5 searches/s.
        direct_->execute("SET enable_seqscan = off");
    }
    veer_->execute(std::string(demo::always_veer));
}

Race::~Race() = default;

Comparison Race::run(int ef_search, demo::Projection projection) {
    const std::string breadth = "SET hnsw.ef_search = " + std::to_string(ef_search);
    direct_->execute(breadth);
    veer_->execute(breadth);
    direct_->round(projection, truth_);
    veer_->round(projection, truth_);
    const auto before = demo::route_status(veer_->console(), dataset_.table.name);

    Comparison comparison;
    comparison.ef_search = ef_search;
    comparison.projection = projection;
    std::vector<double> direct;
    std::vector<double> veer;
    std::size_t asked = 0;
    for (std::size_t i = 0; i < options_.rounds; i++) {
        comparison.direct = direct_->round(projection, truth_);
        comparison.veer = veer_->round(projection, truth_);
        direct.push_back(comparison.direct.searches_per_second);
        veer.push_back(comparison.veer.searches_per_second);
        asked += comparison.veer.searches;
    }
    comparison.direct.searches_per_second = median(direct);
    comparison.veer.searches_per_second = median(veer);
    const auto after = demo::route_status(veer_->console(), dataset_.table.name);
    if (before && after) {
        comparison.answered_by_veer =
            static_cast<double>(after->veer - before->veer) / static_cast<double>(asked);
    }
    return comparison;
}

}  // namespace veer::bench
