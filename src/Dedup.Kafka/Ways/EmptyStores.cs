using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Topology.Ports;

namespace Dedup.Kafka.Ways;

/// <summary>Stores of the first hop of by-id, which remembers no IDs: its state is the marker alone.</summary>
internal sealed class EmptyStores : IStoreFactory
{
    public StoreOpening Open(int partition) => new(StoreOpenStatus.Opened, new EmptyStore(), null);

    public void SetAside(int partition, string why) { }

    private sealed class EmptyStore : IFirstSeenStore
    {
        public StoreHeader? Header => null;

        public long Count => 0;

        public long MemoryBytes => 0;

        public bool WantsSeal => false;

        public bool IsFull => false;

        public ImmutableArray<BucketId> Buckets => [];

        public void Find(ReadOnlySpan<StoreProbe> probes, Span<StoreHit> hits) => hits.Clear();

        public void Add(ReadOnlySpan<NewEntry> entries)
        {
            if (!entries.IsEmpty)
            {
                throw new InvalidOperationException("The first hop remembers no IDs.");
            }
        }

        public void BeginSeal(StoreHeader header) { }

        public void Step() { }

        public void WaitForSeal() { }

        public void DropBuckets(ReadOnlySpan<BucketId> buckets) { }

        public void Close(StoreHeader? header) { }

        public void Dispose() { }
    }
}
