using System.Text;
using Dedup.Contracts.Headers;
using Dedup.Contracts.Identity;
using Dedup.Contracts.Rekey;
using Dedup.Kafka.Lanes;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;
using Dedup.Topology.Rekey;

namespace Dedup.Kafka.Route;

/// <summary>Turns a judgement into what is sent: clean unchanged but for headers that the user asked for, duplicates and quarantine with headers that say where they came from.</summary>
internal sealed class RecordRouter(PipelineSpec spec, LanePorts ports, Refusals refusals)
{
    // By the thousand where a tenant is far over its quota: encoded once.
    private static readonly byte[][] Reasons =
    [
        .. Enumerable.Range(0, ReasonText.Count).Select(static r => Utf8(ReasonText.Of((Reason)r))),
    ];

    private static readonly byte[][] Details =
    [
        .. Enumerable
            .Range(0, ReasonText.Count)
            .Select(static r => Utf8(ReasonText.DetailOf((Reason)r))),
    ];

    private readonly byte[] _input = Utf8(spec.Input);
    private readonly byte[] _reads = Utf8(spec.Reads);
    private readonly AddedHeaders _added = new();
    private readonly CleanHeaders? _cleanHeaders =
        spec.Headers == HeaderSets.None ? null : new CleanHeaders(spec);

    /// <summary>Sends one record to where its judgement says. Hot path: nothing is allocated for clean and dropped ones.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="index">The record.</param>
    /// <param name="judgement">The judgement.</param>
    /// <param name="nowMs">Wall clock, the timestamp of quarantined records.</param>
    /// <param name="bytes">Bytes of key and value.</param>
    public TxResult Send(
        RecordBatch batch,
        int index,
        in Judgement judgement,
        long nowMs,
        out int bytes
    )
    {
        bytes = batch.SizeOf(index);
        switch (judgement.Destination)
        {
            case Destination.Clean:
                return Forward(
                    SinkTopic.Clean,
                    batch.PartitionOf(index),
                    batch,
                    index,
                    batch.TimestampOf(index),
                    _cleanHeaders?.Of(batch, index, judgement)
                );
            case Destination.Duplicate when spec.Duplicates is not null:
                batch.Get(index, out RecordView duplicate);
                return SendDuplicate(batch, duplicate, judgement.FirstSeen);
            case Destination.Quarantine:
                batch.Get(index, out RecordView hostile);
                return SendQuarantine(batch, hostile, judgement, nowMs);
            default:
                return TxResult.Ok;
        }
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private TxResult SendDuplicate(RecordBatch batch, in RecordView record, in SeenEntry first)
    {
        AddSource(record, _input);
        AddFirst(record, first);
        return Forward(
            SinkTopic.Duplicates,
            record.Partition,
            batch,
            record.Index,
            record.TimestampMs,
            _added
        );
    }

    /// <summary>
    /// Quarantined records carry the current time, since brokers refuse timestamps far in the future; the original stands in
    /// a header. One that was refused here too is sent without payload: only its coordinates.
    /// </summary>
    private TxResult SendQuarantine(
        RecordBatch batch,
        in RecordView record,
        in Judgement judgement,
        long nowMs
    )
    {
        if (judgement.Reason == Reason.OverQuota && !IsWithoutPayload(batch, record.Index))
        {
            return SendOverQuota(batch, record, nowMs);
        }

        AddSource(record, judgement.Reason == Reason.NotRekeyed ? _reads : _input);
        _added.Add(HeaderNames.Reason, Reasons[(int)judgement.Reason]);
        // A partition of the repartition topic need not be one of the quarantine topic; there is always a first.
        int partition = judgement.Reason == Reason.NotRekeyed ? 0 : record.Partition;
        if (IsWithoutPayload(batch, record.Index))
        {
            _added.Add(HeaderNames.Detail, ReasonText.WithoutPayload);
            return ports.Sink.Send(
                SinkTopic.Quarantine,
                partition,
                key: [],
                value: [],
                isTombstone: true,
                nowMs,
                _added
            );
        }

        byte[] detail = Details[(int)judgement.Reason];
        if (detail.Length > 0)
        {
            _added.Add(HeaderNames.Detail, detail);
        }

        if (judgement.Verdict == Verdict.Conflict)
        {
            AddFirst(record, judgement.FirstSeen);
        }

        return Forward(SinkTopic.Quarantine, partition, batch, record.Index, nowMs, _added);
    }

    /// <summary>Quarantine has refused it with its payload, or is certain to.</summary>
    private bool IsWithoutPayload(RecordBatch batch, int index) =>
        batch.SizeOf(index) > spec.Limits.MostToQuarantine
        || (
            !refusals.IsEmpty
            && refusals.IsWithoutPayload(batch.LogPartitionOf(index), batch.LogOffsetOf(index))
        );

    /// <summary>In one header; see <see cref="BriefSource"/>.</summary>
    private TxResult SendOverQuota(RecordBatch batch, in RecordView record, long nowMs)
    {
        Span<byte> brief = stackalloc byte[BriefSource.MaxSize];
        int length = BriefSource.Write(
            brief,
            _input,
            record.Partition,
            record.Offset,
            record.TimestampMs
        );
        _added.Clear();
        _added.Add(HeaderNames.Reason, brief[..length]);
        return Forward(SinkTopic.Quarantine, record.Partition, batch, record.Index, nowMs, _added);
    }

    private void AddFirst(in RecordView record, in SeenEntry first)
    {
        bool isPlace = spec.Hop == Hop.Judge;
        _added.Add(HeaderNames.FirstTopic, _input);
        _added.Add(
            HeaderNames.FirstPartition,
            isPlace ? SourcePlace.PartitionOf(first.SourceOffset) : record.Partition
        );
        _added.Add(
            HeaderNames.FirstOffset,
            isPlace ? SourcePlace.OffsetOf(first.SourceOffset) : first.SourceOffset
        );
        _added.Add(HeaderNames.FirstTimestamp, first.SeenMs);
    }

    /// <summary>In the second hop the original goes out: the polled record under its own key.</summary>
    private TxResult Forward(
        SinkTopic topic,
        int partition,
        RecordBatch batch,
        int index,
        long timestampMs,
        AddedHeaders? added
    )
    {
        if (batch is not OriginalBatch originals)
        {
            return ports.Sink.Forward(topic, partition, batch, index, timestampMs, added);
        }

        originals.Get(index, out RecordView record);
        return ports.Sink.ForwardAs(
            topic,
            partition,
            originals.Inner,
            index,
            record.Key,
            record.KeyIsNull,
            timestampMs,
            added
        );
    }

    private void AddSource(in RecordView record, byte[] topic)
    {
        _added.Clear();
        _added.Add(HeaderNames.SourceTopic, topic);
        _added.Add(HeaderNames.SourcePartition, record.Partition);
        _added.Add(HeaderNames.SourceOffset, record.Offset);
        _added.Add(HeaderNames.SourceTimestamp, record.TimestampMs);
    }
}
