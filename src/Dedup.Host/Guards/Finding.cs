namespace Dedup.Host.Guards;

/// <summary>How bad a finding is.</summary>
public enum Severity
{
    /// <summary>Worth knowing; Dedup runs.</summary>
    Warning,

    /// <summary>Dedup does not start.</summary>
    Error,
}

/// <summary>One thing that is wrong, as a user reads it: one line.</summary>
/// <param name="Severity">How bad it is.</param>
/// <param name="Where">File and line, command-line option, or the thing in the cluster.</param>
/// <param name="What">What is wrong, without a full stop.</param>
/// <param name="Fix">What to do about it, without a full stop.</param>
public sealed record Finding(Severity Severity, string Where, string What, string Fix)
{
    /// <summary>Lines that explain a choice, printed below; empty for all but a few.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    /// <summary>For example <c>dedup.yaml:12: error: 'windw' is not a setting of a pipeline; fix: write 'window'</c>.</summary>
    public override string ToString() =>
        $"{Where}: {(Severity == Severity.Error ? "error" : "warning")}: {OneLine(What)}; fix: {OneLine(Fix)}";

    private static string OneLine(string text) =>
        text.Contains('\n', StringComparison.Ordinal)
        || text.Contains('\r', StringComparison.Ordinal)
            ? string.Join(
                ' ',
                text.Split(
                    ['\r', '\n'],
                    StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
                )
            )
            : text;
}

/// <summary>Collects findings: reading goes on after the first one, so that a user sees all of them at once.</summary>
public sealed class FindingList
{
    private readonly List<Finding> _all = [];

    /// <summary>What was found, in the order of finding.</summary>
    public IReadOnlyList<Finding> All => _all;

    /// <summary>Whether anything was found that keeps Dedup from starting.</summary>
    public bool HasErrors => _all.Exists(static f => f.Severity == Severity.Error);

    /// <summary>Adds an error.</summary>
    public void Error(string where, string what, string fix) =>
        _all.Add(new Finding(Severity.Error, where, what, fix));

    /// <summary>Adds a warning.</summary>
    public void Warning(string where, string what, string fix) =>
        _all.Add(new Finding(Severity.Warning, where, what, fix));

    /// <summary>Adds findings of somebody else.</summary>
    public void Add(IEnumerable<Finding> findings) => _all.AddRange(findings);
}
