using Dedup.Topology.Identify;

namespace Dedup.Host.Advise;

/// <summary>What a candidate takes the ID from, in the order in which equals are preferred: the cheaper goes first.</summary>
public enum CandidateKind
{
    /// <summary>What the user named.</summary>
    Given,

    /// <summary>The key.</summary>
    Key,

    /// <summary>A header.</summary>
    Header,

    /// <summary>A path in the JSON payload.</summary>
    Json,

    /// <summary>The content of the payload.</summary>
    Content,
}

/// <summary>A recipe that is tried on the sample.</summary>
/// <param name="Kind">What it takes the ID from.</param>
/// <param name="Name">The recipe for people: <c>json:$.event_id</c>.</param>
/// <param name="Yaml">The recipe as it stands behind <c>id:</c> in dedup.yaml, in one line.</param>
/// <param name="Recipe">The recipe.</param>
/// <param name="Promise">How much its name and its values look like an event ID; only decides between equals.</param>
public sealed record Candidate(
    CandidateKind Kind,
    string Name,
    string Yaml,
    Recipe Recipe,
    int Promise = 0
);
