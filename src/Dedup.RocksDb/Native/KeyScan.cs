namespace Dedup.RocksDb.Native;

/// <summary>Walks over all keys of a column family as it was when the scan began.</summary>
internal sealed unsafe class KeyScan : OwnedHandle
{
    private readonly string _path;

    public KeyScan(Database database, FamilyHandle family, ReadOptionsHandle options)
        : base(
            database,
            Rocks.rocksdb_create_iterator_cf(database.Pointer, options.Pointer, family.Pointer)
        )
    {
        _path = database.Path;
        Rocks.rocksdb_iter_seek_to_first(handle);
    }

    /// <summary>Fills the target with the first eight bytes of the next keys, as numbers; returns how many, 0 at the end.</summary>
    public int Read(Span<ulong> target)
    {
        int n = 0;
        while (n < target.Length && Rocks.rocksdb_iter_valid(handle) != 0)
        {
            nuint length;
            byte* key = Rocks.rocksdb_iter_key(handle, &length);
            if (length >= sizeof(ulong))
            {
                target[n++] = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(
                    new ReadOnlySpan<byte>(key, sizeof(ulong))
                );
            }

            Rocks.rocksdb_iter_next(handle);
        }

        if (n < target.Length)
        {
            byte* error = null;
            Rocks.rocksdb_iter_get_error(handle, &error);
            Check(error, nameof(Rocks.rocksdb_iter_get_error), _path);
        }

        return n;
    }

    protected override void Destroy() => Rocks.rocksdb_iter_destroy(handle);
}
