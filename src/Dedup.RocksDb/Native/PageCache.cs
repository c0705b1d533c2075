using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dedup.RocksDb.Native;

/// <summary>Advice to the kernel about files. Without it everything works, only slower.</summary>
internal static partial class PageCache
{
    private const int WillNeed = 3; // POSIX_FADV_WILLNEED in linux/fadvise.h

    /// <summary>
    /// Has a file read into the page cache. SstFileWriter drops the pages of what it has written, and the IDs sealed last are
    /// those that repeat most: each first question about them would wait for the disk.
    /// </summary>
    public static void Load(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            using SafeFileHandle file = File.OpenHandle(path);
            _ = posix_fadvise(file, 0, 0, WillNeed);
        }
    }

    [LibraryImport("libc")]
    private static partial int posix_fadvise(
        SafeFileHandle file,
        long offset,
        long length,
        int advice
    );
}
