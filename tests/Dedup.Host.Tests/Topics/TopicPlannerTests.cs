using System.Collections.Immutable;
using Dedup.Host.Guards;
using Dedup.Host.Tests.Guards;
using Dedup.Host.Topics;

namespace Dedup.Host.Tests.Topics;

public sealed class TopicPlannerTests
{
    [Fact]
    public void Topics_as_they_should_be_are_kept() =>
        Plan(Facts.Good).ShouldAllBe(static p => p.Action == PlanAction.Keep);

    [Fact]
    public void A_missing_input_is_made_only_when_asked_for()
    {
        ClusterFacts none = Facts.Good with { Topics = Facts.Good.Topics.Clear() };
        TopicPlan refused = Plan(none).Single();
        refused.Action.ShouldBe(PlanAction.Refuse);
        refused.Problem!.ShouldContain("--partitions N");
        ImmutableArray<TopicPlan> plans = TopicPlanner.Plan(
            Facts.Config,
            none,
            new PlanOptions(12, null)
        );
        plans.Length.ShouldBe(4);
        plans.ShouldAllBe(static p =>
            p.Action == PlanAction.Create && p.PartitionsTo == 12 && p.Replicas == 3
        );
        plans.ShouldAllBe(static p =>
            p.Configs.Contains(new ConfigChange("min.insync.replicas", null, "2"))
        );
        TopicPlan changelog = plans.Single(static p => p.Topic == "dedup-orders-changelog");
        changelog.Configs.ShouldContain(new ConfigChange("cleanup.policy", null, "compact"));
        changelog.Configs.ShouldContain(
            new ConfigChange("message.timestamp.after.max.ms", null, Facts.Widest)
        );
    }

    [Fact]
    public void Replicas_follow_the_brokers_and_the_option()
    {
        ClusterFacts none = Facts.Good with { Topics = Facts.Good.Topics.Clear(), Brokers = 1 };
        TopicPlanner
            .Plan(Facts.Config, none, new PlanOptions(1, null))
            .ShouldAllBe(static p => p.Replicas == 1);
        TopicPlanner
            .Plan(Facts.Config, none, new PlanOptions(1, 2))
            .ShouldAllBe(static p => p.Replicas == 2);
    }

    [Fact]
    public void Wrong_properties_and_too_few_partitions_are_altered()
    {
        ClusterFacts facts = Facts.With(
            "dedup-orders-changelog",
            "cleanup.policy",
            "compact,delete"
        );
        facts = facts with
        {
            Topics = facts.Topics.SetItem(
                "orders.quarantine",
                Facts.Topic("orders.quarantine") with
                {
                    Partitions = 2,
                }
            ),
        };
        ImmutableArray<TopicPlan> plans = Plan(facts);
        TopicPlan changelog = plans.Single(static p => p.Topic == "dedup-orders-changelog");
        changelog.Action.ShouldBe(PlanAction.Alter);
        changelog.Configs.ShouldBe([
            new ConfigChange("cleanup.policy", "compact,delete", "compact"),
        ]);
        TopicPlan quarantine = plans.Single(static p => p.Topic == "orders.quarantine");
        (quarantine.PartitionsFrom, quarantine.PartitionsTo).ShouldBe((2, 4));
        quarantine.Configs.ShouldBe([new ConfigChange("max.message.bytes", "1048588", "1064972")]);
    }

    [Fact]
    public void Partitions_are_never_taken_away()
    {
        TopicPlan clean = Plan(Facts.With("orders.clean", static t => t with { Partitions = 8 }))
            .Single(static p => p.Topic == "orders.clean");
        clean.Action.ShouldBe(PlanAction.Refuse);
        clean.Problem!.ShouldContain("use another topic");
    }

    [Fact]
    public void A_new_clean_topic_keeps_records_as_long_as_the_input()
    {
        ClusterFacts facts = Facts.With(
            "orders",
            static t =>
                t with
                {
                    Configs = t.Configs!.SetItem("retention.ms", "1234"),
                    OwnConfigs = ["retention.ms"],
                }
        );
        facts = facts with
        {
            Topics = facts.Topics.Remove("orders.clean").Remove("orders.quarantine"),
        };
        ImmutableArray<TopicPlan> plans = Plan(facts);
        plans
            .Single(static p => p.Topic == "orders.clean")
            .Configs.ShouldContain(new ConfigChange("retention.ms", null, "1234"));
        plans
            .Single(static p => p.Topic == "orders.quarantine")
            .Configs.ShouldNotContain(static c => c.Name == "retention.ms");
    }

    [Fact]
    public void What_the_plan_makes_passes_the_guards()
    {
        ClusterFacts onlyInput = Facts.Good with
        {
            Topics = Facts.Good.Topics.Where(static t => t.Key == "orders").ToImmutableDictionary(),
        };
        ClusterFacts made = onlyInput;
        foreach (TopicPlan plan in Plan(onlyInput).Where(static p => p.Action == PlanAction.Create))
        {
            TopicFacts topic = Facts.Topic(
                plan.Topic,
                [.. plan.Configs.Select(static c => (c.Name, c.To))]
            );
            made = made with
            {
                Topics = made.Topics.Add(
                    plan.Topic,
                    topic with
                    {
                        Partitions = plan.PartitionsTo,
                        Replicas = plan.Replicas,
                    }
                ),
            };
        }

        ClusterGuards.Judge(Facts.Config, made).ShouldBeEmpty();
        Plan(made).ShouldAllBe(static p => p.Action == PlanAction.Keep);
    }

    private static ImmutableArray<TopicPlan> Plan(ClusterFacts facts) =>
        TopicPlanner.Plan(Facts.Config, facts, default);
}
