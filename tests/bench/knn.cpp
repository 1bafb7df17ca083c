#include "tests/bench/knn.hpp"

#include "tests/bench/contenders.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <memory>

namespace veer::bench {
namespace {

constexpr std::array breadths = {40, 60, 80, 120, 160, 240};
constexpr double share_wanted = 0.999;
constexpr double recall_wanted = 0.99;
constexpr unsigned builders = 2;

std::string per_second(double number) {
    return demo::grouped(std::lround(number));
}

std::string name_of(demo::Projection projection) {
    return projection == demo::Projection::key ? "LOCAL" : "REWRITE";
}

std::string point_row(const std::string& what, const Point& direct, const Point& veer) {
    const double ratio = veer.searches_per_second / direct.searches_per_second;
    return demo::padded(what, 10) + demo::right_aligned(std::to_string(veer.ef_search), 9) +
           demo::right_aligned(demo::fixed(direct.recall, 3), 11) +
           demo::right_aligned(demo::fixed(veer.recall, 3), 8) +
           demo::right_aligned(per_second(direct.searches_per_second), 12) +
           demo::right_aligned(per_second(veer.searches_per_second), 10) +
           demo::right_aligned(demo::fixed(ratio, 2), 10);
}

void head(demo::Terminal& terminal) {
    terminal.line(terminal.dim("                      recall@10          searches/s (medians)"));
    terminal.line(
        terminal.dim("answer    ef_search   pgvector    veer    pgvector      veer  veer/pgv.")
    );
}

/// Which round of measuring it is.
struct Heat {
    std::size_t clients = 1;
    demo::Projection projection = demo::Projection::key;
    std::string condition = "true";
};

class Knn {
  public:
    Knn(const KnnOptions& options, const Dataset& dataset, demo::Terminal& terminal)
        : options_(options),
          dataset_(dataset),
          terminal_(terminal),
          ratios_(options.ratios, std::ios::app),
          points_(options.points, std::ios::app) {}

    bool run() {
        for (const std::size_t clients : {std::size_t{1}, std::size_t{8}}) {
            terminal_.heading(
                "knn: " + described(dataset_) + ", " + dataset_.distance() +
                ", k = 10, c = " + std::to_string(clients)
            );
            head(terminal_);
            for (const auto projection : {demo::Projection::key, demo::Projection::row}) {
                race({.clients = clients, .projection = projection}, name_of(projection));
            }
        }
        terminal_.heading("knn: LOCAL under conditions that pass a part of the rows, c = 1");
        head(terminal_);
        for (const std::size_t thousandth : {500U, 100U, 10U, 1U}) {
            if (dataset_.table.rows * thousandth / 1000 < demo::neighbours_wanted) {
                continue;  // fewer than LIMIT: an answer that Postgres gives
            }
            race(
                {.condition = "tenant < " + std::to_string(thousandth)},
                demo::fixed(static_cast<double>(thousandth) / 10, 1) + " %"
            );
        }
        compare_with_bare();
        return all_by_veer_;
    }

  private:
    RaceOptions race_options(const Heat& heat) const {
        RaceOptions race = options_.race;
        race.clients = heat.clients;
        race.condition = heat.condition;
        return race;
    }

    void race(const Heat& heat, const std::string& what) {
        Race race(race_options(heat), dataset_);
        Curve direct;
        Curve veer;
        for (const int ef_search : breadths) {
            const Comparison both = race.run(ef_search, heat.projection);
            direct.push_back({ef_search, both.direct.recall, both.direct.searches_per_second});
            veer.push_back({ef_search, both.veer.recall, both.veer.searches_per_second});
            terminal_.line(point_row(what, direct.back(), veer.back()));
            if (both.answered_by_veer < share_wanted) {
                terminal_.bad(
                    "only " + demo::fixed(100 * both.answered_by_veer, 1) +
                    " % of these were answered by veer"
                );
                all_by_veer_ = false;
            }
            note(heat, name_of(heat.projection), "pgvector", direct.back());
            note(heat, name_of(heat.projection), "veer", veer.back());
        }
        note_ratio(
            described(dataset_) + ", " + what + ", c=" + std::to_string(heat.clients), direct, veer
        );
        if (heat.clients == 1 && heat.condition == "true" &&
            heat.projection == demo::Projection::key) {
            local_ = veer;
        }
    }

    void note(
        const Heat& heat, const std::string& answer, const std::string& engine, const Point& point
    ) {
        points_ << described(dataset_) << ';' << heat.clients << ';' << answer << ';' << engine
                << ';' << heat.condition << ';' << point.ef_search << ';' << point.recall << ';'
                << point.searches_per_second << '\n';
    }

    static std::string one_side(const std::string& engine, const std::optional<Point>& point) {
        return point ? engine + " " + per_second(point->searches_per_second) + "/s (" +
                           demo::fixed(point->recall, 3) + " at ef " +
                           std::to_string(point->ef_search) + ")"
                     : engine + " not reached";
    }

