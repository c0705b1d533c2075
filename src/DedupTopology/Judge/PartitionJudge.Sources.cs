using System.Collections.Immutable;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Rekey;
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
    /// The clock that a record is judged by, itself included. Of another input partition: that of its own, as the first hop
    /// stamped it; but where that one was left out and comes back behind, the one that state has expired by, since nothing can
    /// be told of what is forgotten. All arithmetic is the same with it as with by-input's clock.
    /// </summary>
    private long See(int windowClass, long timeMs, int index)
    {
        if (_originals is null)
        {
            return Clocks.See(windowClass, timeMs);
        }

        ref readonly RekeyEnvelope envelope = ref _originals.EnvelopeOf(index);
        long smallest = _sources!.See(
            windowClass,
            envelope.Partition,
            envelope.ClockMs,
            _originals.WrittenMsOf(index)
        );
        // Its own time counts too: one that was too far ahead for the first hop's wall clock may not be so any more.
        return Math.Max(Clocks.See(windowClass, smallest), Math.Max(envelope.ClockMs, timeMs));
    }

    private bool IsForeign(int index) => _originals is not null && _originals.IsForeign(index);
}
