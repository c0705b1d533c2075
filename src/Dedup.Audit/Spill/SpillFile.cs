using Microsoft.Win32.SafeHandles;

namespace Dedup.Audit.Spill;

/// <summary>
/// A temporary file that nobody else sees. It is unlinked as soon as it is open (where the system allows it), so that it
/// is gone with the process, however that ends. Made at the first write.
/// </summary>
internal sealed class SpillFile(string directory) : IDisposable
{
    private readonly Lock _lock = new();
    private SafeFileHandle? _handle;
    private long _length;

    /// <summary>Bytes written.</summary>
    public long Length => Interlocked.Read(ref _length);

    /// <summary>Appends and returns where.</summary>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        SafeFileHandle handle = Open();
        long at = Interlocked.Add(ref _length, bytes.Length) - bytes.Length;
        try
        {
            RandomAccess.Write(handle, bytes, at);
        }
        catch (IOException e)
        {
            throw new AuditException(
                $"the audit's temporary file in {directory} cannot be written ({e.Message}): free space there, name another directory, or allow more memory",
                e
            );
        }

        return at;
    }

    /// <summary>Reads exactly that many bytes.</summary>
    public void Read(long offset, Span<byte> target)
    {
        while (target.Length > 0)
        {
            int read = RandomAccess.Read(_handle!, target, offset);
            if (read == 0)
            {
                throw new AuditException(
                    $"the audit's temporary file in {directory} was cut short by somebody else"
                );
            }

            target = target[read..];
            offset += read;
        }
    }

    public void Dispose() => _handle?.Dispose();

    private SafeFileHandle Open()
    {
        if (_handle is { } open)
        {
            return open;
        }

        lock (_lock)
        {
            if (_handle is null)
            {
                _ = Directory.CreateDirectory(directory);
                string path = Path.Combine(
                    directory,
                    $"dedup-verify-{Environment.ProcessId}-{Guid.NewGuid():n}.tmp"
                );
                _handle = File.OpenHandle(
                    path,
                    FileMode.CreateNew,
                    FileAccess.ReadWrite,
                    FileShare.Delete,
                    FileOptions.DeleteOnClose
                );
                if (!OperatingSystem.IsWindows())
                {
                    File.Delete(path);
                }
            }

            return _handle;
        }
    }
}
