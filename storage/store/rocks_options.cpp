#include "storage/store/rocks_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <cstdarg>
#include <memory>

namespace veer::storage::store {

namespace {

/// In the place of RocksDB's own LOG file. A full disk that keeps something from that file ends the
/// process, by an assertion that Debian's build has; what goes wrong, statuses say as well.
class Silence : public rocksdb::Logger {
  public:
    using Logger::Logv;

    void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

}  // namespace

rocksdb::Options rocks_options(const RocksSizes& sizes) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(sizes.cache_bytes);
    table.cache_index_and_filter_blocks = true;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.block_size = sizes.block_bytes;

    rocksdb::Options options;
    options.create_if_missing = true;
    options.paranoid_checks = true;
    options.write_buffer_size = sizes.write_buffer_bytes;
    options.db_write_buffer_size = 2 * sizes.write_buffer_bytes;
    options.max_write_buffer_number = 2;
    options.max_total_wal_size = sizes.wal_bytes;
    options.max_open_files = sizes.open_files;
    options.max_background_jobs = sizes.background_jobs;
    options.level0_slowdown_writes_trigger = writes_slow.files;
    options.level0_stop_writes_trigger = writes_stop.files;
    options.soft_pending_compaction_bytes_limit = writes_slow.bytes;
    options.hard_pending_compaction_bytes_limit = writes_stop.bytes;
    options.compression = rocksdb::kNoCompression;
    options.info_log = std::make_shared<Silence>();
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

}  // namespace veer::storage::store
