#include "tests/bench/dataset.hpp"

#include <bit>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <stdexcept>

namespace veer::bench {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

struct Shape {
    std::size_t rows = 0;
    std::size_t columns = 0;
};

/// The header of NumPy's format, version 1: magic, version, length, a Python dictionary as text.
Shape read_header(std::istream& file, const std::string& path) {
    std::string start(10, '\0');
    file.read(start.data(), static_cast<std::streamsize>(start.size()));
    if (!file || !start.starts_with("\x93NUMPY\x01")) {
        throw std::runtime_error(path + " is not a .npy file of version 1");
    }
    const auto low = static_cast<unsigned char>(start[8]);
    const auto high = static_cast<unsigned char>(start[9]);
    std::string header(low + 256U * high, '\0');
    file.read(header.data(), static_cast<std::streamsize>(header.size()));
    const std::regex wanted(
        R"(.*'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\).*\s*)"
    );
    std::smatch found;
    if (!std::regex_match(header, found, wanted)) {
        throw std::runtime_error(path + " is not a two-dimensional array of float32");
    }
    return {.rows = std::stoul(found[1]), .columns = std::stoul(found[2])};
}

Vectors read_npy(const std::string& path, std::size_t rows_max) {
    std::ifstream file(path, std::ios::binary);
    const Shape shape = read_header(file, path);
    Vectors vectors(std::min(shape.rows, rows_max), std::vector<float>(shape.columns));
    for (std::vector<float>& vector : vectors) {
        const std::size_t bytes = shape.columns * sizeof(float);
        file.read(reinterpret_cast<char*>(vector.data()), static_cast<std::streamsize>(bytes));
    }
    if (!file) {
        throw std::runtime_error(path + " is cut short");
    }
    return vectors;
}

}  // namespace

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
        document.embedding = base->at(number);
        return document;
    };
    dataset.queries = read_npy(path / "query.npy", queries);
    return dataset;
}

}  // namespace veer::bench
