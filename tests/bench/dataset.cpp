#include "tests/bench/dataset.hpp"

#include "tests/demo/terminal.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

namespace veer::bench {
namespace {

demo::Table documents(std::size_t rows, std::size_t dimensions, index::Metric metric) {
    return {
        .name = "documents",
        .rows = rows,
        .dimensions = dimensions,
        .operator_class = metric == index::Metric::l2 ? "vector_l2_ops" : "vector_cosine_ops"};
}

void drop_equals(Vectors& vectors) {
    std::set<std::vector<float>> seen;
    std::erase_if(vectors, [&](const std::vector<float>& vector) {
        return !seen.insert(vector).second;
    });
}

}  // namespace

std::string described(const Dataset& dataset) {
    return demo::grouped(static_cast<std::int64_t>(dataset.table.rows)) + " x " +
           std::to_string(dataset.table.dimensions) + " " + dataset.title;
}

std::string Dataset::distance() const {
    return metric == index::Metric::l2 ? "<->" : "<=>";
}

Dataset made_up(
    std::size_t rows, std::size_t dimensions, std::size_t queries, index::Metric metric
) {
    const demo::Corpus corpus(dimensions);
    Dataset dataset;
    dataset.title = "made up, clustered";
    dataset.metric = metric;
    dataset.table = documents(rows, dimensions, metric);
    dataset.source = [corpus](std::size_t number) {
        return corpus.document(number);
    };
    for (std::size_t i = 0; i < queries; i++) {
        dataset.queries.push_back(corpus.embedding(rows + i));
    }
    return dataset;
}

std::optional<Dataset> real(
    const std::string& directory, std::size_t queries, index::Metric metric
) {
    const std::filesystem::path path(directory);
    if (directory.empty() || !std::filesystem::exists(path / "base.npy")) {
        return std::nullopt;
    }
    const auto base = std::make_shared<Vectors>(read_npy(path / "base.npy", SIZE_MAX));
    drop_equals(*base);
    Dataset dataset;
    dataset.title = path.filename().string();
    dataset.metric = metric;
    dataset.table = documents(base->size(), base->at(0).size(), metric);
    dataset.source = [base](std::size_t number) {
        demo::Document document;
        document.id = static_cast<std::int64_t>(number) + 1;
        document.title = "row " + std::to_string(number);
        document.category = "real";
        document.tenant = static_cast<std::int32_t>(number % 1000);
        document.embedding = base->at(number);
        return document;
    };
    dataset.queries = read_npy(path / "query.npy", queries);
    return dataset;
}

Dataset ten_of(const Dataset& dataset) {
    Dataset ten = dataset;
    ten.table.name = "ten_rows";
    ten.table.rows = std::min<std::size_t>(dataset.table.rows, 10);
    return ten;
}

}  // namespace veer::bench
