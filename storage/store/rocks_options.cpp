#include "storage/store/rocks_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

namespace veer::storage::store {

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
    options.compression = rocksdb::kNoCompression;
    options.keep_log_file_num = 2;
    options.max_log_file_size = 4U << 20U;
    options.info_log_level = rocksdb::WARN_LEVEL;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

}  // namespace veer::storage::store
