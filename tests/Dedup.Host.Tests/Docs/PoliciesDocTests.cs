using System.Globalization;
using System.Text.Json.Nodes;
using Dedup.Contracts.Changelog;
using Dedup.Contracts.Identity;
using Dedup.Host.Configuration;
using Dedup.Host.Tests.Configuration;
using Dedup.Topology.Identify;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using DedupTopology.Tests.Judge;

namespace Dedup.Host.Tests.Docs;

/// <summary>
/// Runs every example of docs/policies.md through configuration and judge: as one transaction, and with a commit after each
/// record, which must make no difference.
/// </summary>
public sealed class PoliciesDocTests
{
    private const int LeastExamples = 85;
    private static readonly DateTimeOffset Day = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly long WallClockMs = Day.AddDays(9).ToUnixTimeMilliseconds();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_example_does_what_the_page_says(bool commitEach)
    {
        int examples = 0;
        ExamplePipeline? pipeline = null;
        ConfigResult? wrong = null;
        foreach (DocBlock block in DocBlock.Of(Repository.PathOf("docs/policies.md")))
        {
            switch (block.Language)
            {
                case "yaml":
                    wrong = Config(block.Text);
                    pipeline?.Dispose();
                    pipeline = wrong.Config is { } config
                        ? new ExamplePipeline(config.Pipelines[0])
                        : null;
                    break;
                case "yaml restart":
                    pipeline.ShouldNotBeNull();
                    pipeline.Restart(Config(block.Text).Config.ShouldNotBeNull().Pipelines[0]);
                    break;
                case "errors":
                    string.Join('\n', wrong!.Findings.Select(static f => $"{f.What}: {f.Fix}"))
                        .ShouldBe(block.Text, $"policies.md:{block.Line}");
                    examples++;
                    break;
                case "jsonl":
                    pipeline.ShouldNotBeNull($"policies.md:{block.Line}");
                    examples += pipeline.Run(block, commitEach);
                    break;
                default:
                    break;
            }
        }

        pipeline?.Dispose();
        examples.ShouldBeGreaterThanOrEqualTo(LeastExamples);
    }

    [Fact]
    public void The_page_names_every_reason_and_no_other()
    {
        string page = File.ReadAllText(Repository.PathOf("docs/policies.md"));
        string list = page[
            page.IndexOf("The reasons are a closed list", StringComparison.Ordinal)..
        ];
        list = list[
            (list.IndexOf(':', StringComparison.Ordinal) + 1)..list.IndexOf(
                '\n',
                StringComparison.Ordinal
            )
        ];
        list.TrimEnd('.')
            .Split(',')
            .Select(static r => r.Trim().Trim('`'))
            .ShouldBe(
                Enumerable
                    .Range(1, ReasonText.Count - 1)
                    .Select(static r => ReasonText.Of((Reason)r))
            );
    }

    private static ConfigResult Config(string lines)
    {
        string yaml = Load.WithPipelineLines(lines);
        return Load.Text(
            lines.Contains("id: ", StringComparison.Ordinal)
                ? yaml.Replace(
                    "    id: key\n",
                    "    partitioning: by-input\n",
                    StringComparison.Ordinal
                )
                : yaml
        );
    }

    /// <summary>The judge of one example, with what it remembers.</summary>
    private sealed class ExamplePipeline : IDisposable
    {
        private readonly DictionaryStore _store = new();
        private PartitionJudge _judge;
        private Marker? _marker;
        private long _offset;
        private long _passedMs;

        public ExamplePipeline(PipelineSpec spec) =>
            _judge = new PartitionJudge(spec, new SipHash(1, 2));

