#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace veer::demo {

struct Document {
    std::int64_t id = 0;
    std::string title;
    std::string category;
    std::int32_t tenant = 0;
    std::vector<float> embedding;
};

/// Documents that do not exist, with embeddings that look like those of real ones.
///
///     embedding = centre of the category + centre of the subject + what is the document's own
///
/// 1. Document i is a function of (dimensions, i) alone, the same on every machine: no library
/// distribution.
/// 2. A document's own part has a decaying spectrum in directions that depend on the subject. So
/// the
///    local dimension is far below the number of components, as with real embeddings; white noise
///    in 384 dimensions would make every neighbour equally far and every index look bad.
/// 3. Numbers from rows_ upwards, which are never loaded, serve as queries: same distribution, not
/// in the table.
class Corpus {
  public:
    explicit Corpus(std::size_t dimensions);

    Document document(std::size_t number) const;
    std::vector<float> embedding(std::size_t number) const;

  private:
    std::size_t dimensions_;
    std::vector<std::vector<float>> centres_;  // one a subject, its category's included
    std::vector<float> spectrum_;
};

}  // namespace veer::demo
