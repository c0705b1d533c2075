using System.Numerics;
using Dedup.Contracts.Identity;
using Dedup.Contracts.Rekey;
using Dedup.Topology.Identify;
using Dedup.Topology.Judge;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;

namespace Dedup.Topology.Rekey;

/// <summary>
/// The first hop's work on a record: to which partition of the repartition topic it goes, and under which key. All records of
/// a (scope, ID) go to the same partition, whatever their time: time buckets of a content ID are no part of the hash.
/// </summary>
/// <remarks>Hot path: no allocation once its buffer has grown.</remarks>
public sealed class Rekeyer
{
    /// <summary>
    /// Unkeyed, since every instance and every restart must agree. Whoever chooses IDs can fill one partition; he cannot make
    /// two events one, which is the keyed hash's business in the second hop.
    /// </summary>
    private static readonly SipHash Hash = new(0, 0);

    private readonly Recipe _recipe;
    private readonly RecordTime _time;
    private readonly IPayloadValidator? _validator;
    private readonly bool _forwardsUnchecked;
    private readonly int _partitions;
    private readonly IdScratch _scratch = new();
    private byte[] _key = new byte[512];
    private int _keyLength;

    /// <summary>Makes one for the first hop of a pipeline.</summary>
    public Rekeyer(PipelineSpec spec)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(spec.RepartitionPartitions, 1);
        _recipe = spec.Recipe.WithoutFingerprint();
        _time = new RecordTime(spec);
        // With mode off nothing is judged, and so nothing is validated.
        _validator = spec.Mode.Kind == ModeKind.Off ? null : spec.Validator;
        _forwardsUnchecked = spec.ForwardsUnchecked;
        _partitions = spec.RepartitionPartitions;
    }

    /// <summary>Key of the last record for the repartition topic: envelope and own key. Valid until the next record.</summary>
    public ReadOnlySpan<byte> Key => _key.AsSpan(0, _keyLength);

    /// <summary>
    /// Finds a record's partition and makes its key. What cannot be identified goes on too, by its input partition: the second
    /// hop quarantines it, so that refusals are one rule in one place.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="clocks">Clocks of its input partition; moved unless the record is one that is not judged.</param>
    /// <param name="wallClockMs">Wall clock, for max-future.</param>
    public int PartitionFor(in RecordView record, WindowClocks clocks, long wallClockMs)
    {
        _recipe.Identify(record, _scratch, Hash, out Identified identified);
        Reason reason = _time.Read(
            record,
            identified.Reason,
            identified.Class,
            wallClockMs,
            out long timeMs
        );
        PayloadCheck check = PayloadCheck.None;
        if (_validator is not null && reason == Reason.None)
        {
            check = Validate(record, _validator);
        }

        bool isJudged =
            reason == Reason.None
            && (
                check < PayloadCheck.Invalid
                || (check == PayloadCheck.Unavailable && _forwardsUnchecked)
            );
        long clock = isJudged
            ? clocks.See(identified.Class, timeMs)
            : clocks.Open(identified.Class);
        _keyLength = RekeyEnvelope.Size + record.Key.Length;
        if (_key.Length < _keyLength)
        {
            _key = new byte[(int)BitOperations.RoundUpToPowerOf2((uint)_keyLength)];
        }

        new RekeyEnvelope(
            record.Partition,
            record.Offset,
            record.TimestampMs,
            clock,
            record.KeyIsNull,
            check
        ).Write(_key);
        record.Key.CopyTo(_key.AsSpan(RekeyEnvelope.Size));
        return identified.Reason == Reason.None
            ? PartitionOf(identified.Key, _partitions)
            : record.Partition % _partitions;
    }

    /// <summary>
    /// A payload is validated here, once, and the answer travels with the record: what is refused for it must not move the clock
    /// that the others are judged by, and the second hop acts on it.
    /// </summary>
    private static PayloadCheck Validate(in RecordView record, IPayloadValidator validator) =>
        validator.Check(record) switch
        {
            Reason.None => PayloadCheck.Valid,
            Reason.SchemaUnavailable => PayloadCheck.Unavailable,
            _ => PayloadCheck.Invalid,
        };

    /// <summary>
    /// The partition of an ID. By the low half of its unkeyed hash: the high half decides about shadow and enforce in
    /// <c>percent</c>, and the two must not go together. Part of the format: another formula would scatter the IDs of a state.
    /// </summary>
    public static int PartitionOf(in EventKey unkeyed, int partitions) =>
        (int)(unkeyed.Low % (uint)partitions);
}