        public int Run(DocBlock block, bool commitEach)
        {
            JsonObject[] examples =
            [
                .. block.Text.Split('\n').Select(static l => JsonNode.Parse(l)!.AsObject()),
            ];
            var batch = new MemoryBatch { FirstOffset = _offset };
            foreach (JsonObject example in examples)
            {
                batch.Add(
                    (string?)example["key"],
                    TimeOf((string)example["at"]!),
                    (string?)example["value"] ?? "v",
                    (string?)example["type"] ?? (string?)example["tenant"],
                    example.ContainsKey("tenant") ? "tenant-id" : "event-type"
                );
            }

            var judgements = new Judgement[1];
            for (int i = 0; i < batch.Count; i++)
            {
                _passedMs += (long?)examples[i]["passed"] ?? 0;
                int judged = _judge.Judge(
                    batch,
                    i,
                    1,
                    WallClockMs + _passedMs,
                    new Refusals(),
                    _store,
                    judgements
                );
                string where = $"policies.md:{block.Line + i}";
                if ((long?)examples[i]["waits"] is { } waitsMs)
                {
                    (judged, _judge.Throttled.WaitMs).ShouldBe((0, waitsMs), where);
                }
                else
                {
                    judged.ShouldBe(1, where);
                    Compare(examples[i], judgements[0], where);
                }

                if (commitEach)
                {
                    Commit();
                }
            }

            _offset += batch.Count;
            return batch.Count;
        }

        public void Restart(PipelineSpec spec)
        {
            Commit();
            _judge = new PartitionJudge(spec, new SipHash(1, 2));
            _judge.Load(_marker!);
        }

        public void Dispose() => _store.Dispose();

        private void Commit()
        {
            _store.Add(_judge.Overlay.Entries);
            _marker = new Marker
            {
                RecipeVersion = 0,
                ClusterId = "",
                InputTopicId = "",
                PartitionCount = 1,
                HashKey0 = 1,
                HashKey1 = 2,
                InputOffset = _offset,
                Writer = "",
                Classes = _judge.Clocks.Pending([
                    .. _store.Buckets.Select(static b => new MarkerBucket(b, 1, 0)),
                ]),
                Buckets = [],
                Counts = _judge.Ledger.Pending(),
                Usage = _judge.Tenants?.Pending(),
            };
            _judge.Commit();
            _store.DropBuckets([.. _store.Buckets.Where(_judge.Clocks.IsExpired)]);
        }

        private static void Compare(JsonObject expected, in Judgement judgement, string where)
        {
            VerdictText.Of(judgement.Verdict).ShouldBe((string?)expected["verdict"], where);
            string to = judgement.Destination switch
            {
                Destination.LateDropped => "dropped",
                { } d => d.ToString().ToLowerInvariant(),
            };
            to.ShouldBe((string?)expected["to"] ?? to, where);
            judgement.IsSpared.ShouldBe((bool?)expected["shadow"] ?? false, where);
            if ((string?)expected["reason"] is { } reason)
            {
                ReasonText.Of(judgement.Reason).ShouldBe(reason, where);
            }

            if ((long?)expected["first"] is { } first)
            {
                judgement.FirstSeen.SourceOffset.ShouldBe(first, where);
            }
        }

        // 10:00:00, or 2d 10:00:00
        private static long TimeOf(string at)
        {
            string[] parts = at.Split("d ");
            int days = parts.Length == 1 ? 0 : int.Parse(parts[0], CultureInfo.InvariantCulture);
            return Day.AddDays(days)
                .Add(TimeSpan.Parse(parts[^1], CultureInfo.InvariantCulture))
                .ToUnixTimeMilliseconds();
        }
    }
}

/// <summary>A fenced block of a page.</summary>
internal sealed record DocBlock(string Language, string Text, int Line)
{
    public static IEnumerable<DocBlock> Of(string file)
    {
        string[] lines = File.ReadAllLines(file);
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("```", StringComparison.Ordinal))
            {
                int end = Array.IndexOf(lines, "```", i + 1);
                yield return new DocBlock(
                    lines[i][3..],
                    string.Join('\n', lines[(i + 1)..end]),
                    i + 2
                );
                i = end;
            }
        }
    }
}
