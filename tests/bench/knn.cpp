#include "tests/bench/knn.hpp"

#include "tests/bench/contenders.hpp"
#include "tests/bench/in_process.hpp"

#include <array>
#include <cmath>
#include <fstream>
#include <memory>

namespace veer::bench {
namespace {

constexpr std::array breadths = {20, 40, 60, 80, 120, 160, 240};
constexpr double share_wanted = 0.999;
constexpr double recall_wanted = 0.99;
constexpr std::array<std::size_t, 2> client_counts = {1, 8};

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

/// What a search takes of what all clients together have: with several, of the machine.
double microseconds(const Point& point) {
    return 1e6 / point.searches_per_second;
}

/// One ef_search, asked by so many clients: of everything that it took to answer LOCAL, of the
/// same over ten rows (the floor: all but searching), and of searching alone.
struct AboveFloor {
    std::size_t clients = 1;
    Point local = {};
    Point floor = {};
    Point hnswlib = {};
    Point bare = {};

    double ratio() const {
        return (microseconds(local) - microseconds(floor)) / microseconds(bare);
    }
};

std::string above_floor_row(const AboveFloor& each) {
    const auto found = [](const Point& point) {
        return demo::right_aligned(demo::fixed(microseconds(point), 0), 10) + " (" +
               demo::fixed(point.recall, 3) + ")";
    };
    return demo::right_aligned(std::to_string(each.clients), 7) +
           demo::right_aligned(std::to_string(each.local.ef_search), 11) +
           demo::right_aligned(demo::fixed(microseconds(each.local), 0), 8) +
           demo::right_aligned(demo::fixed(microseconds(each.floor), 0), 8) + found(each.hnswlib) +
           found(each.bare) + demo::right_aligned(demo::fixed(each.ratio(), 2), 29);
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
        for (const std::size_t clients : client_counts) {
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
        const bool is_local = heat.condition == "true" && heat.projection == demo::Projection::key;
        std::optional<Race> ten_rows;
        if (is_local) {
            ten_rows.emplace(race_options(heat), ten_);
        }
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
            if (ten_rows) {  // each beside the other, so that a noisy machine disturbs both alike
                const Result floor = ten_rows->run(ef_search, heat.projection).veer;
                above_floor_.push_back(
                    {.clients = heat.clients,
                     .local = veer.back(),
                     .floor = {ef_search, floor.recall, floor.searches_per_second}}
                );
                note(heat, "ten rows", "veer", above_floor_.back().floor);
            }
        }
        note_ratio(
            described(dataset_) + ", " + what + ", c=" + std::to_string(heat.clients), direct, veer
        );
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

    void compare_with_bare() {
        demo::Connection judge(options_.race.direct);
        const InProcess process(
            dataset_,
            demo::exact_answers(
                judge,
                {.table = dataset_.table.name, .distance = dataset_.distance()},
                dataset_.queries
            )
        );
        const std::unique_ptr<Contender> hnswlib = hnswlib_float32();
        process.build(*hnswlib);
        const std::unique_ptr<Contender> bare = veer_automatic();
        process.build(*bare);
        terminal_.heading(
            "knn: microseconds a search, of all clients together; floor: the same over ten rows"
        );
        terminal_.line(terminal_.dim(
            "clients  ef_search   LOCAL   floor   hnswlib float32   veer in process   "
            "(LOCAL - floor)/in process"
        ));
        for (AboveFloor& each : above_floor_) {
            const auto measured = [&](Contender& contender) {
                const Point point = process.measure(
                    contender, each.local.ef_search, each.clients, options_.race.rounds
                );
                note({.clients = each.clients}, "in process", contender.name(), point);
                return point;
            };
            each.hnswlib = measured(*hnswlib);
            each.bare = measured(*bare);
            terminal_.line(above_floor_row(each));
        }
        for (const std::size_t clients : client_counts) {
            note_above_floor(clients);
        }
    }

    /// At the ef that veer needs.
    void note_above_floor(std::size_t clients) {
        Curve local;
        for (const AboveFloor& each : above_floor_) {
            if (each.clients == clients) {
                local.push_back(each.local);
            }
        }
        const auto fast = fastest(local, recall_wanted);
        for (const AboveFloor& each : above_floor_) {
            if (fast && each.clients == clients && each.local.ef_search == fast->ef_search) {
                ratios_ << demo::padded(
                               described(dataset_) + ", c=" + std::to_string(clients) +
                                   ", (LOCAL - floor) / in process",
                               60
                           )
                        << demo::fixed(each.ratio(), 2) << "   at ef " << each.local.ef_search
                        << ": " << demo::fixed(microseconds(each.local), 0) << ", "
                        << demo::fixed(microseconds(each.floor), 0) << ", "
                        << demo::fixed(microseconds(each.bare), 0) << " us\n";
            }
        }
    }

    const KnnOptions& options_;
    const Dataset& dataset_;
    const Dataset ten_ = ten_of(dataset_);
    demo::Terminal& terminal_;
    std::ofstream ratios_;
    std::ofstream points_;
    std::vector<AboveFloor> above_floor_;
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
