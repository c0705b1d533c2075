using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Records;

namespace DedupTopology.Tests.Identify;

/// <summary>A batch of one record, written as a test reads best.</summary>
internal sealed class OneRecord : RecordBatch
{
    public byte[]? Key { get; init; }

    public byte[]? Value { get; init; }

    public string? KeyText
    {
        init => Key = value is null ? null : Encoding.UTF8.GetBytes(value);
    }

    public string? Json
    {
        init => Value = value is null ? null : Encoding.UTF8.GetBytes(value);
    }

    public List<(string Name, byte[]? Value)> Headers { get; init; } = [];

    public long TimestampMs { get; init; } = 1_700_000_000_000;

    public override int Count => 1;

    public OneRecord With(string header, string? value)
    {
        Headers.Add((header, value is null ? null : Encoding.UTF8.GetBytes(value)));
        return this;
    }

    public override void Get(int index, out RecordView record) =>
        record = new RecordView(this, 0, Key, Key is null, Value, Value is null, TimestampMs, 0, 0);

    public override int PartitionOf(int index) => 0;

    public override long OffsetOf(int index) => 0;

    public override int HeaderCount(int index) => Headers.Count;

    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    )
    {
        name = Encoding.UTF8.GetBytes(Headers[header].Name);
        value = Headers[header].Value;
        isNull = Headers[header].Value is null;
    }

    public override void Release() { }
}

/// <summary>What a recipe made of a record.</summary>
internal sealed record Outcome(
    Reason Reason,
    EventKey Key,
    string Id,
    byte[] IdBytes,
    IdKind Kind,
    int Source,
    Identified All
)
{
    public static readonly SipHash Hash = new(0x0706050403020100, 0x0f0e0d0c0b0a0908);

    public static Outcome Of(Recipe recipe, OneRecord record, IdScratch? scratch = null)
    {
        scratch ??= new IdScratch();
        record.Get(0, out RecordView view);
        recipe.Identify(view, scratch, Hash, out Identified identified);
        bool found = identified.Reason == Reason.None;
        byte[] id = found ? scratch.Id.ToArray() : [];
        return new Outcome(
            identified.Reason,
            identified.Key,
            Encoding.Latin1.GetString(id),
            id,
            scratch.Kind,
            scratch.Source,
            identified
        );
    }
}
