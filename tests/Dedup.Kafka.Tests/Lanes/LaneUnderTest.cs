using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Kafka.Lanes;
using Dedup.Topology.Identify;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;
using Dedup.Topology.Records;
using Dedup.Topology.Windows;

namespace Dedup.Kafka.Tests.Lanes;

/// <summary>
/// A lane whose broker agrees to everything and has nothing to say: its tasks open their stores and then wait for the bounds
/// of the changelog. What the lane does with stores and assignments shows without a broker.
/// </summary>
internal sealed class LaneUnderTest : IDisposable
{
    private static readonly PipelineSpec Spec = new()
    {
        Name = "p",
        Input = "in",
        Clean = "clean",
        Quarantine = "quarantine",
        Recipe = Recipe.Key,
        Windows = [new WindowClass(0, "", 1_000, 1_000)],
    };

    private readonly ManualTime _time = new();

    public LaneUnderTest(LaneOptions? options = null)
    {
        Lane = new Lane(
            Spec,
            new StateIdentity("cluster", "topic", 4, Spec.StateVersion),
            options ?? new LaneOptions(),
            new LanePorts(
                Source,
                Sink,
                Changelog,
                new NobodyPending(),
                Stores,
                _time,
                static () => (1, 2),
                SilentObserver.Instance,
                NoCrashPoints.Instance
            )
        );
        Steps(3);
    }

    public Lane Lane { get; }

    public QuietSource Source { get; } = new();

    public WillingSink Sink { get; } = new();

    public FakeStores Stores { get; } = new();

    public FakeChangelog Changelog { get; } = new();

    /// <summary>A marker of this pipeline's state, at an input offset.</summary>
    public static Marker MarkerAt(long inputOffset) =>
        new()
        {
            RecipeVersion = Spec.StateVersion,
            ClusterId = "cluster",
            InputTopicId = "topic",
            PartitionCount = 4,
            HashKey0 = 1,
            HashKey1 = 2,
            InputOffset = inputOffset,
            Writer = "t",
            Classes = [],
            Buckets = [],
            Counts = [],
        };

