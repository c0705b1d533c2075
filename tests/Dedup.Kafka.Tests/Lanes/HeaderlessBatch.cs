using Dedup.Topology.Records;

namespace Dedup.Kafka.Tests.Lanes;

/// <summary>Records without headers, in memory that nobody has to give back.</summary>
internal abstract class HeaderlessBatch : RecordBatch
{
    public override int HeaderCount(int index) => 0;

    public override void GetHeader(
        int index,
        int header,
        out ReadOnlySpan<byte> name,
        out ReadOnlySpan<byte> value,
        out bool isNull
    ) => throw new ArgumentOutOfRangeException(nameof(index));

    public override void Release() { }
}
