using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;

namespace Dedup.RocksDb.Native;

/// <summary>An open RocksDB. Its column families must be disposed of before it.</summary>
internal sealed unsafe class Database : RocksHandle
{
    /// <summary>Name of the column family that every RocksDB has.</summary>
    public const string DefaultFamily = "default";

    private Database(nint value, string path)
        : base(value) => Path = path;

    /// <summary>Where it lies.</summary>
    public string Path { get; }

    /// <summary>Names of the column families on disk; the database must exist.</summary>
    public static ImmutableArray<string> ListFamilies(OptionsHandle options, string path)
    {
        byte* error = null;
        nuint count;
        byte** names;
        fixed (byte* p = Terminated(path))
        {
            names = Rocks.rocksdb_list_column_families(options.Pointer, p, &count, &error);
        }

        Check(error, nameof(Rocks.rocksdb_list_column_families), path);
        var list = ImmutableArray.CreateBuilder<string>((int)count);
        for (int i = 0; i < (int)count; i++)
        {
            list.Add(
                Encoding.UTF8.GetString(
                    MemoryMarshal.CreateReadOnlySpanFromNullTerminated(names[i])
                )
            );
        }

        Rocks.rocksdb_list_column_families_destroy(names, count);
        return list.MoveToImmutable();
    }

    /// <summary>Opens with all column families.</summary>
    /// <param name="options">Options of the database and the default family.</param>
    /// <param name="familyOptions">Options of every other family.</param>
    /// <param name="path">Directory.</param>
    /// <param name="names">All families on disk, the default one among them.</param>
    /// <param name="families">Their handles, in the order of <paramref name="names"/>.</param>
    public static Database Open(
        OptionsHandle options,
        OptionsHandle familyOptions,
        string path,
        ImmutableArray<string> names,
        out FamilyHandle[] families
    )
    {
        byte* error = null;
        var handles = new nint[names.Length];
        var optionsOf = new nint[names.Length];
        var texts = new nint[names.Length];
        nint db;
        try
        {
            for (int i = 0; i < names.Length; i++)
            {
                optionsOf[i] = names[i] == DefaultFamily ? options.Pointer : familyOptions.Pointer;
                texts[i] = Marshal.StringToCoTaskMemUTF8(names[i]);
            }

            fixed (byte* p = Terminated(path))
            fixed (nint* h = handles)
            fixed (nint* o = optionsOf)
            fixed (nint* t = texts)
            {
                db = Rocks.rocksdb_open_column_families(
                    options.Pointer,
                    p,
                    names.Length,
                    (byte**)t,
                    o,
                    h,
                    &error
                );
            }
        }
        finally
        {
            Array.ForEach(texts, Marshal.FreeCoTaskMem);
        }

        Check(error, nameof(Rocks.rocksdb_open_column_families), path);
        var database = new Database(db, path);
        families = Array.ConvertAll(handles, h => new FamilyHandle(database, h));
        return database;
    }

    /// <summary>Makes a column family.</summary>
    public FamilyHandle CreateFamily(OptionsHandle options, string name)
    {
        byte* error = null;
        nint family;
        fixed (byte* n = Terminated(name))
        {
            family = Rocks.rocksdb_create_column_family(handle, options.Pointer, n, &error);
        }

        Check(error, nameof(Rocks.rocksdb_create_column_family), $"{Path} {name}");
        return new FamilyHandle(this, family);
    }

    /// <summary>Drops a column family with all that is in it; the handle is disposed of by the caller.</summary>
    public void DropFamily(FamilyHandle family)
    {
        byte* error = null;
        Rocks.rocksdb_drop_column_family(handle, family.Pointer, &error);
        Check(error, nameof(Rocks.rocksdb_drop_column_family), Path);
    }

    /// <summary>Writes a value.</summary>
    public void Put(
        SyncWriteOptionsHandle options,
        FamilyHandle family,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> value
    )
    {
        byte* error = null;
        fixed (byte* k = key)
        fixed (byte* v = value)
        {
            Rocks.rocksdb_put_cf(
                handle,
                options.Pointer,
                family.Pointer,
                k,
                (nuint)key.Length,
                v,
                (nuint)value.Length,
                &error
            );
        }

        Check(error, nameof(Rocks.rocksdb_put_cf), Path);
    }

    /// <summary>Reads a value into the target. Hot path: no managed allocation.</summary>
    /// <returns>Length of the value, which may exceed the target (then only its beginning is copied); -1 when there is none.</returns>
    public int Get(
        ReadOptionsHandle options,
        FamilyHandle family,
        ReadOnlySpan<byte> key,
        Span<byte> target
    )
    {
        byte* error = null;
        nint slice;
        fixed (byte* k = key)
        {
            slice = Rocks.rocksdb_get_pinned_cf(
                handle,
                options.Pointer,
                family.Pointer,
                k,
                (nuint)key.Length,
                &error
            );
        }

        Check(error, nameof(Rocks.rocksdb_get_pinned_cf), Path);
        if (slice == 0)
        {
            return -1;
        }

        nuint length;
        byte* value = Rocks.rocksdb_pinnableslice_value(slice, &length);
        new ReadOnlySpan<byte>(value, Math.Min((int)length, target.Length)).CopyTo(target);
        Rocks.rocksdb_pinnableslice_destroy(slice);
        return (int)length;
    }

    /// <summary>Moves an SST file into a column family.</summary>
    public void Ingest(IngestOptionsHandle options, FamilyHandle family, string file)
    {
        byte* error = null;
        fixed (byte* f = Terminated(file))
        {
            byte* files = f;
            Rocks.rocksdb_ingest_external_file_cf(
                handle,
                family.Pointer,
                &files,
                1,
                options.Pointer,
                &error
            );
        }

        Check(error, nameof(Rocks.rocksdb_ingest_external_file_cf), file);
    }

    /// <summary>Bytes of the files of a family.</summary>
    public long FileBytes(FamilyHandle family) =>
        Property(family, "rocksdb.live-sst-files-size\0"u8);

    /// <summary>Bytes of indexes and filters of open files.</summary>
    public long ReaderBytes(FamilyHandle family) =>
        Property(family, "rocksdb.estimate-table-readers-mem\0"u8);

    /// <summary>Stops compactions and waits for them, so that closing does not wait for a long one to end.</summary>
    public void CancelBackgroundWork() => Rocks.rocksdb_cancel_all_background_work(handle, 1);

    protected override bool ReleaseHandle()
    {
        Rocks.rocksdb_close(handle);
        return true;
    }

    private long Property(FamilyHandle family, ReadOnlySpan<byte> terminated)
    {
        ulong value = 0;
        fixed (byte* name = terminated)
        {
            return Rocks.rocksdb_property_int_cf(handle, family.Pointer, name, &value) == 0
                ? (long)value
                : 0;
        }
    }

    private static byte[] Terminated(string text) => Encoding.UTF8.GetBytes(text + '\0');
}