    public void Steps(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _ = Lane.Step();
        }
    }

    /// <summary>Lets time pass while the lane steps, or while it does not.</summary>
    public void Pass(TimeSpan time, bool steps = true)
    {
        var piece = TimeSpan.FromMilliseconds(100);
        if (!steps)
        {
            _time.Advance(time);
        }

        for (TimeSpan passed = default; steps && passed < time; passed += piece)
        {
            _time.Advance(piece);
            _ = Lane.Step();
        }
    }

    public void Dispose() => Lane.Dispose();

    /// <summary>Assignments as the test says; no records.</summary>
    internal sealed class QuietSource : IRecordSource
    {
        private readonly Queue<Action<IAssignmentListener>> _events = [];
        private readonly SortedDictionary<int, long> _positions = [];
        private IAssignmentListener? _listener;

        public GroupMembership Membership => new Member(MemberId);

        /// <summary>Who the group says that this member is.</summary>
        public string MemberId { get; set; } = "m";

        public int Rejoins { get; private set; }

        public void Assign(params int[] partitions) =>
            _events.Enqueue(listener => listener.OnAssigned(partitions));

        public void Revoke(params int[] partitions) =>
            _events.Enqueue(listener => listener.OnRevoked(partitions));

        public void Lose(params int[] partitions) =>
            _events.Enqueue(listener => listener.OnLost(partitions));

        public void Subscribe(IAssignmentListener listener) => _listener = listener;

        public RecordBatch Poll(int maxRecords, int timeoutMs)
        {
            while (_events.TryDequeue(out Action<IAssignmentListener>? tell))
            {
                tell(_listener!);
            }

            return Log?.Next(_positions) ?? new NoRecords();
        }

        /// <summary>What there is to read; nothing while it is null.</summary>
        public EndlessLog? Log { get; set; }

        public void Seek(int partition, long offset) => _positions[partition] = offset;

        public void Pause(ReadOnlySpan<int> partitions) { }

        public void Resume(ReadOnlySpan<int> partitions) { }

        public long KnownEnd(int partition) => -1;

        /// <summary>What the group has committed; pending while it is null.</summary>
        public Func<long>? CommittedOffset { get; set; }

        public OffsetLookup Committed(int partition, int timeoutMs) =>
            CommittedOffset is null
                ? new OffsetLookup(LookupStatus.Pending, -1, "silent")
                : new OffsetLookup(LookupStatus.Found, CommittedOffset(), null);

        public BoundsLookup Bounds(int partition, int timeoutMs) =>
            CommittedOffset is null
                ? new BoundsLookup(LookupStatus.Pending, default, "silent")
                : new BoundsLookup(LookupStatus.Found, new LogBounds(0, 100_000, 100_000), null);

        public OffsetLookup OffsetAt(int partition, long timestampMs, int timeoutMs) =>
            new(LookupStatus.Pending, -1, "silent");

        public GroupCoverage Coverage(int partitions) => GroupCoverage.Complete;

        public void Rejoin() => Rejoins++;

        public void Close() { }

        public void Dispose() { }

        private sealed class Member(string id) : GroupMembership
        {
            public override int Generation => 1;

            public override string MemberId => id;
        }
    }

    /// <summary>Stores that hold nothing and, as the test says, are locked or fail to close.</summary>
    internal sealed class FakeStores : IStoreFactory
    {
        public HashSet<int> Open { get; } = [];

        public HashSet<int> FailToClose { get; } = [];

        public bool AreLocked { get; set; }

        /// <summary>Partitions whose store was closed with a header, so that it opens again without a replay.</summary>
        public HashSet<int> Sealed { get; } = [];

        /// <summary>What the stores' headers say, by partition.</summary>
        public Dictionary<int, StoreHeader> Headers { get; } = [];

        /// <summary>Partitions whose stores say at their next step that they are damaged.</summary>
        public HashSet<int> Damaged { get; } = [];

        StoreOpening IStoreFactory.Open(int partition)
        {
            if (AreLocked)
            {
                return new StoreOpening(StoreOpenStatus.Locked, null, "LOCK is held");
            }

            _ = Open.Add(partition);
            return new StoreOpening(StoreOpenStatus.Opened, new Store(this, partition), null);
        }

        public void SetAside(int partition, string why) { }

        private sealed class Store(FakeStores stores, int partition) : IFirstSeenStore
        {
            public StoreHeader? Header => stores.Headers.GetValueOrDefault(partition);

            public long Count => 0;

            public long MemoryBytes => 0;

            public bool WantsSeal => false;

            public bool IsFull => false;

            public ImmutableArray<BucketId> Buckets => [];

            public void Find(ReadOnlySpan<StoreProbe> probes, Span<StoreHit> hits) => hits.Clear();

            public void Add(ReadOnlySpan<NewEntry> entries) { }

            public void BeginSeal(StoreHeader header) { }

            public void Step()
            {
                if (stores.Damaged.Remove(partition))
                {
                    throw new StoreFailedException("damaged")
                    {
                        IsCorruption = true,
                        Partition = partition,
                    };
                }
            }

            public void WaitForSeal() { }

            public void DropBuckets(ReadOnlySpan<BucketId> buckets) { }

            public void Close(StoreHeader? header)
            {
                if (header is not null)
                {
                    _ = stores.Sealed.Add(partition);
                }

                if (stores.Open.Remove(partition) && stores.FailToClose.Contains(partition))
                {
                    throw new StoreFailedException($"partition {partition}: the disk is full");
                }
            }

            public void Dispose() => Close(null);
        }
    }

    private sealed class NobodyPending : IFencer
    {
        public PendingLookup Pending(SinkTopic topic, int partition, int timeoutMs) =>
            new(LookupStatus.Found, false, null);

        public WriterLookup PendingWriter(int partition, int timeoutMs) =>
            new(LookupStatus.None, null);

        public TxResult Fence(string transactionalId, int timeoutMs) => TxResult.Ok;
    }

    internal sealed class NoRecords : HeaderlessBatch
    {
        public override int Count => 0;

        public override void Get(int index, out RecordView record) =>
            throw new ArgumentOutOfRangeException(nameof(index));

        public override int PartitionOf(int index) =>
            throw new ArgumentOutOfRangeException(nameof(index));

        public override long OffsetOf(int index) =>
            throw new ArgumentOutOfRangeException(nameof(index));
    }

    private sealed class ManualTime : TimeProvider
    {
        private long _ticks = TimeSpan.TicksPerDay;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;

        public override long GetTimestamp() => _ticks;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(_ticks);
    }
}
