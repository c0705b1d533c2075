using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Rekey;
using Dedup.Topology.Proof;
using Dedup.Topology.Rekey;

namespace Dedup.Topology.Judge;

/// <content>The second hop of by-id, where records of several input partitions meet.</content>
public sealed partial class PartitionJudge
{
    private readonly SourceClocks? _sources;
    private OriginalBatch? _originals;

    /// <summary>
    /// Clocks of the input partitions as they will be when the open transaction commits, by ids of window classes; null where
    /// only one is judged.
    /// </summary>
    public MarkerSources? PendingSources
    {
        get
        {
            if (_sources?.Pending() is not { } pending)
            {
                return null;
            }

            return new MarkerSources(
                [.. pending.Attention.Select(a => a with { Class = Clocks[a.Class].Id })],
                [.. pending.Clocks.Select(c => c with { Class = Clocks[c.Class].Id })]
            );
        }
    }

    /// <summary>A class goes on with the clocks of its name; one with a new name begins to wait for all.</summary>
    private void LoadSources(Marker marker)
    {
        if (_sources is null)
        {
            return;
        }

        if (marker.Sources is not { } sources)
        {
            _sources.Load(null);
            return;
        }

        var indexes = new Dictionary<ushort, ushort>();
        foreach (MarkerClass c in marker.Classes)
        {
            for (ushort i = 0; i < _spec.Windows.Length; i++)
            {
                if (_spec.Windows[i].Name == c.Name)
                {
                    indexes[c.Id] = i;
                }
            }
        }

        _sources.Load(
            new MarkerSources(
                [
                    .. sources
                        .Attention.Where(a => indexes.ContainsKey(a.Class))
                        .Select(a => a with { Class = indexes[a.Class] }),
                ],
                [
                    .. sources
                        .Clocks.Where(c => indexes.ContainsKey(c.Class))
                        .Select(c => c with { Class = indexes[c.Class] }),
                ]
            )
        );
    }

    /// <summary>
    /// The clocks that a record is judged by, itself included. By-input they are one. In the second hop of by-id an entry counts
    /// by the clock that state expires by, so that two entries of one ID that both count are more than a window apart and lie in
    /// different buckets, however far apart the input partitions are (found by the simulator, by-id seed 11342: by its own clock
    /// a record of one that was far ahead took the place of an entry that others still needed). Late is a record by the clock of
    /// its own partition, as the first hop stamped it; but where that one was left out and comes back behind, by the one that
    /// state has expired by, since nothing can be told of what is forgotten.
    /// </summary>
    private JudgingClocks See(int windowClass, long timeMs, int index)
    {
        if (_originals is null)
        {
            long clock = Clocks.See(windowClass, timeMs);
            return new JudgingClocks(clock, clock);
        }

        ref readonly RekeyEnvelope envelope = ref _originals.EnvelopeOf(index);
        long smallest = _sources!.See(
            windowClass,
            envelope.Partition,
            envelope.ClockMs,
            _originals.WrittenMsOf(index)
        );
        long expiry = Clocks.See(windowClass, smallest);
        // Its own time counts too: one that was too far ahead for the first hop's wall clock may not be so any more.
        long lateness = Math.Max(expiry, Math.Max(envelope.ClockMs, timeMs));
        return new JudgingClocks(
            lateness,
            Planted.Is(PlantedBug.ExpiredByOwnClock) ? lateness : expiry
        );
    }

    private bool IsForeign(int index) => _originals is not null && _originals.IsForeign(index);

    /// <summary>What a record is held against.</summary>
    /// <param name="LatenessMs">An unknown ID is late by it.</param>
    /// <param name="ExpiryMs">Entries count, and expire, by it; never above the other.</param>
    private readonly record struct JudgingClocks(long LatenessMs, long ExpiryMs);
}
