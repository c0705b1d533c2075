using Dedup.Audit.Contents;
using Dedup.Audit.Spill;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Records;

namespace Dedup.Audit.Intake;

/// <summary>
/// Takes in the records of one clean partition and files them by ID. Headers that the pipeline adds are taken off before a
/// record is identified, since the recipe may read headers of these names.
/// </summary>
/// <remarks>Hot path: no allocation per record.</remarks>
internal sealed class CleanIntake(
    PartitionScope scope,
    AuditRules rules,
    string inputTopic,
    SipHash hash,
    BucketStore<CleanEntry> store,
    ById.RouteOrder? order = null
)
{
    /// <summary>The hash by which the first hop of by-id chooses a partition.</summary>
    private static readonly SipHash Unkeyed = new(0, 0);

    private readonly EventReader _reader = new(rules, hash);
    private readonly StandardHeaders? _standard =
        (rules.Headers & AuditHeaders.Standard) != 0
            ? new StandardHeaders(rules, inputTopic)
            : null;
    private readonly TrimmedBatch _trimmed = new();
    private readonly int _mask = store.Buckets - 1;

    /// <summary>Records taken in.</summary>
    public long Read { get; private set; }

    /// <summary>Takes a batch in and releases it.</summary>
    public void Take(RecordBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            batch.Get(i, out RecordView record);
            var entry = new CleanEntry
            {
                Position = scope.CleanPosition(record.Offset),
                Verdict = CleanEntry.NoVerdict,
            };
            int headers = batch.HeaderCount(i);
            if (rules.HasVerdicts && VerdictHeader.TryRead(record, headers, out entry.Verdict))
            {
                headers--;
            }

            RecordContents.Of(record, headers, out entry.Contents);
            Identify(record, headers, entry.Contents.Headers, out EventReading reading);
            entry.Id = EventReader.NameOf(reading, entry.Contents);
            if (order is not null && reading.Identified.Reason == Reason.None)
            {
                order.Note(entry.Position, Unkeyed.Hash(_reader.Scratch.Frame));
            }

            store.Add(InputIntake.BucketOf(entry.Id, _mask), entry);
        }

        Read += batch.Count;
        batch.Release();
    }

    /// <summary>
    /// Identifies the record as it was before headers were added: with the fewest own ones of which the promised headers make
    /// what is there. A record that none explains is damaged, or its headers are.
    /// </summary>
    private void Identify(
        in RecordView record,
        int headers,
        uint hashOfAll,
        out EventReading reading
    )
    {
        int least = _standard is null ? headers : StandardHeaders.LeastOwn(record, headers);
        for (int own = least; own <= headers; own++)
        {
            ReadAs(record, own, out RecordView original, out reading);
            if (
                _standard is null
                || hashOfAll
                    == RecordContents.Fold(
                        _standard.AddTo(
                            RecordContents.HashHeaders(original, own),
                            original,
                            reading,
                            _reader.Scratch
                        )
                    )
            )
            {
                return;
            }
        }

        ReadAs(record, least, out _, out reading);
    }

    private void ReadAs(
        in RecordView record,
        int headers,
        out RecordView original,
        out EventReading reading
    )
    {
        original =
            headers == record.Batch.HeaderCount(record.Index)
                ? record
                : _trimmed.Of(record, headers);
        _reader.Read(original, out reading);
    }
}
