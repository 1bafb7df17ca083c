#pragma once

namespace veer::index {

/// What the walk compares; the vectors themselves are kept and decide the answer in any case.
enum class Quantization {
    automatic,  ///< sq8 where it pays: from some dimensions on, and where its error is small
    none,       ///< the vectors
    sq8,        ///< codes of one byte a dimension (Sq8)
};

}  // namespace veer::index
