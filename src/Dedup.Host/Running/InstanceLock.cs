using System.Globalization;
using System.Security.Cryptography;
using Dedup.Host.Guards;

namespace Dedup.Host.Running;

/// <summary>
/// The state directory held by this process: a lock file that lives as long as the process (the kernel lets go of it at a
/// kill -9 as well), and the instance id that transactional ids are made of. Both together make sure that a restart fences
/// its own predecessor and that no two processes ever fence each other.
/// </summary>
public sealed class InstanceLock : IDisposable
{
    private const int IdLength = 8;

    private readonly FileStream _lock;

    private InstanceLock(string directory, FileStream file, string instanceId)
    {
        Directory = directory;
        _lock = file;
        InstanceId = instanceId;
    }

    /// <summary>The state directory.</summary>
    public string Directory { get; }

    /// <summary>Eight letters and digits, made at the first start and kept.</summary>
    public string InstanceId { get; }

    /// <summary>Makes the directory if needed, and takes it; findings instead when that cannot be.</summary>
    /// <param name="directory">Absolute path of the state directory.</param>
    /// <param name="where">Where it was configured.</param>
    /// <param name="findings">Grows by what is in the way.</param>
    public static InstanceLock? Take(string directory, string where, FindingList findings)
    {
        const string Fix =
            "give a directory that this user can write to: state.directory, or --state";
        FileStream? file = null;
        try
        {
            _ = System.IO.Directory.CreateDirectory(directory);
            file = TryLock(Path.Combine(directory, "lock"));
            if (file is null)
            {
                findings.Error(
                    where,
                    $"state directory {directory} is used by another process{Holder(directory)}",
                    "stop that one, or give each process a state directory of its own"
                );
                return null;
            }

            WriteHolder(directory);
            return new InstanceLock(directory, file, ReadOrMakeId(directory));
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            file?.Dispose();
            findings.Error(
                where,
                $"state directory {directory} cannot be written to: {e.Message}",
                Fix
            );
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static FileStream? TryLock(string path)
    {
        try
        {
            // FileShare.None is an exclusive flock on Unix.
            return new FileStream(
                path,
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None
            );
        }
        catch (IOException e) when (IsLockedByOther(e))
        {
            return null;
        }
    }

    // EWOULDBLOCK is 11 on Linux and 35 on macOS; .NET hands errno over in the HResult.
    private static bool IsLockedByOther(IOException e) =>
        e is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException)
        && (e.HResult & 0xFFFF) is 11 or 35 or 32;

    // Beside the lock and not in it: a locked file cannot be opened by those who want to know who holds it.
    private static string HolderFile(string directory) => Path.Combine(directory, "lock.pid");

    private static void WriteHolder(string directory) =>
        File.WriteAllText(
            HolderFile(directory),
            Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"
        );

    private static string Holder(string directory)
    {
        try
        {
            return int.TryParse(
                File.ReadAllText(HolderFile(directory)),
                NumberStyles.AllowTrailingWhite,
                CultureInfo.InvariantCulture,
                out int pid
            )
                ? $", PID {pid}"
                : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string ReadOrMakeId(string directory)
    {
        string path = Path.Combine(directory, "instance-id");
        if (File.Exists(path))
        {
            string known = File.ReadAllText(path).Trim();
            if (
                known.Length is > 0 and <= 64
                && known.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-')
            )
            {
                return known;
            }
        }

        string made = RandomNumberGenerator.GetHexString(IdLength, lowercase: true);
        // Written beside and renamed: a crash leaves the whole id or none, never half of one.
        string draft = path + ".new";
        File.WriteAllText(draft, made + "\n");
        File.Move(draft, path, overwrite: true);
        return made;
    }
}
