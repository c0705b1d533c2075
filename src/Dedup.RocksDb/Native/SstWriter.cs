using System.Text;

namespace Dedup.RocksDb.Native;

/// <summary>Writes one SST file; keys must come in ascending order.</summary>
internal sealed unsafe class SstWriter : RocksHandle
{
    private readonly string _path;
    private bool _isOpen;

    /// <summary>Opens a file for writing.</summary>
    public SstWriter(EnvOptionsHandle environment, OptionsHandle options, string path)
        : base(Rocks.rocksdb_sstfilewriter_create(environment.Pointer, options.Pointer))
    {
        _path = path;
        byte* error = null;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            Rocks.rocksdb_sstfilewriter_open(handle, name, &error);
        }

        Check(error, nameof(Rocks.rocksdb_sstfilewriter_open), path);
        _isOpen = true;
    }

    /// <summary>Appends an entry.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        byte* error = null;
        fixed (byte* k = key)
        fixed (byte* v = value)
        {
            Rocks.rocksdb_sstfilewriter_put(
                handle,
                k,
                (nuint)key.Length,
                v,
                (nuint)value.Length,
                &error
            );
        }

        Check(error, nameof(Rocks.rocksdb_sstfilewriter_put), _path);
    }

    /// <summary>Completes the file and syncs it.</summary>
    public void Finish()
    {
        ObjectDisposedException.ThrowIf(!_isOpen, this);
        _isOpen = false;
        byte* error = null;
        Rocks.rocksdb_sstfilewriter_finish(handle, &error);
        Check(error, nameof(Rocks.rocksdb_sstfilewriter_finish), _path);
    }

    protected override bool ReleaseHandle()
    {
        Rocks.rocksdb_sstfilewriter_destroy(handle);
        return true;
    }
}