    /// Each engine at the ef that it needs.
    void note_ratio(const std::string& what, const Curve& direct, const Curve& veer) {
        const auto slow = fastest(direct, recall_wanted);
        const auto fast = fastest(veer, recall_wanted);
        ratios_ << demo::padded(what, 60) << "recall >= .99: "
                << demo::padded(
                       slow && fast
                           ? demo::fixed(fast->searches_per_second / slow->searches_per_second, 2)
                           : "-",
                       7
                   )
                << one_side("veer", fast) << ", " << one_side("pgvector", slow) << "\n";
        ratios_.flush();
    }

    double floor_microseconds() {
        Race race(options_.race, ten_);
        return 1e6 / race.run(breadths.front(), demo::Projection::key).veer.searches_per_second;
    }

    /// Its rows are numbered from 0; `ids` are theirs in the table.
    SearchedSet in_process(std::vector<std::int64_t>& ids) const {
        SearchedSet set;
        set.metric = dataset_.metric;
        set.queries = dataset_.queries;
        for (std::size_t i = 0; i < dataset_.table.rows; ++i) {
            demo::Document document = dataset_.source(i);
            ids.push_back(document.id);
            set.rows.push_back(std::move(document.embedding));
        }
        return set;
    }

    double recall(
        Contender& contender,
        std::size_t ef,
        const std::vector<std::int64_t>& ids,
        const std::vector<demo::Ids>& truth
    ) const {
        demo::Tally tally;
        for (std::size_t i = 0; i < truth.size(); ++i) {
            demo::Answer answer;
            for (const std::size_t row : contender.search(dataset_.queries[i], ef)) {
                answer.neighbours.push_back({.id = ids.at(row), .title = ""});
            }
            tally.add(answer, truth[i]);
        }
        return tally.recall();
    }

    Curve measure(
        Contender& contender,
        const std::vector<std::int64_t>& ids,
        const std::vector<demo::Ids>& truth
    ) {
        Curve curve;
        for (const int ef_search : breadths) {
            const auto ef = static_cast<std::size_t>(ef_search);
            std::vector<double> rates;
            for (std::size_t round = 0; round <= options_.race.rounds; ++round) {
                const auto began = std::chrono::steady_clock::now();
                for (const auto& query : dataset_.queries) {
                    (void)contender.search(query, ef);
                }
                const std::chrono::duration<double> spent =
                    std::chrono::steady_clock::now() - began;
                rates.push_back(static_cast<double>(dataset_.queries.size()) / spent.count());
            }
            std::sort(rates.begin(), rates.end());
            curve.push_back(
                {ef_search, recall(contender, ef, ids, truth), rates.at(rates.size() / 2)}
            );
            note({}, "in process", contender.name(), curve.back());
        }
        return curve;
    }

    void compare_with_bare() {
        const double floor = floor_microseconds();
        std::vector<std::int64_t> ids;
        const SearchedSet set = in_process(ids);
        demo::Connection judge(options_.race.direct);
        const std::vector<demo::Ids> truth = demo::exact_answers(
            judge, {.table = dataset_.table.name, .distance = dataset_.distance()}, dataset_.queries
        );
        const std::unique_ptr<Contender> float32 = hnswlib_float32();
        float32->build(set, builders);
        const std::unique_ptr<Contender> bare = veer_automatic();
        bare->build(set, builders);
        const Curve slow = measure(*float32, ids, truth);
        const Curve fast = measure(*bare, ids, truth);
        terminal_.heading(
            "knn: microseconds a search; the floor, a table of ten rows through veer, is " +
            demo::fixed(floor, 0)
        );
        terminal_.line(terminal_.dim(
            "ef_search    LOCAL    hnswlib float32    veer in process   (LOCAL - floor)/in process"
        ));
        for (std::size_t i = 0; i < local_.size(); ++i) {
            const double local = 1e6 / local_[i].searches_per_second;
            const double in_process = 1e6 / fast[i].searches_per_second;
            terminal_.line(
                demo::right_aligned(std::to_string(local_[i].ef_search), 9) +
                demo::right_aligned(demo::fixed(local, 0), 9) +
                demo::right_aligned(demo::fixed(1e6 / slow[i].searches_per_second, 0), 11) + " (" +
                demo::fixed(slow[i].recall, 3) + ")" +
                demo::right_aligned(demo::fixed(in_process, 0), 11) + " (" +
                demo::fixed(fast[i].recall, 3) + ")" +
                demo::right_aligned(demo::fixed((local - floor) / in_process, 2), 29)
            );
        }
    }

    const KnnOptions& options_;
    const Dataset& dataset_;
    const Dataset ten_ = ten_of(dataset_);
    demo::Terminal& terminal_;
    std::ofstream ratios_;
    std::ofstream points_;
    Curve local_;
    bool all_by_veer_ = true;
};

}  // namespace

std::optional<Point> fastest(const Curve& curve, double recall_min) {
    std::optional<Point> best;
    for (const Point& point : curve) {
        if (point.recall >= recall_min &&
            (!best || point.searches_per_second > best->searches_per_second)) {
            best = point;
        }
    }
    return best;
}

bool knn(const KnnOptions& options, const Dataset& dataset, demo::Terminal& terminal) {
    return Knn(options, dataset, terminal).run();
}

}  // namespace veer::bench
