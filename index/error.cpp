#include "index/error.hpp"

#include <string>

namespace veer::index {

namespace {

class Category final : public std::error_category {
  public:
    const char* name() const noexcept override { return "veer.index"; }

    std::string message(int code) const override {
        switch (static_cast<Errc>(code)) {
            case Errc::wrong_dimensions:
                return "the vector has other dimensions than the index";
            case Errc::not_finite:
                return "the vector contains NaN or infinity";
            case Errc::zero_norm:
                return "the vector is zero, which has no cosine distance";
            case Errc::out_of_memory:
                return "not enough memory for the index";
            case Errc::too_many_visits:
                return "the search has compared as many vectors as it may";
            case Errc::cancelled:
                return "the search was cancelled";
            case Errc::late:
                return "the search has passed its deadline";
            case Errc::busy:
                return "too many searches wait already";
            case Errc::wrong_filter:
                return "the filter does not fit the columns of the index";
        }
        return "unknown error";
    }
};

}  // namespace

std::error_code make_error_code(Errc code) {
    static const Category category;
    return {static_cast<int>(code), category};
}

}  // namespace veer::index
