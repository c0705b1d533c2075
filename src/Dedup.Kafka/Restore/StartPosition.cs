using Dedup.Contracts.Changelog;
using Dedup.Kafka.Lanes;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Proof;

namespace Dedup.Kafka.Restore;

/// <summary>How the comparison of committed offset, marker, and log ended.</summary>
internal enum StartDecision : byte
{
    /// <summary>The task may begin at the offset.</summary>
    Begin,

    /// <summary>They differ, which may be a race: read both once more.</summary>
    OnceMore,

    /// <summary>Somebody else has gone on since the committed offset was asked for: read both once more, however often that happens.</summary>
    Overtaken,

    /// <summary>The broker has not answered yet.</summary>
    Wait,
}

/// <summary>
/// Where a task begins: at the group's committed offset, else at the marker's, else where the pipeline's <c>start</c> says.
/// Everything that does not fit together is refused here, with both numbers.
/// </summary>
internal sealed class StartPosition(
    PipelineSpec spec,
    StateIdentity identity,
    LanePorts ports,
    LaneOptions options
)
{
    private const string Accept = "start once with --accept-loss to accept that";

    /// <summary>Compares and decides.</summary>
    /// <param name="partition">Input partition.</param>
    /// <param name="marker">Last marker of the changelog, null if it has none.</param>
    /// <param name="committed">The group's committed offset.</param>
    /// <param name="round">How often it was compared before.</param>
    /// <param name="start">Marker to begin with: at its input offset.</param>
    public StartDecision Decide(
        int partition,
        Marker? marker,
        OffsetLookup committed,
        int round,
        out Marker? start
    )
    {
        start = null;
        BoundsLookup log = ports.Source.Bounds(partition, options.LookupTimeoutMs);
        if (log.Status == LookupStatus.Failed)
        {
            throw new DisagreementException(
                $"{Name(partition)}: the bounds of the log cannot be read: {log.Detail}."
            );
        }

        if (log.Status != LookupStatus.Found)
        {
            return StartDecision.Wait;
        }

        if (marker is not null)
        {
            CheckIdentity(partition, marker);
        }

        long offset;
        if (committed.Status == LookupStatus.Found)
        {
            if (marker is not null && marker.InputOffset != committed.Offset)
            {
                if (IsOvertaken(partition, marker, committed))
                {
                    return StartDecision.Overtaken;
                }

                if (round < options.MaxVerifyRounds && !Planted.Is(PlantedBug.DisagreementAccepted))
                {
                    return StartDecision.OnceMore;
                }

                RefuseUnlessAccepted(
                    DescribeDifference(partition, marker.InputOffset, committed.Offset)
                );
            }
            else if (marker is null)
            {
                if (round < options.MaxVerifyRounds && !Planted.Is(PlantedBug.DisagreementAccepted))
                {
                    // A lane that slept in its restore: the marker that it was to read up to has been compacted away since.
                    return StartDecision.OnceMore;
                }

                RefuseUnlessAccepted(
                    $"{Name(partition)}: group {spec.Group} has committed offset {committed.Offset}, but {spec.Changelog} holds no state for it: what was seen before would be forwarded again; {Accept}."
                );
            }

            offset = committed.Offset;
        }
        else if (marker is not null)
        {
            offset = marker.InputOffset;
        }
        else
        {
            OffsetLookup first = FirstRun(partition, log.Bounds);
            if (first.Status != LookupStatus.Found)
            {
                return StartDecision.Wait;
            }

            offset = first.Offset;
        }

        if (
            (offset < log.Bounds.Low || offset > log.Bounds.High)
            && round < options.MaxVerifyRounds
        )
        {
            // A lane that slept since it asked for the committed offset: somebody else has gone on, and retention followed.
            return StartDecision.OnceMore;
        }

        offset = CheckBounds(partition, offset, log.Bounds);
        start = (marker ?? NewState()) with
        {
            InputOffset = offset,
            PartitionCount = identity.PartitionCount,
        };
        if (Planted.Is(PlantedBug.HashKeyChanged))
        {
            start = start with { HashKey0 = NewState().HashKey0 };
        }

        return StartDecision.Begin;
    }

    /// <summary>
    /// The changelog is read up to an end that was asked for after the committed offset, so that it may hold what somebody else
    /// has committed since (who has the partition now, if this lane has not heard of it yet). Asked for after the changelog was
    /// read, the offset cannot be below the state: if it still is, it was moved.
    /// </summary>
    private bool IsOvertaken(int partition, Marker marker, OffsetLookup committed) =>
        marker.InputOffset > committed.Offset
        && ports.Source.Committed(partition, options.LookupTimeoutMs)
            is { Status: LookupStatus.Found or LookupStatus.Pending } now
        && (now.Status == LookupStatus.Pending || now.Offset >= marker.InputOffset);

    /// <summary>Marker of a state that knows nothing yet.</summary>
    public Marker NewState()
    {
        (ulong key0, ulong key1) = ports.NewHashKey();
        return new Marker
        {
            RecipeVersion = identity.RecipeVersion,
            ClusterId = identity.ClusterId,
            InputTopicId = identity.InputTopicId,
            PartitionCount = identity.PartitionCount,
            HashKey0 = key0,
            HashKey1 = key1,
            InputOffset = 0,
            Writer = "",
            Classes = [],
            Buckets = [],
            Counts = [],
        };
    }

    /// <summary>What a marker was made for and this pipeline is not, or null when they match.</summary>
    public string? Mismatch(Marker marker)
    {
        if (marker.ClusterId != identity.ClusterId)
        {
            return $"cluster {marker.ClusterId}, not {identity.ClusterId}";
        }

        if (marker.InputTopicId != identity.InputTopicId)
        {
            return $"topic id {marker.InputTopicId}, but {spec.Reads} has {identity.InputTopicId} (it was made anew)";
        }

        if (marker.PartitionCount != identity.PartitionCount && spec.Hop != Hop.Rekey)
        {
            return $"{marker.PartitionCount} partitions, but {spec.Reads} has {identity.PartitionCount}";
        }

        return marker.RecipeVersion != identity.RecipeVersion
            ? $"recipe version {marker.RecipeVersion:x16}, not {identity.RecipeVersion:x16} ({spec.Recipe.Text})"
            : null;
    }

    private void CheckIdentity(int partition, Marker marker)
    {
        string? mismatch = Mismatch(marker with { PartitionCount = identity.PartitionCount });
        if (mismatch is not null)
        {
            throw new DisagreementException(
                $"{Name(partition)}: the state in {spec.Changelog} was made for {mismatch}; give the pipeline another name, or delete {spec.Changelog} and the state directory to begin anew."
            );
        }

        // The first hop of by-id asks nothing of the partition that an ID arrives in.
        if (marker.PartitionCount != identity.PartitionCount && spec.Hop != Hop.Rekey)
        {
            RefuseUnlessAccepted(
                $"{Name(partition)}: the state was made for {marker.PartitionCount} partitions, {spec.Reads} has {identity.PartitionCount}: IDs whose partition changed with the count would be forwarded once more; {Accept}."
            );
        }
    }

    private string DescribeDifference(int partition, long marked, long committed) =>
        committed > marked
            ? $"{Name(partition)}: group {spec.Group} stands at {committed}, the state at {marked}: offsets were moved, and {committed - marked} records would never be judged; {Accept}."
            : $"{Name(partition)}: group {spec.Group} stands at {committed}, the state at {marked}: offsets were moved back, and records judged before would be counted as duplicates; {Accept}.";

    private OffsetLookup FirstRun(int partition, LogBounds log) =>
        spec.Start.Kind switch
        {
            StartKind.Latest => new OffsetLookup(LookupStatus.Found, log.High, null),
            StartKind.Timestamp => ports.Source.OffsetAt(
                partition,
                spec.Start.TimestampMs,
                options.LookupTimeoutMs
            ),
            _ => new OffsetLookup(LookupStatus.Found, log.Low, null),
        };

    private long CheckBounds(int partition, long offset, LogBounds log)
    {
        if (offset < log.Low)
        {
            RefuseUnlessAccepted(
                $"{Name(partition)}: next to be read is {offset}, but the log begins at {log.Low}: {log.Low - offset} records were deleted before they were read; {Accept}."
            );
            return log.Low;
        }

        if (offset > log.High)
        {
            RefuseUnlessAccepted(
                $"{Name(partition)}: next to be read is {offset}, but the log ends at {log.High}: the topic was made anew or lost its end, and up to {offset - log.High} records may be lost; {Accept}."
            );
            return log.High;
        }

        return offset;
    }

    private void RefuseUnlessAccepted(string message)
    {
        if (!spec.AcceptLoss && !Planted.Is(PlantedBug.DisagreementAccepted))
        {
            throw new DisagreementException(message);
        }

        ports.Observer.Trouble("accepted: " + message);
    }

    private string Name(int partition) => $"{spec.Reads}-{partition}";
}
