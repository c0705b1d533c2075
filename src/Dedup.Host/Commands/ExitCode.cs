namespace Dedup.Host.Commands;

/// <summary>What the program's end says to a script.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>A check found something.</summary>
    public const int Found = 1;

    /// <summary>Usage or configuration: nothing was begun.</summary>
    public const int Usage = 2;

    /// <summary>A lane failed; nothing is lost, and a restart goes on.</summary>
    public const int LaneFailed = 3;

    /// <summary>Ended by a second signal, as shells count it (128 + SIGTERM).</summary>
    public const int Killed = 143;
}

/// <summary>An error that a user sees in one line: what happened, to what, and what to do about it.</summary>
public sealed class ProblemException : Exception
{
    /// <summary>Makes one.</summary>
    public ProblemException(int exitCode, string what, string fix, Exception? inner = null)
        : base($"{what}; fix: {fix}", inner) => ExitCode = exitCode;

    /// <summary>The exit code that goes with it.</summary>
    public int ExitCode { get; }
}
