#pragma once

#include "storage/source/pgoutput.hpp"
#include "storage/source/row_mapper.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace veer::storage::sync {

/// What the Relation messages so far say of tables, and how rows of the followed ones are read.
class RelationMap {
  public:
    /// `followed` is null where nobody follows the table. `sequence` grows with each message.
    void add(
        const source::pgoutput::Relation& message, const Table* followed, std::uint64_t sequence
    );

    /// Null where no Relation of it came; else how it is read, or why it cannot be.
    const Result<source::RowMapper>* mapper(TableOid followed) const;

    /// These are followed from now on; one that `goes_on` keeps its mapper.
    void redefine(
        const std::vector<Table>& tables, const std::function<bool(const Table&)>& goes_on
    );

    /// Takes over what came later of another one.
    void merge(RelationMap&& other);

  private:
    /// A Relation message with its own strings.
    struct Known {
        Known(const source::pgoutput::Relation& received, std::uint64_t at);
        source::pgoutput::Relation view() const;

        source::pgoutput::Relation message;  ///< its views are dead
        std::string schema;
        std::string name;
        std::vector<std::string> columns;
        std::uint64_t sequence;
    };

    std::map<TableOid, Known> relations_;
    std::map<TableOid, Result<source::RowMapper>> mappers_;  ///< of followed tables
};

}  // namespace veer::storage::sync
