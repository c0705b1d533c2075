using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Kafka.Lanes;
using Dedup.Kafka.Route;
using Dedup.Kafka.Tests.Lanes;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Identify.Sources;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;
using Dedup.Topology.Windows;
using Shouldly;

namespace Dedup.Kafka.Tests.Route;

/// <summary>Verdict to topic and headers.</summary>
public sealed class RecordRouterTests
{
    private static readonly SeenEntry First = new(1_767_261_600_000, 41, 7, 0);

    [Fact]
    public void A_first_is_sent_unchanged_when_no_headers_are_asked_for()
    {
        (SinkTopic topic, long timestampMs, Dictionary<string, string>? added) = Send(
            Spec(),
            new OneRecord { Key = "a" },
            new Judgement(Verdict.First, Destination.Clean, Reason.None, default)
        );
        topic.ShouldBe(SinkTopic.Clean);
        timestampMs.ShouldBe(OneRecord.TimeMs);
        added.ShouldBeNull();
    }

    [Fact]
    public void A_conflict_in_quarantine_names_its_first_and_says_why()
    {
        (SinkTopic topic, long timestampMs, Dictionary<string, string>? added) = Send(
            Spec(),
            new OneRecord { Key = "a" },
            new Judgement(Verdict.Conflict, Destination.Quarantine, Reason.Conflict, First)
        );
        topic.ShouldBe(SinkTopic.Quarantine);
        timestampMs.ShouldBe(99);
        added.ShouldBe(
            new Dictionary<string, string>
            {
                ["dedup.source.topic"] = "in",
                ["dedup.source.partition"] = "3",
                ["dedup.source.offset"] = "17",
                ["dedup.source.timestamp"] = "1767261723456",
                ["dedup.reason"] = "conflict",
                ["dedup.detail"] =
                    "the same ID as the first occurrence that the headers name, with other content",
                ["dedup.first.topic"] = "in",
                ["dedup.first.partition"] = "3",
                ["dedup.first.offset"] = "41",
                ["dedup.first.timestamp"] = "1767261600000",
            }
        );
    }

    [Fact]
    public void A_record_over_quota_has_one_header_that_says_why_and_where_from()
    {
        (SinkTopic topic, long timestampMs, Dictionary<string, string>? added) = Send(
            Spec(),
            new OneRecord { Key = "a" },
            new Judgement(Verdict.Invalid, Destination.Quarantine, Reason.OverQuota, default)
        );
        topic.ShouldBe(SinkTopic.Quarantine);
        timestampMs.ShouldBe(99);
        added.ShouldBe(
            new Dictionary<string, string> { ["dedup.reason"] = "over-quota in/3/17/1767261723456" }
        );
    }

    [Fact]
    public void Every_reason_has_a_sentence_without_its_end()
    {
        for (int i = 1; i < ReasonText.Count; i++)
        {
            string detail = ReasonText.DetailOf((Reason)i);
            detail.ShouldNotBeEmpty(ReasonText.Of((Reason)i));
            detail.ShouldNotEndWith(".");
        }
    }

    [Fact]
    public void Standard_headers_say_who_what_where_and_when()
    {
        Send(Spec(HeaderSets.Standard), new OneRecord { Key = "order-1", Tenant = "acme" }, Clean())
            .Added.ShouldBe(
                new Dictionary<string, string>
                {
                    ["tenant-id"] = "acme",
                    ["dedupe-key"] =
                        "acme:dedup:::0bafe22156d2698c143b86040446d366ead863ba600d5c924f3d15c786ef4057",
                    ["event-id"] = "order-1",
                    ["event-topic"] = "in",
                    ["event-created-at"] = "2026-01-01T10:02:03.456Z",
                    ["retry-count"] = "0",
                    ["processing-attempt"] = "1",
                }
            );
    }

    [Fact]
    public void A_standard_header_that_the_record_has_is_not_added_again()
    {
        Dictionary<string, string>? added = Send(
            Spec(HeaderSets.Standard),
            new OneRecord { Key = "a", Headers = [("event-id", "mine"), ("retry-count", "2")] },
            Clean()
        ).Added;
        added.ShouldNotBeNull();
        added.Keys.ShouldBe(
            ["dedupe-key", "event-topic", "event-created-at", "processing-attempt"],
            ignoreOrder: true
        );
        added["processing-attempt"].ShouldBe("3");
    }

    [Fact]
    public void A_record_without_an_id_that_the_mode_forwards_has_neither_key_nor_id()
    {
        Dictionary<string, string>? added = Send(
            Spec(HeaderSets.Standard | HeaderSets.Verdict),
            new OneRecord { Key = null },
            new Judgement(
                Verdict.Invalid,
                Destination.Clean,
                Reason.NullKey,
                default,
                IsSpared: true
            )
        ).Added;
        added.ShouldNotBeNull();
        added.Keys.ShouldBe(
            [
                "event-topic",
                "event-created-at",
                "retry-count",
                "processing-attempt",
                "dedup.verdict",
            ],
            ignoreOrder: true
        );
        added["dedup.verdict"].ShouldBe("invalid");
    }

    [Fact]
    public void What_was_not_judged_has_no_verdict() =>
        Send(
            Spec(HeaderSets.Verdict),
            new OneRecord { Key = "a" },
            new Judgement(Verdict.Unjudged, Destination.Clean, Reason.None, default)
        )
            .Added.ShouldBeEmpty();

