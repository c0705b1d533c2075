using System.Runtime.InteropServices;

namespace Dedup.RocksDb.Native;

/// <summary>The calls of RocksDB's C API that the store makes. Signatures as in rocksdb/c.h; they are the same in 7.8 and 10.1.</summary>
internal static unsafe partial class Rocks
{
    private const string Lib = RocksLibrary.Name;

    static Rocks() => RocksLibrary.Register();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_free(void* memory);

    // Options.
    [LibraryImport(Lib)]
    internal static partial nint rocksdb_options_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_create_if_missing(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_info_log_level(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_keep_log_file_num(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_max_open_files(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_max_background_jobs(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_stats_dump_period_sec(
        nint options,
        uint value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_stats_persist_period_sec(
        nint options,
        uint value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_max_manifest_file_size(
        nint options,
        nuint value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_write_buffer_size(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_compression(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_compaction_style(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_num_levels(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_target_file_size_base(
        nint options,
        ulong value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_level0_file_num_compaction_trigger(
        nint options,
        int value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_level0_slowdown_writes_trigger(
        nint options,
        int value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_level0_stop_writes_trigger(
        nint options,
        int value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_soft_pending_compaction_bytes_limit(
        nint options,
        nuint value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_hard_pending_compaction_bytes_limit(
        nint options,
        nuint value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_block_based_table_factory(
        nint options,
        nint tableOptions
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_universal_compaction_options(
        nint options,
        nint universal
    );

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_universal_compaction_options_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_universal_compaction_options_set_size_ratio(
        nint universal,
        int value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_universal_compaction_options_set_min_merge_width(
        nint universal,
        int value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_universal_compaction_options_set_max_merge_width(
        nint universal,
        int value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_universal_compaction_options_set_max_size_amplification_percent(
        nint universal,
        int value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_universal_compaction_options_destroy(nint universal);

    // Tables and cache.
    [LibraryImport(Lib)]
    internal static partial nint rocksdb_block_based_options_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_block_size(
        nint options,
        nuint value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_format_version(
        nint options,
        int value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_checksum(
        nint options,
        sbyte value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_data_block_index_type(
        nint options,
        int value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_filter_policy(
        nint options,
        nint policy
    );

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_filterpolicy_create_bloom_full(double bitsPerKey);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_block_cache(
        nint options,
        nint cache
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_cache_index_and_filter_blocks(
        nint options,
        byte value
    );

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_cache_create_lru(nuint capacity);

    [LibraryImport(Lib)]
    internal static partial nuint rocksdb_cache_get_usage(nint cache);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_cache_destroy(nint cache);

    // Database.
    [LibraryImport(Lib)]
    internal static partial byte** rocksdb_list_column_families(
        nint options,
        byte* path,
        nuint* count,
        byte** error
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_list_column_families_destroy(byte** names, nuint count);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_open_column_families(
        nint options,
        byte* path,
        int count,
        byte** names,
        nint* familyOptions,
        nint* families,
        byte** error
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_close(nint db);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_cancel_all_background_work(nint db, byte wait);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_create_column_family(
        nint db,
        nint options,
        byte* name,
        byte** error
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_drop_column_family(nint db, nint family, byte** error);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_column_family_handle_destroy(nint family);

    [LibraryImport(Lib)]
    internal static partial int rocksdb_property_int_cf(
        nint db,
        nint family,
        byte* name,
        ulong* value
    );

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_writeoptions_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_writeoptions_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_writeoptions_set_sync(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_readoptions_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_readoptions_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_readoptions_set_fill_cache(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_put_cf(
        nint db,
        nint options,
        nint family,
        byte* key,
        nuint keyLength,
        byte* value,
        nuint valueLength,
        byte** error
    );

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_get_pinned_cf(
        nint db,
        nint options,
        nint family,
        byte* key,
        nuint keyLength,
        byte** error
    );

    // Only read or release what is in memory already: no I/O, so the transition of the garbage collector can be left out.
    [LibraryImport(Lib)]
    [SuppressGCTransition]
    internal static partial byte* rocksdb_pinnableslice_value(nint slice, nuint* length);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_pinnableslice_destroy(nint slice);

    // Iterator.
    [LibraryImport(Lib)]
    internal static partial nint rocksdb_create_iterator_cf(nint db, nint options, nint family);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_destroy(nint iterator);

    [LibraryImport(Lib)]
    [SuppressGCTransition]
    internal static partial byte rocksdb_iter_valid(nint iterator);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_seek_to_first(nint iterator);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_next(nint iterator);

    [LibraryImport(Lib)]
    [SuppressGCTransition]
    internal static partial byte* rocksdb_iter_key(nint iterator, nuint* length);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_get_error(nint iterator, byte** error);

    // SST files.
    [LibraryImport(Lib)]
    internal static partial nint rocksdb_envoptions_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_envoptions_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_sstfilewriter_create(nint envOptions, nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_sstfilewriter_open(nint writer, byte* path, byte** error);

    // May write a block to the file: the transition must stay (a stalled disk would stall the garbage collector).
    [LibraryImport(Lib)]
    internal static partial void rocksdb_sstfilewriter_put(
        nint writer,
        byte* key,
        nuint keyLength,
        byte* value,
        nuint valueLength,
        byte** error
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_sstfilewriter_finish(nint writer, byte** error);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_sstfilewriter_destroy(nint writer);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_ingestexternalfileoptions_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_ingestexternalfileoptions_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_ingestexternalfileoptions_set_move_files(
        nint options,
        byte value
    );

    [LibraryImport(Lib)]
    internal static partial void rocksdb_ingest_external_file_cf(
        nint db,
        nint family,
        byte** files,
        nuint count,
        nint options,
        byte** error
    );
}
