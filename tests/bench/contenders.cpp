#include "tests/bench/contenders.hpp"

#include "index/kernels.hpp"
#include "index/route_index.hpp"

#include <hnswlib/hnswlib.h>

#include <atomic>
#include <cmath>
#include <thread>

namespace veer::bench {
namespace {

using index::Metric;

constexpr std::size_t m = 16;
constexpr std::size_t ef_construction = 64;

class Float32Space final : public hnswlib::SpaceInterface<float> {
  public:
    Float32Space(Metric metric, std::size_t dimensions)
        : metric_{metric}, dimensions_{dimensions} {}

    std::size_t get_data_size() override { return dimensions_ * sizeof(float); }

    hnswlib::DISTFUNC<float> get_dist_func() override {
        return metric_ == Metric::l2 ? l2 : one_minus_dot;
    }

    void* get_dist_func_param() override { return &dimensions_; }

  private:
    static float l2(const void* a, const void* b, const void* dimensions) {
        static const auto kernel = index::best_kernels().l2_squared;
        return kernel(
            static_cast<const float*>(a),
            static_cast<const float*>(b),
            *static_cast<const std::size_t*>(dimensions)
        );
    }

    static float one_minus_dot(const void* a, const void* b, const void* dimensions) {
        static const auto kernel = index::best_kernels().dot;
        return 1 - kernel(
                       static_cast<const float*>(a),
                       static_cast<const float*>(b),
                       *static_cast<const std::size_t*>(dimensions)
                   );
    }

    Metric metric_;
    std::size_t dimensions_;
};

class Hnswlib final : public Contender {
  public:
    std::string name() const override { return "hnswlib float32"; }

    void build(const SearchedSet& set, unsigned threads) override {
        metric_ = set.metric;
        space_ = std::make_unique<Float32Space>(set.metric, set.dimensions());
        graph_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(
            space_.get(), set.rows.size(), m, ef_construction
        );
        std::atomic<std::size_t> next{0};
        const auto work = [&] {
            for (std::size_t i = next++; i < set.rows.size(); i = next++) {
                graph_->addPoint(scaled(set.rows[i]).data(), i);
            }
        };
        std::vector<std::thread> others;
        for (unsigned i = 1; i < threads; ++i) {
            others.emplace_back(work);
        }
        work();
        for (std::thread& other : others) {
            other.join();
        }
    }

    std::vector<std::size_t> search(const std::vector<float>& query, std::size_t ef) override {
        if (graph_->ef_ != ef) {  // threads that search at the same time all want the same
            graph_->setEf(ef);
        }
        auto queue = graph_->searchKnn(scaled(query).data(), neighbours);
        std::vector<std::size_t> found;
        for (; !queue.empty(); queue.pop()) {
            found.push_back(queue.top().second);
        }
        return found;
    }

  private:
    std::vector<float> scaled(std::vector<float> vector) const {
        if (metric_ == Metric::cosine) {
            const float squares =
                index::best_kernels().dot(vector.data(), vector.data(), vector.size());
            for (float& x : vector) {
                x /= std::sqrt(squares);
            }
        }
        return vector;
    }

    Metric metric_ = Metric::cosine;
    std::unique_ptr<Float32Space> space_;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
};

class Veer final : public Contender {
  public:
    Veer(std::string name, index::IndexOptions options)
        : name_{std::move(name)}, options_{std::move(options)} {}

    std::string name() const override { return name_; }

    void build(const SearchedSet& set, unsigned threads) override {
        options_.metric = set.metric;
        options_.dimensions = static_cast<std::uint32_t>(set.dimensions());
        options_.m = m;
        options_.ef_construction = ef_construction;
        index_ = std::make_unique<index::RouteIndex>(options_);
        // In batches, as a copy of a table arrives.
        constexpr std::size_t batch = 5000;
        std::vector<index::RouteIndex::Entry> entries;
        for (std::size_t i = 0; i < set.rows.size(); ++i) {
            entries.push_back({std::to_string(i), set.rows[i]});
            if (entries.size() == batch || i + 1 == set.rows.size()) {
                index_->load(entries, threads);
                entries.clear();
            }
        }
        index_->publish();
    }

    std::vector<std::size_t> search(const std::vector<float>& query, std::size_t ef) override {
        const auto hits = index_->search(query, neighbours, ef);
        std::vector<std::size_t> found;
        for (const index::Hit& hit : *hits) {
            found.push_back(std::stoul(hit.key));
        }
        return found;
    }

  private:
    std::string name_;
    index::IndexOptions options_;
    std::unique_ptr<index::RouteIndex> index_;
};

}  // namespace

std::unique_ptr<Contender> hnswlib_float32() {
    return std::make_unique<Hnswlib>();
}

std::unique_ptr<Contender> veer_automatic() {
    return std::make_unique<Veer>("veer", index::IndexOptions{});
}

std::unique_ptr<Contender> veer_in_file(const std::string& directory) {
    return std::make_unique<Veer>("veer, file", index::IndexOptions{.vector_file = {directory}});
}

std::unique_ptr<Contender> veer_float32() {
    return std::make_unique<Veer>(
        "veer, none", index::IndexOptions{.quantization = index::Quantization::none}
    );
}

}  // namespace veer::bench
