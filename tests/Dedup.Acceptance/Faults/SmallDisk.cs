using System.ComponentModel;
using System.Diagnostics;
using Dedup.Host.Brokers;

namespace Dedup.Acceptance.Faults;

/// <summary>A small file system of its own (tmpfs) at a directory, where this user may mount one; goes with the test, or with this process.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int PieceBytes = 64 << 10;

    private readonly string _path;
    private readonly OrphanGuard _guard;

    private SmallDisk(string path)
    {
        _path = path;
        // Lazily: what still has a file open there keeps it until its own end, and nothing stays.
        _guard = OrphanGuard.ForCommand("umount", "--lazy", path);
    }

    private string Filler => Path.Combine(_path, "filler");

    /// <summary>Mounts it; null where that is not allowed.</summary>
    public static SmallDisk? TryMount(string path, int mebibytes)
    {
        _ = Directory.CreateDirectory(path);
        return Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "dedup-test", path)
            ? new SmallDisk(path)
            : null;
    }

    /// <summary>Takes all space that is left.</summary>
    public void Fill()
    {
        byte[] piece = new byte[PieceBytes];
        try
        {
            using var file = new FileStream(
                Filler,
                FileMode.Append,
                FileAccess.Write,
                FileShare.None,
                0
            );
            while (true)
            {
                file.Write(piece);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>Gives the space back.</summary>
    public void Free() => File.Delete(Filler);

    public void Dispose() => _guard.Dispose();

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardError = true }
            );
            process!.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
