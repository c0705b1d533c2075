using System.Runtime.InteropServices;
using System.Text;

namespace Dedup.RocksDb.Native;

/// <summary>A native object of RocksDB that is destroyed once.</summary>
internal abstract class RocksHandle : SafeHandle
{
    protected RocksHandle(nint value)
        : base(0, ownsHandle: true) => SetHandle(value);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The native pointer; only for calls inside Native, while the owner keeps this object alive.</summary>
    internal nint Pointer => handle;

    /// <summary>Takes the error out of a call: throws when there is one, and frees its text.</summary>
    internal static unsafe void Check(byte* error, string call, string path)
    {
        if (error is not null)
        {
            Throw(error, call, path);
        }
    }

    private static unsafe void Throw(byte* error, string call, string path)
    {
        string text = Encoding.UTF8.GetString(
            MemoryMarshal.CreateReadOnlySpanFromNullTerminated(error)
        );
        Rocks.rocksdb_free(error);
        throw new RocksException(call, path, text);
    }
}

/// <summary>rocksdb_options_t.</summary>
internal sealed class OptionsHandle() : RocksHandle(Rocks.rocksdb_options_create())
{
    protected override bool ReleaseHandle()
    {
        Rocks.rocksdb_options_destroy(handle);
        return true;
    }
}

/// <summary>rocksdb_cache_t: the block cache that all stores of the process share.</summary>
internal sealed class CacheHandle(long capacityBytes)
    : RocksHandle(Rocks.rocksdb_cache_create_lru((nuint)capacityBytes))
{
    /// <summary>Bytes held now.</summary>
    public long UsageBytes => (long)Rocks.rocksdb_cache_get_usage(handle);

    protected override bool ReleaseHandle()
    {
        Rocks.rocksdb_cache_destroy(handle);
        return true;
    }
}

/// <summary>An object within a database, which must not be closed before it, not even by finalizers after a bug.</summary>
internal abstract class OwnedHandle : RocksHandle
{
    private readonly Database _database;
    private readonly bool _isCounted;

    protected OwnedHandle(Database database, nint value)
        : base(value)
    {
        _database = database;
        database.DangerousAddRef(ref _isCounted);
    }

    /// <summary>Destroys the native object.</summary>
    protected abstract void Destroy();

    protected sealed override bool ReleaseHandle()
    {
        Destroy();
        if (_isCounted)
        {
            _database.DangerousRelease();
        }

        return true;
    }
}

/// <summary>rocksdb_column_family_handle_t.</summary>
internal sealed class FamilyHandle(Database database, nint value) : OwnedHandle(database, value)
{
    protected override void Destroy() => Rocks.rocksdb_column_family_handle_destroy(handle);
}

/// <summary>rocksdb_readoptions_t.</summary>
internal sealed class ReadOptionsHandle : RocksHandle
{
    /// <param name="fillCache">Whether blocks that are read stay in the cache; not for scans.</param>
    public ReadOptionsHandle(bool fillCache)
        : base(Rocks.rocksdb_readoptions_create()) =>
        Rocks.rocksdb_readoptions_set_fill_cache(handle, fillCache ? (byte)1 : (byte)0);

    protected override bool ReleaseHandle()
    {
        Rocks.rocksdb_readoptions_destroy(handle);
        return true;
    }
}

/// <summary>rocksdb_writeoptions_t with sync.</summary>
internal sealed class SyncWriteOptionsHandle : RocksHandle
{
    public SyncWriteOptionsHandle()
        : base(Rocks.rocksdb_writeoptions_create()) =>
        Rocks.rocksdb_writeoptions_set_sync(handle, 1);

    protected override bool ReleaseHandle()
    {
        Rocks.rocksdb_writeoptions_destroy(handle);
        return true;
    }
}

/// <summary>rocksdb_ingestexternalfileoptions_t that moves files.</summary>
internal sealed class IngestOptionsHandle : RocksHandle
{
    public IngestOptionsHandle()
        : base(Rocks.rocksdb_ingestexternalfileoptions_create()) =>
        Rocks.rocksdb_ingestexternalfileoptions_set_move_files(handle, 1);

    protected override bool ReleaseHandle()
    {
        Rocks.rocksdb_ingestexternalfileoptions_destroy(handle);
        return true;
    }
}

/// <summary>rocksdb_envoptions_t.</summary>
internal sealed class EnvOptionsHandle() : RocksHandle(Rocks.rocksdb_envoptions_create())
{
    protected override bool ReleaseHandle()
    {
        Rocks.rocksdb_envoptions_destroy(handle);
        return true;
    }
}
