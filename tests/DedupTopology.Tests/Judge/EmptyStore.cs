using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Ports;

namespace DedupTopology.Tests.Judge;

/// <summary>A store that has seen nothing and allocates nothing.</summary>
internal sealed class EmptyStore : IFirstSeenStore
{
    public StoreHeader? Header => null;

    public long Count => 0;

    public long MemoryBytes => 0;

    public bool WantsSeal => false;

    public bool IsFull => false;

    public ImmutableArray<BucketId> Buckets => [];

    public void Find(ReadOnlySpan<StoreProbe> probes, Span<StoreHit> hits) =>
        hits[..probes.Length].Clear();

    public void Add(ReadOnlySpan<NewEntry> entries) { }

    public void BeginSeal(StoreHeader header) { }

    public void Step() { }

    public void WaitForSeal() { }

    public void DropBuckets(ReadOnlySpan<BucketId> buckets) { }

    public void Close(StoreHeader? header) { }

    public void Dispose() { }
}
