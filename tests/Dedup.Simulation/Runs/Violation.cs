namespace Dedup.Simulation.Runs;

/// <summary>A broken invariant.</summary>
/// <param name="Invariant">I1 to I6, or Failure, Exception.</param>
/// <param name="What">What was found, with the records involved.</param>
public sealed record Violation(string Invariant, string What);

/// <summary>How a run ended.</summary>
public sealed record RunResult
{
    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The first broken invariant; null when all held.</summary>
    public Violation? Violation { get; init; }

    /// <summary>Hash of the whole trace.</summary>
    public required ulong TraceHash { get; init; }

    /// <summary>Ms that passed in the world.</summary>
    public required long WorldMs { get; init; }

    /// <summary>Steps of lanes.</summary>
    public required long Steps { get; init; }

    /// <summary>Faults that happened.</summary>
    public required int Faults { get; init; }

    /// <summary>Faults by kind.</summary>
    public required int[] FaultCounts { get; init; }

    /// <summary>Records of the input.</summary>
    public required int Records { get; init; }

    /// <summary>Transactions that lanes saw committed.</summary>
    public required long Commits { get; init; }

    /// <summary>Ms of the quiet phase until everything was consumed.</summary>
    public required long QuietMs { get; init; }

    /// <summary>How often a lane joined again because the group protocol had left partitions to nobody.</summary>
    public int Rejoins { get; init; }
}

/// <summary>Carries a violation out of the run.</summary>
public sealed class ViolationException(Violation violation) : Exception(violation.What)
{
    /// <summary>The violation.</summary>
    public Violation Violation { get; } = violation;
}
