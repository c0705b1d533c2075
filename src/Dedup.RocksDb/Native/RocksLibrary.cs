using System.Reflection;
using System.Runtime.InteropServices;

namespace Dedup.RocksDb.Native;

/// <summary>Finds librocksdb. The C API is stable: 7.8 (Debian) and 10.1 (the library inside rocksdbjni) are tested.</summary>
internal static class RocksLibrary
{
    /// <summary>The name used in the imports.</summary>
    public const string Name = "rocksdb";

    /// <summary>Names a library file to be used in place of the system's.</summary>
    public const string Variable = "DEDUP_ROCKSDB_LIBRARY";

    // Newest tested first; the plain name exists only where the development package is installed.
    private static readonly string[] _candidates =
    [
        "librocksdb.so.7.8",
        "librocksdb.so.7",
        "librocksdb.so.8",
        "librocksdb.so.8.9",
        "librocksdb.so.8.11",
        "librocksdb.so.9",
        "librocksdb.so.9.10",
        "librocksdb.so.10",
        "librocksdb.so.10.1",
        "librocksdb.so.10.2",
        "librocksdb.so",
    ];

    private static readonly Lazy<nint> _handle = new(Load);

    /// <summary>Makes the imports of this assembly resolve; called once, before the first of them.</summary>
    public static void Register() =>
        NativeLibrary.SetDllImportResolver(
            typeof(RocksLibrary).Assembly,
            static (name, _, _) => name == Name ? _handle.Value : 0
        );

    private static nint Load()
    {
        string? chosen = Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrEmpty(chosen))
        {
            return NativeLibrary.TryLoad(chosen, out nint named)
                ? named
                : throw new DllNotFoundException(
                    $"{Variable}={chosen}: the library cannot be loaded."
                );
        }

        Assembly assembly = typeof(RocksLibrary).Assembly;
        foreach (string candidate in _candidates)
        {
            if (NativeLibrary.TryLoad(candidate, assembly, null, out nint found))
            {
                return found;
            }
        }

        throw new DllNotFoundException(
            $"librocksdb was not found: install it (Debian, Ubuntu: apt-get install librocksdb7.8) or name the file in {Variable}."
        );
    }
}
