#include "storage/sync/relation_map.hpp"

#include "storage/sync/resume.hpp"

#include <utility>

namespace veer::storage::sync {

namespace pgoutput = source::pgoutput;

RelationMap::Known::Known(const pgoutput::Relation& received, std::uint64_t at)
    : message{received}, schema{received.schema}, name{received.name}, sequence{at} {
    for (const pgoutput::RelationColumn& column : received.columns) {
        columns.emplace_back(column.name);
    }
}

pgoutput::Relation RelationMap::Known::view() const {
    pgoutput::Relation relation = message;
    relation.schema = schema;
    relation.name = name;
    for (std::size_t column = 0; column < columns.size(); ++column) {
        relation.columns[column].name = columns[column];
    }
    return relation;
}

void RelationMap::add(
    const pgoutput::Relation& message, const Table* followed, std::uint64_t sequence
) {
    relations_.insert_or_assign(message.oid, Known{message, sequence});
    if (followed != nullptr) {
        mappers_.insert_or_assign(message.oid, source::RowMapper::make(*followed, message));
    }
}

const Result<source::RowMapper>* RelationMap::mapper(TableOid followed) const {
    const auto found = mappers_.find(followed);
    return found == mappers_.end() ? nullptr : &found->second;
}

void RelationMap::redefine(
    const std::vector<Table>& tables, const std::function<bool(const Table&)>& goes_on
) {
    std::erase_if(mappers_, [&](const auto& mapper) {
        return find_table(tables, mapper.first) == nullptr;
    });
    for (const Table& table : tables) {
        const auto relation = relations_.find(table.oid);
        if (relation != relations_.end() && !goes_on(table)) {
            mappers_.insert_or_assign(
                table.oid, source::RowMapper::make(table, relation->second.view())
            );
        }
    }
}

void RelationMap::merge(RelationMap&& other) {
    for (auto& [table, relation] : other.relations_) {
        const auto mine = relations_.find(table);
        if (mine != relations_.end() && mine->second.sequence > relation.sequence) {
            continue;
        }
        relations_.insert_or_assign(table, std::move(relation));
        mappers_.erase(table);
        if (auto mapper = other.mappers_.extract(table); !mapper.empty()) {
            mappers_.insert(std::move(mapper));
        }
    }
}

}  // namespace veer::storage::sync
