using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Dedup.Topology.Identify;
using Dedup.Topology.Identify.Parsing;
using Dedup.Topology.Identify.Scopes;
using Dedup.Topology.Records;

namespace Dedup.Bench.Identify;

/// <summary>
/// What identification costs per record: process CPU time and allocated bytes, by recipe and payload size. In seconds, without
/// Kafka: the records lie in memory, as they would in a polled batch.
/// </summary>
public static class IdentifyBench
{
    private const int Records = 2048;
    private const int MinMs = 250;
    private const int Rounds = 3;

    private static readonly int[] Sizes = [200, 1024, 10_240];

    private static readonly (string Name, string Id, string? Scope)[] Recipes =
    [
        ("key", "\"key\"", null),
        ("header", """{"header":"event-id"}""", null),
        ("json early", """{"json":"$.event_id"}""", null),
        ("json late", """{"json":"$.last"}""", null),
        ("content", "\"content\"", null),
        (
            "content include",
            """{"content":{"include":["$.data"],"exclude":["$.data.sent_at"]}}""",
            null
        ),
        ("content python", """{"content":{"canonical":"python"}}""", null),
        ("join", """{"join":["key",{"json":"$.event_id"}]}""", null),
        (
            "key, scope",
            "\"key\"",
            """{"tenant":{"header":"tenant-id"},"type":{"json":"$.event_type"}}"""
        ),
        ("chain", """[{"header":"none"},{"json":"$.none"},"key"]""", null),
    ];

    /// <summary>One line of the result.</summary>
    /// <param name="Recipe">Name.</param>
    /// <param name="Bytes">Size of a payload.</param>
    /// <param name="CpuNs">Process CPU per record, best of some rounds; other processes do not count.</param>
    /// <param name="GigabytesPerSecond">Payload over time.</param>
    /// <param name="AllocatedBytes">Managed bytes per record.</param>
    public sealed record Line(
        string Recipe,
        int Bytes,
        double CpuNs,
        double GigabytesPerSecond,
        double AllocatedBytes
    );

