#include "index/metric.hpp"

namespace veer::index {

std::optional<Metric> metric_of(std::string_view operator_name) {
    if (operator_name == "<->") {
        return Metric::l2;
    }
    if (operator_name == "<=>") {
        return Metric::cosine;
    }
    if (operator_name == "<#>") {
        return Metric::inner_product;
    }
    if (operator_name == "<+>") {
        return Metric::l1;
    }
    if (operator_name == "<~>") {
        return Metric::hamming;
    }
    if (operator_name == "<%>") {
        return Metric::jaccard;
    }
    return std::nullopt;
}

}  // namespace veer::index
