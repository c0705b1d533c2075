namespace Dedup.Simulation.Worlds;

/// <summary>
/// Death of a process in the middle of a port call. The lane may swallow it: every later port call of the dead throws it
/// again, so nothing it still does can be seen from outside.
/// </summary>
public sealed class CrashException : Exception
{
    /// <summary>Names where.</summary>
    public CrashException(string message)
        : base(message) { }
}
