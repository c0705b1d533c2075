using System.Collections.Immutable;
using Dedup.Host.Guards;

namespace Dedup.Host.Topics;

/// <summary>What a topic is for in a pipeline.</summary>
public enum TopicRole
{
    /// <summary>Read.</summary>
    Input,

    /// <summary>Gets first occurrences.</summary>
    Clean,

    /// <summary>Gets what cannot be judged.</summary>
    Quarantine,

    /// <summary>Gets suppressed duplicates.</summary>
    Duplicates,

    /// <summary>Remembers.</summary>
    Changelog,

    /// <summary>Lies between the two hops of by-id.</summary>
    Repartition,

    /// <summary>Remembers how far the first hop of by-id is.</summary>
    RekeyChangelog,
}

/// <summary>A topic property that a pipeline needs.</summary>
/// <param name="Name">Kafka's name of it.</param>
/// <param name="Wanted">The value that <c>dedup topics</c> sets.</param>
/// <param name="Accepts">Whether another value is as good.</param>
/// <param name="Severity">Whether Dedup starts without it.</param>
/// <param name="Why">What happens without it.</param>
public sealed record ConfigRequirement(
    string Name,
    string Wanted,
    Func<string, bool> Accepts,
    Severity Severity,
    string Why
);

/// <summary>What a pipeline needs of a topic.</summary>
/// <param name="Pipeline">The pipeline.</param>
/// <param name="Role">The topic's role.</param>
/// <param name="Topic">Its name.</param>
/// <param name="Partitions">How many partitions.</param>
/// <param name="MayHaveMore">Whether more partitions do no harm.</param>
/// <param name="Configs">Properties.</param>
public sealed record TopicRequirement(
    string Pipeline,
    TopicRole Role,
    string Topic,
    int Partitions,
    bool MayHaveMore,
    ImmutableArray<ConfigRequirement> Configs
)
{
    /// <summary>The role as it stands in the configuration.</summary>
    public string RoleText =>
        Role == TopicRole.RekeyChangelog ? "rekey-changelog" : Role.ToString().ToLowerInvariant();
}
