#include "tests/demo/corpus.hpp"

#include <array>
#include <cmath>
#include <string_view>

namespace veer::demo {
namespace {

struct Category {
    std::string_view name;
    std::array<std::string_view, 8> subjects;
};

constexpr std::array<Category, 8> categories{{
    {"astronomy",
     {"telescopes", "comets", "nebulae", "red dwarfs", "eclipses", "sundials", "meteors", "moons"}},
    {"cooking",
     {"sourdough", "risotto", "pickles", "ramen", "custard", "curries", "pastries", "stews"}},
    {"gardening", {"roses", "compost", "bonsai", "orchids", "hedges", "tomatoes", "ferns", "bees"}},
    {"music", {"cellos", "fugues", "jazz", "choirs", "drums", "operas", "synthesisers", "organs"}},
    {"travel",
     {"night trains", "harbours", "alps", "deserts", "islands", "castles", "canals", "fjords"}},
    {"software",
     {"compilers",
      "databases",
      "parsers",
      "schedulers",
      "caches",
      "firewalls",
      "debuggers",
      "queues"}},
    {"medicine",
     {"vaccines", "sleep", "allergies", "hearts", "surgery", "migraine", "vitamins", "lenses"}},
    {"history",
     {"bridges",
      "cathedrals",
      "printing",
      "spice routes",
      "maps",
      "coins",
      "railways",
      "lighthouses"}},
}};

constexpr std::array<std::string_view, 10> openings{
    "A short history of",
    "Notes on",
    "The trouble with",
    "A field guide to",
    "In praise of",
    "Questions about",
    "What we know of",
    "Comparing",
    "Repairing",
    "A beginner's view of",
};

constexpr std::size_t subjects_per_category = categories[0].subjects.size();
constexpr std::size_t subject_count = categories.size() * subjects_per_category;
constexpr float category_spread = 0.4F;
constexpr float subject_spread = 0.4F;
constexpr float document_spread = 1.0F;
constexpr float spectrum_knee = 16.0F;

/// splitmix64, Sebastiano Vigna.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed * 0xD1342543DE82EF95U + 1) {}

    std::uint64_t bits() {
        state_ += 0x9E3779B97F4A7C15U;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
        return mixed ^ (mixed >> 31U);
    }

    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(bits() % bound); }

    /// Nearly normal: four uniform numbers added, scaled to mean 0 and variance 1.
    float normal() {
        const std::uint64_t word = bits();
        const std::uint64_t sum =
            (word & 0xFFFFU) + (word >> 16U & 0xFFFFU) + (word >> 32U & 0xFFFFU) + (word >> 48U);
        return (static_cast<float>(sum) / 65536.0F - 2.0F) * 1.7320508F;
    }

  private:
    std::uint64_t state_;
};

std::vector<float> random_direction(std::uint64_t seed, std::size_t dimensions) {
    Random random(seed);
    std::vector<float> direction(dimensions);
    for (float& component : direction) {
        component = random.normal() / std::sqrt(static_cast<float>(dimensions));
    }
    return direction;
}

Random random_of(std::size_t number) {
    return Random(1'000'000 + number);
}

}  // namespace

Corpus::Corpus(std::size_t dimensions) : dimensions_(dimensions), spectrum_(dimensions) {
    for (std::size_t subject = 0; subject < subject_count; subject++) {
        std::vector<float> centre = random_direction(subject / subjects_per_category, dimensions);
        const std::vector<float> own = random_direction(1000 + subject, dimensions);
        for (std::size_t i = 0; i < dimensions; i++) {
            centre[i] = category_spread * centre[i] + subject_spread * own[i];
        }
        centres_.push_back(std::move(centre));
    }
    float energy = 0;
    for (std::size_t i = 0; i < dimensions; i++) {
        spectrum_[i] = 1.0F / (1.0F + static_cast<float>(i) / spectrum_knee);
        energy += spectrum_[i] * spectrum_[i];
    }
    for (float& scale : spectrum_) {
        scale *= document_spread / std::sqrt(energy);
    }
}

std::vector<float> Corpus::embedding(std::size_t number) const {
    Random random = random_of(number);
    const std::size_t subject = random.below(subject_count);
    std::vector<float> embedding = centres_[subject];
    const std::size_t offset = subject * 37;
    for (std::size_t i = 0; i < dimensions_; i++) {
        embedding[(i + offset) % dimensions_] += spectrum_[i] * random.normal();
    }
    return embedding;
}

Document Corpus::document(std::size_t number) const {
    const std::size_t subject = random_of(number).below(subject_count);
    const Category& category = categories[subject / subjects_per_category];
    Document document;
    document.id = static_cast<std::int64_t>(number) + 1;
    document.title = std::string(openings[number % openings.size()]) + ' ' +
                     std::string(category.subjects[subject % subjects_per_category]) + ", part " +
                     std::to_string(number / 1000 + 1);
    document.category = category.name;
    document.tenant = static_cast<std::int32_t>(number % 1000);
    document.embedding = embedding(number);
    return document;
}

}  // namespace veer::demo
