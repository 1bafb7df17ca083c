#include "tests/bench/dataset.hpp"

#include <filesystem>
#include <memory>

namespace veer::bench {
Dataset made_up(std::size_t rows, std::size_t dimensions, std::size_t queries) {
    const demo::Corpus corpus(dimensions);
    Dataset dataset;
    dataset.title = "made up, clustered";
    dataset.table = {.name = "documents", .rows = rows, .dimensions = dimensions};
    dataset.source = [corpus](std::size_t number) {
        return corpus.document(number);
    };
    for (std::size_t i = 0; i < queries; i++) {
        dataset.queries.push_back(corpus.embedding(rows + i));
    }
    return dataset;
}

std::optional<Dataset> real(const std::string& directory, std::size_t queries) {
    const std::filesystem::path path(directory);
    if (directory.empty() || !std::filesystem::exists(path / "base.npy")) {
        return std::nullopt;
    }
    const auto base = std::make_shared<Vectors>(read_npy(path / "base.npy", SIZE_MAX));
    Dataset dataset;
    dataset.title = path.filename().string();
    dataset.table = {
        .name = "real_documents", .rows = base->size(), .dimensions = base->at(0).size()};
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

}  // namespace veer::bench
