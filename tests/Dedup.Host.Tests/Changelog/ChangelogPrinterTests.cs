using System.Buffers;
using System.Text.Json;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Host.Changelog;

namespace Dedup.Host.Tests.Changelog;

public sealed class ChangelogPrinterTests
{
    private const long Noon = 1_769_860_800_000;

    [Fact]
    public void A_chunk_in_plain_words()
    {
        (byte[] key, byte[] value) = Chunk();
        Text(new ChangelogRecord(7, Noon, key, value), ids: true)
            .ShouldBe(
                "         7  2026-01-31T12:00:00.000Z  chunk      bucket 0/12  chunk 3  2 IDs, "
                    + $"{value.Length} bytes, seen 2026-01-31T12:00:00.000Z to 2026-01-31T12:00:00.005Z, input offsets 40 to 44\n"
                    + "            00000000000000010000000000000002  seen 2026-01-31T12:00:00.000Z  input offset 40\n"
                    + "            00000000000000030000000000000004  seen 2026-01-31T12:00:00.005Z  input offset 44\n"
            );
    }

    [Fact]
    public void A_tombstone_and_a_stranger()
    {
        (byte[] key, _) = Chunk();
        Text(new ChangelogRecord(8, Noon, key, null))
            .ShouldContain("tombstone  bucket 0/12  chunk 3");
        Text(new ChangelogRecord(9, long.MaxValue, [9, 9], [1]))
            .ShouldContain("unknown    key 0909, 1 bytes");
        Text(new ChangelogRecord(9, long.MinValue, null, null))
            .ShouldContain("unknown    key null, null");
    }

    [Fact]
    public void A_marker_in_plain_words_without_its_hash_key()
    {
        string text = Text(new ChangelogRecord(1, Noon, [0], MarkerBytes()));
        text.ShouldContain(
            "marker     input offset 99  writer dedup-orders-x-0  recipe 00000000000000ff"
        );
        text.ShouldContain("window default: 24h, grace 1h, clock 2026-01-31T12:00:00.000Z");
        text.ShouldContain("bucket 0/12: next chunk 4, tombstoned below 2");
        text.ShouldContain("counts: consumed 99");
        text.ShouldNotContain("deadbeef");
        Text(new ChangelogRecord(1, Noon, [0], [1, 2])).ShouldContain("NOT READABLE");
    }

    [Fact]
    public void A_marker_says_what_tenants_have_used()
    {
        MarkerUsage usage = new(
            [new BucketId(0, 12)],
            new MarkerTenant(default, 4, 3, 1, 0, [3]),
            [
                new MarkerTenant(default, 1, 1, 0, 0, [0]),
                new MarkerTenant("acme"u8.ToArray(), 9, 5, 3, 1, [5], 7, Noon),
            ]
        );
        byte[] marker = MarkerBytes(usage);
        string[] lines = Text(new ChangelogRecord(1, Noon, [0], marker)).Split('\n');
        lines[^4..^1]
            .ShouldBe([
                "            tenant 'acme': records 9, firsts 5, duplicates 3, over quota 1, IDs 5, rate measured to 2026-01-31T12:00:00.000Z",
                "            tenant (none): records 1, firsts 1, duplicates 0, over quota 0, IDs 0",
                "            other tenants: records 4, firsts 3, duplicates 1, over quota 0, IDs 3",
            ]);
        JsonElement json = Json(new ChangelogRecord(1, Noon, [0], marker));
        JsonElement acme = json.GetProperty("tenants")[1];
        acme.GetProperty("tenant").GetString().ShouldBe("acme");
        acme.GetProperty("ids").GetInt64().ShouldBe(5);
        acme.GetProperty("idsByBucket").GetProperty("0/12").GetInt64().ShouldBe(5);
        json.GetProperty("otherTenants").GetProperty("records").GetInt64().ShouldBe(4);
    }

    [Fact]
    public void Json_is_one_object_a_line()
    {
        (byte[] key, byte[] value) = Chunk();
        JsonElement chunk = Json(new ChangelogRecord(7, Noon, key, value));
        chunk.GetProperty("kind").GetString().ShouldBe("chunk");
        chunk.GetProperty("entries").GetArrayLength().ShouldBe(2);
        JsonElement marker = Json(new ChangelogRecord(1, Noon, [0], MarkerBytes()));
        marker.GetProperty("inputOffset").GetInt64().ShouldBe(99);
        marker.GetProperty("counts").GetProperty("consumed").GetInt64().ShouldBe(99);
        marker.GetRawText().ShouldNotContain("deadbeef", Case.Insensitive);
    }

    [Fact]
    public void Damaged_bytes_are_said_and_never_throw()
    {
        (byte[] key, byte[] value) = Chunk();
        var random = new Random(1);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bad = [.. i % 2 == 0 ? value : MarkerBytes()];
            bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            byte[] cut = bad[..random.Next(bad.Length + 1)];
            var record = new ChangelogRecord(i, random.NextInt64(), i % 2 == 0 ? key : [0], cut);
            Text(record, ids: true).ShouldNotBeEmpty();
            _ = Json(record);
        }
    }

    private static (byte[] Key, byte[] Value) Chunk()
    {
        byte[] key = new byte[ChunkKey.Size];
        new ChunkKey(new BucketId(0, 12), 3).Write(key);
        byte[] value = new byte[200];
        var writer = new ChunkWriter(value, Noon, withTags: false, withFingerprints: false);
        writer.TryAdd(new EventKey(1, 2), new SeenEntry(Noon, 40, 0, 0)).ShouldBeTrue();
        writer.TryAdd(new EventKey(3, 4), new SeenEntry(Noon + 5, 44, 0, 0)).ShouldBeTrue();
        return (key, value[..writer.Length]);
    }

    private static byte[] MarkerBytes(MarkerUsage? usage = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        MarkerCodec.Write(
            new Marker
            {
                RecipeVersion = 0xFF,
                ClusterId = "c",
                InputTopicId = "t",
                PartitionCount = 4,
                HashKey0 = 0xDEADBEEF,
                HashKey1 = 0xDEADBEEF,
                InputOffset = 99,
                Writer = "dedup-orders-x-0",
                Classes = [new MarkerClass(0, "", 86_400_000, 3_600_000, 1, Noon)],
                Buckets = [new MarkerBucket(new BucketId(0, 12), 4, 2)],
                Counts = [new KeyValuePair<string, long>("consumed", 99)],
                Usage = usage,
            },
            buffer
        );
        return buffer.WrittenSpan.ToArray();
    }

    private static string Text(ChangelogRecord record, bool ids = false)
    {
        using var output = new StringWriter();
        new ChangelogPrinter(output, ids).Text(record);
        return output.ToString();
    }

    private static JsonElement Json(ChangelogRecord record)
    {
        using var output = new StringWriter();
        new ChangelogPrinter(output, ids: true).Json(record);
        using var document = JsonDocument.Parse(output.ToString());
        return document.RootElement.Clone();
    }
}
