namespace Dedup.RocksDb.Native;

/// <summary>How the databases are set up. Each value that was chosen by measurement says so (bench/Dedup.Bench/Store).</summary>
internal static class RocksSettings
{
    // Compression: keys are hashes and nothing in a value is longer than a few bytes; there is nothing to gain.
    private const int NoCompression = 0;
    private const int ErrorsOnly = 3;
    private const int Universal = 1;
    private const int BinarySearchAndHash = 1;
    private const sbyte XxHash3 = 4;

    // A lookup that hits reads one block: small ones are cheaper to read and keep more distinct IDs in the cache.
    private const int BlockBytes = 4 * 1024;

    // Our own filter answers first; the one in the file only has to keep a key of an older file from costing a block read in
    // each newer one. With 6 bits one of 17 of these reads remains.
    private const double FileFilterBitsPerKey = 6;

    // Merging costs 0.5 to 0.9 us for each ID and time; a file more costs 0.1 us for each lookup that gets as far as RocksDB, and
    // a block read for one in 17 of them. Seals write up to 0.75 M IDs, so nothing is merged below 24 M IDs, everything once up
    // to 770 M. (Eight at a time doubled the CPU time for each ID at 10 M; 64 at a time left 34 files to ask at 100 M.)
    private const int FilesBeforeMerge = 32;

    // Filters of a file that is being written are hashes of 8 bytes until its end, so files must not be large: 2 M IDs.
    private const ulong MergedFileBytes = 64 << 20;

    // RocksDB slows writers down when merging falls behind. The writer here is a seal; a lane that waits for it is worse than
    // a few files more for each lookup, and the number of seals in a bucket's life bounds them.
    private const int Never = 1_000_000;

    // Two jobs: one flush (headers only) and one merge, over all databases of the process.
    private const int BackgroundJobs = 2;

    // Files open at once, for each partition; beyond it RocksDB closes the least recently used.
    private const int OpenFiles = 512;

    /// <summary>Options of the database and of the default family, which holds only the header.</summary>
    public static OptionsHandle ForDatabase()
    {
        var options = new OptionsHandle();
        nint o = options.Pointer;
        Rocks.rocksdb_options_set_create_if_missing(o, 1);
        Rocks.rocksdb_options_set_info_log_level(o, ErrorsOnly);
        Rocks.rocksdb_options_set_keep_log_file_num(o, 2);
        Rocks.rocksdb_options_set_max_open_files(o, OpenFiles);
        Rocks.rocksdb_options_set_max_background_jobs(o, BackgroundJobs);
        Rocks.rocksdb_options_set_stats_dump_period_sec(o, 0);
        Rocks.rocksdb_options_set_stats_persist_period_sec(o, 0);
        Rocks.rocksdb_options_set_max_manifest_file_size(o, 4 << 20);
        Rocks.rocksdb_options_set_write_buffer_size(o, 256 << 10);
        Rocks.rocksdb_options_set_compression(o, NoCompression);
        return options;
    }

    /// <summary>Options of the buckets' families and of the SST files made for them.</summary>
    public static OptionsHandle ForBuckets(CacheHandle cache)
    {
        var options = new OptionsHandle();
        nint o = options.Pointer;
        Rocks.rocksdb_options_set_compression(o, NoCompression);
        // Never written to: a memtable exists, but it stays empty.
        Rocks.rocksdb_options_set_write_buffer_size(o, 64 << 10);
        Rocks.rocksdb_options_set_compaction_style(o, Universal);
        Rocks.rocksdb_options_set_num_levels(o, 4);
        Rocks.rocksdb_options_set_target_file_size_base(o, MergedFileBytes);
        Rocks.rocksdb_options_set_level0_file_num_compaction_trigger(o, FilesBeforeMerge);
        Rocks.rocksdb_options_set_level0_slowdown_writes_trigger(o, Never);
        Rocks.rocksdb_options_set_level0_stop_writes_trigger(o, Never);
        Rocks.rocksdb_options_set_soft_pending_compaction_bytes_limit(o, 0);
        Rocks.rocksdb_options_set_hard_pending_compaction_bytes_limit(o, 0);
        nint universal = Rocks.rocksdb_universal_compaction_options_create();
        Rocks.rocksdb_universal_compaction_options_set_size_ratio(universal, 25);
        Rocks.rocksdb_universal_compaction_options_set_min_merge_width(universal, FilesBeforeMerge);
        Rocks.rocksdb_universal_compaction_options_set_max_merge_width(
            universal,
            2 * FilesBeforeMerge
        );
        // IDs are never overwritten, so there is no amplification to fight by merging everything.
        Rocks.rocksdb_universal_compaction_options_set_max_size_amplification_percent(
            universal,
            Never
        );
        Rocks.rocksdb_options_set_universal_compaction_options(o, universal);
        Rocks.rocksdb_universal_compaction_options_destroy(universal);
        SetTables(o, cache);
        return options;
    }

    private static void SetTables(nint options, CacheHandle cache)
    {
        nint t = Rocks.rocksdb_block_based_options_create();
        Rocks.rocksdb_block_based_options_set_block_size(t, BlockBytes);
        Rocks.rocksdb_block_based_options_set_format_version(t, 5);
        Rocks.rocksdb_block_based_options_set_checksum(t, XxHash3);
        Rocks.rocksdb_block_based_options_set_data_block_index_type(t, BinarySearchAndHash);
        Rocks.rocksdb_block_based_options_set_filter_policy(
            t,
            Rocks.rocksdb_filterpolicy_create_bloom_full(FileFilterBitsPerKey)
        );
        // Filters and indexes stay with the open file, and the budget counts them (about a byte for an ID). In the block cache,
        // partitioned, they would be bounded by it, but a hit took 7 to 9 us instead of 5: each file costs two more searches
        // in the cache.
        Rocks.rocksdb_block_based_options_set_cache_index_and_filter_blocks(t, 0);
        Rocks.rocksdb_block_based_options_set_block_cache(t, cache.Pointer);
        Rocks.rocksdb_options_set_block_based_table_factory(options, t);
        Rocks.rocksdb_block_based_options_destroy(t);
    }
}
