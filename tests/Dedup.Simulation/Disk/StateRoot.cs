namespace Dedup.Simulation.Disk;

/// <summary>A directory for real stores that goes away with its user.</summary>
public sealed class StateRoot : IDisposable
{
    /// <summary>Makes it, in memory where there is such a place: it is not the disk that is tested, and stores sync often.</summary>
    public StateRoot()
    {
        string parent = System.IO.Directory.Exists("/dev/shm")
            ? "/dev/shm"
            : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(parent, "dedup-simulation-" + Guid.NewGuid().ToString("n"));
        _ = System.IO.Directory.CreateDirectory(Path);
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public void Dispose() => System.IO.Directory.Delete(Path, recursive: true);
}
