using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Parsing;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Records;
using Shouldly;
using Xunit;

namespace DedupTopology.Tests.Identify;

public sealed class AllocationTests
{
    private const string Payload =
        """{"z":{"b":1.5,"a":[1e30,12345678901234567890,"x\n\u20ac"]},"event_id":"e-1","event_type":"order.created","n":0.1}""";

    [Theory]
    [InlineData("""{"id":"key"}""")]
    [InlineData("""{"id":{"header":"h"}}""")]
    [InlineData("""{"id":{"json":"$.event_id"}}""")]
    [InlineData("""{"id":{"json":"$.n"}}""")]
    [InlineData("""{"id":{"json":"$.z"}}""")]
    [InlineData("""{"id":"content"}""")]
    [InlineData(
        """{"id":{"content":{"canonical":"python","include":["$.z"],"exclude":["$.z.b"]}}}"""
    )]
    [InlineData("""{"id":{"join":["key",{"json":"$.n"}]},"fingerprint":["$.z"]}""")]
    [InlineData("""{"id":[{"json":"$.none"},"key"],"fingerprint":"payload"}""")]
    [InlineData(
        """{"id":"key","scope":{"tenant":{"header":"h"},"service":{"value":"s"},"type":{"json":"$.event_type"}}}"""
    )]
    public void Identifying_allocates_nothing_once_the_buffers_have_grown(string recipe)
    {
        Recipe parsed = Vectors
            .Parse(System.Text.Json.Nodes.JsonNode.Parse(recipe)!)
            .Recipe.ShouldNotBeNull();
        Measure(parsed.WithTypes(new TypePatterns(["order.*", "x"])), Payload, Reason.None)
            .ShouldBe(0);
    }

    [Theory]
    [InlineData("""{"a":""")]
    [InlineData("hello")]
    [InlineData("{\"event_id\":\"\\ud8\"}")]
    public void Hostile_payloads_cost_no_garbage_either(string payload)
    {
        Recipe parsed = RecipeParser.Parse("json:$.event_id").Recipe!;
        Measure(parsed, payload, Reason.MalformedJson).ShouldBe(0);
    }

    private static long Measure(Recipe recipe, string payload, Reason expected)
    {
        Fixed batch = new(payload);
        IdScratch scratch = new() { WantPercentHash = true };
        byte[] visible = new byte[512];
        long before = 0;
        for (int i = 0; i < 2000; i++)
        {
            if (i == 1000)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            batch.Get(0, out RecordView view);
            recipe.Identify(view, scratch, Outcome.Hash, out Identified identified);
            if (identified.Reason != expected)
            {
                identified.Reason.ShouldBe(expected);
            }

            if (expected == Reason.None)
            {
                _ = VisibleKey.Write(scratch, "dedup"u8, visible);
            }
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private sealed class Fixed(string payload) : RecordBatch
    {
        private readonly byte[] _value = System.Text.Encoding.UTF8.GetBytes(payload);
        private readonly byte[] _key = "key-1"u8.ToArray();
        private readonly byte[] _name = "h"u8.ToArray();

        public override int Count => 1;

        public override void Get(int index, out RecordView record) =>
            record = new RecordView(this, 0, _key, false, _value, false, 1, 0, 0);

        public override int PartitionOf(int index) => 0;

        public override long OffsetOf(int index) => 0;

        public override int HeaderCount(int index) => 1;

        public override void GetHeader(
            int index,
            int header,
            out ReadOnlySpan<byte> name,
            out ReadOnlySpan<byte> value,
            out bool isNull
        )
        {
            name = _name;
            value = _key;
            isNull = false;
        }

        public override void Release() { }
    }
}
