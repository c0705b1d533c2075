using System.Globalization;
using System.Runtime.InteropServices;
using Dedup.Host.Commands;
using Dedup.Host.Configuration;
using Dedup.RocksDb;
using Dedup.Topology.Proof;

namespace Dedup.Host.CrashTest;

/// <summary>
/// A test facility: ends this very process with SIGKILL when it passes a named point for the k-th time, so that nothing is
/// unwound, flushed, or told to the broker. Asked for by <see cref="Variable"/>; never on by itself.
/// </summary>
internal sealed class KillAtPoint : ICrashPoints
{
    /// <summary>The environment variable, <c>POINT[:K]</c>; K from 1, by default 1.</summary>
    public const string Variable = "DEDUP_CRASH_AT";

    private const int SignalKill = 9;

    private readonly long _passing;
    private long _passed;

    private KillAtPoint(string point, long passing)
    {
        Point = point;
        _passing = passing;
    }

    /// <summary>Every named point of the product, those of a transaction first.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [.. CrashPoints.All, .. StoreCrashPoints.All];

    /// <summary>The point.</summary>
    public string Point { get; }

    /// <inheritdoc/>
    public bool WantsRecords => Point == CrashPoints.AfterProduce;

    /// <inheritdoc/>
    public void Reached(string point)
    {
        // Lanes and the store's worker pass points from their own threads.
        if (point == Point && Interlocked.Increment(ref _passed) == _passing)
        {
            _ = NativeMethods.Kill(Environment.ProcessId, SignalKill);
            // The kernel may need a moment for the other threads; this one must not go a step further.
            Thread.Sleep(Timeout.Infinite);
        }
    }

    /// <summary>What the environment asks for; null: nothing.</summary>
    /// <exception cref="ProblemException">It names no point, or no number.</exception>
    public static KillAtPoint? FromEnvironment(Func<string, string?> environment) =>
        environment(Variable) is { Length: > 0 } text ? Parse(text) : null;

    /// <summary>The same from a text.</summary>
    /// <exception cref="ProblemException">It names no point, or no number.</exception>
    public static KillAtPoint Parse(string text)
    {
        string[] parts = text.Split(':', 2);
        RefuseUnknown(parts[0], Variable);
        long passing = 1;
        if (
            parts.Length == 2
            && (
                !long.TryParse(
                    parts[1],
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out passing
                )
                || passing < 1
            )
        )
        {
            throw new ProblemException(
                ExitCode.Usage,
                $"{Variable}: '{parts[1]}' is no number of passings",
                $"write POINT or POINT:K with K from 1, such as {CrashPoints.AfterOffsets}:3"
            );
        }

        return new KillAtPoint(parts[0], passing);
    }

    /// <summary>Throws when there is no such point; <paramref name="where"/> is what named it.</summary>
    /// <exception cref="ProblemException">There is none.</exception>
    public static void RefuseUnknown(string point, string where)
    {
        if (!Names.Contains(point))
        {
            string near = Nearest.To(point, Names) is { } name ? $"did you mean {name}? " : "";
            throw new ProblemException(
                ExitCode.Usage,
                $"{where}: there is no crash point '{point}'",
                $"{near}one of {string.Join(", ", Names)}"
            );
        }
    }

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "kill", ExactSpelling = true)]
        internal static extern int Kill(int processId, int signal);
    }
}
