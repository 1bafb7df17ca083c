#include "tests/bench/race.hpp"

#include "tests/demo/console.hpp"
#include "tests/demo/scene.hpp"

#include <algorithm>
#include <chrono>
#include <future>

namespace veer::bench {
namespace {

/// One connection with both searches prepared.
struct Client {
    Client(const std::string& dsn, const std::string& table, const std::string& condition)
        : connection(dsn),
          by_key(connection, table, demo::Projection::key, demo::neighbours_wanted, condition),
          by_row(connection, table, demo::Projection::row, demo::neighbours_wanted, condition) {}

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

demo::Tally ask_all(
    demo::Searcher& searcher, const Vectors& queries, const std::vector<demo::Ids>& truth
) {
    demo::Tally tally;
    for (std::size_t i = 0; i < queries.size(); i++) {
        tally.add(searcher.search(queries[i]), truth[i]);
    }
    return tally;
}

}  // namespace

class Race::Engine {
  public:
    Engine(const std::string& dsn, const RaceOptions& options, const Dataset& dataset)
        : dataset_(dataset) {
        for (std::size_t i = 0; i < options.clients; i++) {
            clients_.push_back(std::make_unique<Client>(dsn, dataset.table.name, options.condition)
            );
        }
    }

    void execute(const std::string& sql) {
        for (const auto& client : clients_) {
            client->connection.execute(sql);
        }
    }

    /// All clients ask all queries at the same time.
    Result round(demo::Projection projection, const std::vector<demo::Ids>& truth) {
        const auto started = std::chrono::steady_clock::now();
        std::vector<std::future<demo::Tally>> running;
        for (const auto& client : clients_) {
            running.push_back(std::async(std::launch::async, [&] {
                return ask_all(client->searcher(projection), dataset_.queries, truth);
            }));
        }
        Result result;
        for (auto& tally : running) {
            result.recall += tally.get().recall() / static_cast<double>(clients_.size());
        }
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
        result.searches_per_second =
            static_cast<double>(clients_.size() * dataset_.queries.size()) / seconds.count();
        return result;
    }

    demo::Connection& console() { return clients_[0]->connection; }

  private:
    const Dataset& dataset_;
    std::vector<std::unique_ptr<Client>> clients_;
};

Race::Race(const RaceOptions& options, const Dataset& dataset)
    : dataset_(dataset),
      options_(options),
      direct_(std::make_unique<Engine>(options.direct, options, dataset)),
      veer_(std::make_unique<Engine>(options.veer, options, dataset)) {
    demo::Connection judge(options.direct);
    truth_ = demo::exact_answers(judge, dataset.table.name, dataset.queries, options.condition);
    if (options.condition != "true") {
        direct_->execute("SET hnsw.iterative_scan = strict_order");
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
    for (std::size_t i = 0; i < options_.rounds; i++) {
        comparison.direct = direct_->round(projection, truth_);
        comparison.veer = veer_->round(projection, truth_);
        direct.push_back(comparison.direct.searches_per_second);
        veer.push_back(comparison.veer.searches_per_second);
    }
    comparison.direct.searches_per_second = median(direct);
    comparison.veer.searches_per_second = median(veer);
    const auto after = demo::route_status(veer_->console(), dataset_.table.name);
    if (before && after) {
        const std::size_t asked = options_.rounds * options_.clients * dataset_.queries.size();
        comparison.answered_by_veer =
            static_cast<double>(after->veer - before->veer) / static_cast<double>(asked);
    }
    return comparison;
}

}  // namespace veer::bench