    /// <summary>Measures everything and prints a table and one line of JSON. Arguments: part of a recipe's name, or nothing.</summary>
    public static int Run(string[] args)
    {
        List<Line> lines = [];
        Console.WriteLine(
            "recipe             bytes    ns/record     GB/s   bytes allocated/record"
        );
        foreach ((string name, string id, string? scope) in Recipes)
        {
            if (args.Length > 0 && !name.Contains(args[0], StringComparison.Ordinal))
            {
                continue;
            }

            Recipe recipe = Parse(id, scope);
            _ = Measure(name, recipe, new MemoryBatch(Records, Sizes[0]));
            foreach (int size in Sizes)
            {
                Line line = Measure(name, recipe, new MemoryBatch(Records, size));
                lines.Add(line);
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{line.Recipe, -16} {line.Bytes, 7} {line.CpuNs, 12:F1} {line.GigabytesPerSecond, 8:F2} {line.AllocatedBytes, 12:F3}"
                    )
                );
            }
        }

        Console.WriteLine(JsonSerializer.Serialize(lines));
        return 0;
    }

    private static Line Measure(string name, Recipe recipe, MemoryBatch batch)
    {
        IdScratch scratch = new();
        SipHash hash = new(1, 2);
        double best = double.MaxValue;
        long allocated = 0;
        long records = 0;
        // Warm up until tiered compilation is through with it.
        _ = Rotate(recipe, batch, scratch, hash, 3 * MinMs);
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan start = Environment.CpuUsage.TotalTime;
            long count = Rotate(recipe, batch, scratch, hash, MinMs);
            best = Math.Min(
                best,
                (Environment.CpuUsage.TotalTime - start).TotalNanoseconds / count
            );
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            records += count;
        }

        return new Line(name, batch.Size, best, batch.Size / best, (double)allocated / records);
    }

    private static long Rotate(
        Recipe recipe,
        MemoryBatch batch,
        IdScratch scratch,
        in SipHash hash,
        int ms
    )
    {
        long count = 0;
        ulong sum = 0;
        long until = Stopwatch.GetTimestamp() + (Stopwatch.Frequency * ms / 1000);
        while (Stopwatch.GetTimestamp() < until)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                batch.Get(i, out RecordView record);
                recipe.Identify(record, scratch, hash, out Identified identified);
                if (identified.Reason != Dedup.Contracts.Identity.Reason.None)
                {
                    throw new InvalidOperationException($"{recipe.Text}: {identified.Reason}");
                }

                sum += identified.Key.High;
            }

            count += batch.Count;
        }

        GC.KeepAlive(sum);
        return count;
    }

    private static Recipe Parse(string id, string? scope)
    {
        RecipeResult result = RecipeParser.Parse(
            new RecipeNodes { Id = Node(id), Scope = scope is null ? null : Node(scope) }
        );
        Recipe recipe =
            result.Recipe ?? throw new InvalidOperationException(string.Join("; ", result.Errors));
        return scope is null
            ? recipe
            : recipe.WithTypes(new TypePatterns(["order.*", "heartbeat"]));
    }

    private static RecipeNode Node(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return Node(document.RootElement);
    }

    private static RecipeNode Node(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => RecipeNode.Map(
                element
                    .EnumerateObject()
                    .Select(static m => new RecipeMember(m.Name, 0, Node(m.Value)))
            ),
            JsonValueKind.Array => RecipeNode.List(element.EnumerateArray().Select(Node)),
            _ => RecipeNode.Of(element.ToString()),
        };

    /// <summary>Records in memory: a key and an ID of 36 bytes, three headers, and a JSON payload of about the size asked for.</summary>
    private sealed class MemoryBatch : RecordBatch
    {
        private static readonly byte[][] Names =
        [
            "trace"u8.ToArray(),
            "tenant-id"u8.ToArray(),
            "event-id"u8.ToArray(),
        ];
        private readonly byte[][] _keys;
        private readonly byte[][] _values;
        private readonly byte[] _tenant = "acme"u8.ToArray();

        public MemoryBatch(int count, int size)
        {
            Size = size;
            _keys = new byte[count][];
            _values = new byte[count][];
            for (int i = 0; i < count; i++)
            {
                string id = $"{i:x8}-5a7c-4f21-9d3e-0123456789ab";
                _keys[i] = Encoding.UTF8.GetBytes(id);
                _values[i] = Encoding.UTF8.GetBytes(Json(id, i, size));
            }
        }

        public int Size { get; }

        public override int Count => _keys.Length;

        public override void Get(int index, out RecordView record) =>
            record = new RecordView(
                this,
                index,
                _keys[index],
                false,
                _values[index],
                false,
                1,
                0,
                index
            );

        public override int PartitionOf(int index) => 0;

        public override long OffsetOf(int index) => index;

        public override int HeaderCount(int index) => Names.Length;

        public override void GetHeader(
            int index,
            int header,
            out ReadOnlySpan<byte> name,
            out ReadOnlySpan<byte> value,
            out bool isNull
        )
        {
            name = Names[header];
            value = header == 2 ? _keys[index] : _tenant;
            isNull = false;
        }

        public override void Release() { }

        private static string Json(string id, int seed, int size)
        {
            StringBuilder json = new(size + 64);
            json.Append(
                CultureInfo.InvariantCulture,
                $$"""{"event_id":"{{id}}","event_type":"order.created","data":{"amount":{{seed}}.25,"sent_at":{{seed}}"""
            );
            for (int i = 0; json.Length + 40 < size; i++)
            {
                json.Append(
                    CultureInfo.InvariantCulture,
                    $",\"field_{i:d3}\":\"some text {seed + i:d6}\""
                );
            }

            return json.Append("},\"last\":\"").Append(id.AsSpan(0, 13)).Append("\"}").ToString();
        }
    }
}
