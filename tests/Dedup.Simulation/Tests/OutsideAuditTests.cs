using Dedup.Audit.Reports;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Checkers;
using Dedup.Simulation.Runs;
using Dedup.Simulation.Scenarios;
using Shouldly;

namespace Dedup.Simulation.Tests;

/// <summary>
/// Who checks the checker: on the topics of sound runs under every policy, the audit says sound; with one clean record removed,
/// doubled, or changed it says so, or that it cannot tell.
/// </summary>
public sealed class OutsideAuditTests
{
    private const int Seeds = 300;

    public enum Damage
    {
        Removed,
        Doubled,
        Changed,
    }

    [Theory]
    [InlineData(Damage.Removed, false)]
    [InlineData(Damage.Doubled, false)]
    [InlineData(Damage.Changed, false)]
    [InlineData(Damage.Removed, true)]
    [InlineData(Damage.Doubled, true)]
    [InlineData(Damage.Changed, true)]
    public void A_damaged_clean_topic_is_never_called_sound(Damage damage, bool byId)
    {
        int told = 0;
        int damaged = 0;
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            Scenario scenario = Scenario.Of(
                seed,
                new Overrides
                {
                    ById = byId,
                    Records = 150,
                    // The audit goes by one configuration.
                    IsSteady = true,
                    // The share of what is told is held on the runs that it was set for: with quotas by-id it is 237 of 298.
                    HasNoQuotasById = byId,
                }
            );
            _ = SimulatedRun.Run(
                scenario,
                examine: run =>
                {
                    AuditReport sound = OutsideAudit.Audit(run);
                    if (!sound.IsSound || sound.Counts.Clean == 0)
                    {
                        // By-id near max-future: there the clocks of the first hop cannot be known.
                        return;
                    }

                    var rng = Rng.For(seed, 0xDA_3A6E);
                    long at = rng.Between(0, sound.Counts.Clean - 1);
                    string hurt = "";
                    AuditReport report = OutsideAudit.Audit(
                        run,
                        (_, records) => Hurt(records, damage, ref at, ref hurt)
                    );
                    damaged++;
                    told += report.IsSound ? 0 : 1;
                    (report.IsSound && report.UnknownTotal == 0).ShouldBeFalse(
                        $"seed {seed}: {hurt}"
                    );
                }
            );
        }

        damaged.ShouldBeGreaterThan(Seeds / 2);
        // What is unknown is the exception.
        told.ShouldBeGreaterThan(damaged * 4 / 5);
    }

    private static IReadOnlyList<ModelRecord> Hurt(
        IReadOnlyList<ModelRecord> records,
        Damage damage,
        ref long at,
        ref string text
    )
    {
        // Counted through all partitions: one record of one of them.
        long here = at;
        at -= records.Count;
        if (here < 0 || here >= records.Count)
        {
            return records;
        }

        List<ModelRecord> hurt = [.. records];
        ModelRecord record = hurt[(int)here];
        text = OutputChecker.Text(record);
        switch (damage)
        {
            case Damage.Removed:
                hurt.RemoveAt((int)here);
                break;
            case Damage.Doubled:
                hurt.Insert((int)here, record);
                break;
            default:
                hurt[(int)here] = new ModelRecord
                {
                    Key = record.Key,
                    Value = record.Value,
                    Headers = [.. record.Headers, new ModelHeader("more"u8.ToArray(), null)],
                    TimestampMs = record.TimestampMs,
                };
                break;
        }

        return hurt;
    }
}
