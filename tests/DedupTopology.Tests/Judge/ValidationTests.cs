using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Topology.Identify;
using Dedup.Topology.Judge;
using Dedup.Topology.Ledger;
using Dedup.Topology.Pipelines;
using Dedup.Topology.Ports;
using Dedup.Topology.Records;
using Dedup.Topology.Windows;
using Shouldly;

namespace DedupTopology.Tests.Judge;

/// <summary>Payloads that are validated: what the judge makes of the validator's answers.</summary>
public sealed class ValidationTests
{
    [Fact]
    public void A_payload_that_does_not_fit_is_quarantined_and_not_remembered()
    {
        (Judgement[] judgements, PartitionJudge judge, _) = Run(
            forwards: true,
            "bad",
            "good",
            "bad"
        );
        judgements
            .Select(static j => (j.Verdict, j.Destination, j.Reason))
            .ShouldBe([
                (Verdict.Invalid, Destination.Quarantine, Reason.SchemaInvalid),
                (Verdict.First, Destination.Clean, Reason.None),
                (Verdict.Invalid, Destination.Quarantine, Reason.SchemaInvalid),
            ]);
        judge.Ledger.Of(Reason.SchemaInvalid).ShouldBe(2);
        judge.Ledger.Unchecked.ShouldBe(0);
    }

    [Fact]
    public void Failing_open_judges_an_unchecked_record_as_any_other_and_counts_it()
    {
        (Judgement[] judgements, PartitionJudge judge, _) = Run(
            forwards: true,
            "away",
            "away",
            "good"
        );
        judgements
            .Select(static j => j.Verdict)
            .ShouldBe([Verdict.First, Verdict.Duplicate, Verdict.First]);
        judge.Ledger.Unchecked.ShouldBe(2);
        judge.Ledger.Of(Reason.SchemaUnavailable).ShouldBe(0);
        judge.Ledger.Pending().ShouldContain(new KeyValuePair<string, long>("schema-unchecked", 2));
    }

    [Fact]
    public void Failing_closed_quarantines_an_unchecked_record()
    {
        (Judgement[] judgements, PartitionJudge judge, _) = Run(forwards: false, "away", "good");
        judgements
            .Select(static j => (j.Destination, j.Reason))
            .ShouldBe([
                (Destination.Quarantine, Reason.SchemaUnavailable),
                (Destination.Clean, Reason.None),
            ]);
        judge.Ledger.Unchecked.ShouldBe(0);
    }

    [Fact]
    public void A_record_that_is_quarantined_anyway_is_not_validated()
    {
        (Judgement[] judgements, _, ByKey validator) = Run(forwards: true, null, "good");
        judgements[0].Reason.ShouldBe(Reason.NullKey);
        validator.Asked.ShouldBe(1);
    }

    private static (Judgement[], PartitionJudge, ByKey) Run(bool forwards, params string?[] keys)
    {
        using var store = new DictionaryStore();
        var validator = new ByKey();
        var judge = new PartitionJudge(
            new PipelineSpec
            {
                Name = "p",
                Input = "in",
                Clean = "clean",
                Quarantine = "quarantine",
                Recipe = Recipe.Key,
                Windows = [new WindowClass(0, "", 1000, 1000)],
                Validator = validator,
                ForwardsUnchecked = forwards,
            },
            new SipHash(1, 2)
        );
        var batch = new MemoryBatch();
        foreach (string? key in keys)
        {
            _ = batch.Add(key, 10_000);
        }

        var judgements = new Judgement[keys.Length];
        judge.Judge(batch, 0, keys.Length, 10_000, new Refusals(), store, judgements);
        judge.Commit();
        return (judgements, judge, validator);
    }

    private sealed class ByKey : IPayloadValidator
    {
        public int Asked { get; private set; }

        public Reason Check(in RecordView record)
        {
            Asked++;
            return Encoding.UTF8.GetString(record.Key) switch
            {
                "bad" => Reason.SchemaInvalid,
                "away" => Reason.SchemaUnavailable,
                _ => Reason.None,
            };
        }
    }
}
