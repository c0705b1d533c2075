using System.Text;
using Dedup.Audit.Reports;
using Dedup.Contracts.Headers;

namespace Dedup.Audit.Tests.Model;

/// <summary>Topics of a pipeline into which a test puts each record where the policy says that it belongs, or elsewhere.</summary>
internal sealed class Placed(AuditRules rules, int? between = null, int partitions = 2)
    : IDisposable
{
    private readonly MemoryLog _input = new(Pair.InputName, partitions);
    private readonly MemoryLog _clean = new("orders.clean", partitions);
    private readonly MemoryLog _quarantine = new("orders.quarantine", partitions);
    private readonly MemoryLog _duplicates = new("orders.duplicates", partitions);
    private Row _row = Row.Of(null, null, 0);
    private int _partition;

    private bool _withoutDuplicates;

    /// <summary>A record of the input; where it goes comes next.</summary>
    public Placed In(
        string? key,
        long ts,
        string? value = "v",
        params (string, byte[]?)[] headers
    ) => In(0, key, ts, value, headers);

    public Placed In(
        int partition,
        string? key,
        long ts,
        string? value = "v",
        params (string, byte[]?)[] headers
    )
    {
        _partition = partition;
        _row = Row.Of(key, value, ts, headers);
        _row = _row with { Offset = _input.Add(_row, partition) };
        return this;
    }

    /// <summary>The pipeline has no duplicates topic: what goes there is dropped.</summary>
    public Placed DropDuplicates()
    {
        _withoutDuplicates = true;
        return this;
    }

    public Placed Clean(params (string Name, string Value)[] added)
    {
        _ = _clean.Add(With(_row, added), _partition);
        return this;
    }

    /// <summary>On clean comes a record of the input that others have overtaken.</summary>
    public Placed CleanLater(string key, long ts)
    {
        _ = _clean.Add(Row.Of(key, "v", ts), _partition);
        return this;
    }

    public Placed Quarantined(string reason, long? own = null)
    {
        Row row = With(
            Sourced(),
            (HeaderNames.Reason, reason),
            (HeaderNames.SourceTimestamp, $"{_row.Ts}")
        );
        _ = _quarantine.Add(row with { Ts = own ?? Pair.Now }, _partition);
        return this;
    }

    public Placed Repeats(long firstOffset, int? firstPartition = null)
    {
        _ = _duplicates.Add(
            With(
                Sourced(),
                (HeaderNames.FirstTopic, Pair.InputName),
                (HeaderNames.FirstPartition, $"{firstPartition ?? _partition}"),
                (HeaderNames.FirstOffset, $"{firstOffset}")
            ),
            _partition
        );
        return this;
    }

    /// <summary>The record once more as it stands in quarantine after that refused it too.</summary>
    public Placed QuarantinedWithoutPayload(string reason)
    {
        Row row = With(
            Sourced() with
            {
                Key = [],
                Value = null,
            },
            (HeaderNames.SourceTimestamp, $"{_row.Ts}"),
            (HeaderNames.Reason, reason),
            (HeaderNames.Detail, Contracts.Identity.ReasonText.WithoutPayload)
        );
        row = row with { Headers = row.Headers[_row.Headers.Length..], Ts = Pair.Now };
        _ = _quarantine.Add(row, _partition);
        return this;
    }

    public AuditReport Audit() =>
        new AuditEngine(
            rules,
            new AuditTopics
            {
                Input = _input,
                Clean = _clean,
                Quarantine = _quarantine,
                Duplicates = _withoutDuplicates ? null : _duplicates,
                RepartitionPartitions = between,
            },
            new AuditLimits(1L << 30, Path.GetTempPath()),
            new FixedTime()
        ).Run(null, TestContext.Current.CancellationToken);

    public void Dispose()
    {
        _input.Dispose();
        _clean.Dispose();
        _quarantine.Dispose();
        _duplicates.Dispose();
    }

    private Row Sourced() =>
        With(
            _row,
            (HeaderNames.SourceTopic, Pair.InputName),
            (HeaderNames.SourcePartition, $"{_partition}"),
            (HeaderNames.SourceOffset, $"{_row.Offset}")
        );

    private static Row With(Row row, params (string Name, string Value)[] added) =>
        row with
        {
            Headers =
            [
                .. row.Headers,
                .. added.Select(static a => (a.Name, (byte[]?)Encoding.UTF8.GetBytes(a.Value))),
            ],
        };

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() =>
            DateTimeOffset.FromUnixTimeMilliseconds(Pair.Now);
    }
}
