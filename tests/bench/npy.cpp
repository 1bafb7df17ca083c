#include "tests/bench/npy.hpp"

#include <algorithm>
#include <bit>
#include <fstream>
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

}  // namespace

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

}  // namespace veer::bench
