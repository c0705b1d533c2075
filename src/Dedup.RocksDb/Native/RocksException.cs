namespace Dedup.RocksDb.Native;

/// <summary>What kind of error RocksDB reported; the consequence differs.</summary>
internal enum RocksErrorKind : byte
{
    /// <summary>Anything that is not one of the others: full disk, I/O error, too many open files. The lane fails.</summary>
    InputOutput,

    /// <summary>What lies on disk is damaged. The store is set aside and restored.</summary>
    Corruption,

    /// <summary>Someone else has the directory open. Wait.</summary>
    LockHeld,

    /// <summary>No space left on the device.</summary>
    NoSpace,

    /// <summary>The process may open no more files.</summary>
    TooManyOpenFiles,
}

/// <summary>An error of RocksDB, with the call and the path.</summary>
internal sealed class RocksException : Exception
{
    public RocksException(string call, string path, string message)
        : base($"{call} {path}: {message}") => Kind = Classify(message);

    /// <summary>What kind of error it is.</summary>
    public RocksErrorKind Kind { get; }

    /// <summary>
    /// RocksDB's C API passes the status on as text, so the text is what there is to judge by: the prefix is the status code,
    /// what follows comes from strerror.
    /// </summary>
    internal static RocksErrorKind Classify(string message)
    {
        if (
            message.Contains("No space left", StringComparison.Ordinal)
            || message.Contains("NoSpace", StringComparison.Ordinal)
        )
        {
            return RocksErrorKind.NoSpace;
        }

        if (message.Contains("Too many open files", StringComparison.Ordinal))
        {
            return RocksErrorKind.TooManyOpenFiles;
        }

        if (
            message.Contains("lock hold by current process", StringComparison.Ordinal)
            || message.Contains("While lock file", StringComparison.Ordinal)
        )
        {
            return RocksErrorKind.LockHeld;
        }

        // A file that the MANIFEST names and that is not there is damage, whatever code RocksDB gives it.
        return
            message.StartsWith("Corruption", StringComparison.Ordinal)
            || message.Contains("No such file or directory", StringComparison.Ordinal)
            || message.Contains("Column families not opened", StringComparison.Ordinal)
            ? RocksErrorKind.Corruption
            : RocksErrorKind.InputOutput;
    }
}