    [Fact]
    public void Headers_of_clean_records_cost_no_allocation()
    {
        var headers = new CleanHeaders(Spec(HeaderSets.Standard | HeaderSets.Verdict));
        var record = new OneRecord { Key = "order-1", Tenant = "acme" };
        Judgement clean = Clean();
        _ = headers.Of(record, 0, clean);
        long before = GC.GetAllocatedBytesForCurrentThread();
        _ = headers.Of(record, 0, clean);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    /// <summary>Key and value are two bytes.</summary>
    [Theory]
    [InlineData(2, "the topic that it belongs on refuses it for its size")]
    [InlineData(1, "payload left out: the quarantine topic refuses it too")]
    public void A_record_that_quarantine_cannot_take_goes_there_without_its_payload_at_once(
        int room,
        string detail
    )
    {
        (SinkTopic topic, _, Dictionary<string, string>? added) = Send(
            Spec() with
            {
                Limits = new TopicLimits(
                    CleanBytes: 1,
                    QuarantineBytes: TopicLimits.LeastOverhead + room
                ),
            },
            new OneRecord { Key = "a" },
            new Judgement(Verdict.Invalid, Destination.Quarantine, Reason.RefusedTooLarge, default)
        );
        topic.ShouldBe(SinkTopic.Quarantine);
        added.ShouldNotBeNull();
        added["dedup.reason"].ShouldBe("refused-too-large");
        added["dedup.detail"].ShouldBe(detail);
        added["dedup.source.offset"].ShouldBe("17");
    }

    private static Judgement Clean() => new(Verdict.First, Destination.Clean, Reason.None, default);

    private static PipelineSpec Spec(HeaderSets headers = HeaderSets.None) =>
        new()
        {
            Name = "p",
            Input = "in",
            Clean = "out",
            Quarantine = "q",
            Recipe = new Recipe(
                [new KeySource()],
                new Scope(new ScopePart(new HeaderSource("tenant")), null, null)
            ),
            Windows = [new WindowClass(0, "", 1_000, 1_000)],
            Headers = headers,
        };

    private static (SinkTopic Topic, long TimestampMs, Dictionary<string, string>? Added) Send(
        PipelineSpec spec,
        OneRecord record,
        Judgement judgement
    )
    {
        using var sink = new CapturingSink();
        var ports = new LanePorts(
            null!,
            sink,
            null!,
            null!,
            null!,
            TimeProvider.System,
            static () => (0, 0),
            null!,
            null!
        );
        new RecordRouter(spec, ports, new Refusals())
            .Send(record, 0, judgement, nowMs: 99, out _)
            .IsOk.ShouldBeTrue();
        return sink.Sent.ShouldNotBeNull();
    }

    private sealed class OneRecord : RecordBatch
    {
        public const long TimeMs = 1_767_261_723_456;

        private byte[]? _key;
        private (byte[] Name, byte[] Value)[] _headers = [];

        public string? Key
        {
            init => _key = value is null ? null : Encoding.UTF8.GetBytes(value);
        }

        public string Tenant
        {
            init => Headers = [("tenant", value)];
        }

        public (string Name, string Value)[] Headers
        {
            init =>
                _headers = [
                    .. value.Select(static h =>
                        (Encoding.UTF8.GetBytes(h.Name), Encoding.UTF8.GetBytes(h.Value))
                    ),
                ];
        }

        public override int Count => 1;

        public override void Get(int index, out RecordView record) =>
            record = new RecordView(this, 0, _key, _key is null, "v"u8, false, TimeMs, 3, 17);

        public override int PartitionOf(int index) => 3;

        public override long OffsetOf(int index) => 17;

        public override int HeaderCount(int index) => _headers.Length;

        public override void GetHeader(
            int index,
            int header,
            out ReadOnlySpan<byte> name,
            out ReadOnlySpan<byte> value,
            out bool isNull
        )
        {
            name = _headers[header].Name;
            value = _headers[header].Value;
            isNull = false;
        }

        public override void Release() { }
    }

    private sealed class CapturingSink : WillingSink
    {
        public (SinkTopic Topic, long TimestampMs, Dictionary<string, string>? Added)? Sent
        {
            get;
            private set;
        }

        public override TxResult Forward(
            SinkTopic topic,
            int partition,
            RecordBatch batch,
            int index,
            long timestampMs,
            AddedHeaders? added
        )
        {
            Dictionary<string, string>? headers = added is null ? null : [];
            for (int i = 0; i < (added?.Count ?? 0); i++)
            {
                headers!.Add(added!.Name(i), Encoding.UTF8.GetString(added.Value(i)));
            }

            Sent = (topic, timestampMs, headers);
            return TxResult.Ok;
        }

        public override TxResult Send(
            SinkTopic topic,
            int partition,
            ReadOnlySpan<byte> key,
            ReadOnlySpan<byte> value,
            bool isTombstone,
            long timestampMs,
            AddedHeaders? added
        )
        {
            value.Length.ShouldBe(0);
            isTombstone.ShouldBeTrue();
            return Forward(topic, partition, null!, 0, timestampMs, added);
        }
    }
}
