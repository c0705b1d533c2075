namespace Dedup.Host.Schemas;

/// <summary>How the payloads of a pipeline are validated.</summary>
/// <param name="Registry">Address of the schema registry; user and password in it are secrets.</param>
/// <param name="ForwardsUnchecked">
/// Whether a record whose schema cannot be had goes on unchecked and counted; else it goes to quarantine.
/// </param>
public sealed record ValidationSettings(Uri Registry, bool ForwardsUnchecked)
{
    /// <summary>The address without secrets; a record's own text would print them.</summary>
    public override string ToString() =>
        $"{RegistryClient.Plain(Registry)}, on-unavailable {(ForwardsUnchecked ? "forward" : "quarantine")}";
}
